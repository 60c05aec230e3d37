/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was counted lately: for each interval what was added per user, login and unit, in memory of
 * a fixed size. Pure: is fed readings of the tables that count and told the time; knows no kernel,
 * no clock, no names.
 *
 * What has no room is in no row but in "other", so that rows, other and overflow of a span are
 * exactly what was counted in it.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

#include <stdbool.h>

struct history;

/* @id: of a cgroup in what is read, number of a unit in what is told. */
struct history_key {
	uint32_t uid, login;
	uint64_t id;
};

/* The same moment by two clocks: one that never jumps, and the one on the wall. */
struct history_time {
	uint64_t boot_usec, real_usec;
};

/* What the history covers of what was asked for. */
struct history_span {
	struct history_time from;
	bool reached; /* it goes back as far as that */
	uint64_t other[EM_SLOTS_USED], overflow[EM_SLOTS_USED];
	uint64_t left_out; /* rows that had no room, each as often as it had none */
};

/* Number of the unit of a cgroup. */
typedef uint32_t (*history_unit)(uint64_t cgroup, void *userdata);

/*
 * At most @bytes of memory: half of it for up to @intervals intervals that are over, at least one,
 * a sixth for each of two readings and what was added in this interval. Takes the memory at once;
 * what is never used of it is never resident. 0 or -ENOMEM.
 */
int history_new(size_t bytes, uint64_t intervals, history_unit unit, void *userdata,
		struct history **ret_history);
struct history *history_free(struct history *history);
static inline void history_freep(struct history **history)
{
	history_free(*history);
}

/* --- feeding ----------------------------------------------------------------------------------- */

/*
 * A reading: begin, every row that there is, end. What was added since the reading before belongs
 * to this interval. The first one is the beginning: nothing was added. One that is not ended is
 * none. @counters and @overflow are EM_SLOTS_USED sums since counting began.
 */
void history_begin(struct history *history);
void history_add(struct history *history, const struct history_key *key, const uint64_t *counters);
void history_end(struct history *history, const uint64_t *overflow, const struct history_time *now);

/* Right after a reading: these counts will be in no reading any more. */
void history_settled(struct history *history, const struct history_key *key,
		     const uint64_t *counters);

/* This interval is over, and the next one begins. */
void history_next(struct history *history, const struct history_time *now);

/* Forgets everything: the next reading is the first. */
void history_restart(struct history *history);

/* --- asking ------------------------------------------------------------------------------------ */

typedef void (*history_visit)(const struct history_key *key, const uint64_t *counters,
			      void *userdata);

/*
 * Calls @visit with what was added since @boot_usec, or up to an interval longer: once for each
 * interval and row. Whatever was asked for, the span ends with the last reading. false: there was
 * no reading yet.
 */
bool history_since(const struct history *history, uint64_t boot_usec, history_visit visit,
		   void *userdata, struct history_span *ret_span);

/*
 * Calls @keep with every unit that is told, the latest first. When it returns false the row has no
 * unit from then on.
 */
void history_keep_units(struct history *history, bool (*keep)(uint32_t unit, void *userdata),
			void *userdata);

/* Room for rows of one interval, and for intervals. */
uint32_t history_rows_max(const struct history *history);
uint64_t history_intervals_max(const struct history *history);
