/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of text that may wrap, by libsmartcols. For thousands of numbers: columns.h. */
#pragma once

#include "output.h"

enum column_kind {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_WRAP, /* the last one: takes what is left of a terminal's width */
};

/* Zero-initialise, release with table_done(). Errors are remembered and told by table_append(). */
struct table {
	struct libscols_table *handle;
	struct libscols_line *line;
	size_t next; /* cell of the line */
	int error;   /* 0 or -errno */
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
