/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows by key: what was added for a key is there once, whole, in order; nothing else is. */
#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum {
	KEYS = 20000,
	ADDITIONS = 3,
};

/* The allocator of rows, here in the place of libc's: fails when told to. */
static bool no_memory;

void *reallocarray(void *memory, size_t count, size_t size)
{
	if (no_memory) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(memory, count * size);
}

static const uint64_t none[EM_SLOTS_USED];

/* Counters that differ from each other and from those of any other @n. */
static void fill(uint64_t *counters, uint64_t n)
{
	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		counters[i] = n * 1000003 + i * 17 + 1;
}

static void add(struct store *store, uint64_t key, uint64_t n)
{
	uint64_t counters[EM_SLOTS_USED];

	fill(counters, n);
	store_add(store, key, counters);
}

static void assert_row(const struct store *store, size_t row, uint64_t key, uint64_t n)
{
	uint64_t counters[EM_SLOTS_USED];

	fill(counters, n);
	assert_int_equal(store->rows[row].key, key);
	assert_memory_equal(store->rows[row].counters, counters, sizeof(counters));
}

static void nothing_is_nothing(void **state)
{
	_cleanup_store_ struct store store = { 0 };

	(void)state;
	store_sort(&store);
	assert_int_equal(store.n_rows, 0);
	assert_int_equal(store.error, 0);
}

static void one_key_is_added_up(void **state)
{
	_cleanup_store_ struct store store = { 0 };
	uint64_t counters[EM_SLOTS_USED], sum[EM_SLOTS_USED];

	(void)state;
	add(&store, 65534, 3);
	add(&store, 65534, 5);
	store_sort(&store);
	fill(counters, 3);
	fill(sum, 5);
	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		sum[i] += counters[i];
	assert_int_equal(store.n_rows, 1);
	assert_int_equal(store.rows[0].key, 65534);
	assert_memory_equal(store.rows[0].counters, sum, sizeof(sum));
}

static void a_row_of_zeros_is_a_row(void **state)
{
	_cleanup_store_ struct store store = { 0 };

	(void)state;
	store_add(&store, 7, none);
	store_sort(&store);
	assert_int_equal(store.n_rows, 1);
	assert_int_equal(store.rows[0].key, 7);
	assert_memory_equal(store.rows[0].counters, none, sizeof(none));
}

/* Whatever part of the key a comparison or a hash would leave out. */
static void keys_are_64_bits(void **state)
{
	static const uint64_t sorted[] = {
		0,
		1,
		2,
		0x7fffffff,
		0x80000000,
		0xffffffff,
		0x100000000,
		0x100000001,
		0x200000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		UINT64_MAX,
	};
	static const size_t order[] = { 7, 11, 0, 9, 3, 5, 10, 1, 8, 6, 2, 4 };
	_cleanup_store_ struct store store = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		add(&store, sorted[order[i]], order[i]);
	store_sort(&store);
	assert_int_equal(store.n_rows, ARRAY_SIZE(sorted));
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		assert_row(&store, i, sorted[i], i);
}

/* Keys whose hashes have equal low bits: their rows are searched one after the other. */
static void colliding_keys_stay_apart(void **state)
{
	_cleanup_store_ struct store store = { 0 };

	(void)state;
	for (int round = 0; round < ADDITIONS; round++)
		for (uint64_t i = 0; i < 64; i++)
			add(&store, i << 48, i);
	store_sort(&store);
	assert_int_equal(store.n_rows, 64);
	for (uint64_t i = 0; i < 64; i++) {
		assert_int_equal(store.rows[i].key, i << 48);
		assert_int_equal(store.rows[i].counters[0], ADDITIONS * (i * 1000003 + 1));
	}
}

/* As many users as nobody has, each seen several times, in no order. */
static void many_keys(void **state)
{
	_cleanup_store_ struct store store = { 0 };

	(void)state;
	for (uint64_t round = 0; round < ADDITIONS; round++)
		for (uint64_t i = 0; i < KEYS; i++) {
			/* 7919 is coprime to KEYS: every key once, far from its neighbour. */
			uint64_t key = (i * 7919 + round) % KEYS;

			add(&store, key * 3, key);
		}
	store_sort(&store);
	assert_int_equal(store.error, 0);
	assert_int_equal(store.n_rows, KEYS);
	for (uint64_t i = 0; i < KEYS; i++) {
		uint64_t counters[EM_SLOTS_USED];

		fill(counters, i);
		assert_int_equal(store.rows[i].key, i * 3);
		for (size_t slot = 0; slot < EM_SLOTS_USED; slot++)
			assert_int_equal(store.rows[i].counters[slot], ADDITIONS * counters[slot]);
	}
}

/* A place is found in a moment however many there are: the index has room. */
static void index_stays_half_empty(void **state)
{
	_cleanup_store_ struct store store = { 0 };

	(void)state;
	for (uint64_t i = 0; i < KEYS; i++) {
		add(&store, i, i);
		assert_true(store.n_rows <= store.capacity);
		assert_true(store.index_size >= 2 * store.n_rows);
		assert_int_equal(store.index_size & (store.index_size - 1), 0);
	}
}

static void lack_of_memory_is_remembered(void **state)
{
	_cleanup_store_ struct store store = { 0 };
	uint64_t n = 0;

	(void)state;
	add(&store, n, n);
	no_memory = true;
	while (!store.error && n < KEYS)
		n++, add(&store, n, n);
	no_memory = false;
	assert_int_equal(store.error, -ENOMEM);
	assert_int_equal(store.n_rows, n); /* the last one found no room */

	/* With memory again nothing is added: the rows would not be the whole truth. */
	add(&store, 0, 1);
	add(&store, KEYS, 1);
	assert_int_equal(store.error, -ENOMEM);
	assert_int_equal(store.n_rows, n);
	assert_row(&store, 0, 0, 0);
	assert_row(&store, n - 1, n - 1, n - 1);
}

static void done_twice_is_done(void **state)
{
	struct store store = { 0 };

	(void)state;
	add(&store, 1, 1);
	store_done(&store);
	assert_null(store.rows);
	assert_int_equal(store.n_rows, 0);
	store_done(&store);
	add(&store, 2, 2);
	assert_int_equal(store.n_rows, 1);
	store_done(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(one_key_is_added_up),
		cmocka_unit_test(a_row_of_zeros_is_a_row),
		cmocka_unit_test(keys_are_64_bits),
		cmocka_unit_test(colliding_keys_stay_apart),
		cmocka_unit_test(many_keys),
		cmocka_unit_test(index_stays_half_empty),
		cmocka_unit_test(lack_of_memory_is_remembered),
		cmocka_unit_test(done_twice_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
