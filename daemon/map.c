/* SPDX-License-Identifier: GPL-2.0-only */
/* One map: map.h. */
#include "map.h"

#include "ebpfmon.h" /* of what the next one refers to */

#include "core.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <sys/mman.h>

void map_release(struct map *map)
{
	map->fd = close_fd(map->fd);
}

int map_check(struct map *map, const struct map_shape *shape, const char *pin,
	      struct problem *problem)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(map->fd, &info, &size) < 0)
		return problem_set(problem, errno, "cannot examine map %s: %m", pin);
	if (info.type != shape->type || info.key_size != shape->key_bytes ||
	    info.value_size != shape->value_bytes || info.map_flags != shape->flags ||
	    (shape->entries && info.max_entries != shape->entries))
		return problem_set(problem, EUCLEAN,
				   "%s is not the map it should be (type %u, key %u, value %u, "
				   "entries %u, flags %#x): left untouched; 'ebpfmond --unpin' "
				   "removes it and its counts",
				   pin, info.type, info.key_size, info.value_size, info.max_entries,
				   info.map_flags);
	map->id = info.id;
	map->entries = info.max_entries;
	return 0;
}

int map_adopt(struct map *map, const struct map_shape *shape, const char *name, struct pins *pins,
	      struct problem *problem)
{
	int r = pins_get(pins, map_kind(shape), name, &map->fd, problem);

	return r ? r : map_check(map, shape, pins_name(pins, map_kind(shape), name), problem);
}

int map_missing(const char *pin, struct problem *problem)
{
	return problem_set(problem, EUCLEAN,
			   "%s is missing: left the rest untouched; 'ebpfmond --unpin' removes it "
			   "and all counts",
			   pin);
}

int map_adopt_needed(struct map *map, const struct map_shape *shape, struct pins *pins,
		     struct problem *problem)
{
	int r = map_adopt(map, shape, shape->name, pins, problem);

	return r == -ENOENT ? map_missing(pins_name(pins, map_kind(shape), shape->name), problem)
			    : r;
}

int map_pin(struct map *map, const struct map_shape *shape, struct pins *pins,
	    struct problem *problem)
{
	int r = pins_put(pins, map_kind(shape), shape->name, map->fd, problem);

	return r ? r
		 : map_check(map, shape, pins_name(pins, map_kind(shape), shape->name), problem);
}

int map_share(const struct map *map, const struct map_shape *shape, struct bpf_object *object)
{
	struct bpf_map *place = bpf_object__find_map_by_name(object, shape->name);

	return place ? bpf_map__reuse_fd(place, map->fd) : -ENOENT;
}

static void object_closep(struct bpf_object **object)
{
	if (*object)
		bpf_object__close(*object);
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name))
		names++;
	return *names;
}

/* core.bpf.c describes the maps with their types. */
static int load_core(const char *const *names, uint32_t rows, uint32_t claims,
		     struct bpf_object **ret_core)
{
	CLEANUP(object_closep) struct bpf_object *core = NULL;
	struct bpf_map *map;
	size_t size;
	const void *elf = core_bpf__elf_bytes(&size);
	int r = 0;

	core = bpf_object__open_mem(elf, size, NULL);
	if (!core)
		return -errno;
	bpf_object__for_each_map(map, core)
		if (!r)
			r = bpf_map__set_autocreate(map, is_one_of(bpf_map__name(map), names));
	if (!r)
		r = bpf_map__set_max_entries(bpf_object__find_map_by_name(core, "rows_0"), rows);
	if (!r)
		r = bpf_map__set_max_entries(bpf_object__find_map_by_name(core, "claims_0"),
					     claims);
	if (!r)
		r = bpf_object__load(core);
	if (!r)
		*ret_core = TAKE_PTR(core);
	return r;
}

int map_create_core(const char *const *names, struct map *const *maps, uint32_t rows,
		    uint32_t claims)
{
	CLEANUP(object_closep) struct bpf_object *core = NULL;
	int r = load_core(names, rows, claims, &core);

	for (size_t i = 0; !r && names[i]; i++) {
		maps[i]->fd = dup(bpf_object__find_map_fd_by_name(core, names[i]));
		if (maps[i]->fd < 0)
			r = -errno;
	}
	return r;
}

int map_create_words(const char *name, const void *data, size_t bytes)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), MAP_WORD_BYTES,
			       (uint32_t)(bytes / MAP_WORD_BYTES), &options);
	void *memory;

	if (fd < 0)
		return -errno;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	memcpy(memory, data, bytes);
	munmap(memory, bytes);
	return TAKE_FD(fd);
}
