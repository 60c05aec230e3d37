/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rates as lines of a given width: headings, rows with a sparkline, totals. Columns keep their width,
 * so that nothing jumps from one time to the next. Knows no terminal.
 */
#pragma once

#include "names.h"
#include "question.h"
#include "rates.h"

struct top_view {
	const struct rates *rates; /* sorted */
	const struct dimension *by;
	struct names *names;
	int column; /* that rows are sorted by, and whose past is drawn; RATES_BY_NAME: the first */
	size_t width; /* 0: any, and without sparklines */
	bool unicode;
};

/* What is shown in which place; from the view, once for all lines of it. */
struct top_table {
	const struct top_view *view;
	size_t label_width;
	unsigned int first, end; /* columns */
	size_t spark_width;	 /* 0: there is none */
	struct text headings;	 /* of all columns, each with its NUL */
	size_t widths[COUNTERS_MAX];
	size_t places[COUNTERS_MAX]; /* of headings */
};

/* Lays out for rows @from to @end in the order of the rates. Release with top_table_done(). */
void top_table_open(struct top_table *table, const struct top_view *view, size_t from, size_t end);
void top_table_done(struct top_table *table);
#define _cleanup_top_table_ CLEANUP(top_table_done)

/* Each appends a line without a newline, at most the view's width. */
void top_table_heading(const struct top_table *table, struct text *text);
void top_table_row(const struct top_table *table, size_t row, struct text *text);
