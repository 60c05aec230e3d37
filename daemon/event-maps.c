/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of events: event-maps.h. */
#include "event-maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <sys/mman.h>

enum which {
	EVENTS_RING,
	EVENTS_CONTROL,
	EVENTS_LOSSES,
	EVENTS_BUDGET,
	EVENTS_MAPS,
};

enum {
	RING_BYTES_MIN = 65536, /* a multiple of every page size */
};

static const struct {
	const char *name; /* as programs declare it */
	enum bpf_map_type type;
	uint32_t value_bytes, entries; /* entries of 0: the ring's bytes */
	uint32_t flags;
} shapes[EVENTS_MAPS] = {
	[EVENTS_RING] = { "events", BPF_MAP_TYPE_RINGBUF, 0, 0, 0 },
	[EVENTS_CONTROL] = { "event_control", BPF_MAP_TYPE_ARRAY, sizeof(struct em_event_control),
			     1, BPF_F_MMAPABLE },
	[EVENTS_LOSSES] = { "event_losses", BPF_MAP_TYPE_ARRAY, sizeof(struct em_event_losses),
			    EM_SHARDS, BPF_F_MMAPABLE },
	[EVENTS_BUDGET] = { "event_budget", BPF_MAP_TYPE_ARRAY, sizeof(struct em_budget),
			    EM_BUDGETS, 0 },
};

struct event_maps {
	int fds[EVENTS_MAPS];
	uint32_t ring_bytes;
	struct em_event_control *control;
	const struct em_event_losses *losses;
};

struct event_maps *event_maps_free(struct event_maps *maps)
{
	if (!maps)
		return NULL;
	if (maps->control)
		munmap(maps->control, sizeof(*maps->control));
	if (maps->losses)
		munmap((void *)(uintptr_t)maps->losses, EM_SHARDS * sizeof(*maps->losses));
	for (int i = 0; i < EVENTS_MAPS; i++)
		close_fd(maps->fds[i]);
	free(maps);
	return NULL;
}

static int create(struct event_maps *maps)
{
	for (int i = 0; i < EVENTS_MAPS; i++) {
		LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = shapes[i].flags);

		maps->fds[i] = bpf_map_create(
			shapes[i].type, shapes[i].name, shapes[i].value_bytes ? 4 : 0,
			shapes[i].value_bytes,
			shapes[i].entries ? shapes[i].entries : maps->ring_bytes, &options);
		if (maps->fds[i] < 0)
			return -errno;
	}
	return 0;
}

static int map_memory(struct event_maps *maps)
{
	void *memory = mmap(NULL, sizeof(*maps->control), PROT_READ | PROT_WRITE, MAP_SHARED,
			    maps->fds[EVENTS_CONTROL], 0);

	if (memory == MAP_FAILED)
		return -errno;
	maps->control = memory;
	memory = mmap(NULL, EM_SHARDS * sizeof(*maps->losses), PROT_READ, MAP_SHARED,
		      maps->fds[EVENTS_LOSSES], 0);
	if (memory == MAP_FAILED)
		return -errno;
	maps->losses = memory;
	return 0;
}

int event_maps_new(uint64_t ring_bytes, struct event_maps **ret_maps, struct problem *problem)
{
	CLEANUP(event_maps_freep) struct event_maps *maps = calloc(1, sizeof(*maps));
	int r;

	if (!maps)
		return problem_set(problem, ENOMEM, "out of memory");
	for (int i = 0; i < EVENTS_MAPS; i++)
		maps->fds[i] = -1;
	maps->ring_bytes = RING_BYTES_MIN;
	while (maps->ring_bytes < ring_bytes && maps->ring_bytes < 1U << 30)
		maps->ring_bytes *= 2;
	r = create(maps);
	if (!r)
		r = map_memory(maps);
	if (r < 0)
		return problem_set(problem, -r, "cannot create the ring buffer of events: %s",
				   strerror(-r));
	maps->control->ring_bytes = maps->ring_bytes;
	*ret_maps = TAKE_PTR(maps);
	return 0;
}

/*
 * Whether a program may read kernel memory, by loading the least one that does: no version of
 * libbpf_probe_bpf_helper() understands what all kernels answer.
 */
static bool can_read_kernel(void)
{
	static const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_REG_10 },
		/* NOLINTNEXTLINE(misc-redundant-expression): both are 0 */
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_close_ int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "reads", "GPL",
					       program, ARRAY_SIZE(program), NULL);

	return fd >= 0;
}

/* lockdown=confidentiality forbids it, and names would have to be read so. */
enum em_events event_maps_level(const struct event_maps *maps)
{
	if (!maps)
		return EM_EVENTS_NONE;
	return can_read_kernel() ? EM_EVENTS_FULL : EM_EVENTS_NAMELESS;
}

int event_maps_share(const struct event_maps *maps, struct bpf_object *object)
{
	for (int i = 0; i < EVENTS_MAPS; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, shapes[i].name);
		int r = map ? bpf_map__reuse_fd(map, maps->fds[i]) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* The programs hold the maps, and what we need of them is in our memory. */
void event_maps_close_shared(struct event_maps *maps)
{
	for (int i = 0; i < EVENTS_MAPS; i++)
		if (i != EVENTS_RING)
			maps->fds[i] = close_fd(maps->fds[i]);
}

int event_maps_ring_fd(const struct event_maps *maps)
{
	return maps->fds[EVENTS_RING];
}

uint32_t event_maps_ring_bytes(const struct event_maps *maps)
{
	return maps->ring_bytes;
}

struct em_event_control *event_maps_control(const struct event_maps *maps)
{
	return maps->control;
}

void event_maps_losses(const struct event_maps *maps, struct em_event_losses *ret_losses)
{
	const uint64_t *word = (const uint64_t *)maps->losses;
	uint64_t *sum = (uint64_t *)ret_losses;
	size_t words = sizeof(*ret_losses) / sizeof(*sum);

	memset(ret_losses, 0, sizeof(*ret_losses));
	for (size_t i = 0; i < EM_SHARDS * words; i++)
		sum[i % words] += __atomic_load_n(&word[i], __ATOMIC_RELAXED);
}

uint64_t event_maps_kernel_bytes(const struct event_maps *maps)
{
	return maps->ring_bytes + EM_SHARDS * sizeof(struct em_event_losses) +
	       EM_BUDGETS * sizeof(struct em_budget) + sizeof(struct em_event_control);
}
