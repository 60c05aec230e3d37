/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of the intervals that were: history.h. */
#include "history.h"

#include <string.h>

enum {
	INDEX_BYTES = 16, /* of a row in a table: up to 4 places of 4 bytes */
	TABLES_SHARE = 6, /* each of three tables has this part of the memory */
};

struct row {
	struct history_key key;
	uint64_t counters[EM_SLOTS_USED];
};

/* Rows by key, as many as there is room for. */
struct table {
	struct row *rows;
	uint32_t n_rows, rows_max;
	uint32_t *index;   /* hash of the key -> row + 1; 0: free; at most half full */
	size_t index_size; /* a power of two */
};

/* What is known of an interval beside its rows. */
struct interval {
	struct history_time from;
	uint64_t other[EM_SLOTS_USED], overflow[EM_SLOTS_USED];
	uint64_t left_out;
	uint32_t n_rows;
};

struct history {
	history_unit unit;
	void *userdata;
	struct table before, now; /* readings, by cgroup */
	bool complete;		  /* all rows of the reading before had room */
	bool begun;		  /* there was a reading before */
	uint64_t left_out;	  /* of this reading */
	uint64_t sum_before[EM_SLOTS_USED], sum_now[EM_SLOTS_USED];
	uint64_t overflow_before[EM_SLOTS_USED];
	struct table added; /* in this interval, by unit */
	struct interval current;
	struct interval *intervals; /* a ring */
	struct row *rows;	    /* rows_max for each of them */
	uint64_t intervals_max, n_intervals, first;
	uint32_t rows_max;
};

static void add(uint64_t *sum, const uint64_t *counters)
{
	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		sum[i] += counters[i];
}

/* Whether anything is left of it. */
static bool subtract(uint64_t *sum, const uint64_t *counters)
{
	uint64_t left = 0;

	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		sum[i] -= counters[i];
		left |= sum[i];
	}
	return left;
}

/* --- tables ------------------------------------------------------------------------------------ */

static int table_make(struct table *table, size_t bytes)
{
	table->rows_max = (uint32_t)(bytes / (sizeof(struct row) + INDEX_BYTES));
	table->index_size = 2;
	while (table->index_size < 2UL * table->rows_max)
		table->index_size *= 2;
	table->rows = calloc(table->rows_max + 1UL, sizeof(*table->rows));
	table->index = calloc(table->index_size, sizeof(*table->index));
	return table->rows && table->index ? 0 : -ENOMEM;
}

static void table_done(struct table *table)
{
	free(table->rows);
	free(table->index);
}

static void table_empty(struct table *table)
{
	if (table->n_rows)
		memset(table->index, 0, table->index_size * sizeof(*table->index));
	table->n_rows = 0;
}

static uint32_t *table_place(const struct table *table, const struct history_key *key)
{
	uint64_t hash = ((uint64_t)key->uid << 32 | key->login) * 0x9e3779b97f4a7c15ULL;
	size_t at;

	hash = (hash ^ hash >> 32 ^ key->id) * 0x9e3779b97f4a7c15ULL;
	at = hash >> 32 & (table->index_size - 1);
	while (table->index[at] &&
	       memcmp(&table->rows[table->index[at] - 1].key, key, sizeof(*key)) != 0)
		at = (at + 1) & (table->index_size - 1);
	return &table->index[at];
}

static struct row *table_find(const struct table *table, const struct history_key *key)
{
	uint32_t row = *table_place(table, key);

	return row ? &table->rows[row - 1] : NULL;
}

/* false: there is no room. */
static bool table_add(struct table *table, const struct history_key *key, const uint64_t *counters)
{
	uint32_t *place = table_place(table, key);

	if (!*place) {
		if (table->n_rows == table->rows_max)
			return false;
		table->rows[table->n_rows++] = (struct row){ .key = *key };
		*place = table->n_rows;
	}
	add(table->rows[*place - 1].counters, counters);
	return true;
}

/* --- life -------------------------------------------------------------------------------------- */

struct history *history_free(struct history *history)
{
	if (!history)
		return NULL;
	table_done(&history->before);
	table_done(&history->now);
	table_done(&history->added);
	free(history->intervals);
	free(history->rows);
	free(history);
	return NULL;
}

/* As many intervals as were asked for, if they have room for nothing but what is in no row. */
static int make_ring(struct history *history, size_t bytes, uint64_t intervals)
{
	uint64_t most = bytes / sizeof(struct interval), each, rows;

	if (intervals > most)
		intervals = most;
	if (!intervals)
		intervals = 1;
	each = bytes / intervals;
	rows = each < sizeof(struct interval)
		       ? 0
		       : (each - sizeof(struct interval)) / sizeof(struct row);
	history->intervals_max = intervals;
	history->rows_max = rows < UINT32_MAX ? (uint32_t)rows : UINT32_MAX;
	history->intervals = calloc(intervals, sizeof(*history->intervals));
	history->rows = calloc(intervals * history->rows_max + 1, sizeof(*history->rows));
	return history->intervals && history->rows ? 0 : -ENOMEM;
}

int history_new(size_t bytes, uint64_t intervals, history_unit unit, void *userdata,
		struct history **ret_history)
{
	CLEANUP(history_freep) struct history *history = calloc(1, sizeof(*history));

	if (!history)
		return -ENOMEM;
	history->unit = unit;
	history->userdata = userdata;
	if (table_make(&history->before, bytes / TABLES_SHARE) < 0 ||
	    table_make(&history->now, bytes / TABLES_SHARE) < 0 ||
	    table_make(&history->added, bytes / TABLES_SHARE) < 0 ||
	    make_ring(history, bytes / 2, intervals) < 0)
		return -ENOMEM;
	*ret_history = TAKE_PTR(history);
	return 0;
}

void history_restart(struct history *history)
{
	table_empty(&history->before);
	table_empty(&history->now);
	table_empty(&history->added);
	history->begun = false;
	history->n_intervals = history->first = 0;
}

/* --- feeding ----------------------------------------------------------------------------------- */

void history_begin(struct history *history)
{
	table_empty(&history->now);
	memset(history->sum_now, 0, sizeof(history->sum_now));
	history->left_out = 0;
}

void history_add(struct history *history, const struct history_key *key, const uint64_t *counters)
{
	add(history->sum_now, counters);
	if (!table_add(&history->now, key, counters))
		history->left_out++;
}

/* What was added to @row since the reading before; false: nothing, or that cannot be told. */
static bool row_added(struct history *history, const struct row *row, uint64_t *ret_added)
{
	const struct row *before = table_find(&history->before, &row->key);

	if (!before && !history->complete) {
		history->left_out++; /* it was left out then */
		return false;
	}
	memcpy(ret_added, row->counters, sizeof(row->counters));
	return subtract(ret_added, before ? before->counters : (uint64_t[EM_SLOTS_USED]){ 0 });
}

/* All that was added, less what rows have: what is left belongs to no row. */
static void compare(struct history *history)
{
	struct interval *current = &history->current;
	uint64_t rest[EM_SLOTS_USED], added[EM_SLOTS_USED];

	memcpy(rest, history->sum_now, sizeof(rest));
	subtract(rest, history->sum_before);
	for (uint32_t i = 0; i < history->now.n_rows; i++) {
		const struct row *row = &history->now.rows[i];
		struct history_key key = row->key;

		if (!row_added(history, row, added))
			continue;
		key.id = history->unit(key.id, history->userdata);
		if (table_add(&history->added, &key, added))
			subtract(rest, added);
		else
			current->left_out++;
	}
	add(current->other, rest);
	current->left_out += history->left_out;
}

void history_end(struct history *history, const uint64_t *overflow, const struct history_time *now)
{
	struct table table = history->before;
	uint64_t lost[EM_SLOTS_USED];
	bool complete = !history->left_out;

	if (history->begun) {
		compare(history);
		memcpy(lost, overflow, sizeof(lost));
		subtract(lost, history->overflow_before);
		add(history->current.overflow, lost);
	} else {
		history->current = (struct interval){ .from = *now };
	}
	history->begun = true;
	history->before = history->now;
	history->now = table;
	history->complete = complete;
	memcpy(history->sum_before, history->sum_now, sizeof(history->sum_before));
	memcpy(history->overflow_before, overflow, sizeof(history->overflow_before));
}

void history_settled(struct history *history, const struct history_key *key,
		     const uint64_t *counters)
{
	struct row *row = table_find(&history->before, key);

	if (row)
		subtract(row->counters, counters);
	subtract(history->sum_before, counters);
}

static uint64_t weight(const struct row *row)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		sum += row->counters[i];
	return sum;
}

static int by_weight(const void *a, const void *b)
{
	uint64_t x = weight(a), y = weight(b);

	return (x < y) - (x > y);
}

void history_next(struct history *history, const struct history_time *now)
{
	struct interval *current = &history->current;
	struct table *added = &history->added;
	uint64_t place = (history->first + history->n_intervals) % history->intervals_max;
	uint32_t kept = added->n_rows < history->rows_max ? added->n_rows : history->rows_max;

	if (!history->begun)
		return;
	if (added->n_rows > kept)
		qsort(added->rows, added->n_rows, sizeof(*added->rows), by_weight);
	for (uint32_t i = kept; i < added->n_rows; i++)
		add(current->other, added->rows[i].counters);
	current->left_out += added->n_rows - kept;
	current->n_rows = kept;
	if (kept)
		memcpy(&history->rows[place * history->rows_max], added->rows,
		       kept * sizeof(*added->rows));
	history->intervals[place] = *current;
	if (history->n_intervals < history->intervals_max)
		history->n_intervals++;
	else
		history->first = (history->first + 1) % history->intervals_max;
	table_empty(added);
	*current = (struct interval){ .from = *now };
}

/* --- asking ------------------------------------------------------------------------------------ */

/* Interval @i, the oldest being 0; that after the last is the current one. */
static const struct interval *interval_at(const struct history *history, uint64_t i,
					  struct row **ret_rows)
{
	uint64_t place = (history->first + i) % history->intervals_max;

	if (i == history->n_intervals) {
		*ret_rows = history->added.rows;
		return &history->current;
	}
	*ret_rows = &history->rows[place * history->rows_max];
	return &history->intervals[place];
}

static uint32_t interval_rows(const struct history *history, uint64_t i,
			      const struct interval *interval)
{
	return i == history->n_intervals ? history->added.n_rows : interval->n_rows;
}

/* The last interval that began at @boot_usec or before, or the oldest. */
static uint64_t find_first(const struct history *history, uint64_t boot_usec)
{
	uint64_t i = history->n_intervals;
	struct row *rows;

	while (i && interval_at(history, i, &rows)->from.boot_usec > boot_usec)
		i--;
	return i;
}

bool history_since(const struct history *history, uint64_t boot_usec, history_visit visit,
		   void *userdata, struct history_span *ret_span)
{
	uint64_t i = find_first(history, boot_usec);
	struct history_span span;
	struct row *rows;

	if (!history->begun)
		return false;
	span = (struct history_span){ .from = interval_at(history, i, &rows)->from };
	span.reached = span.from.boot_usec <= boot_usec;
	for (; i <= history->n_intervals; i++) {
		const struct interval *interval = interval_at(history, i, &rows);

		for (uint32_t n = 0; n < interval_rows(history, i, interval); n++)
			visit(&rows[n].key, rows[n].counters, userdata);
		add(span.other, interval->other);
		add(span.overflow, interval->overflow);
		span.left_out += interval->left_out;
	}
	*ret_span = span;
	return true;
}

/*
 * The index of the current interval does not find a row any more whose key was changed: from then on
 * there are two rows for the key, which readers add up.
 */
void history_keep_units(struct history *history, bool (*keep)(uint32_t unit, void *userdata),
			void *userdata)
{
	for (uint64_t i = history->n_intervals + 1; i-- > 0;) {
		struct row *rows;
		const struct interval *interval = interval_at(history, i, &rows);

		for (uint32_t n = 0; n < interval_rows(history, i, interval); n++)
			if (rows[n].key.id && !keep((uint32_t)rows[n].key.id, userdata))
				rows[n].key.id = 0;
	}
}

uint32_t history_rows_max(const struct history *history)
{
	return history->rows_max;
}

uint64_t history_intervals_max(const struct history *history)
{
	return history->intervals_max;
}
