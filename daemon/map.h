/* SPDX-License-Identifier: GPL-2.0-only */
/* One map: made, or found pinned and verified. Uses libbpf; knows not what the map is for. */
#pragma once

#include "pins.h"
#include "util.h"

#include <linux/bpf.h>
#include <stdbool.h>

enum {
	MAP_WORD_BYTES = 8,
};

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

/*
 * Creates those maps of core.bpf.c that @names, which ends with NULL, lists, and fills @maps in
 * the same order; with so many rows and claims, if they are among them.
 */
int map_create_core(const char *const *names, struct map *const *maps, uint32_t rows,
		    uint32_t claims);

/* Descriptor of a new array of 8-byte words that holds @bytes, a multiple of 8, from @data. */
int map_create_words(const char *name, const void *data, size_t bytes);
