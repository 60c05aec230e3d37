/* SPDX-License-Identifier: GPL-2.0-only */
/* How many there may be in an interval, in all and of one user. */
#include "rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct rate rate_of(uint64_t interval_usec, uint32_t total, uint32_t per_user)
{
	return (struct rate){ .limits = { interval_usec, total, per_user } };
}

/* How many of @n are allowed. */
static unsigned int allowed(struct rate *rate, uint64_t now_usec, uint32_t uid, unsigned int n)
{
	unsigned int count = 0;

	while (n--)
		count += rate_allows(rate, now_usec, uid);
	return count;
}

static void one_user_has_a_share(void **state)
{
	struct rate rate = rate_of(1000, 23, 17);

	(void)state;
	assert_int_equal(allowed(&rate, 5, 1000, 101), 17);
	assert_int_equal(allowed(&rate, 6, 1001, 101), 6);
	assert_int_equal(allowed(&rate, 7, 1002, 101), 0);
}

static void more_than_all_is_all(void **state)
{
	struct rate rate = rate_of(1000, 7, 100);

	(void)state;
	assert_int_equal(allowed(&rate, 5, 1000, 101), 7);
}

/* It begins with the first of it, not by the clock. */
static void intervals_begin_anew(void **state)
{
	struct rate rate = rate_of(1000, 5, 3);

	(void)state;
	assert_int_equal(allowed(&rate, 700, 1, 2), 2);
	assert_int_equal(allowed(&rate, 1699, 1, 2), 1);
	assert_int_equal(allowed(&rate, 1700, 1, 9), 3);
	assert_int_equal(allowed(&rate, 1700, 2, 9), 2);
	assert_int_equal(allowed(&rate, 1000000, 2, 9), 3);
	assert_int_equal(rate.end_usec, 1001000);
}

static void who_is_refused_takes_no_place(void **state)
{
	struct rate rate = rate_of(1000, 4, 1);

	(void)state;
	for (uint32_t uid = 0; uid < 6; uid++)
		assert_int_equal(allowed(&rate, 1, uid, 3), uid < 4);
}

static void places_are_shared(void **state)
{
	struct rate rate = rate_of(1000, 100, 5);

	(void)state;
	assert_int_equal(allowed(&rate, 1, 7, 3), 3);
	assert_int_equal(allowed(&rate, 1, 7 + RATE_USERS, 3), 2);
	assert_int_equal(allowed(&rate, 1, UINT32_MAX, 9), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_user_has_a_share),
		cmocka_unit_test(more_than_all_is_all),
		cmocka_unit_test(intervals_begin_anew),
		cmocka_unit_test(who_is_refused_takes_no_place),
		cmocka_unit_test(places_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
