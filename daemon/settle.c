/* SPDX-License-Identifier: GPL-2.0-only */
/* Settling: settle.h has the steps. */
#include "settle.h"

#include "collect.h"
#include "log.h"
#include "settled.h"

#include <string.h>

struct settle {
	struct maps *maps;
	struct pins *pins;
	struct units *units;
	uint64_t rows_max, rows, count;
	uint32_t *numbers; /* of units: by number in the map - 1 */
	size_t n_numbers;
	uint32_t era; /* tables before this era's are settled */
	uint8_t taken[16];
	const struct settle_observer *observer; /* NULL: none */
	void *observer_userdata;
};

struct settle *settle_free(struct settle *settle)
{
	if (!settle)
		return NULL;
	free(settle->numbers);
	free(settle);
	return NULL;
}

/* --- what is settled --------------------------------------------------------------------------- */

static int add_name(const char *name, void *userdata)
{
	struct settle *settle = userdata;

	settle->numbers[settle->n_numbers++] = units_number(settle->units, name);
	return 0;
}

static int read_settled(struct settle *settle)
{
	_cleanup_settled_ struct settled_memory memory = { 0 };
	int r = maps_settled(settle->maps, &memory);
	const struct em_settled *header = memory.settled.header;

	if (r < 0)
		return r;
	free(settle->numbers);
	settle->n_numbers = 0;
	settle->numbers = calloc(header->units + 1UL, sizeof(*settle->numbers));
	if (!settle->numbers)
		return -ENOMEM;
	settle->era = header->era;
	settle->rows = header->rows;
	memcpy(settle->taken, header->taken, sizeof(settle->taken));
	return settled_each_name(&memory.settled, add_name, settle);
}

uint32_t settle_unit(const struct settle *settle, uint32_t number)
{
	return number && number <= settle->n_numbers ? settle->numbers[number - 1] : UNIT_UNKNOWN;
}

uint32_t settle_unit_named(struct settle *settle, const char *name)
{
	return units_number(settle->units, name);
}

uint64_t settle_count(const struct settle *settle)
{
	return settle->count;
}

uint64_t settle_rows(const struct settle *settle)
{
	return settle->rows;
}

void settle_set_rows_max(struct settle *settle, uint64_t rows_max)
{
	settle->rows_max = rows_max;
}

void settle_set_observer(struct settle *settle, const struct settle_observer *observer,
			 void *userdata)
{
	settle->observer = observer;
	settle->observer_userdata = userdata;
}

int settle_new(struct maps *maps, struct pins *pins, struct units *units, uint64_t rows_max,
	       struct settle **ret_settle, struct problem *problem)
{
	CLEANUP(settle_freep) struct settle *settle = calloc(1, sizeof(*settle));
	int r;

	if (!settle)
		return problem_set(problem, ENOMEM, "out of memory");
	*settle =
		(struct settle){ .maps = maps, .pins = pins, .units = units, .rows_max = rows_max };
	r = read_settled(settle);
	if (r < 0)
		return problem_set(problem, -r, "cannot read %s: %s",
				   pins_name(pins, PIN_MAP, "settled"), strerror(-r));
	*ret_settle = TAKE_PTR(settle);
	return 0;
}

/* --- a settlement ------------------------------------------------------------------------------ */

int settle_begin(struct settle *settle, struct settlement *settlement)
{
	_cleanup_settled_ struct settled_memory memory = { 0 };
	const struct settled *settled = &memory.settled;
	int r = maps_settled(settle->maps, &memory);

	if (r < 0)
		return r;
	settlement->rows_max = settle->rows_max;
	for (uint32_t i = 0; i < settled->header->slots; i++) {
		settlement->seen[i] = settled->seen[i];
		settlement->overflow[i] = settled->overflow[i];
	}
	memcpy(settlement->update_errors, settled->header->update_errors,
	       sizeof(settlement->update_errors));
	for (uint64_t i = 0; i < settled->header->rows; i++) {
		const struct em_settled_row *row = settled_row(settled, i);
		const struct collect_row key = { row->uid, row->login, 0,
						 settle_unit(settle, row->unit) };

		settle_add(settle, settlement, &key, settled_counters(row), settled->header->slots);
	}
	return settlement->error;
}

void settle_add(struct settle *settle, struct settlement *settlement, const struct collect_row *row,
		const uint64_t *counters, uint32_t slots)
{
	const struct em_settled_row key = {
		.uid = row->uid,
		.login = row->login,
		.unit = row->cgroup ? units_find(settle->units, row->cgroup) : row->unit,
	};

	settlement_add(settlement, &key, counters, slots);
}

static const char *unit_name(uint32_t unit, void *userdata)
{
	const struct settle *settle = userdata;

	return units_name(settle->units, unit);
}

int settle_commit(struct settle *settle, struct settlement *settlement, uint32_t era,
		  const uint8_t *taken, struct problem *problem)
{
	struct em_settled header = { .era = era };
	_cleanup_free_ void *data = NULL;
	size_t bytes = 0;
	int r = settlement->error;

	memcpy(header.taken, taken ? taken : settle->taken, sizeof(header.taken));
	if (!r)
		r = settlement_write(settlement, &header, unit_name, settle, &data, &bytes);
	if (r < 0)
		return problem_set(problem, -r, "cannot add up %zu settled rows: %s",
				   settlement->n_rows, strerror(-r));
	r = maps_replace_settled(settle->maps, settle->pins, data, bytes, problem);
	if (r < 0)
		return r;
	r = read_settled(settle);
	if (r < 0)
		return problem_set(problem, -r, "cannot read %s: %s",
				   pins_name(settle->pins, PIN_MAP, "settled"), strerror(-r));
	if (settle->observer)
		settle->observer->forgetting(settle->observer_userdata);
	units_forget(settle->units, settle->numbers, settle->n_numbers);
	return 0;
}

/* --- the steps --------------------------------------------------------------------------------- */

struct addition {
	struct settle *settle;
	struct settlement *settlement;
};

static void add_row(const struct collect_row *row, const uint64_t *counters, void *userdata)
{
	struct addition *addition = userdata;

	settle_add(addition->settle, addition->settlement, row, counters, EM_SLOTS);
}

static bool pending(const struct settle *settle)
{
	return settle->era != maps_state(settle->maps)->era;
}

static bool due(const struct settle *settle)
{
	const struct em_state *state = maps_state(settle->maps);

	return __atomic_load_n(&state->claimed[state->era % EM_ERAS], __ATOMIC_RELAXED) >=
	       state->settle_at;
}

/* Steps 1 and 2. */
static int next_era(struct settle *settle, struct problem *problem)
{
	struct em_state *state = maps_state(settle->maps);
	int r = maps_add_table(settle->maps, settle->pins, state->era + 1, problem);

	if (!r)
		__atomic_store_n(&state->era, state->era + 1, __ATOMIC_RELEASE);
	return r;
}

/* Steps 3 to 6. Cgroups that are still there are looked up first, for all rows in one walk. */
static int finish(struct settle *settle, struct problem *problem)
{
	const struct em_state *state = maps_state(settle->maps);
	const struct collect_table table = { maps_rows_fd(settle->maps, settle->era),
					     maps_rows(settle->maps), EM_SLOTS, state->seed };
	_cleanup_settlement_ struct settlement settlement = { 0 };
	struct addition addition = { settle, &settlement };
	int r = maps_wait_programs(settle->maps);

	if (!r)
		r = units_refresh(settle->units);
	if (!r)
		r = settle_begin(settle, &settlement);
	if (!r)
		r = collect_table(&table, add_row, &addition);
	if (r < 0)
		return problem_set(problem, -r, "cannot read the table to be settled: %s",
				   strerror(-r));
	r = settle_commit(settle, &settlement, state->era, NULL, problem);
	if (!r && settle->observer)
		settle->observer->settled(&table, settle->observer_userdata);
	if (!r)
		r = maps_drop_table(settle->maps, settle->pins, state->era + 1, problem);
	if (!r)
		settle->count++;
	return r;
}

int settle_recover(struct settle *settle, struct problem *problem)
{
	if (pending(settle))
		return finish(settle, problem);
	return maps_drop_table(settle->maps, settle->pins, maps_state(settle->maps)->era + 1,
			       problem);
}

static void learn_unit(const struct collect_row *row, const uint64_t *counters, void *userdata)
{
	struct settle *settle = userdata;

	(void)counters;
	units_find(settle->units, row->cgroup);
}

/* Names of cgroups are remembered in the kernel for a while only. */
static int learn_units(struct settle *settle)
{
	const struct em_state *state = maps_state(settle->maps);
	const struct collect_table table = { maps_rows_fd(settle->maps, state->era),
					     maps_rows(settle->maps), EM_SLOTS, state->seed };
	int r = units_refresh(settle->units);

	return r ? r : collect_table(&table, learn_unit, settle);
}

/* Steps 1 to 6, as far as they are still to be done. */
static int settle_now(struct settle *settle, struct problem *problem)
{
	int r = pending(settle) ? 0 : next_era(settle, problem);

	return r ? r : finish(settle, problem);
}

/* From here on the next row that is claimed rings again; but a full table claims none. */
static bool due_again(struct settle *settle)
{
	__atomic_store_n(&maps_state(settle->maps)->rung, 0, __ATOMIC_SEQ_CST);
	return due(settle);
}

int settle_look(struct settle *settle, struct problem *problem)
{
	struct em_state *state = maps_state(settle->maps);
	uint64_t begun = now_monotonic_usec();
	int r;

	/* Whoever rang, an earlier daemon may have heard it and ended before it could arm the bell. */
	if (!pending(settle) && !due_again(settle)) {
		r = learn_units(settle);
		return r < 0 ? problem_set(problem, -r, "cannot learn the names of units: %s",
					   strerror(-r))
			     : 0;
	}
	__atomic_store_n(&state->rung, 1, __ATOMIC_RELAXED); /* it is heard */
	r = settle_now(settle, problem);
	if (r < 0)
		return r;
	log_debug("settled era %u: %llu rows, in %llu us", state->era - 1,
		  (unsigned long long)settle->rows,
		  (unsigned long long)(now_monotonic_usec() - begun));
	return due_again(settle);
}
