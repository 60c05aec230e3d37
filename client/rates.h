/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From one answer to the next: what each row counts per second, lately as well, and who is on top.
 * Pure: is told the time; knows nothing of how it is shown.
 */
#pragma once

#include "counts.h"

enum {
	RATES_PAST = 32,    /* samples that are remembered */
	RATES_BY_NAME = -1, /* as a column: rows in the order of the answer */
};

/* Zero-initialise, release with rates_done(). Rows are those of @counts, in the same order. */
struct rates {
	struct counts counts; /* the last answer */
	uint64_t usec;	      /* when it came */
	unsigned int samples; /* of the past, up to RATES_PAST; 0: no rate is known yet */
	double *now;	      /* per second: [row][column], then a row for the totals */
	float *past;	      /* [row][column][sample], the newest first */
	size_t *order; /* numbers of rows: after rates_sort() those that are active, best first */
	size_t active;
};

void rates_done(struct rates *rates);
#define _cleanup_rates_ CLEANUP(rates_done)

enum rates_news {
	RATES_NOTHING_NEW,
	RATES_RESTARTED, /* the daemon was; counts go on */
	RATES_ANEW,	 /* counting began anew, and the rates with it */
};

/*
 * Takes over @counts, which came at @usec (monotonic) and is empty then. A counter that went back
 * has no rate. 0 or -ENOMEM, with everything forgotten.
 */
int rates_take(struct rates *rates, struct counts *counts, uint64_t usec,
	       enum rates_news *ret_news);

/* The row after the last one: the totals. */
static inline size_t rates_totals(const struct rates *rates)
{
	return rates->counts.row_count;
}

double rates_now(const struct rates *rates, size_t row, unsigned int column);

/* The column of a counter by the daemon's name for it; RATES_BY_NAME for "name". -ENOENT. */
int rates_column(const struct rates *rates, const char *name, int *ret_column);

/* Rows that counted something in the remembered past, those with most in @column first. */
void rates_sort(struct rates *rates, int column);

/*
 * The past of a counter as @width characters, the newest last, the highest sample of them the
 * tallest; blocks of Unicode or ASCII.
 */
void rates_spark(const struct rates *rates, size_t row, unsigned int column, size_t width,
		 bool unicode, struct text *text);
