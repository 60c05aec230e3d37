/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps all probes share: maps.h. */
#include "maps.h"

#include "core.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum shared {
	SHARED_STATE,
	SHARED_TOTALS,
	SHARED_ROWS,
	SHARED_CLAIMS,
	SHARED_ROWS_0,
	SHARED_CLAIMS_0,
	SHARED_CGROUPS,
	SHARED_MAPS,
};

enum {
	ROWS_PER_SUBJECT = 2,	 /* rows stay half empty, so that a place is found quickly */
	HASH_ELEMENT_BYTES = 72, /* kernel/bpf/hashtab.c: struct htab_elem and its bucket */
};

/* The shape every map must have; entries of 0: any, it depends on SubjectsMax=. */
struct shape {
	const char *name;
	enum bpf_map_type type;
	uint32_t key_bytes, value_bytes, entries, flags;
	bool in_probes; /* probes declare it too */
};

static const struct shape shapes[SHARED_MAPS] = {
	[SHARED_STATE] = { "state", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct em_state), 1,
			   BPF_F_MMAPABLE, true },
	[SHARED_TOTALS] = { "totals", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct em_totals), EM_SHARDS,
			    BPF_F_MMAPABLE, true },
	[SHARED_ROWS] = { "rows", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, EM_ERAS, 0, true },
	[SHARED_CLAIMS] = { "claims", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, EM_ERAS, 0, true },
	[SHARED_ROWS_0] = { "rows_0", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct em_row), 0,
			    BPF_F_MMAPABLE, false },
	[SHARED_CLAIMS_0] = { "claims_0", BPF_MAP_TYPE_HASH, 4, 4, 0, 0, false },
	[SHARED_CGROUPS] = { "cgroups", BPF_MAP_TYPE_LRU_HASH, 8, sizeof(struct em_cgroup),
			     EM_CGROUPS, 0, true },
};

struct maps {
	int fds[SHARED_MAPS];
	uint32_t ids[SHARED_MAPS];
	uint32_t entries[SHARED_MAPS];
	struct em_state *state;
	struct em_totals *totals;
};

struct maps *maps_free(struct maps *maps)
{
	if (!maps)
		return NULL;
	if (maps->state)
		munmap(maps->state, sizeof(*maps->state));
	if (maps->totals)
		munmap(maps->totals, EM_SHARDS * sizeof(*maps->totals));
	for (int i = 0; i < SHARED_MAPS; i++)
		close_fd(maps->fds[i]);
	free(maps);
	return NULL;
}

/* --- verifying --------------------------------------------------------------------------------- */

static int check_shape(struct maps *maps, enum shared which, struct pins *pins,
		       struct problem *problem)
{
	const struct shape *shape = &shapes[which];
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(maps->fds[which], &info, &size) < 0)
		return problem_set(problem, errno, "cannot examine map %s: %m",
				   pins_name(pins, PIN_MAP, shape->name));
	if (info.type != shape->type || info.key_size != shape->key_bytes ||
	    info.value_size != shape->value_bytes || info.map_flags != shape->flags ||
	    (shape->entries && info.max_entries != shape->entries))
		return problem_set(problem, EUCLEAN,
				   "%s is not the map it should be (type %u, key %u, value %u, "
				   "entries %u, flags %#x): left untouched; 'ebpfmond --unpin' "
				   "removes it and its counts",
				   pins_name(pins, PIN_MAP, shape->name), info.type, info.key_size,
				   info.value_size, info.max_entries, info.map_flags);
	maps->ids[which] = info.id;
	maps->entries[which] = info.max_entries;
	return 0;
}

/* The outer map must hold the very map that is pinned as its first inner one. */
static int check_inner(struct maps *maps, enum shared outer, enum shared inner, struct pins *pins,
		       struct problem *problem)
{
	uint32_t era = 0, id = 0;

	if (bpf_map_lookup_elem(maps->fds[outer], &era, &id) < 0 || id != maps->ids[inner])
		return problem_set(problem, EUCLEAN,
				   "%s does not hold the map pinned as '%s': left untouched; "
				   "'ebpfmond --unpin' removes both and their counts",
				   pins_name(pins, PIN_MAP, shapes[outer].name),
				   shapes[inner].name);
	return 0;
}

static int check_state(struct maps *maps, struct pins *pins, struct problem *problem)
{
	uint32_t row_count = maps->entries[SHARED_ROWS_0];
	const struct em_state *state = maps->state;

	if (state->layout != EM_LAYOUT || state->era >= EM_ERAS || row_count & (row_count - 1) ||
	    state->gap_count > EM_GAPS || state->subjects_max != maps->entries[SHARED_CLAIMS_0])
		return problem_set(problem, EUCLEAN,
				   "%s holds no state of this layout: left untouched; 'ebpfmond "
				   "--unpin' removes it and all counts",
				   pins_name(pins, PIN_MAP, "state"));
	return 0;
}

/* --- memory ------------------------------------------------------------------------------------ */

static int map_memory(struct maps *maps, struct problem *problem)
{
	void *state, *totals;

	state = mmap(NULL, sizeof(*maps->state), PROT_READ | PROT_WRITE, MAP_SHARED,
		     maps->fds[SHARED_STATE], 0);
	if (state == MAP_FAILED)
		return problem_set(problem, errno, "cannot map the state into memory: %m");
	maps->state = state;
	totals = mmap(NULL, EM_SHARDS * sizeof(*maps->totals), PROT_READ, MAP_SHARED,
		      maps->fds[SHARED_TOTALS], 0);
	if (totals == MAP_FAILED)
		return problem_set(problem, errno, "cannot map the totals into memory: %m");
	maps->totals = totals;
	return 0;
}

static int begin_epoch(struct em_state *state, uint32_t subjects_max, struct problem *problem)
{
	if (getrandom(state->epoch, sizeof(state->epoch), 0) < 0 ||
	    getrandom(&state->seed, sizeof(state->seed), 0) < 0)
		return problem_set(problem, errno, "cannot get random bytes: %m");
	state->layout = EM_LAYOUT;
	state->subjects_max = subjects_max;
	state->since_usec = state->verified_usec = now_realtime_usec();
	return 0;
}

/* --- creating and adopting --------------------------------------------------------------------- */

static uint32_t rows_for(uint32_t subjects_max)
{
	uint32_t row_count = ROWS_PER_SUBJECT;

	while (row_count < subjects_max * ROWS_PER_SUBJECT)
		row_count *= 2;
	return row_count;
}

/* Everything but the outer maps: libbpf would give those templates of their own. */
static int load_core(struct bpf_object *core, uint32_t subjects_max)
{
	int r;

	r = bpf_map__set_autocreate(bpf_object__find_map_by_name(core, "rows"), false);
	if (!r)
		r = bpf_map__set_autocreate(bpf_object__find_map_by_name(core, "claims"), false);
	if (!r)
		r = bpf_map__set_max_entries(bpf_object__find_map_by_name(core, "rows_0"),
					     rows_for(subjects_max));
	if (!r)
		r = bpf_map__set_max_entries(bpf_object__find_map_by_name(core, "claims_0"),
					     subjects_max);
	return r ? r : bpf_object__load(core);
}

/*
 * The first inner map is the template itself: what an outer map holds must equal its template in
 * entries (arrays), and on 5.15 to 6.1 even in having BTF (timer_off in bpf_map_meta_equal()).
 */
static int create_outer(struct maps *maps, enum shared outer, enum shared inner)
{
	const struct shape *shape = &shapes[outer];
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t)maps->fds[inner]);
	uint32_t era = 0;

	maps->fds[outer] = bpf_map_create(shape->type, shape->name, shape->key_bytes,
					  shape->value_bytes, shape->entries, &options);
	if (maps->fds[outer] < 0 ||
	    bpf_map_update_elem(maps->fds[outer], &era, &maps->fds[inner], 0) < 0)
		return -errno;
	return 0;
}

static int take_core(struct maps *maps, const struct bpf_object *core)
{
	static const enum shared created[] = { SHARED_STATE, SHARED_TOTALS, SHARED_ROWS_0,
					       SHARED_CLAIMS_0, SHARED_CGROUPS };

	for (size_t i = 0; i < ARRAY_SIZE(created); i++) {
		int fd = bpf_object__find_map_fd_by_name(core, shapes[created[i]].name);

		maps->fds[created[i]] = dup(fd);
		if (maps->fds[created[i]] < 0)
			return -errno;
	}
	return 0;
}

static void object_closep(struct bpf_object **object)
{
	if (*object)
		bpf_object__close(*object);
}

static int create_all(struct maps *maps, struct pins *pins, uint32_t subjects_max,
		      struct problem *problem)
{
	CLEANUP(object_closep) struct bpf_object *core = NULL;
	size_t size;
	const void *elf = core_bpf__elf_bytes(&size);
	int r;

	core = bpf_object__open_mem(elf, size, NULL);
	if (!core)
		return problem_set(problem, errno,
				   "cannot read the built-in BPF object 'core': %m");
	r = load_core(core, subjects_max);
	if (!r)
		r = take_core(maps, core);
	if (!r)
		r = create_outer(maps, SHARED_ROWS, SHARED_ROWS_0);
	if (!r)
		r = create_outer(maps, SHARED_CLAIMS, SHARED_CLAIMS_0);
	if (r < 0)
		return problem_set(problem, -r,
				   "cannot create the kernel tables for %u subjects: %s",
				   subjects_max, strerror(-r));
	for (int i = 0; !r && i < SHARED_MAPS; i++)
		r = pins_put(pins, PIN_MAP, shapes[i].name, maps->fds[i], problem);
	return r;
}

static int adopt_all(struct maps *maps, struct pins *pins, struct problem *problem)
{
	int r;

	for (int i = 0; i < SHARED_MAPS; i++) {
		r = pins_get(pins, PIN_MAP, shapes[i].name, &maps->fds[i], problem);
		if (r == -ENOENT)
			return problem_set(problem, EUCLEAN,
					   "%s is missing: left the rest untouched; 'ebpfmond "
					   "--unpin' removes it and all counts",
					   pins_name(pins, PIN_MAP, shapes[i].name));
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_all(struct maps *maps, struct pins *pins, struct problem *problem)
{
	int r;

	for (int i = 0; i < SHARED_MAPS; i++) {
		r = check_shape(maps, i, pins, problem);
		if (r < 0)
			return r;
	}
	r = check_inner(maps, SHARED_ROWS, SHARED_ROWS_0, pins, problem);
	if (r < 0)
		return r;
	return check_inner(maps, SHARED_CLAIMS, SHARED_CLAIMS_0, pins, problem);
}

int maps_new(struct pins *pins, uint32_t subjects_max, struct maps **ret_maps,
	     struct problem *problem)
{
	CLEANUP(maps_freep) struct maps *maps = calloc(1, sizeof(*maps));
	int r;

	if (!maps)
		return problem_set(problem, ENOMEM, "out of memory");
	for (int i = 0; i < SHARED_MAPS; i++)
		maps->fds[i] = -1;
	if (pins_adopted(pins))
		r = adopt_all(maps, pins, problem);
	else
		r = create_all(maps, pins, subjects_max, problem);
	if (r < 0)
		return r;
	r = check_all(maps, pins, problem);
	if (r < 0)
		return r;
	r = map_memory(maps, problem);
	if (r < 0)
		return r;
	if (!pins_adopted(pins))
		r = begin_epoch(maps->state, subjects_max, problem);
	else
		r = check_state(maps, pins, problem);
	if (r < 0)
		return r;
	*ret_maps = TAKE_PTR(maps);
	return 0;
}

/* --- use --------------------------------------------------------------------------------------- */

int maps_share(const struct maps *maps, struct bpf_object *object)
{
	for (int i = 0; i < SHARED_MAPS; i++) {
		struct bpf_map *map;
		int r;

		if (!shapes[i].in_probes)
			continue;
		map = bpf_object__find_map_by_name(object, shapes[i].name);
		if (!map)
			return -ENOENT;
		r = bpf_map__reuse_fd(map, maps->fds[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool contains(const uint32_t *ids, size_t n_ids, uint32_t id)
{
	for (size_t i = 0; i < n_ids; i++)
		if (ids[i] == id)
			return true;
	return false;
}

bool maps_used_by(const struct maps *maps, const uint32_t *ids, size_t n_ids)
{
	return contains(ids, n_ids, maps->ids[SHARED_TOTALS]);
}

struct em_state *maps_state(const struct maps *maps)
{
	return maps->state;
}

const struct em_totals *maps_totals(const struct maps *maps)
{
	return maps->totals;
}

int maps_rows_fd(const struct maps *maps)
{
	return maps->fds[SHARED_ROWS_0];
}

uint32_t maps_rows(const struct maps *maps)
{
	return maps->entries[SHARED_ROWS_0];
}

int maps_cgroup(const struct maps *maps, uint64_t id, struct em_cgroup *ret_cgroup)
{
	if (bpf_map_lookup_elem(maps->fds[SHARED_CGROUPS], &id, ret_cgroup) < 0)
		return -errno;
	ret_cgroup->name[EM_CGROUP_NAME - 1] = '\0';
	return 0;
}

uint64_t maps_kernel_bytes(const struct maps *maps)
{
	return (uint64_t)maps_rows(maps) * sizeof(struct em_row) +
	       (uint64_t)maps->entries[SHARED_CLAIMS_0] * (HASH_ELEMENT_BYTES + 16) +
	       EM_CGROUPS * (uint64_t)(sizeof(struct em_cgroup) + HASH_ELEMENT_BYTES) +
	       EM_SHARDS * sizeof(struct em_totals) + sizeof(struct em_state);
}
