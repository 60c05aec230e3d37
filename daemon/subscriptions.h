/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who listens to events: lets programs write what somebody wants and nothing else, reads the ring
 * buffer, and hands each event to those who want it. Owns the ring while there is anybody, and the
 * books of what was lost on the way. Knows neither parameters nor privileges.
 */
#pragma once

#include "event-filter.h"
#include "event-maps.h"
#include "json.h"
#include "unit.h"
#include "varlink.h"

enum {
	SUBSCRIPTIONS_MAX = 64,
};

struct subscription_limits {
	uint64_t queue_bytes; /* of events that somebody has not taken yet, for all together */
	unsigned int total;
	unsigned int per_user; /* of others than root */
};

/* Since start. */
struct subscription_counters {
	uint64_t subscribers; /* now */
	uint64_t refused_total, refused_per_user;
	uint64_t lost;	  /* by all clients that were too slow */
	uint64_t invalid; /* records that were none */
	uint64_t read[EM_EVENT_KINDS];
};

struct subscriptions;

/* Everything is lent. */
int subscriptions_new(sd_event *loop, const struct event_maps *maps, struct units *units,
		      const struct subscription_limits *limits,
		      struct subscriptions **ret_subscriptions);
struct subscriptions *subscriptions_free(struct subscriptions *subscriptions);
void subscriptions_set_limits(struct subscriptions *subscriptions,
			      const struct subscription_limits *limits);

/*
 * Answers @call with what passes @filter, which is emptied, until the client leaves: an empty
 * answer first, from which on nothing is left out; then an event or a loss each. How many others'
 * events were lost is told only if @everything. 0, or, with nothing answered, -ENOMEM,
 * -EUSERS (limit total), -EDQUOT (limit per_user), or what mapping the ring failed with.
 */
int subscriptions_add(struct subscriptions *subscriptions, struct varlink_call *call,
		      struct event_filter *filter, bool everything);

const struct subscription_counters *
subscriptions_counters(const struct subscriptions *subscriptions);

/* Reads what is in the ring and has not been read, so that the books are complete. */
void subscriptions_read(struct subscriptions *subscriptions);
