/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a GetStats answer says: rows of counters, totals, losses, gaps. Owns the reading and the
 * copy; knows nothing of how it is shown. Counters are whatever the daemon names.
 */
#pragma once

#include "columns.h"
#include "reader.h"

enum {
	COUNTERS_MAX = COLUMNS_MAX / 2, /* each can have a column for what was added */
	LOSSES_MAX = 64,
	GAPS_MAX = 16,
};

/* The id of a login that never was, and of rows by unit. */
#define COUNTS_NO_ID UINT64_MAX

/* Strings stand in counts->strings, safe for a terminal; these are their places. */
struct counts_row {
	uint64_t id; /* uid or login */
	size_t unit;
	size_t first; /* its counters: counts->counters[first ... first + length - 1] */
	size_t length;
};

struct counter {
	uint64_t value;
	uint32_t column; /* of counts->columns */
	bool known;	 /* false: null, the hook in use cannot know */
};

/* A member of "losses", or of an object in it. */
struct loss {
	size_t kind;
	size_t of;     /* errno name, probe, "" */
	size_t number; /* as it was written; "-" if not known */
	bool known;
	bool zero;
};

/* A time without counting. */
struct gap {
	size_t probe;
	size_t hook;
	size_t from;
	size_t to;
	size_t reason;
};

/* What an answer from the history covers; without a duration it is none. */
struct counts_span {
	size_t from;
	uint64_t duration_usec;
	bool reached;		 /* all that was asked for */
	struct counts_row other; /* what had no room in the history */
};

/* Zero-initialise, release with counts_done(). */
struct counts {
	struct text strings;
	size_t epoch;
	size_t since;
	uint64_t generation;
	size_t columns[COUNTERS_MAX]; /* names of the counters, in the order of their appearance */
	unsigned int column_count;
	struct counts_row *rows; /* by id or by unit */
	size_t row_count;
	size_t row_capacity;
	struct counter *counters;
	size_t counter_count;
	size_t counter_capacity;
	struct counts_row totals;
	struct counts_row overflow;
	struct counts_span span;
	struct loss losses[LOSSES_MAX];
	size_t loss_count; /* may be larger than LOSSES_MAX: the rest is not kept */
	struct gap gaps[GAPS_MAX];
	size_t gap_count; /* may be larger than GAPS_MAX */
};

void counts_done(struct counts *counts);
#define _cleanup_counts_ CLEANUP(counts_done)

/* Reads the parameters of an answer into zero-initialised @counts: 0, -EBADMSG, -ENOMEM. */
int counts_read(struct counts *counts, struct slice parameters);

const char *counts_string(const struct counts *counts, size_t place);

/* Whether the hook in use knows the counter of @column at all: whether its total is a number. */
bool counts_known(const struct counts *counts, unsigned int column);

/* -1, 0, 1 as rows are ordered; the two may belong to different counts. */
int counts_compare(const struct counts *a_counts, const struct counts_row *a,
		   const struct counts *b_counts, const struct counts_row *b);
