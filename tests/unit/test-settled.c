/* SPDX-License-Identifier: GPL-2.0-only */
/* The map "settled": what is written is read again, and what is damaged is refused. */
#include "settled.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	PLENTY = 1000000, /* rows: no limit here */
	ERA = 77,
};

static const uint8_t taken[16] = "whose counts are";

/* A settlement, and what became of it. */
struct fixture {
	struct settlement settlement;
	void *data;
	size_t bytes;
	struct settled settled;
};

static void fixture_done(struct fixture *fixture)
{
	settlement_done(&fixture->settlement);
	free(fixture->data);
	*fixture = (struct fixture){ 0 };
}

/* Units are called "1.service" and so on, by the caller's numbers. */
static const char *unit_name(uint32_t unit, void *userdata)
{
	static char name[64];

	(void)userdata;
	assert_int_not_equal(unit, 0);
	snprintf(name, sizeof(name), "%u.service", unit);
	return name;
}

static void add(struct settlement *settlement, uint32_t uid, uint32_t login, uint32_t unit,
		const uint64_t *counters, uint32_t slots)
{
	const struct em_settled_row key = { uid, login, unit, 0 };

	settlement_add(settlement, &key, counters, slots);
	assert_int_equal(settlement->error, 0);
}

static void add_one(struct settlement *settlement, uint32_t uid, uint32_t unit, uint64_t value)
{
	add(settlement, uid, 0, unit, &value, 1);
}

static void write_and_parse(struct fixture *fixture)
{
	struct em_settled header = { .era = ERA };

	memcpy(header.taken, taken, sizeof(taken));
	free(fixture->data);
	assert_int_equal(settlement_write(&fixture->settlement, &header, unit_name, NULL,
					  &fixture->data, &fixture->bytes),
			 0);
	assert_int_equal(fixture->bytes % 8, 0);
	assert_int_equal(settled_parse(fixture->data, fixture->bytes, &fixture->settled), 0);
}

struct nth_name {
	uint32_t left;
	const char *name;
};

static int take_name(const char *name, void *userdata)
{
	struct nth_name *nth = userdata;

	if (--nth->left)
		return 0;
	nth->name = name;
	return -ECANCELED;
}

static const char *name_of(const struct settled *settled, uint32_t number)
{
	struct nth_name nth = { .left = number };

	if (!number)
		return "";
	assert_int_equal(settled_each_name(settled, take_name, &nth), -ECANCELED);
	return nth.name;
}

/* The one row of @uid and @unit ("" for none), or NULL. */
static const struct em_settled_row *find(const struct settled *settled, uint32_t uid,
					 const char *unit)
{
	const struct em_settled_row *found = NULL;

	for (uint64_t i = 0; i < settled->header->rows; i++) {
		const struct em_settled_row *row = settled_row(settled, i);

		if (row->uid != uid || strcmp(name_of(settled, row->unit), unit))
			continue;
		assert_null(found);
		found = row;
	}
	return found;
}

static void assert_row(const struct settled *settled, uint32_t uid, const char *unit,
		       uint64_t value)
{
	const struct em_settled_row *row = find(settled, uid, unit);

	assert_non_null(row);
	assert_int_equal(settled_counters(row)[0], value);
	assert_int_equal(row->zero, 0);
}

/* --- round trips ------------------------------------------------------------------------------- */

static void nothing_is_the_shortest(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = PLENTY };

	(void)state;
	write_and_parse(&fixture);
	assert_int_equal(fixture.bytes, sizeof(struct em_settled));
	assert_int_equal(fixture.settled.header->rows, 0);
	assert_int_equal(fixture.settled.header->slots, 0);
	assert_int_equal(fixture.settled.header->units, 0);
	assert_int_equal(fixture.settled.header->era, ERA);
	assert_memory_equal(fixture.settled.header->taken, taken, sizeof(taken));
	assert_int_equal(settled_each_name(&fixture.settled, take_name, NULL), 0);
}

static void rows_are_summed_by_all_three(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = PLENTY };
	static const uint32_t values[] = { 0, 1, UINT32_MAX };
	const uint64_t counters[] = { 3, UINT32_MAX, 5 };

	(void)state;
	for (int round = 0; round < 7; round++)
		for (size_t uid = 0; uid < ARRAY_SIZE(values); uid++)
			for (size_t login = 0; login < ARRAY_SIZE(values); login++)
				for (uint32_t unit = 0; unit < 3; unit++)
					add(&fixture.settlement, values[uid], values[login], unit,
					    counters, ARRAY_SIZE(counters));
	write_and_parse(&fixture);
	assert_int_equal(fixture.settled.header->rows, 27);
	assert_int_equal(fixture.settled.header->units, 2);
	assert_int_equal(fixture.settled.header->slots, 3);
	for (uint64_t i = 0; i < 27; i++)
		for (size_t slot = 0; slot < ARRAY_SIZE(counters); slot++)
			assert_int_equal(settled_counters(settled_row(&fixture.settled, i))[slot],
					 7 * counters[slot]);
}

static void zeros_need_no_row(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = PLENTY };
	const uint64_t zeros[EM_SLOTS_LIMIT] = { 0 };

	(void)state;
	add(&fixture.settlement, 1, 1, 1, zeros, EM_SLOTS_LIMIT);
	add(&fixture.settlement, 1, 1, 1, NULL, 0);
	write_and_parse(&fixture);
	assert_int_equal(fixture.bytes, sizeof(struct em_settled));
}

/* Rows are as wide as the widest needs, whichever comes first. */
static void rows_widen(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = PLENTY };
	struct settlement *settlement = &fixture.settlement;
	uint64_t counters[EM_SLOTS_LIMIT] = { 2 };

	(void)state;
	for (uint32_t i = 0; i < EM_SLOTS_LIMIT; i++) {
		counters[i] = i + 2;
		add(settlement, i, 0, 1, counters, EM_SLOTS_LIMIT);
		assert_int_equal(settlement->slots, i + 1);
	}
	add_one(settlement, 5, 1, 1000);
	write_and_parse(&fixture);
	assert_int_equal(fixture.settled.header->slots, EM_SLOTS_LIMIT);
	for (uint32_t i = 0; i < EM_SLOTS_LIMIT; i++) {
		const struct em_settled_row *row = find(&fixture.settled, i, "1.service");

		assert_non_null(row);
		for (uint32_t slot = 0; slot < EM_SLOTS_LIMIT; slot++)
			assert_int_equal(settled_counters(row)[slot],
					 (slot <= i ? slot + 2 : 0) +
						 (i == 5 && slot == 0 ? 1000 : 0));
	}
}

/* Totals of other layouts may have more counters than any row. */
static void totals_widen_rows(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = PLENTY };
	struct settlement *settlement = &fixture.settlement;

	(void)state;
	add_one(settlement, 7, 3, 11);
	settlement->seen[4] = 13;
	settlement->overflow[9] = 17;
	for (int i = 0; i < EM_UPDATE_ERRORS; i++)
		settlement->update_errors[i] = 19 + (uint64_t)i;
	write_and_parse(&fixture);
	assert_int_equal(fixture.settled.header->slots, 10);
	for (uint32_t slot = 0; slot < 10; slot++) {
		assert_int_equal(fixture.settled.seen[slot], slot == 4 ? 13 : 0);
		assert_int_equal(fixture.settled.overflow[slot], slot == 9 ? 17 : 0);
		assert_int_equal(settled_counters(settled_row(&fixture.settled, 0))[slot],
				 slot == 0 ? 11 : 0);
	}
	for (int i = 0; i < EM_UPDATE_ERRORS; i++)
		assert_int_equal(fixture.settled.header->update_errors[i], 19 + i);
	assert_row(&fixture.settled, 7, "3.service", 11);
}

/* Many rows, while the index grows; every unit's name is there once. */
static void many_rows_are_found_again(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = PLENTY };

	(void)state;
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < 20011; i++)
			add_one(&fixture.settlement, i % 1009, i % 101, i + 1);
	write_and_parse(&fixture);
	assert_int_equal(fixture.settled.header->rows, 20011);
	assert_int_equal(fixture.settled.header->units, 100);
	for (uint32_t i = 0; i < 20011; i += 997) {
		char name[32] = "";

		if (i % 101)
			snprintf(name, sizeof(name), "%u.service", i % 101);
		assert_row(&fixture.settled, i % 1009, name, 3UL * (i + 1));
	}
}

/* --- limits ------------------------------------------------------------------------------------ */

static void three_quarters_full_rows_lose_their_unit(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = 8 };
	struct settlement *settlement = &fixture.settlement;

	(void)state;
	for (uint32_t unit = 1; unit <= 6; unit++)
		add_one(settlement, 1, unit, 10);
	/* New ones have no unit, those that are there have it still. */
	add_one(settlement, 1, 7, 100);
	add_one(settlement, 1, 8, 100);
	add_one(settlement, 2, 3, 1000);
	for (uint32_t unit = 1; unit <= 6; unit++)
		add_one(settlement, 1, unit, 10);
	write_and_parse(&fixture);
	assert_int_equal(fixture.settled.header->rows, 8);
	assert_int_equal(fixture.settled.header->units, 6);
	assert_row(&fixture.settled, 1, "4.service", 20);
	assert_row(&fixture.settled, 1, "", 200);
	assert_row(&fixture.settled, 2, "", 1000);
	assert_int_equal(fixture.settlement.overflow[0], 0);
}

static void full_is_overflow(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = 4 };
	struct settlement *settlement = &fixture.settlement;

	(void)state;
	for (uint32_t uid = 1; uid <= 4; uid++)
		add_one(settlement, uid, 0, 10);
	add_one(settlement, 5, 0, 3);
	add_one(settlement, 6, 1, 4);
	add_one(settlement, 4, 1, 5); /* without the unit it is there */
	write_and_parse(&fixture);
	assert_int_equal(fixture.settled.header->rows, 4);
	assert_int_equal(fixture.settled.overflow[0], 7);
	assert_row(&fixture.settled, 4, "", 15);
	assert_null(find(&fixture.settled, 5, ""));
}

/* A limit that was lowered takes effect on what is new only. */
static void no_room_at_all_is_overflow(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { .settlement.rows_max = 0 };

	(void)state;
	add_one(&fixture.settlement, 1, 1, 10);
	add_one(&fixture.settlement, 1, 0, 10);
	write_and_parse(&fixture);
	assert_int_equal(fixture.settled.header->rows, 0);
	assert_int_equal(fixture.settled.overflow[0], 20);
	assert_int_equal(fixture.settled.seen[0], 0);
}

/* --- damage ------------------------------------------------------------------------------------ */

/* Three rows, two names, two counters. */
static void build_example(struct fixture *fixture)
{
	const uint64_t counters[] = { 23, 42 };

	fixture->settlement.rows_max = PLENTY;
	add(&fixture->settlement, 1, 2, 3, counters, 2);
	add(&fixture->settlement, 1, 2, 4, counters, 2);
	add(&fixture->settlement, 1, 2, 0, counters, 2);
	write_and_parse(fixture);
}

static void assert_refused(const struct fixture *fixture, size_t bytes)
{
	struct settled settled = { .row_bytes = 99 };
	void *copy = malloc(bytes ? bytes : 1); /* so large, that reading beyond it is noticed */

	assert_non_null(copy);
	memcpy(copy, fixture->data, bytes);
	assert_int_equal(settled_parse(copy, bytes, &settled), -EBADMSG);
	assert_int_equal(settled.row_bytes, 99);
	free(copy);
}

static void every_cut_is_refused(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { 0 };
	size_t end;

	(void)state;
	build_example(&fixture);
	end = (size_t)(fixture.settled.names - (const char *)fixture.data) +
	      fixture.settled.header->names_bytes;
	assert_in_range(fixture.bytes - end, 0, 7);
	for (size_t bytes = 0; bytes < end; bytes++)
		assert_refused(&fixture, bytes);
	for (size_t bytes = end; bytes <= fixture.bytes; bytes++)
		assert_int_equal(settled_parse(fixture.data, bytes, &fixture.settled), 0);
}

static void every_wrong_header_is_refused(void **state)
{
	static const struct {
		size_t offset, bytes;
		uint64_t value;
	} cases[] = {
#define WRONG(field, value) \
	{ offsetof(struct em_settled, field), sizeof(((struct em_settled *)0)->field), value }
		WRONG(format, 0),
		WRONG(format, EM_FORMAT + 1),
		WRONG(format, UINT32_MAX),
		WRONG(rows, 4),
		WRONG(rows, 1000),
		WRONG(rows, UINT64_MAX),
		WRONG(rows, UINT64_MAX / 32 + 1), /* wraps around to 0 bytes */
		WRONG(rows, UINT64_MAX / 32 + 4), /* and to 96 */
		WRONG(slots, 3),
		WRONG(slots, EM_SLOTS_LIMIT),
		WRONG(slots, EM_SLOTS_LIMIT + 1),
		WRONG(slots, UINT32_MAX),
		WRONG(units, 0),
		WRONG(units, 1),
		WRONG(units, 3),
		WRONG(units, UINT32_MAX),
		WRONG(names_bytes, 0),
		WRONG(names_bytes, 19),
		WRONG(names_bytes, 21),
		WRONG(names_bytes, 1000),
		WRONG(names_bytes, UINT64_MAX),
		WRONG(names_bytes, UINT64_MAX - 95), /* what follows is then before */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(fixture_done) struct fixture fixture = { 0 };

		build_example(&fixture);
		assert_int_equal(fixture.settled.header->names_bytes, 20);
		memcpy((char *)fixture.data + cases[i].offset, &cases[i].value, cases[i].bytes);
		assert_refused(&fixture, fixture.bytes);
	}
}

static void a_row_of_no_unit_is_refused(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { 0 };
	struct em_settled_row *row;

	(void)state;
	build_example(&fixture);
	row = (struct em_settled_row *)((char *)fixture.data +
					(fixture.settled.rows - (const char *)fixture.data) +
					2 * fixture.settled.row_bytes);
	row->unit = 3;
	assert_refused(&fixture, fixture.bytes);
	row->unit = UINT32_MAX;
	assert_refused(&fixture, fixture.bytes);
	row->unit = 2;
	assert_int_equal(settled_parse(fixture.data, fixture.bytes, &fixture.settled), 0);
}

static void names_without_an_end_are_refused(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { 0 };
	char *names;

	(void)state;
	build_example(&fixture);
	names = (char *)fixture.data + (fixture.settled.names - (const char *)fixture.data);
	names[19] = 'x';
	assert_refused(&fixture, fixture.bytes);
	names[19] = '\0';
	names[9] = 'x'; /* two names are one */
	assert_refused(&fixture, fixture.bytes);
	names[9] = names[4] = '\0'; /* and three */
	assert_refused(&fixture, fixture.bytes);
}

/* Each bit that is wrong is noticed, or harmless: what is parsed lies within the bytes. */
static void no_bit_is_trusted(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { 0 };
	uint8_t *bytes;
	int refused = 0;

	(void)state;
	build_example(&fixture);
	bytes = fixture.data;
	for (size_t bit = 0; bit < fixture.bytes * 8; bit++) {
		struct settled settled;

		bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (settled_parse(bytes, fixture.bytes, &settled) < 0) {
			refused++;
		} else {
			const char *end = settled.names + settled.header->names_bytes;

			assert_ptr_equal(settled.header, bytes);
			assert_true(end <= (const char *)bytes + fixture.bytes);
		}
		bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_int_equal(settled_parse(bytes, fixture.bytes, &fixture.settled), 0);
	assert_true(refused > 32 * 3 + 64); /* format, slots, units; rows or names */
}

static int refuse_second(const char *name, void *userdata)
{
	int *names = userdata;

	(void)name;
	return ++*names == 2 ? -EXFULL : 1;
}

static void a_visitor_ends_the_visit(void **state)
{
	CLEANUP(fixture_done) struct fixture fixture = { 0 };
	int names = 0;

	(void)state;
	build_example(&fixture);
	assert_int_equal(settled_each_name(&fixture.settled, refuse_second, &names), -EXFULL);
	assert_int_equal(names, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_the_shortest),
		cmocka_unit_test(rows_are_summed_by_all_three),
		cmocka_unit_test(zeros_need_no_row),
		cmocka_unit_test(rows_widen),
		cmocka_unit_test(totals_widen_rows),
		cmocka_unit_test(many_rows_are_found_again),
		cmocka_unit_test(three_quarters_full_rows_lose_their_unit),
		cmocka_unit_test(full_is_overflow),
		cmocka_unit_test(no_room_at_all_is_overflow),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(every_wrong_header_is_refused),
		cmocka_unit_test(a_row_of_no_unit_is_refused),
		cmocka_unit_test(names_without_an_end_are_refused),
		cmocka_unit_test(no_bit_is_trusted),
		cmocka_unit_test(a_visitor_ends_the_visit),
	};

	return cmocka_run_group_tests_name("settled", tests, NULL, NULL);
}
