/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BPF ring buffer (Documentation/bpf/ringbuf.rst) as a source of the event loop, read through
 * memory. Its data is mapped once, not twice as by libbpf: all of a mapping counts as resident.
 * Knows nothing of what records mean.
 */
#pragma once

#include "util.h"

#include <systemd/sd-event.h>

struct ring;

/* There is something to read, or has been. */
typedef void (*ring_ready)(void *userdata);
/* A record, valid during the call only. */
typedef void (*ring_visit)(const void *record, size_t bytes, void *userdata);

/* @map_fd is a ring buffer of @ring_bytes. 0 or -errno. */
int ring_new(sd_event *loop, int map_fd, size_t ring_bytes, ring_ready ready, void *userdata,
	     struct ring **ret_ring);
struct ring *ring_free(struct ring *ring);

/* Hands out at most @max records and frees their room; returns how many. @visit may be NULL. */
unsigned int ring_consume(struct ring *ring, unsigned int max, ring_visit visit, void *userdata);

/* Bytes written, and read, since the ring was made. */
uint64_t ring_produced(const struct ring *ring);
uint64_t ring_consumed(const struct ring *ring);
