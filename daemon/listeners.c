/* SPDX-License-Identifier: GPL-2.0-only */
/* Who listens to events: listeners.h. */
#include "listeners.h"

#include "deferred.h"
#include "event-log.h"
#include "ring.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum {
	TICK_ACCURACY_USEC = 1000,
	BATCH = 512, /* records per turn of the loop: listeners must get theirs too */
	LISTEN_NS_PER_TICK = 1000000000, /* programs go on so long after the last tick, times 10 */
	LISTEN_TICKS = 10,
};
_Static_assert((int)LISTENERS_MAX == (int)EVENT_LOG_LISTENERS, "one bit each");

struct listeners {
	sd_event *loop;
	const struct event_maps *maps;
	struct units *units;
	uint64_t queue_bytes;
	struct listeners_counters counters;
	const struct probe *probes[EM_EVENT_KINDS];
	struct listener *all[LISTENERS_MAX];
	unsigned int n;
	/* While there is somebody. */
	struct ring *ring;
	struct event_log *log;
	sd_event_source *timer; /* the next tick, or ... */
	struct deferred *more;	/* ... a batch that is there already */
	uint64_t tick_usec;	/* the shortest of theirs */
	uint64_t window_end;	/* ring_produced() when the window began */
	struct em_event_losses losses;
	struct event_clock clock;
	struct event event; /* being told; large */
	struct json text;   /* being written */
};

static uint64_t boot_ns(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- what programs are to write ---------------------------------------------------------------- */

/* Leaves in the control what all who want @kind have in common. */
static void narrow(const struct listeners *listeners, uint32_t kind,
		   struct em_event_control *control)
{
	const struct event_filter *first = NULL;
	uint32_t bit = 1U << kind;

	for (int i = 0; i < LISTENERS_MAX; i++) {
		const struct listener *one = listeners->all[i];
		const struct event_filter *filter = one ? &one->filter : NULL;

		if (!filter || !(filter->kinds & bit))
			continue;
		if (!first) {
			first = filter;
			control->wanted |= bit;
			control->failed_only |= filter->failed_only ? bit : 0;
			control->one_user |= filter->by_uid ? bit : 0;
			control->one_process |= filter->by_pid && !filter->children ? bit : 0;
			control->one_tree |= filter->kept ? bit : 0;
			control->uid[kind] = filter->uid;
			control->pid[kind] = filter->pid;
		}
		if (!filter->failed_only)
			control->failed_only &= ~bit;
		if (!filter->by_uid || filter->uid != first->uid)
			control->one_user &= ~bit;
		if (!filter->by_pid || filter->children || filter->pid != first->pid)
			control->one_process &= ~bit;
		if (!filter->kept || filter->pid != first->pid)
			control->one_tree &= ~bit;
		control->ancestors |= filter->children;
	}
}

/*
 * Programs may run meanwhile: before they write less they are told to write more. What they write
 * in between is filtered again here.
 */
static void tell_programs(const struct listeners *listeners)
{
	struct em_event_control *control = event_maps_control(listeners->maps), next = *control;

	next.wanted = next.failed_only = next.one_user = next.one_process = next.one_tree = 0;
	next.ancestors = 0;
	for (uint32_t kind = 0; kind < EM_EVENT_KINDS; kind++)
		narrow(listeners, kind, &next);
	control->failed_only = control->one_user = control->one_process = control->one_tree = 0;
	control->ancestors = next.ancestors;
	memcpy(control->uid, next.uid, sizeof(next.uid));
	memcpy(control->pid, next.pid, sizeof(next.pid));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	control->failed_only = next.failed_only;
	control->one_user = next.one_user;
	control->one_process = next.one_process;
	control->one_tree = next.one_tree;
	__atomic_store_n(&control->wanted, next.wanted, __ATOMIC_RELEASE);
}

static void keep_listening(const struct listeners *listeners)
{
	event_maps_control(listeners->maps)->until_ns =
		boot_ns() + (uint64_t)LISTEN_TICKS * LISTEN_NS_PER_TICK;
}

/* --- reading ----------------------------------------------------------------------------------- */

/* The listeners that want the event. */
static uint64_t who_wants(struct listeners *listeners, const char *unit)
{
	const struct event *event = &listeners->event;
	uint64_t mask = 0;

	for (int i = 0; i < LISTENERS_MAX; i++) {
		struct listener *one = listeners->all[i];

		if (one && event->record->time_ns >= one->since_ns &&
		    event_filter_passes(&one->filter, event, unit))
			mask |= UINT64_C(1) << i;
	}
	return mask;
}

/* Tells all in @mask who are of the same type as the first; returns who they are. */
static uint64_t tell(struct listeners *listeners, uint64_t mask, const struct told_event *told)
{
	struct listener *first = listeners->all[__builtin_ctzll(mask)];
	struct json *text = &listeners->text;
	uint64_t alike = 0;

	for (uint64_t rest = mask; rest; rest &= rest - 1)
		if (listeners->all[__builtin_ctzll(rest)]->type == first->type)
			alike |= rest & -rest;
	text->length = 0;
	if (!first->type->write(first, told, text))
		return alike;
	if (!text->error) {
		event_log_add(listeners->log, alike, text->text, text->length);
		return alike;
	}
	event_log_lose(listeners->log, alike);
	json_done(text);
	return alike;
}

static void on_record(const void *record, size_t bytes, void *userdata)
{
	struct listeners *listeners = userdata;
	struct event *event = &listeners->event;
	struct told_event told = { .event = event, .clock = &listeners->clock };
	uint64_t mask;

	if (event_decode(record, bytes, event) < 0 ||
	    !(told.probe = listeners->probes[event->record->kind])) {
		listeners->counters.invalid++;
		return;
	}
	listeners->counters.read[event->record->kind]++;
	told.unit = units_name(listeners->units,
			       units_find(listeners->units, event->record->subject.cgroup));
	mask = who_wants(listeners, told.unit);
	while (mask)
		mask &= ~tell(listeners, mask, &told);
}

/* For every listener of the kind what programs could not write since the last look. */
static void look_at_losses(struct listeners *listeners)
{
	struct em_event_losses now, *before = &listeners->losses;

	event_maps_losses(listeners->maps, &now);
	for (int i = 0; i < LISTENERS_MAX; i++) {
		struct listener *one = listeners->all[i];

		for (int kind = 0; one && kind < EM_EVENT_KINDS; kind++) {
			if (!(one->filter.kinds & 1U << kind))
				continue;
			one->lost[LOSS_BUFFER][kind] += now.full[kind] - before->full[kind];
			one->lost[LOSS_BUDGET][kind] += now.budget[kind] - before->budget[kind];
		}
	}
	*before = now;
}

/* One batch, and all that follows from it; whether there is more. */
static bool read_batch(struct listeners *listeners)
{
	unsigned int n;

	units_begin(listeners->units);
	n = ring_consume(listeners->ring, BATCH, on_record, listeners);
	if (ring_consumed(listeners->ring) >= listeners->window_end) {
		listeners->window_end = ring_produced(listeners->ring);
		event_maps_control(listeners->maps)->window++;
	}
	look_at_losses(listeners);
	for (int i = 0; i < LISTENERS_MAX; i++) {
		struct listener *one = listeners->all[i];

		if (one && listener_has_news(one))
			one->type->news(one);
	}
	return n == BATCH;
}

static void on_ready(void *userdata)
{
	read_batch(userdata);
}

/* A full batch is followed by the next one as soon as clients had their turn. */
static void read_more(void *userdata)
{
	struct listeners *listeners = userdata;
	bool more;

	event_clock_adjust(&listeners->clock);
	keep_listening(listeners);
	more = read_batch(listeners);
	deferred_want(listeners->more, more);
	sd_event_source_set_time_relative(listeners->timer, listeners->tick_usec);
	sd_event_source_set_enabled(listeners->timer, more ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

static int on_tick(sd_event_source *source, uint64_t due, void *userdata)
{
	(void)source;
	(void)due;
	read_more(userdata);
	return 0;
}

void listeners_read(struct listeners *listeners)
{
	while (listeners->ring && read_batch(listeners))
		;
}

/* --- one of them ------------------------------------------------------------------------------- */

unsigned int listener_take(struct listener *listener, size_t bytes, struct json *out)
{
	return event_log_take(listener->owner->log, listener->number, bytes, out);
}

uint64_t listener_take_lost(struct listener *listener)
{
	return event_log_take_lost(listener->owner->log, listener->number);
}

bool listener_has_news(const struct listener *listener)
{
	if (event_log_has_news(listener->owner->log, listener->number))
		return true;
	for (int loss = 0; loss < LOSSES; loss++)
		for (int kind = 0; kind < EM_EVENT_KINDS; kind++)
			if (listener->lost[loss][kind])
				return true;
	return false;
}

/* --- coming and going -------------------------------------------------------------------------- */

static void stop(struct listeners *listeners)
{
	listeners->timer = sd_event_source_disable_unref(listeners->timer);
	listeners->more = deferred_free(listeners->more);
	listeners->ring = ring_free(listeners->ring);
	listeners->log = event_log_free(listeners->log);
	json_done(&listeners->text);
}

static int start(struct listeners *listeners)
{
	int r = event_log_new(listeners->queue_bytes, &listeners->log);

	if (!r)
		r = ring_new(listeners->loop, event_maps_ring_fd(listeners->maps),
			     event_maps_ring_bytes(listeners->maps), on_ready, listeners,
			     &listeners->ring);
	if (!r)
		r = sd_event_add_time_relative(listeners->loop, &listeners->timer, CLOCK_MONOTONIC,
					       0, TICK_ACCURACY_USEC, on_tick, listeners);
	if (r >= 0)
		r = deferred_new(listeners->loop, read_more, listeners, &listeners->more);
	if (r < 0) {
		stop(listeners);
		return r;
	}
	event_clock_adjust(&listeners->clock);
	event_maps_losses(listeners->maps, &listeners->losses);
	return 0;
}

/* The next tick may be due earlier than it was. */
static void adjust_tick(struct listeners *listeners)
{
	uint64_t tick_usec = UINT64_MAX;

	for (int i = 0; i < LISTENERS_MAX; i++)
		if (listeners->all[i] && listeners->all[i]->type->tick_usec < tick_usec)
			tick_usec = listeners->all[i]->type->tick_usec;
	listeners->tick_usec = tick_usec;
	sd_event_source_set_time_relative(listeners->timer, tick_usec);
}

int listeners_add(struct listeners *listeners, struct listener *listener)
{
	unsigned int number = 0;
	int r;

	if (listeners->n == LISTENERS_MAX)
		return -EUSERS;
	r = listeners->ring ? 0 : start(listeners);
	if (r < 0)
		return r;
	look_at_losses(listeners); /* those before are not its own */
	while (listeners->all[number])
		number++;
	listener->owner = listeners;
	listener->number = number;
	listener->since_ns = boot_ns();
	memset(listener->lost, 0, sizeof(listener->lost));
	listeners->all[number] = listener;
	listeners->n++;
	event_log_listen(listeners->log, number);
	adjust_tick(listeners);
	keep_listening(listeners);
	tell_programs(listeners);
	return 0;
}

void listeners_remove(struct listener *listener)
{
	struct listeners *owner = listener->owner;

	owner->all[listener->number] = NULL;
	owner->n--;
	tell_programs(owner);
	if (owner->n)
		adjust_tick(owner);
	else
		stop(owner);
}

/* --- all of them ------------------------------------------------------------------------------- */

int listeners_new(sd_event *loop, const struct event_maps *maps, struct units *units,
		  uint64_t queue_bytes, struct listeners **ret_listeners)
{
	struct listeners *listeners = calloc(1, sizeof(*listeners));

	if (!listeners)
		return -ENOMEM;
	listeners->loop = loop;
	listeners->maps = maps;
	listeners->units = units;
	listeners->queue_bytes = queue_bytes;
	for (uint32_t kind = 0; kind < EM_EVENT_KINDS; kind++)
		listeners->probes[kind] = probe_of_kind(kind);
	*ret_listeners = listeners;
	return 0;
}

struct listeners *listeners_free(struct listeners *listeners)
{
	if (!listeners)
		return NULL;
	assert(!listeners->n); /* who listens leaves first */
	free(listeners);
	return NULL;
}

const struct listeners_counters *listeners_counters(const struct listeners *listeners)
{
	return &listeners->counters;
}
