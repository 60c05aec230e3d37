/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts as people read them: the table, its legend and its summary. Never reads an answer. */
#pragma once

#include "counts.h"
#include "names.h"
#include "output.h"

struct dimension {
	const char *name; /* as --by and the daemon call it */
	const char *heading;
	const char *noun;
	bool named; /* the ids are those of users */
};

struct stats_view {
	const struct dimension *by;
	const struct output *output;
	struct names *names;
	const struct counts *counts;
	const struct counts *before; /* what to compare with, or NULL */
	bool added;		     /* columns for what was added since @before */
	bool legend;		     /* headings, total, legend and summary, not only the rows */
	size_t rows_max;	     /* 0: all */
	unsigned int shown;	     /* counters that have a column */
	unsigned int places[COUNTERS_MAX]; /* of the counters among those; COUNTERS_MAX: none */
};

/* Chooses the counters that have a column; before any of the others. */
void stats_choose(struct stats_view *view, bool all);

void stats_table(struct text *text, const struct stats_view *view);

/* What stands under the table. */
void stats_footer(struct text *text, const struct stats_view *view);
