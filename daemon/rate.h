/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many of something there may be in an interval, in all and of one user. The first one begins
 * an interval. Pure; knows neither what is limited nor the clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	RATE_USERS = 1024, /* places; users whose ids differ by a multiple of it share one */
};

struct rate_limits {
	uint64_t interval_usec;
	uint32_t total, per_user;
};

/* Zero-initialised but for the limits. */
struct rate {
	struct rate_limits limits;
	uint64_t end_usec; /* of the interval */
	uint32_t total;	   /* in it */
	uint32_t users[RATE_USERS];
};

/* Whether there may be one more of @uid at @now_usec; then it is counted. */
bool rate_allows(struct rate *rate, uint64_t now_usec, uint32_t uid);
