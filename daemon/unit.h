/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cgroup id -> name of the systemd unit. Owns the walk over the cgroup tree and what was learnt;
 * a name that was seen once stays known after its cgroup is gone, since ids are never reused.
 */
#pragma once

#include "util.h"

struct units;

enum {
	UNIT_UNKNOWN = 0, /* the cgroup was gone before its name was seen */
};

/* @root: mount point of the unified hierarchy; NULL: where this machine has it. */
int units_new(const char *root, struct units **ret_units);
struct units *units_free(struct units *units);
static inline void units_freep(struct units **units)
{
	units_free(*units);
}

/* Walks the tree and learns. At most UNITS_MAX cgroups are remembered, the rest is unknown. */
int units_refresh(struct units *units);

/*
 * Number of the unit that @cgroup belongs to, the same for all its cgroups; walks the tree once
 * for every id that is new. Numbers stay valid for as long as @units lives.
 */
uint32_t units_find(struct units *units, uint64_t cgroup);
/* Its name; NULL for UNIT_UNKNOWN. */
const char *units_name(const struct units *units, uint32_t unit);

/*
 * The unit of a cgroup path, as systemd's own journal fields name it: the service or scope below
 * the slices, or the last slice, "-.slice" for the root; a path that systemd did not make stands
 * for itself. Into @buffer.
 */
void unit_of_path(const char *path, char *buffer, size_t size);
