/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of times without counting: every way a hook can come and go, and a full record. */
#include "gaps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	SINCE = 1000,	 /* counting began */
	VERIFIED = 5000, /* the hooks were last looked at */
	NOW = 9000,
};

static struct em_state fresh(void)
{
	struct em_state state;

	memset(&state, 0xee, sizeof(state)); /* what is not used must not matter */
	state.since_usec = SINCE;
	state.verified_usec = VERIFIED;
	state.gap_count = 0;
	gaps_attached_clear(&state);
	return state;
}

static void assert_gap(const struct em_state *state, size_t i, uint64_t from, uint64_t to,
		       const char *probe, const char *hook, const char *reason)
{
	const struct em_gap *gap = &state->gaps[i];

	assert_true(i < state->gap_count);
	assert_int_equal(gap->from_usec, from);
	assert_int_equal(gap->to_usec, to);
	assert_string_equal(gap->probe, probe);
	assert_string_equal(gap->hook, hook);
	assert_string_equal(gap->reason, reason);
}

static void new_hook_misses_the_beginning(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	gaps_attached_add(&state, "exec_done");
	gaps_started(&state, "open", "open_sys", NOW);
	assert_int_equal(state.gap_count, 1);
	assert_gap(&state, 0, SINCE, NOW, "open", "open_sys", "it was not counted before");
}

static void removed_hook_misses_since_it_was_seen(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	gaps_attached_add(&state, "exec_done");
	gaps_attached_add(&state, "open_sys");
	gaps_started(&state, "open", "open_sys", NOW);
	assert_int_equal(state.gap_count, 1);
	assert_gap(&state, 0, VERIFIED, NOW, "open", "open_sys",
		   "its attachment was removed by somebody else");
}

static void stop_opens_and_start_closes(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	gaps_attached_add(&state, "open_sys");
	gaps_stopped(&state, "open", "open_sys", "switched off", NOW);
	assert_int_equal(state.gap_count, 1);
	assert_gap(&state, 0, NOW, 0, "open", "open_sys", "switched off");

	/* It is open already: what ended cannot end again. */
	gaps_stopped(&state, "open", "open_sys", "switched off again", NOW + 1);
	assert_int_equal(state.gap_count, 1);
	assert_gap(&state, 0, NOW, 0, "open", "open_sys", "switched off");

	/* Another hook of the same name's beginning does not close it. */
	gaps_started(&state, "open", "open_sys2", NOW + 1);
	assert_int_equal(state.gap_count, 2);
	assert_gap(&state, 0, NOW, 0, "open", "open_sys", "switched off");
	assert_gap(&state, 1, SINCE, NOW + 1, "open", "open_sys2", "it was not counted before");

	assert_false(gaps_resumed(&state, "open_sys3", NOW + 2));
	assert_true(gaps_resumed(&state, "open_sys", NOW + 2));
	assert_int_equal(state.gap_count, 2);
	assert_gap(&state, 0, NOW, NOW + 2, "open", "open_sys", "switched off");

	/* The gap is closed: the next absence is a gap of its own. */
	assert_false(gaps_resumed(&state, "open_sys", NOW + 3));
	gaps_stopped(&state, "open", "open_sys", "again", NOW + 3);
	assert_true(gaps_resumed(&state, "open_sys", NOW + 4));
	assert_int_equal(state.gap_count, 3);
	assert_gap(&state, 0, NOW, NOW + 2, "open", "open_sys", "switched off");
	assert_gap(&state, 2, NOW + 3, NOW + 4, "open", "open_sys", "again");
}

static void taking_over_is_a_gap_with_both_ends(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	gaps_taken_over(&state, "exec", "execve", NOW, NOW + 7);
	assert_int_equal(state.gap_count, 1);
	assert_gap(&state, 0, NOW, NOW + 7, "exec", "execve", "another hook counted until then");
}

static void attached_is_what_was_named_last(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	gaps_attached_add(&state, "open_sys");
	gaps_attached_clear(&state);
	gaps_attached_add(&state, "open_file");
	assert_string_equal(state.attached[0], "open_file");
	for (size_t i = 1; i < EM_HOOKS; i++)
		for (size_t at = 0; at < EM_NAME; at++)
			assert_int_equal(state.attached[i][at], 0);
	gaps_started(&state, "open", "open_sys", NOW);
	assert_gap(&state, 0, SINCE, NOW, "open", "open_sys", "it was not counted before");
}

static void as_many_hooks_as_fit(void **unused)
{
	struct em_state state = fresh();
	char name[EM_NAME];

	(void)unused;
	for (int i = 0; i <= EM_HOOKS; i++) {
		snprintf(name, sizeof(name), "hook%d", i);
		gaps_attached_add(&state, name);
	}
	assert_string_equal(state.attached[0], "hook0");
	assert_string_equal(state.attached[EM_HOOKS - 1], "hook31");
	gaps_started(&state, "p", "hook31", NOW);
	assert_int_equal(state.gaps[0].from_usec, VERIFIED);
	gaps_started(&state, "p", "hook32", NOW);
	assert_int_equal(state.gaps[1].from_usec, SINCE);
	assert_int_equal(state.gap_count, 2);
}

static void names_are_cut_and_end(void **unused)
{
	struct em_state state = fresh();
	char reason[200];

	(void)unused;
	memset(reason, 'r', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	gaps_attached_add(&state, "fifteen_letters");
	gaps_attached_add(&state, "sixteen_letters_");
	assert_string_equal(state.attached[0], "fifteen_letters");
	assert_string_equal(state.attached[1], "sixteen_letters");
	gaps_started(&state, "fifteen_letters", "fifteen_letters", NOW);
	assert_gap(&state, 0, VERIFIED, NOW, "fifteen_letters", "fifteen_letters",
		   "its attachment was removed by somebody else");
	gaps_stopped(&state, "sixteen_letters_", "sixteen_letters_", reason, NOW);
	assert_string_equal(state.gaps[1].probe, "sixteen_letters");
	assert_string_equal(state.gaps[1].hook, "sixteen_letters");
	assert_int_equal(strlen(state.gaps[1].reason), sizeof(state.gaps[1].reason) - 1);
}

/* --- a full record ----------------------------------------------------------------------------- */

/* EM_GAPS closed gaps of the hooks hook0, hook1, ...; number i from NOW + 10 i for 5 usec. */
static void fill_record(struct em_state *state)
{
	char name[EM_NAME];

	for (uint64_t i = 0; i < EM_GAPS; i++) {
		snprintf(name, sizeof(name), "hook%d", (int)i);
		gaps_stopped(state, "probe", name, "reason", NOW + 10 * i);
		assert_true(gaps_resumed(state, name, NOW + 10 * i + 5));
	}
	assert_int_equal(state->gap_count, EM_GAPS);
	assert_gap(state, EM_GAPS - 1, NOW + 150, NOW + 155, "probe", "hook15", "reason");
}

static void assert_absorbed(const struct em_state *state, uint64_t from, uint64_t to)
{
	assert_int_equal(state->gap_count, EM_GAPS);
	assert_gap(state, EM_GAPS - 2, NOW + 140, NOW + 145, "probe", "hook14", "reason");
	assert_gap(state, EM_GAPS - 1, from, to, "*", "*", "several; the record was full");
}

static void full_record_grows_its_last_gap(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	fill_record(&state);
	state.verified_usec = NOW + 180;
	gaps_attached_add(&state, "open_sys");
	gaps_started(&state, "open", "open_sys", NOW + 200);
	assert_absorbed(&state, NOW + 150, NOW + 200);
	gaps_started(&state, "open", "open_sys", NOW + 300);
	assert_absorbed(&state, NOW + 150, NOW + 300);
	/* A clock that was set back does not make it smaller. */
	gaps_started(&state, "open", "open_sys", NOW + 250);
	assert_absorbed(&state, NOW + 150, NOW + 300);
}

static void full_record_grows_to_the_left(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	fill_record(&state);
	gaps_started(&state, "open", "open_sys", NOW + 200);
	assert_absorbed(&state, SINCE, NOW + 200);
}

static void full_record_remembers_what_is_open(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	fill_record(&state);
	gaps_stopped(&state, "open", "open_sys", "switched off", NOW + 200);
	assert_absorbed(&state, NOW + 150, 0);
	/* Whoever comes next: open_sys still does not count. */
	gaps_attached_add(&state, "other");
	state.verified_usec = NOW + 210;
	gaps_started(&state, "exec", "other", NOW + 220);
	assert_absorbed(&state, NOW + 150, 0);
}

static void full_record_still_closes_its_own(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	fill_record(&state);
	state.gaps[3].to_usec = 0;
	state.gaps[EM_GAPS - 1].to_usec = 0;
	assert_true(gaps_resumed(&state, "hook3", NOW + 200));
	assert_true(gaps_resumed(&state, "hook15", NOW + 300));
	assert_int_equal(state.gap_count, EM_GAPS);
	assert_gap(&state, 3, NOW + 30, NOW + 200, "probe", "hook3", "reason");
	assert_gap(&state, EM_GAPS - 1, NOW + 150, NOW + 300, "probe", "hook15", "reason");
}

/* A gap never ends before it begins, whatever the clock says. */
static void clock_set_back(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	gaps_attached_add(&state, "exec_done");
	gaps_started(&state, "exec", "exec_done", VERIFIED - 1000);
	gaps_stopped(&state, "open", "open_sys", "switched off", NOW);
	assert_true(gaps_resumed(&state, "open_sys", NOW - 3000));
	gaps_taken_over(&state, "exec", "execve", NOW, NOW - 1);
	assert_int_equal(state.gap_count, 3);
	assert_gap(&state, 0, VERIFIED - 1000, VERIFIED, "exec", "exec_done",
		   "its attachment was removed by somebody else");
	assert_gap(&state, 1, NOW - 3000, NOW, "open", "open_sys", "switched off");
	assert_gap(&state, 2, NOW - 1, NOW, "exec", "execve", "another hook counted until then");
}

static void a_clock_that_is_set_is_told_once(void **unused)
{
	struct em_state state = fresh();

	(void)unused;
	gaps_clock_set(&state, 20000000, 3620000000);
	assert_gap(&state, 0, 20000000, 3620000000, "*", "clock",
		   "the clock was set by +3600.000 s");
	assert_int_equal(state.since_usec, SINCE + 3600000000);
	gaps_started(&state, "open", "open_sys", 3630000000);
	gaps_clock_set(&state, 3640000000, 3638500000);
	assert_int_equal(state.gap_count, 2);
	assert_gap(&state, 0, 3638500000, 3640000000, "*", "clock",
		   "the clock was set more than once, at last by -1.500 s");
	assert_int_equal(state.since_usec, SINCE + 3598500000);
	gaps_clock_set(&state, 3700000000, 0);
	assert_int_equal(state.since_usec, 0); /* before there was time */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_is_set_is_told_once),
		cmocka_unit_test(new_hook_misses_the_beginning),
		cmocka_unit_test(removed_hook_misses_since_it_was_seen),
		cmocka_unit_test(stop_opens_and_start_closes),
		cmocka_unit_test(taking_over_is_a_gap_with_both_ends),
		cmocka_unit_test(attached_is_what_was_named_last),
		cmocka_unit_test(as_many_hooks_as_fit),
		cmocka_unit_test(names_are_cut_and_end),
		cmocka_unit_test(full_record_grows_its_last_gap),
		cmocka_unit_test(full_record_grows_to_the_left),
		cmocka_unit_test(full_record_remembers_what_is_open),
		cmocka_unit_test(full_record_still_closes_its_own),
		cmocka_unit_test(clock_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
