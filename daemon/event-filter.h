/* SPDX-License-Identifier: GPL-2.0-only */
/* Which events somebody wants. Pure; knows neither the listener nor how events are told. */
#pragma once

#include "event.h"

struct pid_set;

/* Zero-initialise, release with event_filter_done(). Strings are owned. */
struct event_filter {
	uint32_t kinds; /* bits */
	bool by_uid, by_login, by_pid;
	uint32_t uid, login, pid;
	bool children; /* also of descendants of @pid */
	bool kept;     /* none of them can lose their ancestor: @pid is their subreaper */
	bool failed_only;
	uint64_t min_duration_usec; /* what has no duration is shorter */
	char *unit, *comm;
	char *path;	      /* itself, and what is below it */
	struct pid_set *tree; /* descendants seen so far */
};

void event_filter_done(struct event_filter *filter);

/*
 * Whether @event, of unit @unit (NULL: not known), passes. A process is a descendant if it has
 * been one since its first event: what outlives its parent stays one.
 */
bool event_filter_passes(struct event_filter *filter, const struct event *event, const char *unit);
