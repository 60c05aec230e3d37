/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a GetStats answer from its text into arrays. */
#include "counts.h"

#include <string.h>

enum {
	FIRST_CAPACITY = 64,
};

void counts_done(struct counts *counts)
{
	free(counts->rows);
	free(counts->counters);
	text_done(&counts->strings);
	*counts = (struct counts){};
}

const char *counts_string(const struct counts *counts, size_t place)
{
	return counts->strings.data + place;
}

/* Room for one more element in *@array. */
static int array_grow(void *array, size_t count, size_t *capacity, size_t size)
{
	void **elements = array, *larger;
	size_t wanted = *capacity ? *capacity * 2 : FIRST_CAPACITY;

	if (count < *capacity)
		return 0;
	larger = reallocarray(*elements, wanted, size);
	if (!larger)
		return -ENOMEM;
	*elements = larger;
	*capacity = wanted;
	return 0;
}

/* A copy of @bytes, made safe. */
static size_t string_add(struct counts *counts, struct slice bytes)
{
	size_t place = counts->strings.length;

	text_safe(&counts->strings, bytes.text, bytes.length);
	text_append(&counts->strings, "", 1);
	return place;
}

static size_t string_read(struct counts *counts, struct reader *reader)
{
	size_t place = counts->strings.length;

	reader_string(reader, &counts->strings);
	text_append(&counts->strings, "", 1);
	return place;
}

/* The column of a counter. Rows name them in the same order, so @guess is nearly always right. */
static int column_find(struct counts *counts, struct slice key, uint32_t guess,
		       uint32_t *ret_column)
{
	size_t place;

	if (guess < counts->column_count &&
	    slice_is(key, counts_string(counts, counts->columns[guess]))) {
		*ret_column = guess;
		return 0;
	}
	place = string_add(counts, key);
	if (counts->strings.error)
		return counts->strings.error;
	for (uint32_t i = 0; i < counts->column_count; i++)
		if (!strcmp(counts_string(counts, place),
			    counts_string(counts, counts->columns[i]))) {
			counts->strings.length = place;
			*ret_column = i;
			return 0;
		}
	if (counts->column_count == COUNTERS_MAX)
		return -EBADMSG;
	counts->columns[counts->column_count] = place;
	*ret_column = counts->column_count++;
	return 0;
}

static int counters_read(struct counts *counts, struct reader *reader, struct counts_row *row)
{
	struct slice key;
	int error;

	row->first = counts->counter_count;
	reader_object(reader);
	while (reader_member(reader, &key)) {
		struct counter *counter;

		error = array_grow(&counts->counters, counts->counter_count,
				   &counts->counter_capacity, sizeof(*counts->counters));
		if (error)
			return error;
		counter = &counts->counters[counts->counter_count];
		error = column_find(counts, key, (uint32_t)(counts->counter_count - row->first),
				    &counter->column);
		if (error)
			return error;
		reader_count(reader, &counter->value, &counter->known);
		counts->counter_count++;
	}
	row->length = counts->counter_count - row->first;
	return 0;
}

static int row_read(struct counts *counts, struct reader *reader, struct counts_row *row)
{
	size_t unit_bytes = 0;
	struct slice key;
	bool known;
	int error = 0;

	*row = (struct counts_row){ .id = COUNTS_NO_ID };
	reader_object(reader);
	while (!error && reader_member(reader, &key)) {
		if (slice_is(key, "uid") || slice_is(key, "login")) {
			reader_count(reader, &row->id, &known);
			if (!known)
				row->id = COUNTS_NO_ID;
		} else if (slice_is(key, "unit")) {
			row->unit = string_read(counts, reader);
		} else if (slice_is(key, "unitBytes")) {
			unit_bytes = counts->strings.length;
			reader_base64(reader, &counts->strings);
			text_append(&counts->strings, "", 1);
		} else if (slice_is(key, "counters")) {
			error = counters_read(counts, reader, row);
		} else {
			reader_value(reader);
		}
	}
	if (unit_bytes)
		row->unit = unit_bytes; /* "unit" cannot say all of it */
	return error;
}

bool counts_known(const struct counts *counts, unsigned int column)
{
	for (size_t i = 0; i < counts->totals.length; i++) {
		const struct counter *counter = &counts->counters[counts->totals.first + i];

		if (counter->column == column)
			return counter->known;
	}
	return false;
}

int counts_compare(const struct counts *a_counts, const struct counts_row *a,
		   const struct counts *b_counts, const struct counts_row *b)
{
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return strcmp(counts_string(a_counts, a->unit), counts_string(b_counts, b->unit));
}

static int row_compare(const void *a, const void *b, void *counts)
{
	return counts_compare(counts, a, counts, b);
}

static int rows_read(struct counts *counts, struct reader *reader)
{
	bool ordered = true;
	int error;

	reader_array(reader);
	while (reader_item(reader)) {
		struct counts_row *row;

		error = array_grow(&counts->rows, counts->row_count, &counts->row_capacity,
				   sizeof(*counts->rows));
		if (error)
			return error;
		row = &counts->rows[counts->row_count];
		error = row_read(counts, reader, row);
		if (error || counts->strings.error)
			return error ? error : counts->strings.error;
		if (counts->row_count++ && ordered)
			ordered = counts_compare(counts, row - 1, counts, row) <= 0;
	}
	if (!ordered)
		qsort_r(counts->rows, counts->row_count, sizeof(*counts->rows), row_compare,
			counts);
	return 0;
}

/* One number or null of "losses". */
static void loss_read(struct counts *counts, struct reader *reader, size_t kind, size_t of)
{
	struct slice number = reader_value(reader);
	struct loss loss = { .kind = kind, .of = of };

	loss.known = !slice_is(number, "null");
	loss.zero = slice_is(number, "0");
	loss.number = string_add(counts, number);
	if (counts->loss_count++ < LOSSES_MAX)
		counts->losses[counts->loss_count - 1] = loss;
}

/* Members are numbers, or objects of numbers; those that a later daemon adds as well. */
static int losses_read(struct counts *counts, struct reader *reader)
{
	struct slice key, inner;

	reader_object(reader);
	while (reader_member(reader, &key)) {
		size_t kind = string_add(counts, key);
		struct slice value = reader_value(reader);
		struct reader inside = reader_of(value);

		if (value.length && value.text[0] == '{') {
			reader_object(&inside);
			while (reader_member(&inside, &inner))
				loss_read(counts, &inside, kind, string_add(counts, inner));
		} else {
			loss_read(counts, &inside, kind, 0);
		}
	}
	return 0;
}

static void gap_read(struct counts *counts, struct reader *reader)
{
	struct gap gap = {};
	struct slice key;

	reader_object(reader);
	while (reader_member(reader, &key)) {
		if (slice_is(key, "probe"))
			gap.probe = string_read(counts, reader);
		else if (slice_is(key, "hook"))
			gap.hook = string_read(counts, reader);
		else if (slice_is(key, "from"))
			gap.from = string_read(counts, reader);
		else if (slice_is(key, "to"))
			gap.to = string_read(counts, reader);
		else if (slice_is(key, "reason"))
			gap.reason = string_read(counts, reader);
		else
			reader_value(reader);
	}
	if (counts->gap_count++ < GAPS_MAX)
		counts->gaps[counts->gap_count - 1] = gap;
}

static int gaps_read(struct counts *counts, struct reader *reader)
{
	reader_array(reader);
	while (reader_item(reader))
		gap_read(counts, reader);
	return 0;
}

static int totals_read(struct counts *counts, struct reader *reader)
{
	return counters_read(counts, reader, &counts->totals);
}

static int overflow_read(struct counts *counts, struct reader *reader)
{
	return counters_read(counts, reader, &counts->overflow);
}

static int since_read(struct counts *counts, struct reader *reader)
{
	counts->since = string_read(counts, reader);
	return 0;
}

static int epoch_read(struct counts *counts, struct reader *reader)
{
	counts->epoch = string_read(counts, reader);
	return 0;
}

static int generation_read(struct counts *counts, struct reader *reader)
{
	bool known;

	reader_count(reader, &counts->generation, &known);
	return 0;
}

static int history_read(struct counts *counts, struct reader *reader)
{
	struct counts_span *span = &counts->span;
	struct slice key;
	bool known;
	int error = 0;

	reader_object(reader);
	while (!error && reader_member(reader, &key)) {
		if (slice_is(key, "from"))
			span->from = string_read(counts, reader);
		else if (slice_is(key, "duration"))
			reader_count(reader, &span->duration_usec, &known);
		else if (slice_is(key, "reached"))
			span->reached = slice_is(reader_value(reader), "true");
		else if (slice_is(key, "other"))
			error = counters_read(counts, reader, &span->other);
		else
			reader_value(reader);
	}
	return error;
}

static int other_read(struct counts *counts, struct reader *reader)
{
	(void)counts;
	reader_value(reader);
	return 0;
}

int counts_read(struct counts *counts, struct slice parameters)
{
	static const struct {
		const char *key;
		int (*read)(struct counts *counts, struct reader *reader);
	} members[] = {
		{ "rows", rows_read },	       { "totals", totals_read },
		{ "overflow", overflow_read }, { "losses", losses_read },
		{ "gaps", gaps_read },	       { "since", since_read },
		{ "epoch", epoch_read },       { "generation", generation_read },
		{ "history", history_read },
	};
	struct reader reader = reader_of(parameters);
	struct slice key;
	int error = 0;

	/* Place 0 is the empty string: what a member that is missing reads as. */
	text_append(&counts->strings, "", 1);
	error = counts->strings.error;
	reader_object(&reader);
	while (!error && reader_member(&reader, &key)) {
		int (*read)(struct counts *, struct reader *) = other_read;

		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			if (slice_is(key, members[i].key))
				read = members[i].read;
		error = read(counts, &reader);
	}
	if (!error)
		error = counts->strings.error ? counts->strings.error : reader.error;
	return error;
}
