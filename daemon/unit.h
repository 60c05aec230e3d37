/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cgroup id -> name of the systemd unit. Owns the walk over the cgroup tree and what was learnt;
 * a name that was seen once stays known after its cgroup is gone, since ids are never reused.
 */
#pragma once

#include "util.h"

#include <stdbool.h>

struct units;

enum {
	UNIT_UNKNOWN = 0, /* the cgroup was gone before its name was seen */
	UNIT_NAME_BYTES = 256,
};

/*
 * What is known of a cgroup that the tree may not have any more: id of its parent and its name,
 * into a buffer of UNIT_NAME_BYTES. 0 or -ENOENT.
 */
typedef int (*unit_source)(uint64_t cgroup, uint64_t *ret_parent, char *name, void *userdata);

/* @root: mount point of the unified hierarchy; NULL: where this machine has it. @source may be NULL. */
int units_new(const char *root, unit_source source, void *userdata, struct units **ret_units);
struct units *units_free(struct units *units);
static inline void units_freep(struct units **units)
{
	units_free(*units);
}

/* Walks the tree and learns. At most CGROUPS_MAX of them are remembered, the rest is unknown. */
int units_refresh(struct units *units);

/* A new question begins: ids that are still unknown may cost one more walk, and not more. */
void units_begin(struct units *units);

/*
 * Number of the unit that @cgroup belongs to, the same for all its cgroups; walks the tree
 * for an id that is new, once between two units_begin(). Numbers stay valid until units_forget().
 */
uint32_t units_find(struct units *units, uint64_t cgroup);
/* Its name; NULL for UNIT_UNKNOWN. */
const char *units_name(const struct units *units, uint32_t unit);

/* Number of the unit called @name; UNIT_UNKNOWN when there is no more room. */
uint32_t units_number(struct units *units, const char *name);

/*
 * The next units_forget() leaves @unit its name. false: it is UNIT_UNKNOWN, or so many are kept
 * already that new ones would have no room.
 */
bool units_keep(struct units *units, uint32_t unit);

/*
 * Forgets cgroups that were neither found in the tree nor asked for since the last but one call,
 * and the names that nothing has any more, except the @n_kept numbers in @kept.
 */
void units_forget(struct units *units, const uint32_t *kept, size_t n_kept);

/*
 * The unit of cgroup @name below one of unit @parent ("-.slice" is the root's), as systemd's own
 * journal fields name it: the service or scope below the slices, or the last slice. A cgroup that
 * systemd did not make stands for itself, by its path below the slice. Into @buffer.
 */
void unit_of_child(const char *parent, const char *name, char *buffer, size_t size);
