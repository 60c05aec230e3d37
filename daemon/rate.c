/* SPDX-License-Identifier: GPL-2.0-only */
/* How many of something there may be in an interval: rate.h. */
#include "rate.h"

#include <string.h>

bool rate_allows(struct rate *rate, uint64_t now_usec, uint32_t uid)
{
	uint32_t *own = &rate->users[uid % RATE_USERS];

	if (now_usec >= rate->end_usec) {
		rate->end_usec = now_usec + rate->limits.interval_usec;
		rate->total = 0;
		memset(rate->users, 0, sizeof(rate->users));
	}
	if (rate->total >= rate->limits.total || *own >= rate->limits.per_user)
		return false;
	rate->total++;
	++*own;
	return true;
}
