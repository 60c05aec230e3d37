/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The history against a plain model of it: whatever is counted, settled or has no room, rows, other
 * and overflow of every span are what was counted in it, to the last event.
 */
#include "history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
	AMPLE_BYTES = 1 << 20,
	SECOND = 1000000,
	START = 1000 * SECOND,
	SUBJECTS = 97,
	STEPS = 4000,
	LATEST = 64, /* intervals whose beginnings the model remembers */
};

/* Cgroups 10 to 19 are unit 1, and so on. */
static uint32_t unit_of(uint64_t cgroup, void *userdata)
{
	(void)userdata;
	return (uint32_t)(cgroup / 10);
}

static struct history *make(size_t bytes, uint64_t intervals)
{
	struct history *history = NULL;

	assert_int_equal(history_new(bytes, intervals, unit_of, NULL, &history), 0);
	return history;
}

static struct history_time at(uint64_t seconds)
{
	return (struct history_time){ START + seconds * SECOND, seconds };
}

/* One row, whose counters are @n, 2 * @n, and so on. */
static void feed(struct history *history, uint32_t uid, uint64_t cgroup, uint64_t n)
{
	uint64_t counters[EM_SLOTS_USED];

	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		counters[i] = n * (i + 1);
	history_add(history, &(struct history_key){ uid, 7, cgroup }, counters);
}

static const uint64_t none[EM_SLOTS_USED];

static void end(struct history *history, uint64_t seconds)
{
	const struct history_time now = at(seconds);

	history_end(history, none, &now);
}

static void next(struct history *history, uint64_t seconds)
{
	const struct history_time now = at(seconds);

	history_next(history, &now);
}

/* --- what is told ------------------------------------------------------------------------------ */

struct told {
	uint64_t sums[1000]; /* of the first counter by uid */
	uint64_t units[100]; /* and by unit */
	uint64_t all;
	struct history_span span;
};

static void note(const struct history_key *key, const uint64_t *counters, void *userdata)
{
	struct told *told = userdata;

	assert_true(key->uid < 1000 && key->id < 100);
	assert_int_equal(key->login, 7);
	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		assert_int_equal(counters[i], counters[0] * (i + 1));
	told->sums[key->uid] += counters[0];
	told->units[key->id] += counters[0];
	told->all += counters[0];
}

static struct told ask(const struct history *history, uint64_t seconds)
{
	struct told told = { 0 };

	assert_true(history_since(history, at(seconds).boot_usec, note, &told, &told.span));
	return told;
}

/* --- cases ------------------------------------------------------------------------------------- */

static void nothing_before_the_first_reading(void **state)
{
	CLEANUP(history_freep) struct history *history = make(AMPLE_BYTES, 3);
	struct told told = { 0 };

	(void)state;
	next(history, 1);
	assert_false(history_since(history, 0, note, &told, &told.span));
	history_begin(history);
	feed(history, 5, 10, 1000);
	end(history, 2);
	told = ask(history, 2);
	assert_int_equal(told.all, 0); /* it was counted before */
	assert_true(told.span.reached);
	assert_int_equal(told.span.from.real_usec, 2);
	assert_false(ask(history, 1).span.reached);
}

static void spans_begin_with_an_interval(void **state)
{
	CLEANUP(history_freep) struct history *history = make(AMPLE_BYTES, 3);
	/* The ring has room for three: of the fourth on the oldest goes. */
	static const struct {
		uint64_t since, from, sum;
		bool reached;
	} cases[] = {
		{ 0, 20, 100 + 1000 + 10000 + 100000, false },
		{ 19, 20, 100 + 1000 + 10000 + 100000, false },
		{ 20, 20, 100 + 1000 + 10000 + 100000, true },
		{ 29, 20, 100 + 1000 + 10000 + 100000, true },
		{ 30, 30, 1000 + 10000 + 100000, true },
		{ 45, 40, 10000 + 100000, true },
		{ 50, 50, 100000, true },
		{ 99, 50, 100000, true },
	};
	uint64_t n = 0;

	(void)state;
	history_begin(history);
	end(history, 0);
	for (uint64_t i = 0, more = 1; i <= 5; i++, more *= 10) {
		n += more;
		history_begin(history);
		feed(history, 5, 10, n);
		end(history, i * 10 + 9);
		if (i < 5)
			next(history, (i + 1) * 10);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct told told = ask(history, cases[i].since);

		assert_int_equal(told.span.from.real_usec, cases[i].from);
		assert_int_equal(told.span.reached, cases[i].reached);
		assert_int_equal(told.sums[5], cases[i].sum);
		assert_int_equal(told.all, cases[i].sum);
	}
}

/* Two rows of one subject, two cgroups of one unit, and a reading that was given up. */
static void rows_are_added_up(void **state)
{
	CLEANUP(history_freep) struct history *history = make(AMPLE_BYTES, 3);
	struct told told;

	(void)state;
	history_begin(history);
	feed(history, 5, 10, 3);
	feed(history, 5, 10, 4);
	end(history, 0);
	history_begin(history);
	feed(history, 5, 10, 999);
	history_begin(history);
	feed(history, 5, 10, 5);
	feed(history, 5, 10, 6);
	feed(history, 5, 19, 2);
	feed(history, 6, 20, 1);
	end(history, 1);
	told = ask(history, 0);
	assert_int_equal(told.sums[5], 4 + 2);
	assert_int_equal(told.units[1], 4 + 2);
	assert_int_equal(told.sums[6], 1);
	assert_int_equal(told.units[2], 1);
	assert_int_equal(told.all, 7);
}

/* The rows with most stay; the others are in "other", and counted. */
static void the_most_active_rows_stay(void **state)
{
	CLEANUP(history_freep) struct history *history = make(262144, 100);
	uint64_t more = 0;
	uint32_t rows;
	struct told told;

	(void)state;
	rows = history_rows_max(history);
	assert_in_range(rows, 1, 50);
	history_begin(history);
	end(history, 0);
	history_begin(history);
	for (uint32_t uid = 1; uid <= 50; uid++)
		feed(history, uid, 10, uid);
	end(history, 1);
	assert_int_equal(ask(history, 0).span.left_out, 0);
	next(history, 10);
	told = ask(history, 0);
	for (uint32_t uid = 1; uid <= 50; uid++) {
		bool kept = uid > 50 - rows;

		assert_int_equal(told.sums[uid], kept ? uid : 0);
		more += kept ? 0 : uid;
	}
	assert_int_equal(told.span.other[0], more);
	assert_int_equal(told.span.left_out, 50 - rows);
}

static bool keep_even(uint32_t unit, void *userdata)
{
	uint32_t *asked = userdata;

	(*asked)++;
	return unit % 2 == 0;
}

static void rows_lose_units_that_are_not_kept(void **state)
{
	CLEANUP(history_freep) struct history *history = make(AMPLE_BYTES, 3);
	uint32_t asked = 0;
	struct told told;

	(void)state;
	history_begin(history);
	end(history, 0);
	for (uint64_t i = 1; i <= 3; i++) {
		history_begin(history);
		feed(history, 5, 10, i * 1); /* unit 1 */
		feed(history, 5, 20, i * 10);
		feed(history, 5, 0, i * 100); /* none */
		end(history, i);
		if (i < 3)
			next(history, i);
		if (i == 2)
			history_keep_units(history, keep_even, &asked);
	}
	told = ask(history, 0);
	assert_int_equal(asked, 4);
	assert_int_equal(told.units[0], 300 + 2);
	assert_int_equal(told.units[1], 1);
	assert_int_equal(told.units[2], 30);
}

static void a_restart_forgets(void **state)
{
	CLEANUP(history_freep) struct history *history = make(AMPLE_BYTES, 3);

	(void)state;
	for (uint64_t i = 0; i < 5; i++) {
		history_begin(history);
		feed(history, 5, 10, i * 7);
		end(history, i);
		next(history, i);
	}
	history_restart(history);
	history_begin(history);
	feed(history, 5, 10, 35);
	end(history, 5);
	assert_int_equal(ask(history, 0).all, 0);
	assert_int_equal(ask(history, 0).span.from.real_usec, 5);
	history_begin(history);
	feed(history, 5, 10, 46);
	end(history, 6);
	assert_int_equal(ask(history, 0).all, 11);
}

/* Sizes from nothing to a lot: always at least one interval, never more memory than was given. */
static void memory_is_bounded(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 1000, 65536, 1 << 20, 8 << 20 };
	static const uint64_t counts[] = { 1, 2, 361, 1000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t j = 0; j < ARRAY_SIZE(counts); j++) {
			CLEANUP(history_freep) struct history *history = make(sizes[i], counts[j]);
			uint64_t intervals = history_intervals_max(history);

			assert_in_range(intervals, 1, counts[j]);
			assert_true(intervals * history_rows_max(history) *
					    (16 + 8UL * EM_SLOTS_USED) <=
				    sizes[i] / 2);
		}
}

/* --- everything at once ------------------------------------------------------------------------ */

/* What the kernel has, in two tables, and when intervals began. */
struct model {
	uint64_t tables[2][SUBJECTS]; /* the first counter */
	uint64_t by_uid[10], overflow, all;
	struct {
		uint64_t seconds, by_uid[10], overflow, all;
	} begun[LATEST];
	unsigned int n_begun;
	uint64_t seed;
};

static uint64_t chance(struct model *model, uint64_t below)
{
	model->seed = model->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (model->seed >> 33) % below;
}

static void feed_table(struct history *history, const uint64_t *table)
{
	for (uint32_t i = 0; i < SUBJECTS; i++)
		if (table[i])
			feed(history, i % 10, i, table[i]);
}

static void read_model(const struct model *model, struct history *history, uint64_t seconds)
{
	const struct history_time now = at(seconds);
	uint64_t overflow[EM_SLOTS_USED];

	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		overflow[i] = model->overflow * (i + 1);
	history_begin(history);
	feed_table(history, model->tables[0]);
	feed_table(history, model->tables[1]);
	history_end(history, overflow, &now);
}

static void begin_interval(struct model *model, uint64_t seconds)
{
	unsigned int n = model->n_begun++ % LATEST;

	model->begun[n].seconds = seconds;
	model->begun[n].overflow = model->overflow;
	model->begun[n].all = model->all;
	memcpy(model->begun[n].by_uid, model->by_uid, sizeof(model->by_uid));
}

/* The older table is settled; the other one has counted since. */
static void settle(struct model *model, struct history *history, uint64_t seconds)
{
	read_model(model, history, seconds);
	for (uint32_t i = 0; i < SUBJECTS; i++) {
		uint64_t counters[EM_SLOTS_USED];

		for (size_t slot = 0; slot < EM_SLOTS_USED; slot++)
			counters[slot] = model->tables[0][i] * (slot + 1);
		if (model->tables[0][i])
			history_settled(history, &(struct history_key){ i % 10, 7, i }, counters);
	}
	memcpy(model->tables[0], model->tables[1], sizeof(model->tables[0]));
	memset(model->tables[1], 0, sizeof(model->tables[1]));
}

static void count(struct model *model)
{
	uint64_t subject = chance(model, SUBJECTS), n = chance(model, 100);

	if (!chance(model, 10)) {
		model->overflow += n;
		return;
	}
	model->tables[chance(model, 2)][subject] += n;
	model->by_uid[subject % 10] += n;
	model->all += n;
}

static void compare(const struct model *model, const struct history *history, bool room)
{
	unsigned int known = model->n_begun < LATEST ? model->n_begun : LATEST;

	for (unsigned int i = 1; i <= known; i++) {
		unsigned int n = (model->n_begun - i) % LATEST;
		struct told told = ask(history, model->begun[n].seconds);

		if (!told.span.reached)
			break;
		assert_int_equal(told.span.from.real_usec, model->begun[n].seconds);
		assert_int_equal(told.all + told.span.other[0], model->all - model->begun[n].all);
		assert_int_equal(told.span.overflow[0], model->overflow - model->begun[n].overflow);
		for (size_t slot = 1; slot < EM_SLOTS_USED; slot++)
			assert_int_equal(told.span.other[slot], told.span.other[0] * (slot + 1));
		for (size_t uid = 0; uid < 10; uid++) {
			uint64_t counted = model->by_uid[uid] - model->begun[n].by_uid[uid];

			assert_true(told.sums[uid] <= counted);
			assert_true(!room || told.sums[uid] == counted);
		}
		assert_int_equal(!room || !told.span.left_out, 1);
		assert_true(told.span.left_out || !told.span.other[0]);
	}
}

static void play(size_t bytes, uint64_t intervals, bool room)
{
	CLEANUP(history_freep) struct history *history = make(bytes, intervals);
	struct model model = { .seed = bytes };

	read_model(&model, history, 0);
	begin_interval(&model, 0);
	for (uint64_t step = 1; step <= STEPS; step++) {
		uint64_t what = chance(&model, 100);

		if (what < 60) {
			count(&model);
		} else if (what < 80) {
			read_model(&model, history, step);
			compare(&model, history, room);
		} else if (what < 90) {
			settle(&model, history, step);
			compare(&model, history, room);
		} else {
			read_model(&model, history, step);
			next(history, step);
			begin_interval(&model, step);
		}
	}
}

static void every_event_is_told_once(void **state)
{
	(void)state;
	play(AMPLE_BYTES, 40, true);
	play(AMPLE_BYTES, 1, true);
	play(65536, 40, false); /* no room for the rows of an interval */
	play(20000, 5, false);	/* nor for those of a reading */
	play(5000, 3, false);
	play(1000, 1, false);
	play(0, 1, false); /* nor for any */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_before_the_first_reading),
		cmocka_unit_test(spans_begin_with_an_interval),
		cmocka_unit_test(rows_are_added_up),
		cmocka_unit_test(the_most_active_rows_stay),
		cmocka_unit_test(rows_lose_units_that_are_not_kept),
		cmocka_unit_test(a_restart_forgets),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(every_event_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
