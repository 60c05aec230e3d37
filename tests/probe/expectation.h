/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has to be counted for a case, given what the probes say that their hooks see, and whether
 * it was. Pure: knows neither daemon nor processes.
 */
#pragma once

#include "poller.h"

/* What one user did, and the daemon's answers of GetStats before and after. */
struct observation {
	const char *title;
	struct json_object *description; /* the case: a line of attempt --list */
	struct json_object *probes;	 /* as in ListProbes, by name */
	uid_t uid;
	unsigned long count;
	struct counts before, after;
	struct json_object *stats_before, *stats_after; /* of everybody */
};

/* Whether @probe counts at all. */
bool probe_counts(struct json_object *probe);

/*
 * The number of counters that are not exactly what they have to be: each is said on stderr. Where
 * @named_losses are allowed, a count may be too small by what losses.misses of the probe grew;
 * *ret_lost is how much that made up for.
 */
unsigned int observation_check(const struct observation *observation, bool named_losses,
			       uint64_t *ret_lost);
