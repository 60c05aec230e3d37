/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feeds the history: reads the tables by a timer, when somebody asks, and before one of them is let
 * go. Owns the timer and the history; knows neither who may see what nor what it is written as.
 */
#pragma once

#include "history.h"
#include "settle.h"

#include <systemd/sd-event.h>

struct recorder;

struct recorder_settings {
	bool enabled;
	uint64_t interval_usec, span_usec;
	size_t memory_bytes;
};

/* Everything is lent. It records nothing before recorder_configure(). 0 or -ENOMEM. */
int recorder_new(sd_event *event, const struct maps *maps, struct units *units,
		 struct settle *settle, struct recorder **ret_recorder);
struct recorder *recorder_free(struct recorder *recorder);

/* Other settings than before begin a new history. A failure is logged: there is none then. */
void recorder_configure(struct recorder *recorder, const struct recorder_settings *settings);

/* How a question was answered. */
struct recorder_span {
	struct history_span history;
	struct history_time to;
};

/*
 * Calls @visit as history_since() does, with what was added in the last @usec. -ENODATA: nothing is
 * recorded; -errno: the tables cannot be read.
 */
int recorder_since(struct recorder *recorder, uint64_t usec, history_visit visit, void *userdata,
		   struct recorder_span *ret_span);
