/* SPDX-License-Identifier: GPL-2.0-only */
/* Events by command: each is counted once, whatever names there are and however many. */
#include "counts.h"
#include "message.h"
#include "tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int add(struct tally *tally, const char *event)
{
	return tally_add(tally, (struct slice){ event, strlen(event) }, (struct slice){});
}

static void add_all(struct tally *tally, const char *event, size_t times)
{
	for (size_t i = 0; i < times; i++)
		assert_int_equal(add(tally, event), 0);
}

static void read_answer(const struct tally *tally, struct counts *counts)
{
	_cleanup_text_ struct text text = {};

	tally_write(tally, &text);
	assert_int_equal(text.error, 0);
	assert_int_equal(message_check(text.data, text.length, 8), 0);
	assert_int_equal(counts_read(counts, (struct slice){ text.data, text.length }), 0);
}

static uint64_t value_of(const struct counts *counts, const struct counts_row *row,
			 const char *name)
{
	for (size_t i = 0; i < row->length; i++) {
		const struct counter *counter = &counts->counters[row->first + i];

		if (!strcmp(counts_string(counts, counts->columns[counter->column]), name))
			return counter->value;
	}
	fail_msg("there is no counter %s", name);
	return 0;
}

static const struct counts_row *row_named(const struct counts *counts, const char *name)
{
	for (size_t i = 0; i < counts->row_count; i++)
		if (!strcmp(counts_string(counts, counts->rows[i].unit), name))
			return &counts->rows[i];
	fail_msg("there is no row %s", name);
	return NULL;
}

static void nothing_yet(void **state)
{
	struct tally tally = {};
	_cleanup_counts_ struct counts counts = {};

	(void)state;
	read_answer(&tally, &counts);
	assert_int_equal(counts.row_count, 0);
	assert_int_equal(value_of(&counts, &counts.totals, "opens"), 0);
}

static void each_kind_has_its_counters(void **state)
{
	struct tally tally = {};
	_cleanup_counts_ struct counts counts = {};
	const struct counts_row *row;

	(void)state;
	add_all(&tally, "{\"type\":\"open\",\"comm\":\"cat\",\"error\":null}", 7);
	add_all(&tally, "{\"type\":\"open\",\"comm\":\"cat\",\"error\":\"ENOENT\"}", 5);
	add_all(&tally, "{\"type\":\"exec\",\"comm\":\"cat\"}", 3);
	add_all(&tally, "{\"type\":\"fork\",\"comm\":\"sh\",\"thread\":true}", 11);
	add_all(&tally, "{\"type\":\"fork\",\"comm\":\"sh\",\"thread\":false}", 2);
	add_all(&tally, "{\"type\":\"unlink\",\"comm\":\"mv\",\"rename\":true}", 13);
	add_all(&tally, "{\"type\":\"unlink\",\"comm\":\"mv\",\"rename\":false}", 1);
	add_all(&tally, "{\"type\":\"mount\",\"comm\":\"mv\"}", 17);
	read_answer(&tally, &counts);
	assert_int_equal(counts.row_count, 3);
	row = row_named(&counts, "cat");
	assert_int_equal(value_of(&counts, row, "opens"), 7);
	assert_int_equal(value_of(&counts, row, "openFailures"), 5);
	assert_int_equal(value_of(&counts, row, "execs"), 3);
	row = row_named(&counts, "sh");
	assert_int_equal(value_of(&counts, row, "threads"), 11);
	assert_int_equal(value_of(&counts, row, "forks"), 2);
	row = row_named(&counts, "mv");
	assert_int_equal(value_of(&counts, row, "renamesOver"), 13);
	assert_int_equal(value_of(&counts, row, "unlinks"), 1);
	assert_int_equal(value_of(&counts, row, "mount"), 17);
	assert_int_equal(value_of(&counts, &counts.totals, "opens"), 7);
	assert_int_equal(value_of(&counts, &counts.totals, "mount"), 17);
	tally_done(&tally);
}

/* "YQ==" is a name, and the base64 of another one. */
static void odd_names_stay_apart(void **state)
{
	struct tally tally = {};
	_cleanup_counts_ struct counts counts = {};

	(void)state;
	add_all(&tally, "{\"type\":\"open\",\"comm\":\"YQ==\"}", 2);
	add_all(&tally, "{\"type\":\"open\",\"comm\":\"?\",\"commBytes\":\"YQ==\"}", 3);
	add_all(&tally, "{\"type\":\"open\",\"comm\":\"?\",\"commBytes\":\"/w==\"}", 5);
	add_all(&tally, "{\"type\":\"open\",\"comm\":\"\\u001b]52;\\\"\"}", 7);
	read_answer(&tally, &counts);
	assert_int_equal(counts.row_count, 4);
	assert_int_equal(value_of(&counts, row_named(&counts, "YQ=="), "opens"), 2);
	assert_int_equal(value_of(&counts, row_named(&counts, "a"), "opens"), 3);
	assert_int_equal(value_of(&counts, &counts.totals, "opens"), 17);
	for (size_t i = 0; i < counts.strings.length; i++)
		assert_int_not_equal(counts.strings.data[i], '\033');
	tally_done(&tally);
}

static void more_names_than_rows(void **state)
{
	struct tally tally = {};
	_cleanup_counts_ struct counts counts = {};
	char event[128];

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < TALLY_ROWS + 5; i++) {
			snprintf(event, sizeof(event), "{\"type\":\"exit\",\"comm\":\"c%d\"}", i);
			add_all(&tally, event, 1);
		}
	read_answer(&tally, &counts);
	assert_int_equal(counts.row_count, TALLY_ROWS + 1);
	assert_int_equal(value_of(&counts, row_named(&counts, "c4095"), "exits"), 2);
	assert_int_equal(value_of(&counts, row_named(&counts, "(other commands)"), "exits"), 10);
	assert_int_equal(value_of(&counts, &counts.totals, "exits"), 2 * (TALLY_ROWS + 5));
	tally_done(&tally);
}

static void what_is_no_event_is_refused(void **state)
{
	static const char *const events[] = { "[]", "{}", "{\"type\":7}", "{\"comm\":\"x\"}" };
	struct tally tally = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		assert_int_equal(add(&tally, events[i]), -EBADMSG);
	tally_done(&tally);
}

static void losses_add_up(void **state)
{
	static const char *const lost[] = { "{\"type\":\"lost\",\"count\":41}",
					    "{\"type\":\"lost\",\"count\":null}" };
	struct tally tally = {};
	_cleanup_counts_ struct counts counts = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		assert_int_equal(tally_add(&tally, (struct slice){},
					   (struct slice){ lost[i], strlen(lost[i]) }),
				 0);
	assert_int_equal(tally.lost, 42);
	read_answer(&tally, &counts);
	assert_int_equal(counts.loss_count, 1);
	assert_false(counts.losses[0].zero);
	tally_done(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_yet),
		cmocka_unit_test(each_kind_has_its_counters),
		cmocka_unit_test(odd_names_stay_apart),
		cmocka_unit_test(more_names_than_rows),
		cmocka_unit_test(what_is_no_event_is_refused),
		cmocka_unit_test(losses_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
