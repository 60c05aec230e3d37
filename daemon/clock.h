/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells when somebody sets the system's clock. Wakes up for nothing else, slewing (adjtime(3))
 * included; suspending the machine is none either. Knows nothing of what times are used for.
 */
#pragma once

#include "util.h"

#include <systemd/sd-event.h>

struct clock_watch;

/* The clock was set from @was_usec to @now_usec (CLOCK_REALTIME), a second or more away. */
typedef void (*clock_set)(uint64_t was_usec, uint64_t now_usec, void *userdata);

/* Returns 0 or -errno. */
int clock_watch_new(sd_event *loop, clock_set set, void *userdata, struct clock_watch **ret_watch);
struct clock_watch *clock_watch_free(struct clock_watch *watch);
