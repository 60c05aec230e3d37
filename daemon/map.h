/* SPDX-License-Identifier: GPL-2.0-only */
/* One map: made, or found pinned and verified. Uses libbpf; knows not what the map is for. */
#pragma once

#include "pins.h"
#include "util.h"

#include <linux/bpf.h>
#include <stdbool.h>

enum {
	MAP_WORD_BYTES = 8,
	MAP_HASH_ELEMENT_BYTES = 72, /* kernel/bpf/hashtab.c: struct htab_elem and its bucket */
};

struct bpf_object;

/* What a map must be; entries of 0: any. */
struct map_shape {
	const char *name;
	enum bpf_map_type type;
	uint32_t key_bytes, value_bytes, entries, flags;
	bool in_probes; /* probes declare it too */
	bool of_hooks;	/* pinned with the hooks */
};

/* A map that is held; fd is -1 if not. */
struct map {
	int fd;
	uint32_t id, entries;
};

void map_release(struct map *map);

static inline enum pin_kind map_kind(const struct map_shape *shape)
{
	return shape->of_hooks ? PIN_HOOK_MAP : PIN_MAP;
}

/* Whether @map, shown as @pin, has that shape; notes its id and entries. */
int map_check(struct map *map, const struct map_shape *shape, const char *pin,
	      struct problem *problem);

/* What is pinned as @name, if it has that shape. -ENOENT, without a problem: nothing is. */
int map_adopt(struct map *map, const struct map_shape *shape, const char *name, struct pins *pins,
	      struct problem *problem);

/* The same with its own name for one that must be there: -EUCLEAN, with a problem, if it is not. */
int map_adopt_needed(struct map *map, const struct map_shape *shape, struct pins *pins,
		     struct problem *problem);
/* Says that nothing is pinned as @pin, which must be. -EUCLEAN. */
int map_missing(const char *pin, struct problem *problem);

/* Pins @map, which was made with that shape, by its name; notes its id and entries. */
int map_pin(struct map *map, const struct map_shape *shape, struct pins *pins,
	    struct problem *problem);

/* Puts @map in the place of the one of that name that @object declares. -ENOENT: it does not. */
int map_share(const struct map *map, const struct map_shape *shape, struct bpf_object *object);

/*
 * Creates those maps of core.bpf.c that @names, which ends with NULL, lists, and fills @maps in
 * the same order; with so many rows and claims, if they are among them.
 */
int map_create_core(const char *const *names, struct map *const *maps, uint32_t rows,
		    uint32_t claims);

/* Descriptor of a new array of 8-byte words that holds @bytes, a multiple of 8, from @data. */
int map_create_words(const char *name, const void *data, size_t bytes);
