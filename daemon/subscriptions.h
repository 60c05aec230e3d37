/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clients that listen to events: how many there may be, and what a call of theirs is answered with.
 * Knows neither parameters nor privileges.
 */
#pragma once

#include "listeners.h"
#include "varlink.h"

enum {
	SUBSCRIPTIONS_MAX = LISTENERS_MAX - 1, /* one is the journal's */
};

struct subscription_limits {
	unsigned int total;
	unsigned int per_user; /* of others than root */
};

/* Since start. */
struct subscription_counters {
	uint64_t subscribers; /* now */
	uint64_t refused_total, refused_per_user;
	uint64_t lost; /* by all clients that were too slow */
};

struct subscriptions;

/* @listeners are lent. */
int subscriptions_new(struct listeners *listeners, const struct subscription_limits *limits,
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
