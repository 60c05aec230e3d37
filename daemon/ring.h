/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring buffer "events" as a source of the event loop: hands out what programs wrote, a batch
 * at a time. Uses libbpf; knows nothing of what records mean.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

#include <systemd/sd-event.h>

struct ring;

/* A record, valid during the call only; @bytes are at least those of struct em_event. */
typedef void (*ring_visit)(const struct em_event *event, size_t bytes, void *userdata);
/* After a batch of records. */
typedef void (*ring_done)(void *userdata);

int ring_new(sd_event *loop, int map_fd, ring_visit visit, ring_done done, void *userdata,
	     struct ring **ret_ring);
struct ring *ring_free(struct ring *ring);
