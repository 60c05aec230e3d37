/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts as people read them: the table, its legend and its summary. Never reads an answer. */
#pragma once

#include "counts.h"
#include "names.h"
#include "output.h"
#include "question.h"

struct stats_view {
	const struct dimension *by;
	const struct output *output;
	struct names *names;
	const struct counts *counts;
	const struct counts *before; /* what to compare with, or NULL */
	bool added;		     /* columns for what was added since @before */
	uint64_t rate_usec;	     /* the time in which that was, to show rates; 0: numbers */
	bool legend;		     /* headings, total, legend and summary, not only the rows */
	size_t rows_max;	     /* 0: all */
	unsigned int shown;	     /* counters that have a column */
	unsigned int places[COUNTERS_MAX]; /* of the counters among those; COUNTERS_MAX: none */
};

/* Chooses the counters that have a column; before any of the others. */
void stats_choose(struct stats_view *view, bool all);
/* The heading of a counter: execFailures -> EXEC-FAILURES. */
void counts_heading(const struct counts *counts, unsigned int column, struct text *text);

/* Who a row is about; @room is for the digits of an id. */
const char *counts_label(const struct counts *counts, const struct counts_row *row,
			 const struct dimension *by, struct names *names, char room[NUMBER_SIZE]);

void stats_table(struct text *text, const struct stats_view *view);

/* What stands under the table. */
void stats_footer(struct text *text, const struct stats_view *view);
