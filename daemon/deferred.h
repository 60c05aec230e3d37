/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work for the next turn of the event loop, after everything that was due before it: for long work in
 * pieces, between which others have theirs. sd-event's own deferred sources cannot do that, since it
 * takes them for due since they were made; and a timer that is always due costs two system calls in
 * each turn of the loop, one of which sets a timer.
 */
#pragma once

#include "util.h"

#include <stdbool.h>
#include <systemd/sd-event.h>

struct deferred;

/* Not wanted at first; @work is called in each turn for as long as it is. 0 or -errno. */
int deferred_new(sd_event *loop, void (*work)(void *userdata), void *userdata,
		 struct deferred **ret_deferred);
struct deferred *deferred_free(struct deferred *deferred);

void deferred_want(struct deferred *deferred, bool wanted);
