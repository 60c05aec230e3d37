/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of text, by libsmartcols, made to fit a terminal: lists are broken at their commas and the
 * last column between its words. For thousands of numbers: columns.h.
 */
#pragma once

#include "output.h"

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_LIST, /* "a,b,c" */
	COLUMN_REST, /* the last one: takes what is left of a terminal's width */
};

enum {
	TABLE_COLUMNS_MAX = 16,
};

struct table_column {
	const char *heading; /* not owned */
	enum column_kind kind;
	size_t width;
};

/* Zero-initialise, release with table_done(). Errors are remembered and told by table_append(). */
struct table {
	struct libscols_table *handle;
	struct libscols_line *line;
	struct table_column columns[TABLE_COLUMNS_MAX];
	size_t column_count;
	size_t next;  /* cell of the line */
	size_t width; /* to fit into; 0: any */
	int error;    /* 0 or -errno */
};

void table_done(struct table *table);
#define _cleanup_table_ CLEANUP(table_done)

void table_open(struct table *table, const struct output *output, bool headings);
void table_column(struct table *table, const struct output *output, const char *heading,
		  enum column_kind kind);
void table_row(struct table *table);

/* The next cell of the row; @text is safe, @colour a sequence or "". Both are copied. */
void table_cell(struct table *table, const char *text, const char *colour);

void table_append(struct table *table, struct text *text);
