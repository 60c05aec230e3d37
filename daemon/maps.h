/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps all probes share: creates them or adopts pinned ones after verifying their shapes, and
 * holds those that are read through memory. Uses libbpf; knows no probe, and not when a table is
 * to be replaced: settle.h.
 */
#pragma once

#include "ebpfmon.h"
#include "pins.h"
#include "settled.h"
#include "util.h"

#include <stdbool.h>

struct maps;
struct bpf_object;

/*
 * Finds the maps in @pins, or creates and pins them with room for @subjects_max subjects and a
 * fresh identity. Sizes of adopted maps stay as they are.
 */
int maps_new(struct pins *pins, uint32_t subjects_max, struct maps **ret_maps,
	     struct problem *problem);
struct maps *maps_free(struct maps *maps);
static inline void maps_freep(struct maps **maps)
{
	maps_free(*maps);
}

/* Puts the shared maps in the place of those that @object declares, before it is loaded. */
int maps_share(const struct maps *maps, struct bpf_object *object);

/* Whether a dispatcher with the map ids @ids tells its misses to these maps. */
bool maps_used_by(const struct maps *maps, const uint32_t *ids, size_t n_ids);

/* Shared with the kernel: written by us, read by programs. */
struct em_state *maps_state(const struct maps *maps);
/* EM_SHARDS of them, written by programs. */
const struct em_totals *maps_totals(const struct maps *maps);
/* Events for which a dispatcher found no program. */
uint64_t maps_dispatch_misses(const struct maps *maps);

/* What was noted when cgroup @id was made. -ENOENT: before our time, or forgotten since. */
int maps_cgroup(const struct maps *maps, uint64_t id, struct em_cgroup *ret_cgroup);

/* Notes it, unless there is something already. */
void maps_note_cgroup(const struct maps *maps, uint64_t id, const struct em_cgroup *cgroup);

enum {
	MAPS_BELLS_BYTES = 65536, /* a multiple of every page size */
};

/* The ring buffer that programs wake the daemon with. */
int maps_bells_fd(const struct maps *maps);

/* --- tables ------------------------------------------------------------------------------------ */

/* The descriptor of the rows of @era's table; -1: there is none. All tables are equally large. */
int maps_rows_fd(const struct maps *maps, uint32_t era);
uint32_t maps_rows(const struct maps *maps);

/* Makes and pins an empty table for @era, in the place of what is there. Nothing counts in it yet. */
int maps_add_table(struct maps *maps, struct pins *pins, uint32_t era, struct problem *problem);
/* Lets go of @era's table: its memory is free when no program runs in it any more. */
int maps_drop_table(struct maps *maps, struct pins *pins, uint32_t era, struct problem *problem);

/* Returns when all programs that run now have ended: they have seen what state said before. */
int maps_wait_programs(const struct maps *maps);

/* --- settled ----------------------------------------------------------------------------------- */

/* The map "settled" in memory, from maps_settled() to its release. */
struct settled_memory {
	struct settled settled;
	void *data;
	size_t bytes;
};

int maps_settled(const struct maps *maps, struct settled_memory *ret_memory);
void settled_memory_done(struct settled_memory *memory);
#define _cleanup_settled_ CLEANUP(settled_memory_done)

/* Puts @bytes at @data in the place of "settled": the one step that makes them the truth. */
int maps_replace_settled(struct maps *maps, struct pins *pins, const void *data, size_t bytes,
			 struct problem *problem);

/* Bytes of kernel memory the shared maps take, computed from their shapes. */
uint64_t maps_kernel_bytes(const struct maps *maps);
