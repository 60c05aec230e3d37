/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is remembered of units, how much of it, and for how long. There is no cgroup tree: what
 * cgroups are called is told by a source that counts how often it is asked.
 */
#include "unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	ROOT_ID = 1,
	MANY = 300,	  /* more than the tables have room for at first */
	NAMES = 131070,	  /* that there is room for, beside "-.slice" */
	KEPT = 32768,	  /* of them, at most, on request */
	CGROUPS = 524287, /* likewise, beside the root */
	FIRST = 1000000000,
};

struct source {
	bool alike; /* every cgroup was one of the same service */
	unsigned int asked;
};

/* Cgroup FIRST + i is "i.service". */
static int find_cgroup(uint64_t cgroup, uint64_t *ret_parent, char *name, void *userdata)
{
	struct source *source = userdata;
	unsigned long long number = source->alike ? 0 : cgroup - FIRST;

	source->asked++;
	*ret_parent = ROOT_ID;
	snprintf(name, UNIT_NAME_BYTES, "%llu.service", number);
	return cgroup < FIRST ? -ENOENT : 0;
}

static struct units *new_units(struct source *source)
{
	struct units *units = NULL;

	assert_int_equal(units_new("/nonexistent", find_cgroup, source, &units), 0);
	assert_int_equal(units_refresh(units), 0);
	return units;
}

static void assert_unit(struct units *units, uint64_t cgroup, const char *expected)
{
	const char *name = units_name(units, units_find(units, cgroup));

	assert_non_null(name);
	assert_string_equal(name, expected);
}

/* Whether @cgroup is remembered: then the source is not asked. */
static bool remembered(struct units *units, struct source *source, uint64_t cgroup)
{
	unsigned int asked = source->asked;

	units_find(units, cgroup);
	return source->asked == asked;
}

/* So often, with the tree being looked at before, as when a table is settled. */
static void forget(struct units *units, int rounds)
{
	for (int round = 0; round < rounds; round++) {
		assert_int_equal(units_refresh(units), 0);
		units_forget(units, NULL, 0);
	}
}

/* --- limits ------------------------------------------------------------------------------------ */

/* What users can make as many of as they like has a limit; what came before it stays right. */
static void names_have_a_limit(void **state)
{
	struct source source = { 0 };
	struct units *units = new_units(&source);
	char name[64];

	(void)state;
	for (int i = 0; i < NAMES; i++)
		assert_int_not_equal(units_find(units, FIRST + i), UNIT_UNKNOWN);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(units_find(units, FIRST + NAMES + i), UNIT_UNKNOWN);
	assert_int_equal(units_number(units, "late.service"), UNIT_UNKNOWN);
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "%d.service", i);
		assert_unit(units, FIRST + i, name);
	}
	assert_unit(units, ROOT_ID, "-.slice");
	units_free(units);
}

/* Above the limit they are asked for each time, as long as they can be. */
static void cgroups_have_a_limit(void **state)
{
	struct source source = { .alike = true };
	struct units *units = new_units(&source);
	uint32_t number = units_find(units, FIRST);

	(void)state;
	assert_string_equal(units_name(units, number), "0.service");
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < CGROUPS; i++)
			assert_int_equal(units_find(units, FIRST + i), number);
		assert_int_equal(source.asked, CGROUPS);
	}
	for (int i = 0; i < MANY; i++)
		assert_int_equal(units_find(units, FIRST + CGROUPS), number);
	assert_int_equal(source.asked, CGROUPS + MANY);
	units_free(units);
}

/* --- numbers ----------------------------------------------------------------------------------- */

static void a_name_has_one_number(void **state)
{
	struct source source = { 0 };
	struct units *units = new_units(&source);
	uint32_t numbers[MANY];
	char name[64];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d.service", i);
		numbers[i] = units_number(units, name);
		assert_int_not_equal(numbers[i], UNIT_UNKNOWN);
		assert_string_equal(units_name(units, numbers[i]), name);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(numbers[i], numbers[j]);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d.service", i);
		assert_int_equal(units_number(units, name), numbers[i]);
		assert_int_equal(units_find(units, FIRST + i), numbers[i]);
	}
	units_free(units);
}

/* --- forgetting -------------------------------------------------------------------------------- */

static void a_cgroup_is_kept_for_two_rounds(void **state)
{
	struct source source = { 0 };
	struct units *units = new_units(&source);

	(void)state;
	units_find(units, FIRST + 7);
	forget(units, 2);
	assert_true(remembered(units, &source, FIRST + 7));
	forget(units, 2);
	assert_true(remembered(units, &source, FIRST + 7));
	forget(units, 3);
	assert_false(remembered(units, &source, FIRST + 7));
	assert_unit(units, FIRST + 7, "7.service"); /* as long as the source knows */
	units_free(units);
}

static void what_is_asked_for_is_kept(void **state)
{
	struct source source = { 0 };
	struct units *units = new_units(&source);
	uint32_t number = units_find(units, FIRST + 7);

	(void)state;
	for (int round = 0; round < 10; round++) {
		units_forget(units, NULL, 0);
		assert_int_equal(units_find(units, FIRST + 7), number);
		assert_string_equal(units_name(units, number), "7.service");
	}
	assert_int_equal(source.asked, 1);
	units_free(units);
}

/* Ids are never reused, so that nothing was found is worth to be remembered, too. */
static void unknown_ones_are_forgotten(void **state)
{
	struct source source = { 0 };
	struct units *units = new_units(&source);

	(void)state;
	assert_int_equal(units_find(units, 23), UNIT_UNKNOWN);
	forget(units, 2);
	assert_true(remembered(units, &source, 23));
	forget(units, 3);
	assert_false(remembered(units, &source, 23));
	units_free(units);
}

static void forgotten_numbers_are_used_again(void **state)
{
	struct source source = { 0 };
	struct units *units = new_units(&source);
	uint32_t number = units_number(units, "a.service"), highest = 0;
	char name[64];

	(void)state;
	units_forget(units, NULL, 0); /* nothing has that name */
	assert_null(units_name(units, number));
	assert_int_equal(units_number(units, "b.service"), number);
	assert_string_equal(units_name(units, number), "b.service");
	/* For ever: without growing. */
	for (int i = 0; i < 100 * MANY; i++) {
		snprintf(name, sizeof(name), "%d.service", i);
		number = units_number(units, name);
		assert_int_not_equal(number, UNIT_UNKNOWN);
		assert_string_equal(units_name(units, number), name);
		highest = number > highest ? number : highest;
		if (i % MANY == MANY - 1)
			units_forget(units, NULL, 0);
	}
	assert_true(highest <= MANY + 2);
	units_free(units);
}

static void kept_numbers_stay(void **state)
{
	struct source source = { 0 };
	struct units *units = new_units(&source);
	uint32_t kept[MANY], other;
	char name[64];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "kept-%d.service", i);
		kept[i] = units_number(units, name);
		snprintf(name, sizeof(name), "other-%d.service", i);
		other = units_number(units, name);
	}
	for (int round = 0; round < 3; round++)
		units_forget(units, kept, MANY);
	assert_null(units_name(units, other));
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "kept-%d.service", i);
		assert_string_equal(units_name(units, kept[i]), name);
		assert_int_equal(units_number(units, name), kept[i]);
	}
	kept[0] = UNIT_UNKNOWN; /* a row without a unit */
	units_forget(units, kept, MANY);
	assert_null(units_name(units, UNIT_UNKNOWN));
	units_free(units);
}

/* Both limits are of what is remembered now. */
/* Somebody else keeps names, but not so many that new ones would have no room. */
static void names_are_kept_on_request(void **state)
{
	struct source source = { 0 };
	CLEANUP(units_freep) struct units *units = new_units(&source);
	uint32_t first = units_find(units, FIRST), second = units_find(units, FIRST + 1);
	char name[32];

	(void)state;
	for (int round = 0; round < 5; round++) {
		assert_true(units_keep(units, first));
		assert_true(units_keep(units, first));
		forget(units, 1);
	}
	assert_string_equal(units_name(units, first), "0.service");
	assert_null(units_name(units, second));
	assert_false(units_keep(units, UNIT_UNKNOWN));
	assert_false(units_keep(units, UINT32_MAX));
	for (unsigned int i = 0; i < KEPT; i++) {
		snprintf(name, sizeof(name), "%u.scope", i);
		assert_true(units_keep(units, units_number(units, name)));
	}
	assert_false(units_keep(units, first));
	assert_true(units_keep(units, units_number(units, "0.scope")));
	forget(units, 1);
	assert_null(units_name(units, first));
	assert_true(units_keep(units, units_number(units, "1.scope")));
}

static void forgetting_makes_room(void **state)
{
	struct source source = { 0 };
	struct units *units = new_units(&source);

	(void)state;
	for (int i = 0; i < NAMES; i++)
		units_find(units, FIRST + i);
	assert_int_equal(units_number(units, "late.service"), UNIT_UNKNOWN);
	forget(units, 3);
	assert_int_not_equal(units_number(units, "late.service"), UNIT_UNKNOWN);
	for (int i = 1; i < NAMES; i++)
		assert_int_not_equal(units_find(units, FIRST + NAMES + i), UNIT_UNKNOWN);
	assert_unit(units, FIRST + NAMES + 1, "131071.service");
	units_free(units);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_a_limit),
		cmocka_unit_test(cgroups_have_a_limit),
		cmocka_unit_test(a_name_has_one_number),
		cmocka_unit_test(a_cgroup_is_kept_for_two_rounds),
		cmocka_unit_test(what_is_asked_for_is_kept),
		cmocka_unit_test(unknown_ones_are_forgotten),
		cmocka_unit_test(forgotten_numbers_are_used_again),
		cmocka_unit_test(kept_numbers_stay),
		cmocka_unit_test(names_are_kept_on_request),
		cmocka_unit_test(forgetting_makes_room),
	};

	return cmocka_run_group_tests_name("unit-memory", tests, NULL, NULL);
}
