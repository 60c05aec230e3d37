/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF programs of all probes: programs.h. */
#include "programs.h"

#include "object.h"
#include "programs.skel.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Memory to put events together; not every hook has one. */
static struct bpf_map *heap_of(const struct hook *hook, const struct bpf_object *object)
{
	char name[HOOK_NAME_MAX];

	snprintf(name, sizeof(name), "heap_%s", hook->program);
	return bpf_object__find_map_by_name(object, name);
}

static int select_program(const struct hook_run *run, const char *name,
			  const struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	int r = program ? 0 : -ENOENT;

	if (!r && run->hook->kind == HOOK_FEXIT)
		r = bpf_program__set_attach_target(program, 0, run->target);
	return r < 0 ? r : bpf_program__set_autoload(program, true);
}

/* Behind a dispatcher that is pinned goes a new body, nothing else. */
static int select_hook(const struct hook_run *run, const struct bpf_object *object)
{
	char name[HOOK_NAME_MAX];
	struct bpf_map *jump = bpf_object__find_map_by_name(object, hook_jump_map(run->hook, name));
	struct bpf_map *heap = heap_of(run->hook, object);
	int r = select_program(run, run->hook->program, object);

	if (!r && heap)
		r = bpf_map__set_autocreate(heap, true);
	if (r < 0 || run->pinned)
		return r;
	if (!jump)
		return -ENOENT;
	r = bpf_map__set_autocreate(jump, true);
	return r < 0 ? r : select_program(run, hook_dispatcher(run->hook, name), object);
}

static int set_constants(const struct object_context *context, struct em_constants constants,
			 struct bpf_object *object)
{
	struct bpf_map *map;
	size_t size;

	constants.row_mask = maps_rows(context->maps) - 1;
	bpf_object__for_each_map(map, object) {
		if (!strstr(bpf_map__name(map), ".rodata"))
			continue;
		if (!bpf_map__initial_value(map, &size) || size != sizeof(constants))
			return -EINVAL;
		return bpf_map__set_initial_value(map, &constants, sizeof(constants));
	}
	return -ENOENT;
}

/* Belongs to a single hook. */
static bool is_own(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY ||
	       bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static int select_all(const struct object_context *context, const struct em_constants *constants,
		      const struct hook_run *runs, size_t n_runs, struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map;
	int r;

	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, false);
	bpf_object__for_each_map(map, object)
		if (is_own(map))
			bpf_map__set_autocreate(map, false);
	r = set_constants(context, *constants, object);
	if (!r)
		r = maps_share(context->maps, object);
	if (!r && context->events)
		r = event_maps_share(context->events, object);
	for (size_t i = 0; !r && i < n_runs; i++)
		if (runs[i].wanted)
			r = select_hook(&runs[i], object);
	return r;
}

int programs_load(const struct object_context *context, const struct em_constants *constants,
		  const struct hook_run *runs, size_t n_runs, struct bpf_object **ret_object)
{
	struct bpf_object *object;
	size_t size;
	const void *elf = programs_elf(&size);
	int r;

	object = bpf_object__open_mem(elf, size, NULL);
	if (!object)
		return -errno;
	r = select_all(context, constants, runs, n_runs, object);
	if (!r)
		r = bpf_object__load(object);
	if (r < 0)
		bpf_object__close(object);
	else
		*ret_object = object;
	return r;
}

static bool is_loaded(const struct bpf_object *object, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	return program && bpf_program__fd(program) >= 0;
}

bool programs_include(const struct bpf_object *object, const struct hook_run *runs, size_t n_runs)
{
	char name[HOOK_NAME_MAX];

	for (size_t i = 0; i < n_runs; i++) {
		if (!runs[i].wanted)
			continue;
		if (!is_loaded(object, runs[i].hook->program) ||
		    (!runs[i].pinned && !is_loaded(object, hook_dispatcher(runs[i].hook, name))))
			return false;
	}
	return true;
}

const void *programs_elf(size_t *ret_size)
{
	return programs_bpf__elf_bytes(ret_size);
}

void programs_forget(void)
{
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)programs_elf(&size);
	uintptr_t end = (from + size) & ~(page - 1);

	from = (from + page - 1) & ~(page - 1);
	if (from < end)
		madvise((void *)from, end - from, MADV_DONTNEED);
}
