/* SPDX-License-Identifier: GPL-2.0-only */
/* Rates: what was counted between two answers by the time between them, never less than nothing. */
#include "rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	SECOND = 1000000,
};

/* An answer: @rows is its JSON. */
static enum rates_news take(struct rates *rates, double seconds, const char *epoch,
			    unsigned int generation, const char *rows, const char *totals)
{
	enum rates_news news = RATES_NOTHING_NEW;
	struct counts counts = {};
	char text[4096];
	int length = snprintf(text, sizeof(text),
			      "{\"epoch\":\"%s\",\"generation\":%u,\"rows\":[%s],\"totals\":%s}",
			      epoch, generation, rows, totals);

	assert_in_range(length, 1, sizeof(text) - 1);
	assert_int_equal(counts_read(&counts, (struct slice){ text, (size_t)length }), 0);
	assert_int_equal(
		rates_take(rates, &counts, (uint64_t)(seconds * SECOND) + 77 * SECOND, &news), 0);
	assert_null(counts.strings.data);
	return news;
}

#define ROW(uid, execs, opens) \
	"{\"uid\":" #uid ",\"counters\":{\"execs\":" #execs ",\"opens\":" #opens "}}"
#define TOTALS(execs, opens) "{\"execs\":" #execs ",\"opens\":" #opens "}"

static void assert_rate(double got, double wanted)
{
	assert_true(got > wanted - 0.0001 && got < wanted + 0.0001);
}

static void assert_rates(const struct rates *rates, size_t row, double execs, double opens)
{
	assert_rate(rates_now(rates, row, 0), execs);
	assert_rate(rates_now(rates, row, 1), opens);
}

static void assert_order(struct rates *rates, int column, const char *wanted)
{
	char text[64] = "";

	rates_sort(rates, column);
	for (size_t i = 0; i < rates->active; i++)
		sprintf(text + strlen(text), "%llu ",
			(unsigned long long)rates->counts.rows[rates->order[i]].id);
	assert_string_equal(text, wanted);
}

static void assert_spark(const struct rates *rates, size_t row, unsigned int column, size_t width,
			 const char *wanted)
{
	_cleanup_text_ struct text text = {};

	text_puts(&text, "");
	rates_spark(rates, row, column, width, false, &text);
	assert_string_equal(text.data, wanted);
}

/* --- cases ------------------------------------------------------------------------------------- */

static void the_first_answer_has_none(void **state)
{
	_cleanup_rates_ struct rates rates = {};

	(void)state;
	assert_int_equal(take(&rates, 0, "e", 1, ROW(5, 100, 200), TOTALS(100, 200)),
			 RATES_NOTHING_NEW);
	assert_int_equal(rates.samples, 0);
	assert_rates(&rates, 0, 0, 0);
	assert_order(&rates, 0, "");
}

static void differences_by_time(void **state)
{
	_cleanup_rates_ struct rates rates = {};

	(void)state;
	take(&rates, 0, "e", 1, ROW(5, 100, 200) "," ROW(7, 1, 1), TOTALS(101, 201));
	/* A user who is new, between the others; one who is gone. */
	take(&rates, 2, "e", 1, ROW(5, 103, 200) "," ROW(6, 10, 4), TOTALS(114, 205));
	assert_int_equal(rates.samples, 1);
	assert_rates(&rates, 0, 1.5, 0);
	assert_rates(&rates, 1, 5, 2);
	assert_rates(&rates, rates_totals(&rates), 6.5, 2);
	take(&rates, 2.25, "e", 1, ROW(5, 104, 200) "," ROW(6, 10, 4), TOTALS(115, 205));
	assert_rates(&rates, 0, 4, 0);
	assert_rates(&rates, 1, 0, 0);
	assert_rates(&rates, rates_totals(&rates), 4, 0);
}

/* Whatever an answer says, nothing has a rate below nothing, or one of no time. */
static void never_negative(void **state)
{
	_cleanup_rates_ struct rates rates = {};

	(void)state;
	take(&rates, 0, "e", 1, ROW(5, 100, 200), TOTALS(100, 200));
	take(&rates, 1, "e", 1, ROW(5, 40, 201), TOTALS(40, 201));
	assert_rates(&rates, 0, 0, 1);
	take(&rates, 2, "e", 1, ROW(5, 43, 201), TOTALS(43, 201));
	assert_rates(&rates, 0, 3, 0);
	take(&rates, 2, "e", 1, ROW(5, 50, 201), TOTALS(50, 201));
	assert_int_equal(rates.samples, 0);
	assert_rates(&rates, 0, 0, 0);
}

static void restarts(void **state)
{
	_cleanup_rates_ struct rates rates = {};

	(void)state;
	take(&rates, 0, "e", 1, ROW(5, 100, 200), TOTALS(100, 200));
	assert_int_equal(take(&rates, 1, "e", 2, ROW(5, 107, 200), TOTALS(107, 200)),
			 RATES_RESTARTED);
	assert_rates(&rates, 0, 7, 0);
	/* Counting anew: larger numbers than before, but not differences of anything. */
	assert_int_equal(take(&rates, 2, "f", 1, ROW(5, 900, 900), TOTALS(900, 900)), RATES_ANEW);
	assert_int_equal(rates.samples, 0);
	assert_rates(&rates, 0, 0, 0);
	assert_order(&rates, 0, "");
	assert_int_equal(take(&rates, 3, "f", 1, ROW(5, 902, 900), TOTALS(902, 900)),
			 RATES_NOTHING_NEW);
	assert_rates(&rates, 0, 2, 0);
}

/* Columns may come, and in another order; what is not known has no rate. */
static void columns_are_found_by_name(void **state)
{
	_cleanup_rates_ struct rates rates = {};
	int column = 9;

	(void)state;
	take(&rates, 0, "e", 1, ROW(5, 100, null), TOTALS(100, null));
	take(&rates, 1, "e", 1, "{\"uid\":5,\"counters\":{\"exits\":50,\"opens\":9,\"execs\":103}}",
	     TOTALS(103, 9));
	assert_int_equal(rates_column(&rates, "execs", &column), 0);
	assert_int_equal(column, 2);
	assert_rate(rates_now(&rates, 0, 2), 3);
	assert_rate(rates_now(&rates, 0, 0), 0);
	assert_rate(rates_now(&rates, 0, 1), 0);
	assert_int_equal(rates_column(&rates, "name", &column), 0);
	assert_int_equal(column, RATES_BY_NAME);
	assert_int_equal(rates_column(&rates, "exec", &column), -ENOENT);
}

static void the_order_of_rows(void **state)
{
	_cleanup_rates_ struct rates rates = {};
	static const char first[] = ROW(1, 0, 0) "," ROW(2, 0, 0) "," ROW(3, 0, 0) "," ROW(4, 0, 0);

	(void)state;
	take(&rates, 0, "e", 1, first, TOTALS(0, 0));
	take(&rates, 1, "e", 1, ROW(1, 5, 0) "," ROW(2, 0, 9) "," ROW(3, 7, 1) "," ROW(4, 0, 0),
	     TOTALS(12, 10));
	assert_order(&rates, 0, "3 1 2 ");
	assert_order(&rates, 1, "2 3 1 ");
	assert_order(&rates, RATES_BY_NAME, "1 2 3 ");
	/* Nothing now: by what there was. */
	take(&rates, 2, "e", 1, ROW(1, 5, 0) "," ROW(2, 0, 9) "," ROW(3, 7, 1) "," ROW(4, 0, 0),
	     TOTALS(12, 10));
	assert_order(&rates, 0, "3 1 2 ");
	/* And not for ever. */
	for (unsigned int i = 3; i < 3 + RATES_PAST; i++)
		take(&rates, i, "e", 1,
		     ROW(1, 6, 0) "," ROW(2, 0, 9) "," ROW(3, 7, 1) "," ROW(4, 0, 0),
		     TOTALS(13, 10));
	assert_order(&rates, 0, "1 ");
}

static void sparklines(void **state)
{
	_cleanup_rates_ struct rates rates = {};
	static const unsigned int steps[] = { 0, 1, 80, 40, 0, 20, 80 };
	_cleanup_text_ struct text text = {};
	unsigned int execs = 0;
	char row[128];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		execs += steps[i];
		snprintf(row, sizeof(row), "{\"uid\":5,\"counters\":{\"execs\":%u}}", execs);
		take(&rates, i, "e", 1, row, "{\"execs\":0}");
	}
	assert_spark(&rates, 0, 0, 8, "  .@= :@");
	assert_spark(&rates, 0, 0, 3, " :@");
	assert_spark(&rates, 0, 0, 0, "");
	assert_spark(&rates, rates_totals(&rates), 0, 4, "    ");
	rates_spark(&rates, 0, 0, 5, true, &text);
	assert_string_equal(text.data, "█▄ ▂█");
	/* More than is remembered. */
	text_done(&text);
	rates_spark(&rates, 0, 0, 1000, false, &text);
	assert_int_equal(text.length, RATES_PAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_answer_has_none),
		cmocka_unit_test(differences_by_time),
		cmocka_unit_test(never_negative),
		cmocka_unit_test(restarts),
		cmocka_unit_test(columns_are_found_by_name),
		cmocka_unit_test(the_order_of_rows),
		cmocka_unit_test(sparklines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
