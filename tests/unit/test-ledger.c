/* SPDX-License-Identifier: GPL-2.0-only */
/* The books: what is under way, what is missing, and what can never be right. */
#include "ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
	NOW = 1000000000, /* usec; any but 0 */
};

static const enum em_slot slot = EM_OPENS;

/* One reading: @before and @after seen, @rows in rows and @overflow in none. */
static struct ledger_sample sample_of(uint64_t before, uint64_t rows, uint64_t overflow,
				      uint64_t after)
{
	struct ledger_sample sample = { 0 };

	sample.before.seen[slot] = before;
	sample.after.seen[slot] = after;
	sample.after.overflow[slot] = overflow;
	sample.rows[slot] = rows;
	return sample;
}

/* --- ledger_sum() ------------------------------------------------------------------------------ */

/* A value for every number of every shard; sums of different ones are different. */
static void fill_shards(struct em_totals *shards)
{
	for (size_t s = 0; s < EM_SHARDS; s++) {
		for (size_t i = 0; i < EM_SLOTS; i++) {
			shards[s].seen[i] = (s + 1) * (1000 + i);
			shards[s].overflow[i] = (s + 1) * (2000 + i);
		}
		for (size_t i = 0; i < EM_UPDATE_ERRORS; i++)
			shards[s].update_errors[i] = (s + 1) * (3000 + i);
	}
}

static void all_shards_are_added_up(void **state)
{
	const uint64_t weight = EM_SHARDS * (EM_SHARDS + 1) / 2;
	struct em_totals shards[EM_SHARDS];
	struct ledger_totals totals;

	(void)state;
	fill_shards(shards);
	memset(&totals, 0xee, sizeof(totals)); /* what was there before must not count */
	ledger_sum(shards, &totals);
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		assert_int_equal(totals.seen[i], weight * (1000 + i));
		assert_int_equal(totals.overflow[i], weight * (2000 + i));
	}
	for (size_t i = 0; i < EM_UPDATE_ERRORS; i++)
		assert_int_equal(totals.update_errors[i], weight * (3000 + i));
	assert_int_equal(totals.dispatch_misses, 0); /* counted elsewhere */
}

static void sums_are_64_bits(void **state)
{
	struct em_totals shards[EM_SHARDS] = { 0 };
	struct ledger_totals totals;

	(void)state;
	shards[0].seen[slot] = UINT32_MAX;
	shards[1].seen[slot] = 2;
	shards[EM_SHARDS - 1].seen[slot] = 1ULL << 40;
	ledger_sum(shards, &totals);
	assert_int_equal(totals.seen[slot], (1ULL << 40) + UINT32_MAX + 2);
}

/* --- ledger_unaccounted() ---------------------------------------------------------------------- */

/* A reading that needs no patience: @expected at once, and nothing remembered. */
static void assert_at_once(struct ledger_sample sample, uint64_t expected)
{
	struct ledger_check check = { 0 };

	assert_int_equal(ledger_unaccounted(&check, &sample, slot, NOW), expected);
	assert_int_equal(check.since_usec[slot], 0);
}

static void balanced_books(void **state)
{
	(void)state;
	assert_at_once(sample_of(0, 0, 0, 0), 0);
	assert_at_once(sample_of(23, 23, 0, 23), 0);
	assert_at_once(sample_of(23, 0, 23, 23), 0);
	assert_at_once(sample_of(23, 19, 4, 23), 0);
	/* Counted while the rows were read, seen or not. */
	assert_at_once(sample_of(23, 23, 0, 29), 0);
	assert_at_once(sample_of(23, 25, 1, 29), 0);
	assert_at_once(sample_of(23, 29, 0, 29), 0);
	assert_at_once(sample_of(UINT64_MAX - 1, UINT64_MAX - 1, 0, UINT64_MAX), 0);
}

/* More in the rows than was ever seen: no delay explains that. */
static void negative_balance_is_told_at_once(void **state)
{
	(void)state;
	assert_at_once(sample_of(23, 24, 0, 23), 1);
	assert_at_once(sample_of(23, 0, 24, 23), 1);
	assert_at_once(sample_of(23, 31, 5, 29), 7);
	assert_at_once(sample_of(0, UINT64_MAX, 0, 0), UINT64_MAX);
}

static void missing_ones_have_time_to_arrive(void **state)
{
	const struct ledger_sample missing = sample_of(23, 18, 2, 23);
	struct ledger_check check = { 0 };

	(void)state;
	assert_int_equal(ledger_unaccounted(&check, &missing, slot, NOW), 0);
	assert_int_equal(ledger_unaccounted(&check, &missing, slot, NOW + LEDGER_PATIENCE_USEC - 1),
			 0);
	assert_int_equal(ledger_unaccounted(&check, &missing, slot, NOW + LEDGER_PATIENCE_USEC), 3);
	assert_int_equal(
		ledger_unaccounted(&check, &missing, slot, NOW + 100ULL * LEDGER_PATIENCE_USEC), 3);
}

/* What comes in between shows how many were just late. */
static void least_difference_counts(void **state)
{
	struct ledger_sample five = sample_of(100, 95, 0, 100), two = sample_of(200, 198, 0, 200),
			     nine = sample_of(300, 291, 0, 300);
	struct ledger_check check = { 0 };

	(void)state;
	assert_int_equal(ledger_unaccounted(&check, &five, slot, NOW), 0);
	assert_int_equal(ledger_unaccounted(&check, &two, slot, NOW + 1), 0);
	assert_int_equal(ledger_unaccounted(&check, &nine, slot, NOW + LEDGER_PATIENCE_USEC), 2);
}

static void least_difference_is_the_last_one_too(void **state)
{
	struct ledger_sample five = sample_of(100, 95, 0, 100), two = sample_of(200, 198, 0, 200);
	struct ledger_check check = { 0 };

	(void)state;
	assert_int_equal(ledger_unaccounted(&check, &five, slot, NOW), 0);
	assert_int_equal(ledger_unaccounted(&check, &two, slot, NOW + LEDGER_PATIENCE_USEC), 2);
}

/* A balanced reading in between proves that nothing is missing for good. */
static void balance_resets_patience(void **state)
{
	struct ledger_sample five = sample_of(100, 95, 0, 100), none = sample_of(200, 200, 0, 200),
			     nine = sample_of(300, 291, 0, 300);
	struct ledger_check check = { 0 };
	uint64_t later = NOW + LEDGER_PATIENCE_USEC;

	(void)state;
	assert_int_equal(ledger_unaccounted(&check, &five, slot, NOW), 0);
	assert_int_equal(ledger_unaccounted(&check, &none, slot, NOW + 1), 0);
	assert_int_equal(ledger_unaccounted(&check, &nine, slot, later), 0);
	assert_int_equal(ledger_unaccounted(&check, &nine, slot, later + LEDGER_PATIENCE_USEC - 1),
			 0);
	/* Nine, not the five of before. */
	assert_int_equal(ledger_unaccounted(&check, &nine, slot, later + LEDGER_PATIENCE_USEC), 9);
}

/* So does one that is too busy to tell: what was late may have come. */
static void busy_reading_resets_patience(void **state)
{
	struct ledger_sample five = sample_of(100, 95, 0, 100), busy = sample_of(200, 203, 0, 210);
	struct ledger_check check = { 0 };

	(void)state;
	assert_int_equal(ledger_unaccounted(&check, &five, slot, NOW), 0);
	assert_int_equal(ledger_unaccounted(&check, &busy, slot, NOW + 1), 0);
	assert_int_equal(ledger_unaccounted(&check, &five, slot, NOW + LEDGER_PATIENCE_USEC), 0);
	assert_int_equal(ledger_unaccounted(&check, &five, slot, NOW + 2ULL * LEDGER_PATIENCE_USEC),
			 5);
}

/* What has been missing for too long stays told, however busy it gets, until nothing can be. */
static void breach_stays_until_the_books_balance(void **state)
{
	struct ledger_sample five = sample_of(100, 95, 0, 100), busy = sample_of(200, 203, 0, 210),
			     three = sample_of(300, 297, 0, 300),
			     none = sample_of(400, 400, 0, 400);
	struct ledger_check check = { 0 };
	uint64_t now = NOW + LEDGER_PATIENCE_USEC;

	(void)state;
	assert_int_equal(ledger_unaccounted(&check, &five, slot, NOW), 0);
	assert_int_equal(ledger_unaccounted(&check, &five, slot, now), 5);
	assert_int_equal(ledger_unaccounted(&check, &busy, slot, now + 1), 5);
	assert_int_equal(ledger_unaccounted(&check, &three, slot, now + 2), 3);
	assert_int_equal(ledger_unaccounted(&check, &busy, slot, now + 3), 3);
	assert_int_equal(ledger_unaccounted(&check, &none, slot, now + 4), 0);
	/* Forgiven: the next one has its time. */
	assert_int_equal(ledger_unaccounted(&check, &five, slot, now + 5), 0);
	assert_int_equal(ledger_unaccounted(&check, &busy, slot, now + 6), 0);
	assert_int_equal(ledger_unaccounted(&check, &five, slot, now + 7), 0);
}

/* Each counter has its own patience. */
static void counters_are_apart(void **state)
{
	struct ledger_check check = { 0 };
	struct ledger_sample sample = { 0 };

	(void)state;
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		sample.before.seen[i] = sample.after.seen[i] = 1000;
		sample.rows[i] = 1000 - 2 * (i + 1);
		sample.after.overflow[i] = i + 1;
	}
	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		assert_int_equal(ledger_unaccounted(&check, &sample, i, NOW + i), 0);
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		assert_int_equal(
			ledger_unaccounted(&check, &sample, i, NOW + i + LEDGER_PATIENCE_USEC - 1),
			0);
		assert_int_equal(
			ledger_unaccounted(&check, &sample, i, NOW + i + LEDGER_PATIENCE_USEC),
			i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_shards_are_added_up),
		cmocka_unit_test(sums_are_64_bits),
		cmocka_unit_test(balanced_books),
		cmocka_unit_test(negative_balance_is_told_at_once),
		cmocka_unit_test(missing_ones_have_time_to_arrive),
		cmocka_unit_test(least_difference_counts),
		cmocka_unit_test(least_difference_is_the_last_one_too),
		cmocka_unit_test(balance_resets_patience),
		cmocka_unit_test(busy_reading_resets_patience),
		cmocka_unit_test(breach_stays_until_the_books_balance),
		cmocka_unit_test(counters_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
