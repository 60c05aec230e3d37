/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events for the journal: a listener as others are, that limits how many there are and tells how
 * many there are not. Owns the limit, the connection to journald and the books of both; waits for it
 * at its own end only, for a moment. Knows neither the keys of the configuration nor what entries
 * look like.
 */
#pragma once

#include "listeners.h"
#include "rate.h"

struct reporter;

struct reporter_settings {
	struct event_filter filter; /* what strings it has are lent; without kinds: off */
	struct rate_limits limits;
};

/* Since start: what passed the filter. The sum of all is the number of those events. */
struct reporter_counters {
	uint64_t entries;
	uint64_t suppressed; /* beyond a limit */
	uint64_t lost;	     /* gave way to newer ones while journald did not read */
	uint64_t unsent;     /* there was no journald, or it had no room for it */
};

/* @listeners are lent. It reports nothing before reporter_configure(). */
int reporter_new(sd_event *loop, struct listeners *listeners, struct reporter **ret_reporter);
/* What has happened so far is in the journal then, if journald takes it within seconds. */
struct reporter *reporter_free(struct reporter *reporter);

/* What other settings have let pass is completed first. A failure is logged: there are none then. */
void reporter_configure(struct reporter *reporter, const struct reporter_settings *settings);

const struct reporter_counters *reporter_counters(const struct reporter *reporter);
