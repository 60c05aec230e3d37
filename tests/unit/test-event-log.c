/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages on their way: everybody gets what was meant for him, or is told how many he lost. */
#include "event-log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	BYTES = 1024,
};

static void log_freep(struct event_log **log)
{
	event_log_free(*log);
}

static struct event_log *new_log(void)
{
	struct event_log *log = NULL;

	assert_int_equal(event_log_new(BYTES, &log), 0);
	return log;
}

static void add(struct event_log *log, uint64_t mask, const char *text)
{
	assert_int_equal(event_log_add(log, mask, text, strlen(text)), 0);
}

static void assert_taken(struct event_log *log, unsigned int listener, size_t bytes,
			 const char *wanted, unsigned int count)
{
	_cleanup_json_ struct json out = { 0 };

	assert_int_equal(event_log_take(log, listener, bytes, &out), count);
	assert_string_equal(out.text ? out.text : "", wanted);
}

static void each_gets_the_own(void **state)
{
	CLEANUP(log_freep) struct event_log *log = new_log();

	(void)state;
	event_log_listen(log, 0);
	event_log_listen(log, 63);
	add(log, 1, "a");
	add(log, UINT64_C(1) << 63, "b");
	add(log, 1 | UINT64_C(1) << 63, "c");
	assert_true(event_log_has_news(log, 0));
	assert_taken(log, 0, 100, "ac", 2);
	assert_false(event_log_has_news(log, 0));
	assert_taken(log, 0, 100, "", 0);
	assert_taken(log, 63, 100, "bc", 2);
	assert_int_equal(event_log_take_lost(log, 0), 0);
}

static void a_turn_is_short(void **state)
{
	CLEANUP(log_freep) struct event_log *log = new_log();

	(void)state;
	event_log_listen(log, 5);
	add(log, 1 << 5, "long");
	add(log, 1 << 5, "x");
	add(log, 1 << 5, "y");
	assert_taken(log, 5, 2, "long", 1); /* one whole message at least */
	assert_taken(log, 5, 1, "x", 1);
	assert_taken(log, 5, 1, "y", 1);
}

static void latecomers_get_what_comes_later(void **state)
{
	CLEANUP(log_freep) struct event_log *log = new_log();

	(void)state;
	event_log_listen(log, 1);
	add(log, 1 << 1, "before");
	event_log_listen(log, 1); /* the bit has a new owner */
	add(log, 1 << 1, "after");
	assert_taken(log, 1, 100, "after", 1);
	assert_int_equal(event_log_take_lost(log, 1), 0);
}

/* All lengths, so that the end of the memory is met in all ways. */
static void the_slow_lose_their_oldest(void **state)
{
	for (size_t length = 0; length < 200; length++) {
		CLEANUP(log_freep) struct event_log *log = new_log();
		char text[256], wanted[8];
		unsigned int total = 1000, taken = 0;
		uint64_t lost;

		(void)state;
		event_log_listen(log, 0);
		event_log_listen(log, 1);
		for (unsigned int i = 0; i < total; i++) {
			_cleanup_json_ struct json out = { 0 };

			snprintf(text, sizeof(text), "%04u%0*d", i, (int)length + 1, 0);
			add(log, 3, text);
			assert_int_equal(event_log_take(log, 0, 1, &out), 1); /* the fast one */
			assert_string_equal(out.text, text);
		}
		assert_int_equal(event_log_take_lost(log, 0), 0);
		lost = event_log_take_lost(log, 1);
		assert_in_range(lost, 1, total - 1);
		while (event_log_has_news(log, 1)) {
			_cleanup_json_ struct json out = { 0 };

			assert_int_equal(event_log_take(log, 1, 1, &out), 1);
			snprintf(wanted, sizeof(wanted), "%04u", (unsigned int)lost + taken++);
			assert_memory_equal(out.text, wanted, 4); /* the newest, in order */
		}
		assert_int_equal(lost + taken, total);
	}
}

static void what_is_too_large_is_lost(void **state)
{
	CLEANUP(log_freep) struct event_log *log = new_log();
	char text[BYTES];

	(void)state;
	event_log_listen(log, 2);
	add(log, 1 << 2, "a");
	assert_int_equal(event_log_add(log, 1 << 2, text, sizeof(text)), -EMSGSIZE);
	event_log_lose(log, 1 << 2);
	assert_taken(log, 2, 100, "a", 1);
	assert_true(event_log_has_news(log, 2)); /* that it has lost some */
	assert_int_equal(event_log_take_lost(log, 2), 2);
	assert_false(event_log_has_news(log, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_the_own),
		cmocka_unit_test(a_turn_is_short),
		cmocka_unit_test(latecomers_get_what_comes_later),
		cmocka_unit_test(the_slow_lose_their_oldest),
		cmocka_unit_test(what_is_too_large_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
