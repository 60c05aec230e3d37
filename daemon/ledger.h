/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The books: totals on one side, rows and overflow on the other, and whether they balance. Pure.
 *
 * A program adds to the total first and to the row (or overflow) after, so at any one moment
 * total >= rows + overflow, and what is missing is under way. Reading takes time while counting
 * goes on, so the total is taken before and after the rows.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

#include <stdbool.h>

/* The sums over everything that was seen. */
struct ledger_totals {
	uint64_t seen[EM_SLOTS_USED];
	uint64_t overflow[EM_SLOTS_USED];
	uint64_t update_errors[EM_UPDATE_ERRORS];
	uint64_t dispatch_misses;
};

/* One reading of everything. */
struct ledger_sample {
	struct ledger_totals before, after; /* the rows were read */
	uint64_t rows[EM_SLOTS_USED];	    /* sum over all rows */
	uint32_t rows_used;
};

/* What is remembered of a counter between readings. */
struct ledger_check {
	uint64_t since_usec[EM_SLOTS_USED]; /* monotonic; 0: not known to be missing anything */
	uint64_t least[EM_SLOTS_USED];	    /* no more than this is missing */
	bool breached[EM_SLOTS_USED];	    /* it was missing for too long to be under way */
};

enum {
	/* A difference that lasts longer than any program can is a breach. */
	LEDGER_PATIENCE_USEC = 200000,
};

/* Adds the shards up; dispatch misses are counted elsewhere. */
void ledger_sum(const struct em_totals *shards, struct ledger_totals *ret_totals);

/*
 * How many events the books of @slot do not account for: 0 when they balance or what is missing
 * may still be under way. What enters while the rows are read hides as much of what is missing
 * from the total before, and adds as much to the total after: the first says that something is
 * missing, the least of the second how much.
 */
uint64_t ledger_unaccounted(struct ledger_check *check, const struct ledger_sample *sample,
			    enum em_slot slot, uint64_t now_usec);
