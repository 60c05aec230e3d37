/* SPDX-License-Identifier: GPL-2.0-only */
/* When the history is fed, and with what: recorder.h. */
#include "recorder.h"

#include "collect.h"
#include "log.h"

#include <string.h>
#include <time.h>

enum {
	ACCURACY_PARTS = 16, /* the timer may be late by this part of an interval */
};

struct recorder {
	sd_event *event;
	const struct maps *maps;
	struct units *units;
	struct settle *settle;
	struct recorder_settings settings;
	struct history *history; /* NULL: nothing is recorded */
	sd_event_source *timer;
	uint64_t next_usec; /* CLOCK_BOOTTIME, as all times here */
	bool failed;	    /* to read, and that was logged */
};

static struct history_time time_now(void)
{
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (struct history_time){
		.boot_usec = (uint64_t)boot.tv_sec * 1000000 + (uint64_t)boot.tv_nsec / 1000,
		.real_usec = now_realtime_usec(),
	};
}

/* --- reading ----------------------------------------------------------------------------------- */

static uint32_t unit_of(uint64_t cgroup, void *userdata)
{
	const struct recorder *recorder = userdata;

	return units_find(recorder->units, cgroup);
}

static void add_row(const struct collect_row *row, const uint64_t *counters, void *userdata)
{
	struct recorder *recorder = userdata;

	history_add(recorder->history, &(struct history_key){ row->uid, row->login, row->cgroup },
		    counters);
}

static void remove_row(const struct collect_row *row, const uint64_t *counters, void *userdata)
{
	struct recorder *recorder = userdata;

	history_settled(recorder->history,
			&(struct history_key){ row->uid, row->login, row->cgroup }, counters);
}

/* Of all that counts, and of @table, which does not any more (NULL: none). */
static int read_all(struct recorder *recorder, const struct collect_table *table,
		    const struct history_time *now)
{
	struct ledger_totals totals;
	int r = 0;

	units_begin(recorder->units);
	history_begin(recorder->history);
	if (table)
		r = collect_table(table, add_row, recorder);
	if (!r)
		r = collect_counting(recorder->maps, add_row, recorder);
	if (r < 0)
		return r;
	/* Not those of what is settled: an event that is settled into overflow was told with its row. */
	ledger_sum(maps_totals(recorder->maps), &totals);
	history_end(recorder->history, totals.overflow, now);
	return 0;
}

static void report(struct recorder *recorder, int r)
{
	if (r < 0 && !recorder->failed)
		log_warning("cannot read the tables for the history: %s; trying again",
			    strerror(-r));
	recorder->failed = r < 0;
}

/* Without it the counts of @table would be in no reading: what follows would not be exact. */
static void on_settled(const struct collect_table *table, void *userdata)
{
	struct recorder *recorder = userdata;
	const struct history_time now = time_now();
	int r;

	if (!recorder->history)
		return;
	r = read_all(recorder, table, &now);
	if (!r)
		r = collect_table(table, remove_row, recorder);
	if (!r)
		return;
	log_warning("cannot read the table that was settled: %s; the history begins anew",
		    strerror(-r));
	history_restart(recorder->history);
}

static bool keep_unit(uint32_t unit, void *userdata)
{
	return units_keep(userdata, unit);
}

static void on_forgetting(void *userdata)
{
	struct recorder *recorder = userdata;

	if (recorder->history)
		history_keep_units(recorder->history, keep_unit, recorder->units);
}

/* --- the timer --------------------------------------------------------------------------------- */

/* Intervals that were missed are part of this one. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct recorder *recorder = userdata;
	const struct history_time now = time_now();
	int r = read_all(recorder, NULL, &now);

	(void)usec;
	report(recorder, r);
	if (!r)
		history_next(recorder->history, &now);
	recorder->next_usec += recorder->settings.interval_usec;
	if (recorder->next_usec <= now.boot_usec)
		recorder->next_usec = now.boot_usec + recorder->settings.interval_usec;
	r = sd_event_source_set_time(source, recorder->next_usec);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void stop(struct recorder *recorder)
{
	recorder->timer = sd_event_source_disable_unref(recorder->timer);
	recorder->history = history_free(recorder->history);
}

static void report_room(const struct recorder *recorder, uint64_t wanted)
{
	unsigned long long intervals = history_intervals_max(recorder->history);
	uint32_t rows = history_rows_max(recorder->history);

	if (intervals < wanted || !rows)
		log_warning(
			"[History] MemoryMax= is too small for Span= and Interval=: it has room "
			"for %llu intervals of %llu, and %u rows in each",
			intervals, (unsigned long long)wanted, rows);
	else
		log_debug("the history has room for %llu intervals of %u rows", intervals, rows);
}

static int start(struct recorder *recorder)
{
	const struct recorder_settings *settings = &recorder->settings;
	/* A span begins within an interval: one more than fit. */
	uint64_t intervals = settings->span_usec / settings->interval_usec + 1;
	const struct history_time now = time_now();
	int r = history_new(settings->memory_bytes, intervals, unit_of, recorder,
			    &recorder->history);

	if (r < 0)
		return r;
	recorder->next_usec = now.boot_usec + settings->interval_usec;
	r = sd_event_add_time(recorder->event, &recorder->timer, CLOCK_BOOTTIME,
			      recorder->next_usec, settings->interval_usec / ACCURACY_PARTS,
			      on_timer, recorder);
	if (r < 0)
		return r;
	report_room(recorder, intervals);
	report(recorder, read_all(recorder, NULL, &now));
	return 0;
}

/* --- from outside ------------------------------------------------------------------------------ */

int recorder_new(sd_event *event, const struct maps *maps, struct units *units,
		 struct settle *settle, struct recorder **ret_recorder)
{
	static const struct settle_observer observer = { on_settled, on_forgetting };
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return -ENOMEM;
	*recorder =
		(struct recorder){ .event = event, .maps = maps, .units = units, .settle = settle };
	settle_set_observer(settle, &observer, recorder);
	*ret_recorder = recorder;
	return 0;
}

struct recorder *recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return NULL;
	settle_set_observer(recorder->settle, NULL, NULL);
	stop(recorder);
	free(recorder);
	return NULL;
}

static bool equal(const struct recorder_settings *a, const struct recorder_settings *b)
{
	return a->enabled == b->enabled && a->interval_usec == b->interval_usec &&
	       a->span_usec == b->span_usec && a->memory_bytes == b->memory_bytes;
}

void recorder_configure(struct recorder *recorder, const struct recorder_settings *settings)
{
	int r;

	if (equal(&recorder->settings, settings))
		return;
	stop(recorder);
	recorder->settings = *settings;
	r = settings->enabled ? start(recorder) : 0;
	if (r == 0)
		return;
	stop(recorder);
	log_warning("there is no history: %s", strerror(-r));
}

int recorder_since(struct recorder *recorder, uint64_t usec, history_visit visit, void *userdata,
		   struct recorder_span *ret_span)
{
	const struct history_time now = time_now();
	uint64_t from = usec < now.boot_usec ? now.boot_usec - usec : 0;
	int r;

	if (!recorder->history)
		return -ENODATA;
	r = read_all(recorder, NULL, &now);
	if (r < 0)
		return r;
	history_since(recorder->history, from, visit, userdata, &ret_span->history);
	ret_span->to = now;
	return 0;
}
