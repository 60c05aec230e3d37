/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps of events: the ring buffer, what programs are to write to it, and what they could not.
 * They are not pinned and new for each daemon, so that nobody pays for a listener that is gone.
 * Uses libbpf; knows no listener.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

struct event_maps;
struct bpf_object;

/* @ring_bytes is made a power of two and a multiple of pages. */
int event_maps_new(uint64_t ring_bytes, struct event_maps **ret_maps, struct problem *problem);
struct event_maps *event_maps_free(struct event_maps *maps);
static inline void event_maps_freep(struct event_maps **maps)
{
	event_maps_free(*maps);
}

/* How much of events this kernel lets programs tell; without @maps nothing. */
enum em_events event_maps_level(const struct event_maps *maps);

/* Puts the maps in the place of those that @object declares, if it does, before it is loaded. */
int event_maps_share(const struct event_maps *maps, struct bpf_object *object);

/* All programs are loaded: gives back the descriptors that only event_maps_share() needs. */
void event_maps_close_shared(struct event_maps *maps);

int event_maps_ring_fd(const struct event_maps *maps);
uint32_t event_maps_ring_bytes(const struct event_maps *maps);

/* Shared with the kernel: written by us, read by programs. */
struct em_event_control *event_maps_control(const struct event_maps *maps);

/* The sum of all shards. */
void event_maps_losses(const struct event_maps *maps, struct em_event_losses *ret_losses);

/* Bytes of kernel memory they take. */
uint64_t event_maps_kernel_bytes(const struct event_maps *maps);
