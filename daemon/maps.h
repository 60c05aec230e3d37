/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps all probes share: creates them or adopts pinned ones after verifying their shapes, and
 * holds the two that are read through memory. Uses libbpf; knows no probe.
 */
#pragma once

#include "ebpfmon.h"
#include "pins.h"
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

/* Whether a program with the map ids @ids counts into these maps. */
bool maps_used_by(const struct maps *maps, const uint32_t *ids, size_t n_ids);

/* Shared with the kernel: written by us, read by programs. */
struct em_state *maps_state(const struct maps *maps);
/* EM_SHARDS of them, written by programs. */
const struct em_totals *maps_totals(const struct maps *maps);

/* Descriptor of the rows in use now, and how many there are. */
int maps_rows_fd(const struct maps *maps);
uint32_t maps_rows(const struct maps *maps);

/* What was noted when cgroup @id was made. -ENOENT: before our time, or forgotten since. */
int maps_cgroup(const struct maps *maps, uint64_t id, struct em_cgroup *ret_cgroup);

/* Bytes of kernel memory the shared maps take, computed from their shapes. */
uint64_t maps_kernel_bytes(const struct maps *maps);
