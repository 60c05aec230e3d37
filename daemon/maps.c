/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps all probes share: maps.h. */
#include "maps.h"

#include "map.h"
#include "tables.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum shared {
	SHARED_STATE,
	SHARED_TOTALS,
	SHARED_CGROUPS,
	SHARED_ENDED,
	SHARED_SETTLED,
	SHARED_MISSES,
	SHARED_BELLS,
	SHARED_MAPS,
};

enum {
	SETTLE_SHARE = 2, /* settled when 1/2 is in use: the rest is for the meantime */
};

static const struct map_shape shapes[SHARED_MAPS] = {
	[SHARED_STATE] = { "state", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct em_state), 1,
			   BPF_F_MMAPABLE, .in_probes = true },
	[SHARED_TOTALS] = { "totals", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct em_totals), EM_SHARDS,
			    BPF_F_MMAPABLE, .in_probes = true },
	[SHARED_CGROUPS] = { "cgroups", BPF_MAP_TYPE_LRU_HASH, 8, sizeof(struct em_cgroup),
			     EM_CGROUPS, 0, .in_probes = true },
	[SHARED_ENDED] = { "ended", BPF_MAP_TYPE_LRU_HASH, sizeof(struct em_process), 4, EM_ENDED,
			   0, .in_probes = true },
	[SHARED_SETTLED] = { "settled", BPF_MAP_TYPE_ARRAY, 4, MAP_WORD_BYTES, 0, BPF_F_MMAPABLE },
	[SHARED_MISSES] = { "misses", BPF_MAP_TYPE_ARRAY, 4, MAP_WORD_BYTES, 1, BPF_F_MMAPABLE,
			    .in_probes = true, .of_hooks = true },
	[SHARED_BELLS] = { "bells", BPF_MAP_TYPE_RINGBUF, 0, 0, MAPS_BELLS_BYTES, 0,
			   .in_probes = true },
};

struct maps {
	struct map shared[SHARED_MAPS];
	struct tables tables;
	struct em_state *state;
	struct em_totals *totals;
	uint64_t *misses;
};

struct maps *maps_free(struct maps *maps)
{
	if (!maps)
		return NULL;
	if (maps->state)
		munmap(maps->state, sizeof(*maps->state));
	if (maps->totals)
		munmap(maps->totals, EM_SHARDS * sizeof(*maps->totals));
	if (maps->misses)
		munmap(maps->misses, sizeof(*maps->misses));
	for (int i = 0; i < SHARED_MAPS; i++)
		map_release(&maps->shared[i]);
	tables_release(&maps->tables);
	free(maps);
	return NULL;
}

/* --- verifying --------------------------------------------------------------------------------- */

static int refuse_state(struct pins *pins, struct problem *problem)
{
	return problem_set(problem, EUCLEAN,
			   "%s holds no state of this layout: left untouched; 'ebpfmond --unpin' "
			   "removes it and all counts",
			   pins_name(pins, PIN_MAP, "state"));
}

static int check_state(const struct maps *maps, struct pins *pins, struct problem *problem)
{
	const struct em_state *state = maps->state;

	assert(state);
	if (state->format != EM_FORMAT || state->layout != EM_LAYOUT || state->slots != EM_SLOTS ||
	    state->shards != EM_SHARDS || state->gap_count > EM_GAPS)
		return refuse_state(pins, problem);
	if (state->totals_id != maps->shared[SHARED_TOTALS].id)
		return problem_set(problem, EUCLEAN,
				   "%s is not the map that counting began with: left untouched; "
				   "'ebpfmond --unpin' removes it and all counts",
				   pins_name(pins, PIN_MAP, "totals"));
	return 0;
}

/* What is settled stays mapped in @ret_memory. */
static int check_settled(const struct maps *maps, struct pins *pins,
			 struct settled_memory *ret_memory, struct problem *problem)
{
	const struct em_settled *header;
	int r = maps_settled(maps, ret_memory);

	if (r == -ENOMEM)
		return problem_set(problem, ENOMEM,
				   "cannot map the table 'settled' into memory: %s",
				   strerror(ENOMEM));
	if (!r) {
		header = ret_memory->settled.header;
		assert(header);
		if (header->era == maps->state->era || header->era + 1 == maps->state->era)
			return 0;
	}
	return problem_set(problem, EUCLEAN,
			   "%s holds no settled counts that fit the state: left untouched; "
			   "'ebpfmond --unpin' removes it and all counts",
			   pins_name(pins, PIN_MAP, "settled"));
}

/* --- memory ------------------------------------------------------------------------------------ */

static int map_one(const struct maps *maps, enum shared which, size_t bytes, int protection,
		   void **ret_memory, struct problem *problem)
{
	void *memory = mmap(NULL, bytes, protection, MAP_SHARED, maps->shared[which].fd, 0);

	if (memory == MAP_FAILED)
		return problem_set(problem, errno, "cannot map the table '%s' into memory: %m",
				   shapes[which].name);
	*ret_memory = memory;
	return 0;
}

static int map_memory(struct maps *maps, struct problem *problem)
{
	void *state = NULL, *totals = NULL, *misses = NULL;
	int r = map_one(maps, SHARED_STATE, sizeof(*maps->state), PROT_READ | PROT_WRITE, &state,
			problem);

	if (r < 0)
		return r;
	maps->state = state;
	r = map_one(maps, SHARED_TOTALS, EM_SHARDS * sizeof(*maps->totals), PROT_READ, &totals,
		    problem);
	if (r < 0)
		return r;
	maps->totals = totals;
	r = map_one(maps, SHARED_MISSES, sizeof(*maps->misses), PROT_READ, &misses, problem);
	if (!r)
		maps->misses = misses;
	return r;
}

static int begin_epoch(struct maps *maps, uint32_t subjects_max, struct problem *problem)
{
	struct em_state *state = maps->state;

	assert(state);
	if (getrandom(state->tree, sizeof(state->tree), 0) < 0 ||
	    getrandom(state->epoch, sizeof(state->epoch), 0) < 0 ||
	    getrandom(&state->seed, sizeof(state->seed), 0) < 0)
		return problem_set(problem, errno, "cannot get random bytes: %m");
	state->format = EM_FORMAT;
	state->layout = EM_LAYOUT;
	state->slots = EM_SLOTS;
	state->shards = EM_SHARDS;
	state->totals_id = maps->shared[SHARED_TOTALS].id;
	state->subjects_max = subjects_max;
	state->settle_at = subjects_max / SETTLE_SHARE;
	state->since_usec = state->verified_usec = now_realtime_usec();
	return 0;
}

/* --- creating ---------------------------------------------------------------------------------- */

static int create_core(struct maps *maps)
{
	static const char *const names[] = { "state", "totals", "cgroups", "ended", NULL };

	return map_create_core(
		names,
		(struct map *[]){ &maps->shared[SHARED_STATE], &maps->shared[SHARED_TOTALS],
				  &maps->shared[SHARED_CGROUPS], &maps->shared[SHARED_ENDED] },
		1, 1);
}

static int create_settled(struct maps *maps)
{
	const struct em_settled empty = { .format = EM_FORMAT };

	maps->shared[SHARED_SETTLED].fd = map_create_words("settled", &empty, sizeof(empty));
	return maps->shared[SHARED_SETTLED].fd < 0 ? maps->shared[SHARED_SETTLED].fd : 0;
}

static int pin_shared(struct maps *maps, enum shared which, struct pins *pins,
		      struct problem *problem)
{
	return map_pin(&maps->shared[which], &shapes[which], pins, problem);
}

/* The order: what refers to something comes after it. */
static int create_all(struct maps *maps, struct pins *pins, uint32_t subjects_max,
		      struct problem *problem)
{
	static const enum shared order[] = { SHARED_STATE, SHARED_TOTALS, SHARED_CGROUPS,
					     SHARED_ENDED, SHARED_SETTLED };
	int r = create_core(maps);

	if (!r)
		r = tables_create(&maps->tables, 0, subjects_max);
	if (!r)
		r = tables_create_outer(&maps->tables);
	if (!r)
		r = create_settled(maps);
	if (r < 0)
		return problem_set(problem, -r,
				   "cannot create the kernel tables for %u subjects: %s",
				   subjects_max, strerror(-r));
	for (size_t i = 0; !r && i < ARRAY_SIZE(order); i++)
		r = pin_shared(maps, order[i], pins, problem);
	if (!r)
		r = tables_pin_outer(&maps->tables, pins, problem);
	if (!r)
		r = tables_install(&maps->tables, 0, pins, problem);
	return r;
}

/* Made with the first hook, and kept with them through all layouts. */
static int create_misses(struct maps *maps, struct pins *pins, struct problem *problem)
{
	const uint64_t zero = 0;

	maps->shared[SHARED_MISSES].fd = map_create_words("misses", &zero, sizeof(zero));
	if (maps->shared[SHARED_MISSES].fd < 0)
		return problem_set(problem, -maps->shared[SHARED_MISSES].fd,
				   "cannot create the kernel table 'misses': %s",
				   strerror(-maps->shared[SHARED_MISSES].fd));
	return pin_shared(maps, SHARED_MISSES, pins, problem);
}

/* Not pinned: it is of no use to anybody but the daemon that reads it. */
static int create_bells(struct maps *maps, struct problem *problem)
{
	struct map *bells = &maps->shared[SHARED_BELLS];

	bells->fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bells", 0, 0, MAPS_BELLS_BYTES, NULL);
	if (bells->fd < 0)
		return problem_set(problem, errno, "cannot create the ring buffer 'bells': %m");
	bells->entries = MAPS_BELLS_BYTES;
	return 0;
}

/* --- adopting ---------------------------------------------------------------------------------- */

static int adopt_shared(struct maps *maps, enum shared which, struct pins *pins,
			struct problem *problem)
{
	return map_adopt_needed(&maps->shared[which], &shapes[which], pins, problem);
}

static int adopt_all(struct maps *maps, struct pins *pins, struct problem *problem)
{
	int r = 0;

	for (int i = 0; !r && i < SHARED_MISSES; i++)
		r = adopt_shared(maps, i, pins, problem);
	return r ? r : tables_adopt(&maps->tables, pins, problem);
}

/* The table that counts, and the one before while it is not settled. */
static int check_adopted(struct maps *maps, struct pins *pins, struct problem *problem)
{
	_cleanup_settled_ struct settled_memory memory = { 0 };
	uint32_t era;
	int r = check_state(maps, pins, problem);

	if (!r)
		r = check_settled(maps, pins, &memory, problem);
	if (r < 0)
		return r;
	assert(memory.settled.header);
	for (era = memory.settled.header->era; !r && era <= maps->state->era; era++) {
		r = tables_check(&maps->tables, era, pins, problem);
		if (!r && !tables_fit(&maps->tables, era, maps->state->subjects_max))
			r = refuse_state(pins, problem);
	}
	return r;
}

static void maps_init(struct maps *maps)
{
	for (int i = 0; i < SHARED_MAPS; i++)
		maps->shared[i].fd = -1;
	tables_init(&maps->tables);
}

int maps_new(struct pins *pins, uint32_t subjects_max, struct maps **ret_maps,
	     struct problem *problem)
{
	CLEANUP(maps_freep) struct maps *maps = calloc(1, sizeof(*maps));
	int r;

	if (!maps)
		return problem_set(problem, ENOMEM, "out of memory");
	maps_init(maps);
	if (pins_adopted(pins))
		r = adopt_shared(maps, SHARED_MISSES, pins, problem);
	else
		r = create_misses(maps, pins, problem);
	if (!r && pins_building(pins))
		r = create_all(maps, pins, subjects_max, problem);
	else if (!r)
		r = adopt_all(maps, pins, problem);
	if (!r)
		r = create_bells(maps, problem);
	if (!r)
		r = map_memory(maps, problem);
	if (!r && pins_building(pins))
		r = begin_epoch(maps, subjects_max, problem);
	else if (!r)
		r = check_adopted(maps, pins, problem);
	if (r < 0)
		return r;
	*ret_maps = TAKE_PTR(maps);
	return 0;
}

/* --- use --------------------------------------------------------------------------------------- */

int maps_share(const struct maps *maps, struct bpf_object *object)
{
	int r = 0;

	for (int i = 0; !r && i < SHARED_MAPS; i++)
		if (shapes[i].in_probes)
			r = map_share(&maps->shared[i], &shapes[i], object);
	return r ? r : tables_share(&maps->tables, object);
}

bool maps_used_by(const struct maps *maps, const uint32_t *ids, size_t n_ids)
{
	for (size_t i = 0; i < n_ids; i++)
		if (ids[i] == maps->shared[SHARED_MISSES].id)
			return true;
	return false;
}

struct em_state *maps_state(const struct maps *maps)
{
	return maps->state;
}

const struct em_totals *maps_totals(const struct maps *maps)
{
	return maps->totals;
}

uint64_t maps_dispatch_misses(const struct maps *maps)
{
	return __atomic_load_n(maps->misses, __ATOMIC_RELAXED);
}

int maps_cgroup(const struct maps *maps, uint64_t id, struct em_cgroup *ret_cgroup)
{
	if (bpf_map_lookup_elem(maps->shared[SHARED_CGROUPS].fd, &id, ret_cgroup) < 0)
		return -errno;
	ret_cgroup->name[EM_CGROUP_NAME - 1] = '\0';
	return 0;
}

void maps_note_cgroup(const struct maps *maps, uint64_t id, const struct em_cgroup *cgroup)
{
	bpf_map_update_elem(maps->shared[SHARED_CGROUPS].fd, &id, cgroup, BPF_NOEXIST);
}

int maps_bells_fd(const struct maps *maps)
{
	return maps->shared[SHARED_BELLS].fd;
}

/* --- tables ------------------------------------------------------------------------------------ */

int maps_rows_fd(const struct maps *maps, uint32_t era)
{
	return tables_rows_fd(&maps->tables, era);
}

uint32_t maps_rows(const struct maps *maps)
{
	return tables_rows(maps->state->subjects_max);
}

int maps_add_table(struct maps *maps, struct pins *pins, uint32_t era, struct problem *problem)
{
	uint32_t subjects_max = maps->state->subjects_max;
	int r = maps_drop_table(maps, pins, era, problem);

	if (r < 0)
		return r;
	r = tables_create(&maps->tables, era, subjects_max);
	if (r < 0)
		return problem_set(problem, -r, "cannot create another table for %u subjects: %s",
				   subjects_max, strerror(-r));
	maps->state->claimed[era % EM_ERAS] = 0;
	return tables_install(&maps->tables, era, pins, problem);
}

int maps_drop_table(struct maps *maps, struct pins *pins, uint32_t era, struct problem *problem)
{
	return tables_drop(&maps->tables, era, pins, problem);
}

int maps_wait_programs(const struct maps *maps)
{
	return tables_wait_programs(&maps->tables, maps->state->era);
}

/* --- settled ----------------------------------------------------------------------------------- */

int maps_settled(const struct maps *maps, struct settled_memory *ret_memory)
{
	const struct map *map = &maps->shared[SHARED_SETTLED];
	struct settled_memory memory = { .bytes = (size_t)map->entries * MAP_WORD_BYTES };
	int r;

	memory.data = mmap(NULL, memory.bytes, PROT_READ, MAP_SHARED, map->fd, 0);
	if (memory.data == MAP_FAILED)
		return -errno;
	r = settled_parse(memory.data, memory.bytes, &memory.settled);
	if (r < 0) {
		settled_memory_done(&memory);
		return r;
	}
	*ret_memory = memory;
	return 0;
}

void settled_memory_done(struct settled_memory *memory)
{
	if (memory->data)
		munmap(memory->data, memory->bytes);
	*memory = (struct settled_memory){ 0 };
}

int maps_replace_settled(struct maps *maps, struct pins *pins, const void *data, size_t bytes,
			 struct problem *problem)
{
	struct map next = { .fd = map_create_words("settled", data, bytes) };
	int r;

	if (next.fd < 0)
		return problem_set(problem, -next.fd,
				   "cannot create a table for %zu bytes of settled counts: %s",
				   bytes, strerror(-next.fd));
	r = map_check(&next, &shapes[SHARED_SETTLED], "settled", problem);
	if (!r)
		r = pins_replace(pins, PIN_MAP, "settled", next.fd, problem);
	if (r < 0) {
		map_release(&next);
		return r;
	}
	map_release(&maps->shared[SHARED_SETTLED]);
	maps->shared[SHARED_SETTLED] = next;
	return 0;
}

uint64_t maps_kernel_bytes(const struct maps *maps)
{
	return tables_kernel_bytes(&maps->tables, maps->state->subjects_max) +
	       EM_CGROUPS * (uint64_t)(sizeof(struct em_cgroup) + MAP_HASH_ELEMENT_BYTES) +
	       EM_ENDED * (uint64_t)(sizeof(struct em_process) + MAP_HASH_ELEMENT_BYTES) +
	       (uint64_t)maps->shared[SHARED_SETTLED].entries * MAP_WORD_BYTES + MAPS_BELLS_BYTES +
	       EM_SHARDS * sizeof(struct em_totals) + sizeof(struct em_state);
}
