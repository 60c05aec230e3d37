/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settling: makes room in the table of subjects without losing or doubling a count. Owns the order
 * of its steps, each of which can be the last one of this process: the next start goes on.
 *
 *   1. An empty table for the next era is made and pinned.           (undone by the next start)
 *   2. state.era counts up: from here on that one counts.            (completed by the next start)
 *   3. The kernel waits until no program is in the old table: its counts are final.
 *   4. They are added to what was settled, into a new map.
 *   5. That map takes the old one's name: the one step that makes it true.
 *   6. The old table is let go.                                      (completed by the next start)
 *
 * settled.era tells whether the table before the one in use is settled, in every state.
 */
#pragma once

#include "maps.h"
#include "pins.h"
#include "unit.h"

#include <stdbool.h>

struct settle;

/* Everything is lent. @rows_max: rows there may be of what is settled. */
int settle_new(struct maps *maps, struct pins *pins, struct units *units, uint64_t rows_max,
	       struct settle **ret_settle, struct problem *problem);
struct settle *settle_free(struct settle *settle);
static inline void settle_freep(struct settle **settle)
{
	settle_free(*settle);
}

void settle_set_rows_max(struct settle *settle, uint64_t rows_max);

/* Completes or undoes what an earlier daemon began. */
int settle_recover(struct settle *settle, struct problem *problem);

/*
 * Looks at what the bell rang for: learns the names of units, or settles if that is due. 1: it is
 * due again already, so ask again soon. A failure leaves everything as it was: likewise.
 */
int settle_look(struct settle *settle, struct problem *problem);

/* Who else follows the counts; both may be called at any settling. */
struct collect_table;
struct settle_observer {
	/* @table is final and settled, and about to be let go. */
	void (*settled)(const struct collect_table *table, void *userdata);
	/* Names of units are about to be forgotten: units_keep() keeps one. */
	void (*forgetting)(void *userdata);
};
void settle_set_observer(struct settle *settle, const struct settle_observer *observer,
			 void *userdata);

/* Number in units of unit @number of the settled rows. */
uint32_t settle_unit(const struct settle *settle, uint32_t number);

/* How often this daemon has settled, and the rows there are. */
uint64_t settle_count(const struct settle *settle);
uint64_t settle_rows(const struct settle *settle);

/* --- for a takeover ---------------------------------------------------------------------------- */

struct collect_row;
struct settlement;

/* Number in units of the unit called @name. */
uint32_t settle_unit_named(struct settle *settle, const char *name);

/* Begins a settlement with all that is settled. */
int settle_begin(struct settle *settle, struct settlement *settlement);
/* Adds a row of a table, or one that was settled, its unit being a number in units. */
void settle_add(struct settle *settle, struct settlement *settlement, const struct collect_row *row,
		const uint64_t *counters, uint32_t slots);
/* Makes it true. @taken: the tree whose counts are in it, NULL: as before. */
int settle_commit(struct settle *settle, struct settlement *settlement, uint32_t era,
		  const uint8_t *taken, struct problem *problem);
