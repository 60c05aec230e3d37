/* SPDX-License-Identifier: GPL-2.0-only */
/* Differences, times and orders: rates.h. */
#include "rates.h"

#include <string.h>

enum {
	SPARK_LEVELS = 8,
	NO_COLUMN = COUNTERS_MAX,
};

void rates_done(struct rates *rates)
{
	counts_done(&rates->counts);
	free(rates->now);
	free(rates->past);
	free(rates->order);
	*rates = (struct rates){};
}

static size_t cell_of(const struct rates *rates, size_t row, unsigned int column)
{
	return row * rates->counts.column_count + column;
}

double rates_now(const struct rates *rates, size_t row, unsigned int column)
{
	return rates->samples ? rates->now[cell_of(rates, row, column)] : 0;
}

static const struct counts_row *row_at(const struct counts *counts, size_t row)
{
	return row == counts->row_count ? &counts->totals : &counts->rows[row];
}

/* --- taking an answer -------------------------------------------------------------------------- */

/* An answer that is about to be the last, and what it has of the one before. */
struct step {
	const struct rates *before;
	struct rates *after;
	uint32_t columns[COUNTERS_MAX]; /* of @after in @before, NO_COLUMN: a new one */
	double seconds;
};

static void match_columns(struct step *step)
{
	const struct counts *before = &step->before->counts, *after = &step->after->counts;

	for (unsigned int i = 0; i < after->column_count; i++) {
		const char *name = counts_string(after, after->columns[i]);

		step->columns[i] = NO_COLUMN;
		for (unsigned int j = 0; j < before->column_count; j++)
			if (!strcmp(counts_string(before, before->columns[j]), name))
				step->columns[i] = j;
	}
}

/* The counter of @row in @column; NULL: it has none. Rows nearly always have all, in order. */
static const struct counter *counter_at(const struct counts *counts, const struct counts_row *row,
					uint32_t column)
{
	const struct counter *counters = &counts->counters[row->first];

	if (column < row->length && counters[column].column == column)
		return &counters[column];
	for (size_t i = 0; i < row->length; i++)
		if (counters[i].column == column)
			return &counters[i];
	return NULL;
}

/* A row that was not there had counted nothing. */
static double rate(const struct step *step, const struct counter *counter, size_t row_before,
		   uint32_t column)
{
	const struct counts *before = &step->before->counts;
	const struct counter *old = NULL;
	uint64_t value = 0;

	if (column == NO_COLUMN || !counter || !counter->known)
		return 0;
	if (row_before <= before->row_count)
		old = counter_at(before, row_at(before, row_before), column);
	if (old && !old->known)
		return 0;
	if (old)
		value = old->value;
	return counter->value > value ? (double)(counter->value - value) / step->seconds : 0;
}

/* @row_before: SIZE_MAX for a row that was not there. */
static void row_step(const struct step *step, size_t row, size_t row_before)
{
	const struct rates *before = step->before;
	struct rates *after = step->after;

	for (unsigned int i = 0; i < after->counts.column_count; i++) {
		const struct counter *counter =
			counter_at(&after->counts, row_at(&after->counts, row), i);
		size_t cell = cell_of(after, row, i);
		float *past = &after->past[cell * RATES_PAST];
		double now = rate(step, counter, row_before, step->columns[i]);

		after->now[cell] = now;
		past[0] = (float)now;
		if (row_before != SIZE_MAX && step->columns[i] != NO_COLUMN && before->past)
			memcpy(past + 1,
			       &before->past[cell_of(before, row_before, step->columns[i]) *
					     RATES_PAST],
			       (RATES_PAST - 1) * sizeof(*past));
	}
}

/* Both answers have their rows in the same order. */
static void rows_step(const struct step *step)
{
	const struct counts *before = &step->before->counts, *after = &step->after->counts;
	size_t old = 0;

	for (size_t row = 0; row < after->row_count; row++) {
		while (old < before->row_count &&
		       counts_compare(before, &before->rows[old], after, &after->rows[row]) < 0)
			old++;
		row_step(step, row,
			 old < before->row_count && !counts_compare(before, &before->rows[old],
								    after, &after->rows[row])
				 ? old
				 : SIZE_MAX);
	}
	row_step(step, after->row_count, before->row_count);
}

static int rates_make_room(struct rates *rates)
{
	size_t rows = rates->counts.row_count + 1;
	size_t cells = rows * rates->counts.column_count + 1;

	rates->now = calloc(cells, sizeof(*rates->now));
	rates->past = calloc(cells, RATES_PAST * sizeof(*rates->past));
	rates->order = calloc(rows, sizeof(*rates->order));
	return rates->now && rates->past && rates->order ? 0 : -ENOMEM;
}

static enum rates_news news_of(const struct counts *before, const struct counts *after)
{
	if (strcmp(counts_string(before, before->epoch), counts_string(after, after->epoch)) != 0)
		return RATES_ANEW;
	return before->generation == after->generation ? RATES_NOTHING_NEW : RATES_RESTARTED;
}

int rates_take(struct rates *rates, struct counts *counts, uint64_t usec, enum rates_news *ret_news)
{
	struct rates after = { .counts = *counts, .usec = usec };
	struct step step = { .before = rates, .after = &after };
	enum rates_news news = RATES_NOTHING_NEW;

	*counts = (struct counts){};
	if (rates->counts.strings.data)
		news = news_of(&rates->counts, &after.counts);
	if (rates_make_room(&after)) {
		rates_done(&after);
		rates_done(rates);
		return -ENOMEM;
	}
	if (rates->counts.strings.data && news != RATES_ANEW && usec > rates->usec) {
		step.seconds = (double)(usec - rates->usec) / 1e6;
		match_columns(&step);
		rows_step(&step);
		after.samples = rates->samples < RATES_PAST ? rates->samples + 1 : RATES_PAST;
	}
	rates_done(rates);
	*rates = after;
	*ret_news = news;
	return 0;
}

/* --- order ------------------------------------------------------------------------------------- */

int rates_column(const struct rates *rates, const char *name, int *ret_column)
{
	const struct counts *counts = &rates->counts;

	if (!strcmp(name, "name")) {
		*ret_column = RATES_BY_NAME;
		return 0;
	}
	for (unsigned int i = 0; i < counts->column_count; i++)
		if (!strcmp(counts_string(counts, counts->columns[i]), name)) {
			*ret_column = (int)i;
			return 0;
		}
	return -ENOENT;
}

static bool active(const struct rates *rates, size_t row)
{
	const float *past = &rates->past[cell_of(rates, row, 0) * RATES_PAST];

	for (size_t i = 0; i < (size_t)rates->counts.column_count * RATES_PAST; i++)
		if (past[i] > 0)
			return true;
	return false;
}

struct order {
	const struct rates *rates;
	unsigned int column;
};

static double past_sum(const struct order *order, size_t row)
{
	const float *past =
		&order->rates->past[cell_of(order->rates, row, order->column) * RATES_PAST];
	double sum = 0;

	for (size_t i = 0; i < RATES_PAST; i++)
		sum += past[i];
	return sum;
}

/* By the rate now, then lately, then by name. */
static int by_rate(const void *a, const void *b, void *userdata)
{
	const struct order *order = userdata;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	double p = rates_now(order->rates, x, order->column);
	double q = rates_now(order->rates, y, order->column);

	if (p == q) {
		p = past_sum(order, x);
		q = past_sum(order, y);
	}
	return p == q ? (x > y) - (x < y) : (p < q) - (p > q);
}

void rates_sort(struct rates *rates, int column)
{
	struct order order = { rates, (unsigned int)column };

	rates->active = 0;
	for (size_t row = 0; row < rates->counts.row_count; row++)
		if (active(rates, row))
			rates->order[rates->active++] = row;
	if (column != RATES_BY_NAME && rates->active)
		qsort_r(rates->order, rates->active, sizeof(*rates->order), by_rate, &order);
}

/* --- sparkline --------------------------------------------------------------------------------- */

void rates_spark(const struct rates *rates, size_t row, unsigned int column, size_t width,
		 bool unicode, struct text *text)
{
	static const char ascii[] = " .:-=+*#@"; /* nothing, then the levels */
	const float *past = &rates->past[cell_of(rates, row, column) * RATES_PAST];
	float highest = 0;

	if (width > RATES_PAST)
		width = RATES_PAST;
	for (size_t i = 0; i < width; i++)
		if (past[i] > highest)
			highest = past[i];
	for (size_t i = width; i-- > 0;) {
		unsigned int level =
			past[i] > 0 ? 1 + (unsigned int)(past[i] / highest * (SPARK_LEVELS - 1))
				    : 0;

		if (!unicode || !level)
			text_append(text, &ascii[level], 1);
		else
			text_character(text, 0x2580 + level); /* lower one eighth to full block */
	}
}
