/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking over the counts of another layout: takeover.h has the steps. */
#include "takeover.h"

#include "collect.h"
#include "log.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* A map of the other layout, mapped whole unless it is a table. */
struct foreign {
	int fd;
	uint32_t entries, value_bytes;
	void *memory;
	size_t bytes;
};

struct takeover {
	struct foreign state_map, totals_map, settled_map, cgroups;
	struct foreign rows[EM_ERAS];
	struct em_state state; /* a copy */
	struct settled settled;
};

static void foreign_release(struct foreign *foreign)
{
	if (foreign->memory)
		munmap(foreign->memory, foreign->bytes);
	foreign->fd = close_fd(foreign->fd);
}

struct takeover *takeover_free(struct takeover *takeover)
{
	if (!takeover)
		return NULL;
	foreign_release(&takeover->state_map);
	foreign_release(&takeover->totals_map);
	foreign_release(&takeover->settled_map);
	foreign_release(&takeover->cgroups);
	for (int i = 0; i < EM_ERAS; i++)
		foreign_release(&takeover->rows[i]);
	free(takeover);
	return NULL;
}

/* --- opening ----------------------------------------------------------------------------------- */

static int refuse(struct pins *other, const char *name, struct problem *problem)
{
	return problem_set(
		problem, EUCLEAN,
		"%s is of a layout that this version does not understand: left "
		"untouched; start the version that made it, or 'ebpfmond --unpin' removes "
		"it and all counts",
		pins_name(other, PIN_MAP, name));
}

/* What is pinned as @name, if it has that key and any value but less than @value_bytes. */
static int open_map(struct pins *other, const char *name, uint32_t key_bytes, uint32_t value_bytes,
		    struct foreign *foreign, struct problem *problem)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	int r = pins_get(other, PIN_MAP, name, &foreign->fd, problem);

	if (r < 0)
		return r == -ENOENT ? refuse(other, name, problem) : r;
	if (bpf_obj_get_info_by_fd(foreign->fd, &info, &size) < 0)
		return problem_set(problem, errno, "cannot examine map %s: %m",
				   pins_name(other, PIN_MAP, name));
	if (info.key_size != key_bytes || info.value_size < value_bytes)
		return refuse(other, name, problem);
	foreign->entries = info.max_entries;
	foreign->value_bytes = info.value_size;
	return 0;
}

static int open_memory(struct pins *other, const char *name, uint32_t value_bytes,
		       struct foreign *foreign, struct problem *problem)
{
	int r = open_map(other, name, sizeof(uint32_t), value_bytes, foreign, problem);

	if (r < 0)
		return r;
	foreign->bytes = (size_t)foreign->entries * foreign->value_bytes;
	foreign->memory = mmap(NULL, foreign->bytes, PROT_READ, MAP_SHARED, foreign->fd, 0);
	if (foreign->memory != MAP_FAILED)
		return 0;
	foreign->memory = NULL;
	return problem_set(problem, errno, "cannot map %s into memory: %m",
			   pins_name(other, PIN_MAP, name));
}

static size_t row_bytes(const struct em_state *state)
{
	return offsetof(struct em_row, counters) + state->slots * sizeof(uint64_t);
}

static size_t totals_bytes(const struct em_state *state)
{
	return (2UL * state->slots + EM_UPDATE_ERRORS) * sizeof(uint64_t);
}

static int check_state(struct takeover *takeover, struct pins *other, struct problem *problem)
{
	const struct em_state *state = &takeover->state;

	assert(takeover->state_map.memory);
	memcpy(&takeover->state, takeover->state_map.memory, sizeof(takeover->state));
	if (state->format != EM_FORMAT || !state->slots || state->slots > EM_SLOTS_LIMIT ||
	    row_bytes(state) % 64 || state->gap_count > EM_GAPS)
		return refuse(other, "state", problem);
	return 0;
}

static int check_maps(struct takeover *takeover, struct pins *other, struct problem *problem)
{
	const struct em_state *state = &takeover->state;

	if (takeover->totals_map.value_bytes < totals_bytes(state) ||
	    takeover->totals_map.entries != state->shards)
		return refuse(other, "totals", problem);
	if (takeover->settled_map.value_bytes != sizeof(uint64_t) ||
	    settled_parse(takeover->settled_map.memory, takeover->settled_map.bytes,
			  &takeover->settled) < 0 ||
	    (takeover->settled.header->era != state->era &&
	     takeover->settled.header->era + 1 != state->era))
		return refuse(other, "settled", problem);
	return 0;
}

/* The table that counts, and the one before if it is not settled. */
static int open_tables(struct takeover *takeover, struct pins *other, struct problem *problem)
{
	const struct em_state *state = &takeover->state;

	for (uint32_t era = takeover->settled.header->era; era <= state->era; era++) {
		struct foreign *rows = &takeover->rows[era % EM_ERAS];
		char name[16];
		int r;

		snprintf(name, sizeof(name), "rows_%u", era % EM_ERAS);
		r = open_map(other, name, sizeof(uint32_t), (uint32_t)row_bytes(state), rows,
			     problem);
		if (!r && rows->value_bytes != row_bytes(state))
			r = refuse(other, name, problem);
		if (r < 0)
			return r;
	}
	return 0;
}

static void takeover_init(struct takeover *takeover)
{
	takeover->state_map.fd = takeover->totals_map.fd = takeover->settled_map.fd =
		takeover->cgroups.fd = -1;
	for (int i = 0; i < EM_ERAS; i++)
		takeover->rows[i].fd = -1;
}

/* Opens the maps of @other and checks that this version understands them. */
static int open_other(struct pins *other, struct takeover **ret_takeover, struct problem *problem)
{
	CLEANUP(takeover_freep) struct takeover *takeover = calloc(1, sizeof(*takeover));
	int r;

	if (!takeover)
		return problem_set(problem, ENOMEM, "out of memory");
	takeover_init(takeover);
	r = open_memory(other, "state", sizeof(struct em_state), &takeover->state_map, problem);
	if (!r)
		r = check_state(takeover, other, problem);
	if (!r)
		r = open_memory(other, "totals", sizeof(uint64_t), &takeover->totals_map, problem);
	if (!r)
		r = open_memory(other, "settled", sizeof(uint64_t), &takeover->settled_map,
				problem);
	if (!r)
		r = check_maps(takeover, other, problem);
	if (!r)
		r = open_tables(takeover, other, problem);
	if (!r)
		r = open_map(other, "cgroups", sizeof(uint64_t), 0, &takeover->cgroups, problem);
	if (r < 0)
		return r;
	*ret_takeover = TAKE_PTR(takeover);
	return 0;
}

/* --- whose counts are where -------------------------------------------------------------------- */

/* Whether @maps have the other's counts already, */
static bool is_done(const struct takeover *takeover, const struct maps *maps)
{
	_cleanup_settled_ struct settled_memory memory = { 0 };

	return maps_settled(maps, &memory) == 0 &&
	       !memcmp(memory.settled.header->taken, takeover->state.tree,
		       sizeof(takeover->state.tree));
}

/* or the other has those of @maps. */
static bool is_reversed(const struct takeover *takeover, const struct maps *maps)
{
	return !memcmp(takeover->settled.header->taken, maps_state(maps)->tree,
		       sizeof(takeover->state.tree));
}

/* The other's identity and gaps. */
static void copy_identity(const struct takeover *takeover, struct em_state *state)
{
	const struct em_state *other = &takeover->state;

	memcpy(state->epoch, other->epoch, sizeof(state->epoch));
	state->since_usec = other->since_usec;
	state->verified_usec = other->verified_usec;
	state->generation = other->generation;
	state->gap_count = other->gap_count;
	memcpy(state->attached, other->attached, sizeof(state->attached));
	memcpy(state->gaps, other->gaps, sizeof(state->gaps));
}

int takeover_begin(struct pins *pins, uint32_t subjects_max, struct maps **maps,
		   struct takeover **ret_takeover, struct problem *problem)
{
	CLEANUP(takeover_freep) struct takeover *takeover = NULL;
	struct pins *other = pins_other(pins);
	int r = open_other(other, &takeover, problem);

	if (r < 0)
		return r;
	assert(takeover);
	if (!pins_building(pins) && is_reversed(takeover, *maps)) {
		*maps = maps_free(*maps);
		r = pins_start_over(pins, problem);
		if (!r)
			r = maps_new(pins, subjects_max, maps, problem);
		if (r < 0)
			return r;
	}
	if (pins_building(pins)) {
		log_notice("taking over the counts of layout %s", pins_layout(other));
		copy_identity(takeover, maps_state(*maps));
		r = pins_commit(pins, problem);
	} else if (is_done(takeover, *maps)) {
		takeover = takeover_free(takeover);
		r = pins_remove_other(pins, problem);
	}
	if (!r)
		*ret_takeover = TAKE_PTR(takeover);
	return r;
}

/* --- adding up --------------------------------------------------------------------------------- */

/* Names of cgroups that are gone, as far as our programs have not noted them too. */
static void copy_cgroups(const struct takeover *takeover, const struct maps *maps)
{
	uint64_t id, *previous = NULL;
	struct em_cgroup cgroup;

	if (takeover->cgroups.value_bytes != sizeof(cgroup))
		return; /* then these units have no name */
	for (uint32_t i = 0; i < takeover->cgroups.entries &&
			     bpf_map_get_next_key(takeover->cgroups.fd, previous, &id) == 0;
	     i++, previous = &id)
		if (bpf_map_lookup_elem(takeover->cgroups.fd, &id, &cgroup) == 0)
			maps_note_cgroup(maps, id, &cgroup);
}

static void add_totals(const struct takeover *takeover, struct settlement *settlement)
{
	const struct em_state *state = &takeover->state;
	const struct settled *settled = &takeover->settled;

	for (uint32_t shard = 0; shard < state->shards; shard++) {
		const uint64_t *words =
			(const uint64_t *)((const char *)takeover->totals_map.memory +
					   (size_t)shard * takeover->totals_map.value_bytes);

		for (uint32_t i = 0; i < state->slots; i++) {
			settlement->seen[i] += words[i];
			settlement->overflow[i] += words[state->slots + i];
		}
		for (uint32_t i = 0; i < EM_UPDATE_ERRORS; i++)
			settlement->update_errors[i] += words[2 * state->slots + i];
	}
	for (uint32_t i = 0; i < settled->header->slots; i++) {
		settlement->seen[i] += settled->seen[i];
		settlement->overflow[i] += settled->overflow[i];
	}
	for (uint32_t i = 0; i < EM_UPDATE_ERRORS; i++)
		settlement->update_errors[i] += settled->header->update_errors[i];
}

struct addition {
	struct settle *settle;
	struct settlement *settlement;
	uint32_t slots;
};

static void add_row(const struct collect_row *row, const uint64_t *counters, void *userdata)
{
	struct addition *addition = userdata;

	settle_add(addition->settle, addition->settlement, row, counters, addition->slots);
}

/* Their names get numbers of our own units. */
struct names {
	struct settle *settle;
	uint32_t *numbers;
	size_t n;
};

static int add_name(const char *name, void *userdata)
{
	struct names *names = userdata;

	names->numbers[++names->n] = settle_unit_named(names->settle, name);
	return 0;
}

static int add_settled(const struct takeover *takeover, struct addition *addition)
{
	const struct settled *settled = &takeover->settled;
	_cleanup_free_ uint32_t *numbers = calloc(settled->header->units + 1UL, sizeof(*numbers));
	struct names names = { addition->settle, numbers, 0 };

	if (!numbers)
		return -ENOMEM;
	settled_each_name(settled, add_name, &names);
	addition->slots = settled->header->slots;
	for (uint64_t i = 0; i < settled->header->rows; i++) {
		const struct em_settled_row *row = settled_row(settled, i);
		const struct collect_row key = { row->uid, row->login, 0, numbers[row->unit] };

		add_row(&key, settled_counters(row), addition);
	}
	return 0;
}

static int add_tables(const struct takeover *takeover, struct addition *addition)
{
	const struct em_state *state = &takeover->state;
	int r = 0;

	addition->slots = state->slots;
	for (uint32_t era = takeover->settled.header->era; !r && era <= state->era; era++) {
		const struct foreign *rows = &takeover->rows[era % EM_ERAS];
		const struct collect_table table = { rows->fd, rows->entries, state->slots,
						     state->seed };

		r = collect_table(&table, add_row, addition);
	}
	return r;
}

int takeover_finish(const struct takeover *takeover, struct maps *maps, struct settle *settle,
		    struct problem *problem)
{
	_cleanup_settlement_ struct settlement settlement = { 0 };
	struct addition addition = { settle, &settlement, 0 };
	int r = maps_wait_programs(maps);

	if (!r) {
		copy_cgroups(takeover, maps);
		r = settle_begin(settle, &settlement);
	}
	if (!r)
		r = add_settled(takeover, &addition);
	if (!r)
		r = add_tables(takeover, &addition);
	if (r < 0)
		return problem_set(problem, -r, "cannot read the counts of another layout: %s",
				   strerror(-r));
	add_totals(takeover, &settlement);
	return settle_commit(settle, &settlement, maps_state(maps)->era, takeover->state.tree,
			     problem);
}
