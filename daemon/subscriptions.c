/* SPDX-License-Identifier: GPL-2.0-only */
/* Who listens to events: subscriptions.h. */
#include "subscriptions.h"

#include "event-json.h"
#include "event-log.h"
#include "log.h"
#include "ring.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum {
	TICK_USEC = 20000, /* what is not worth a wake-up is read so often */
	TICK_ACCURACY_USEC = 1000,
	BATCH = 512,	    /* records per turn of the loop: clients must get theirs too */
	SEND_BYTES = 65536, /* of messages per turn of a client */
	LISTEN_NS_PER_TICK = 1000000000, /* programs go on so long after the last tick, times 10 */
	LISTEN_TICKS = 10,
};
_Static_assert((int)SUBSCRIPTIONS_MAX == (int)EVENT_LOG_LISTENERS, "one bit each");

/* Where events were lost that somebody might have wanted. */
enum loss {
	LOSS_BUFFER, /* the ring was full */
	LOSS_BUDGET, /* its user had written too much */
	LOSSES,
};

struct subscription {
	struct subscriptions *owner;
	unsigned int number; /* place and bit */
	struct varlink_call *call;
	struct event_filter filter;
	uid_t uid; /* of the client */
	bool everything;
	bool greeted;
	bool asked; /* for room */
	uint64_t since_ns;
	uint64_t lost[LOSSES][EM_EVENT_KINDS]; /* not told yet */
};

struct subscriptions {
	sd_event *loop;
	const struct event_maps *maps;
	struct units *units;
	struct subscription_limits limits;
	struct subscription_counters counters;
	const struct probe *probes[EM_EVENT_KINDS];
	struct subscription *all[SUBSCRIPTIONS_MAX];
	/* While there is somebody. */
	struct ring *ring;
	struct event_log *log;
	sd_event_source *timer;
	uint64_t window_end; /* ring_produced() when the window began */
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
static void narrow(const struct subscriptions *subscriptions, uint32_t kind,
		   struct em_event_control *control)
{
	const struct event_filter *first = NULL;
	uint32_t bit = 1U << kind;

	for (int i = 0; i < SUBSCRIPTIONS_MAX; i++) {
		const struct subscription *one = subscriptions->all[i];
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
static void tell_programs(const struct subscriptions *subscriptions)
{
	struct em_event_control *control = event_maps_control(subscriptions->maps), next = *control;

	next.wanted = next.failed_only = next.one_user = next.one_process = next.one_tree = 0;
	next.ancestors = 0;
	for (uint32_t kind = 0; kind < EM_EVENT_KINDS; kind++)
		narrow(subscriptions, kind, &next);
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

static void keep_listening(const struct subscriptions *subscriptions)
{
	event_maps_control(subscriptions->maps)->until_ns =
		boot_ns() + (uint64_t)LISTEN_TICKS * LISTEN_NS_PER_TICK;
}

/* --- telling ----------------------------------------------------------------------------------- */

static void on_room(void *userdata);

static void ask_room(struct subscription *one)
{
	if (one->asked)
		return;
	one->asked = true;
	varlink_call_on_room(one->call, on_room, one);
}

static void message_begin(struct json *text)
{
	text->comma = false;
	json_object_begin(text, NULL);
	json_object_begin(text, "parameters");
}

static void message_end(struct json *text)
{
	json_object_end(text);
	json_boolean(text, "continues", true);
	json_object_end(text);
	json_append(text, "", 1);
	text->comma = false;
}

/* Without @probe: of any kind. How many is for those who may see everything. */
static void write_lost(const struct subscription *one, const struct probe *probe, uint64_t count,
		       const char *reason, bool own, struct json *text)
{
	if (!count)
		return;
	message_begin(text);
	json_object_begin(text, "lost");
	json_string(text, "type", "lost");
	if (probe)
		json_string(text, "probe", probe->name);
	else
		json_null(text, "probe");
	if (own || one->everything)
		json_u64(text, "count", count);
	else
		json_null(text, "count");
	json_string(text, "reason", reason);
	json_object_end(text);
	message_end(text);
}

static void write_losses(struct subscription *one, struct json *text)
{
	uint64_t slow;
	static const char *const reasons[] = { [LOSS_BUFFER] = "buffer", [LOSS_BUDGET] = "budget" };

	for (int loss = 0; loss < LOSSES; loss++)
		for (int kind = 0; kind < EM_EVENT_KINDS; kind++) {
			write_lost(one, one->owner->probes[kind], one->lost[loss][kind],
				   reasons[loss], false, text);
			one->lost[loss][kind] = 0;
		}
	slow = event_log_take_lost(one->owner->log, one->number);
	one->owner->counters.lost += slow;
	write_lost(one, NULL, slow, "client", true, text);
}

/* The client has taken everything so far. */
static void on_room(void *userdata)
{
	struct subscription *one = userdata;
	_cleanup_json_ struct json text = { 0 };

	one->asked = false;
	if (!one->greeted) {
		message_begin(&text);
		message_end(&text);
		one->greeted = true;
	}
	write_losses(one, &text);
	event_log_take(one->owner->log, one->number, SEND_BYTES, &text);
	if (!text.length)
		return;
	/* What fails ends the call, from the event loop. */
	if (varlink_notify_messages(one->call, &text) == 0 &&
	    event_log_has_news(one->owner->log, one->number))
		ask_room(one);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* The listeners that want @event. */
static uint64_t who_wants(struct subscriptions *subscriptions, const char *unit)
{
	const struct event *event = &subscriptions->event;
	uint64_t mask = 0;

	for (int i = 0; i < SUBSCRIPTIONS_MAX; i++) {
		struct subscription *one = subscriptions->all[i];

		if (one && event->record->time_ns >= one->since_ns &&
		    event_filter_passes(&one->filter, event, unit))
			mask |= UINT64_C(1) << i;
	}
	return mask;
}

static void on_record(const void *record, size_t bytes, void *userdata)
{
	struct subscriptions *subscriptions = userdata;
	struct event *event = &subscriptions->event;
	struct json *text = &subscriptions->text;
	const struct probe *probe;
	const char *unit;
	uint64_t mask;

	if (event_decode(record, bytes, event) < 0 ||
	    !(probe = subscriptions->probes[event->record->kind])) {
		subscriptions->counters.invalid++;
		return;
	}
	subscriptions->counters.read[event->record->kind]++;
	unit = units_name(subscriptions->units,
			  units_find(subscriptions->units, event->record->subject.cgroup));
	mask = who_wants(subscriptions, unit);
	if (!mask)
		return;
	text->length = 0;
	message_begin(text);
	event_write(event, probe, unit, &subscriptions->clock, "event", text);
	message_end(text);
	if (!text->error) {
		event_log_add(subscriptions->log, mask, text->text, text->length);
		return;
	}
	event_log_lose(subscriptions->log, mask);
	json_done(text);
}

/* Tells every listener of the kind what programs could not write since the last look. */
static void look_at_losses(struct subscriptions *subscriptions)
{
	struct em_event_losses now, *before = &subscriptions->losses;

	event_maps_losses(subscriptions->maps, &now);
	for (int i = 0; i < SUBSCRIPTIONS_MAX; i++) {
		struct subscription *one = subscriptions->all[i];

		for (int kind = 0; one && kind < EM_EVENT_KINDS; kind++) {
			if (!(one->filter.kinds & 1U << kind))
				continue;
			one->lost[LOSS_BUFFER][kind] += now.full[kind] - before->full[kind];
			one->lost[LOSS_BUDGET][kind] += now.budget[kind] - before->budget[kind];
		}
	}
	*before = now;
}

static bool has_losses(const struct subscription *one)
{
	for (int loss = 0; loss < LOSSES; loss++)
		for (int kind = 0; kind < EM_EVENT_KINDS; kind++)
			if (one->lost[loss][kind])
				return true;
	return false;
}

/* One batch, and all that follows from it; whether there is more. */
static bool read_batch(struct subscriptions *subscriptions)
{
	unsigned int n;

	units_begin(subscriptions->units);
	n = ring_consume(subscriptions->ring, BATCH, on_record, subscriptions);
	if (ring_consumed(subscriptions->ring) >= subscriptions->window_end) {
		subscriptions->window_end = ring_produced(subscriptions->ring);
		event_maps_control(subscriptions->maps)->window++;
	}
	look_at_losses(subscriptions);
	for (int i = 0; i < SUBSCRIPTIONS_MAX; i++) {
		struct subscription *one = subscriptions->all[i];

		if (one && (event_log_has_news(subscriptions->log, one->number) || has_losses(one)))
			ask_room(one);
	}
	return n == BATCH;
}

static void on_ready(void *userdata)
{
	read_batch(userdata);
}

/* A full batch is followed by the next one as soon as clients had their turn. */
static int on_tick(sd_event_source *source, uint64_t due, void *userdata)
{
	struct subscriptions *subscriptions = userdata;
	bool more;

	(void)due;
	event_clock_adjust(&subscriptions->clock);
	keep_listening(subscriptions);
	more = read_batch(subscriptions);
	sd_event_source_set_time_relative(source, more ? 0 : TICK_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void subscriptions_read(struct subscriptions *subscriptions)
{
	while (subscriptions->ring && read_batch(subscriptions))
		;
}

/* --- coming and going -------------------------------------------------------------------------- */

static void stop(struct subscriptions *subscriptions)
{
	subscriptions->timer = sd_event_source_disable_unref(subscriptions->timer);
	subscriptions->ring = ring_free(subscriptions->ring);
	subscriptions->log = event_log_free(subscriptions->log);
	json_done(&subscriptions->text);
}

static int start(struct subscriptions *subscriptions)
{
	int r = event_log_new(subscriptions->limits.queue_bytes, &subscriptions->log);

	if (!r)
		r = ring_new(subscriptions->loop, event_maps_ring_fd(subscriptions->maps),
			     event_maps_ring_bytes(subscriptions->maps), on_ready, subscriptions,
			     &subscriptions->ring);
	if (!r)
		r = sd_event_add_time_relative(subscriptions->loop, &subscriptions->timer,
					       CLOCK_MONOTONIC, TICK_USEC, TICK_ACCURACY_USEC,
					       on_tick, subscriptions);
	if (r < 0) {
		stop(subscriptions);
		return r;
	}
	event_clock_adjust(&subscriptions->clock);
	event_maps_losses(subscriptions->maps, &subscriptions->losses);
	return 0;
}

static void subscription_free(struct subscription *one)
{
	event_filter_done(&one->filter);
	free(one);
}

static void on_gone(void *userdata)
{
	struct subscription *one = userdata;
	struct subscriptions *owner = one->owner;

	owner->counters.lost += event_log_take_lost(owner->log, one->number);
	owner->all[one->number] = NULL;
	owner->counters.subscribers--;
	subscription_free(one);
	tell_programs(owner);
	if (!owner->counters.subscribers)
		stop(owner);
}

/* Why another one of @uid is not welcome: 0, -EUSERS or -EDQUOT; counted. */
static int refuse(struct subscriptions *subscriptions, uid_t uid)
{
	unsigned int own = 0;

	for (int i = 0; i < SUBSCRIPTIONS_MAX; i++)
		own += subscriptions->all[i] && subscriptions->all[i]->uid == uid;
	if (subscriptions->counters.subscribers >= subscriptions->limits.total) {
		subscriptions->counters.refused_total++;
		return -EUSERS;
	}
	if (uid && own >= subscriptions->limits.per_user) {
		subscriptions->counters.refused_per_user++;
		return -EDQUOT;
	}
	return 0;
}

int subscriptions_add(struct subscriptions *subscriptions, struct varlink_call *call,
		      struct event_filter *filter, bool everything)
{
	uid_t uid = varlink_call_peer(call)->uid;
	struct subscription *one;
	int r = refuse(subscriptions, uid);

	if (r < 0)
		return r;
	one = calloc(1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	r = subscriptions->ring ? 0 : start(subscriptions);
	if (r < 0) {
		subscription_free(one);
		return r;
	}
	look_at_losses(subscriptions); /* those before are not its own */
	while (subscriptions->all[one->number])
		one->number++;
	*one = (struct subscription){ .owner = subscriptions,
				      .number = one->number,
				      .call = call,
				      .filter = *filter,
				      .uid = uid,
				      .everything = everything,
				      .since_ns = boot_ns() };
	*filter = (struct event_filter){ 0 };
	subscriptions->all[one->number] = one;
	subscriptions->counters.subscribers++;
	event_log_listen(subscriptions->log, one->number);
	keep_listening(subscriptions);
	tell_programs(subscriptions);
	varlink_call_on_disconnect(call, on_gone, one);
	ask_room(one);
	return 0;
}

/* --- all of them ------------------------------------------------------------------------------- */

int subscriptions_new(sd_event *loop, const struct event_maps *maps, struct units *units,
		      const struct subscription_limits *limits,
		      struct subscriptions **ret_subscriptions)
{
	struct subscriptions *subscriptions = calloc(1, sizeof(*subscriptions));

	if (!subscriptions)
		return -ENOMEM;
	subscriptions->loop = loop;
	subscriptions->maps = maps;
	subscriptions->units = units;
	subscriptions->limits = *limits;
	for (uint32_t kind = 0; kind < EM_EVENT_KINDS; kind++)
		subscriptions->probes[kind] = probe_of_kind(kind);
	*ret_subscriptions = subscriptions;
	return 0;
}

struct subscriptions *subscriptions_free(struct subscriptions *subscriptions)
{
	if (!subscriptions)
		return NULL;
	assert(!subscriptions->counters.subscribers); /* the server is freed first */
	stop(subscriptions);
	free(subscriptions);
	return NULL;
}

void subscriptions_set_limits(struct subscriptions *subscriptions,
			      const struct subscription_limits *limits)
{
	subscriptions->limits.total = limits->total;
	subscriptions->limits.per_user = limits->per_user;
}

const struct subscription_counters *
subscriptions_counters(const struct subscriptions *subscriptions)
{
	return &subscriptions->counters;
}
