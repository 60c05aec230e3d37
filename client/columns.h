/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table of one text column and many columns of numbers, for any number of rows: libsmartcols
 * (table.h) takes 24 ms for 10,240 rows, this 1. Knows nothing of what is counted.
 */
#pragma once

#include "text.h"

enum {
	COLUMNS_MAX = 128,
};

enum cell_kind {
	CELL_BLANK,
	CELL_UNKNOWN, /* "-" */
	CELL_NUMBER,
	CELL_ADDED, /* "+5" */
	CELL_RATE,  /* thousandths: "0.017", "2.5", "340" */
};

struct cell {
	uint64_t value;
	enum cell_kind kind;
};

/* Thousandths, as precise as anybody wants to read them, into @room. */
char *rate_format(char room[NUMBER_SIZE], uint64_t thousandths);

/* How many thousandths per second @count in @usec are; more than 0 if @count is. */
uint64_t rate_of(uint64_t count, uint64_t usec);

/* Zero-initialise, set @count and @headings, then show every row to columns_measure(). */
struct columns {
	unsigned int count; /* of number columns */
	const char *headings[COLUMNS_MAX];
	size_t label_width;
	size_t widths[COLUMNS_MAX];
};

void columns_measure(struct columns *columns, const char *label, const struct cell cells[]);

/* Each appends a line. Headings take part in no measuring before columns_heading_measure(). */
void columns_heading_measure(struct columns *columns, const char *label);
void columns_heading(const struct columns *columns, struct text *text, const char *label);
void columns_row(const struct columns *columns, struct text *text, const char *label,
		 const struct cell cells[]);
