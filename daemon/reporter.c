/* SPDX-License-Identifier: GPL-2.0-only */
/* Events for the journal: reporter.h. */
#include "reporter.h"

#include "event-entry.h"
#include "journal.h"
#include "log-ids.h"
#include "log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
	TICK_USEC = 250000, /* nobody looks at the journal as at a terminal */
	TURN = 1024,	    /* entries per turn of the loop */
	/* With a journald that has to read before there is an end: clients wait, or none is left. */
	RELOAD_USEC = 200000,
	END_USEC = 5000000,
	LINE_BYTES = 512,
};

/* Why an event has no entry. */
enum missing {
	MISSING_SUPPRESSED,
	MISSING_BUFFER,
	MISSING_BUDGET,
	MISSING_QUEUE,
	MISSING_UNSENT,
	MISSING_REASONS,
};

static const struct {
	const char *field, *text;
} reasons[] = {
	[MISSING_SUPPRESSED] = { "EBPFMON_SUPPRESSED", "beyond a limit of [Journal]" },
	[MISSING_BUFFER] = { "EBPFMON_LOST_BUFFER", "not read in time" },
	[MISSING_BUDGET] = { "EBPFMON_LOST_BUDGET", "of a user who had too many at once" },
	[MISSING_QUEUE] = { "EBPFMON_LOST_QUEUE", "not read by journald in time" },
	[MISSING_UNSENT] = { "EBPFMON_UNSENT", "refused by journald" },
};
_Static_assert(ARRAY_SIZE(reasons) == MISSING_REASONS, "one each");

struct reporter {
	sd_event *loop;
	struct listeners *listeners;
	struct reporter_counters counters;
	uint64_t missing[MISSING_REASONS]; /* not told yet, whatever the settings are now */
	/* While it is on. */
	bool on;
	struct listener listener;
	struct rate rate;
	struct journal journal;
	struct json pending;	/* an entry that was taken and not sent */
	sd_event_source *room;	/* while journald does not read */
	sd_event_source *timer; /* while something is missing */
};

/* --- what is missing --------------------------------------------------------------------------- */

static void write_report(const struct reporter *reporter, struct json *entry)
{
	char line[LINE_BYTES];
	uint64_t sum = 0;
	size_t length;

	for (int i = 0; i < MISSING_REASONS; i++)
		sum += reporter->missing[i];
	length = (size_t)snprintf(line, sizeof(line),
				  "events that are not in the journal: %" PRIu64, sum);
	for (int i = 0; i < MISSING_REASONS; i++) {
		uint64_t n = reporter->missing[i];

		journal_field_number(entry, reasons[i].field, n);
		if (n)
			length += (size_t)snprintf(line + length, sizeof(line) - length,
						   "; %" PRIu64 " %s", n, reasons[i].text);
	}
	journal_field_text(entry, "MESSAGE", line);
	journal_field_text(entry, "MESSAGE_ID", LOG_ID_MISSING);
	journal_field_number(entry, "PRIORITY", LOG_WARNING);
	journal_field_text(entry, "SYSLOG_IDENTIFIER", "ebpfmond");
}

static bool is_missing(const struct reporter *reporter)
{
	for (int i = 0; i < MISSING_REASONS; i++)
		if (reporter->missing[i])
			return true;
	return false;
}

static int on_timer(sd_event_source *source, uint64_t due, void *userdata);

/* At the end of the interval, or of one that begins now. */
static void report_later(struct reporter *reporter)
{
	uint64_t now = now_monotonic_usec(), end = reporter->rate.end_usec;

	if (!reporter->on || reporter->timer)
		return;
	if (end <= now)
		end = now + reporter->rate.limits.interval_usec;
	sd_event_add_time(reporter->loop, &reporter->timer, CLOCK_MONOTONIC, end, 0, on_timer,
			  reporter);
}

/* What journald does not take is told later. */
static void report(struct reporter *reporter)
{
	_cleanup_json_ struct json entry = { 0 };

	if (!is_missing(reporter))
		return;
	write_report(reporter, &entry);
	if (!entry.error && journal_send(&reporter->journal, &entry) == 0)
		memset(reporter->missing, 0, sizeof(reporter->missing));
	else
		report_later(reporter);
}

static int on_timer(sd_event_source *source, uint64_t due, void *userdata)
{
	struct reporter *reporter = userdata;

	(void)source;
	(void)due;
	reporter->timer = sd_event_source_disable_unref(reporter->timer);
	report(reporter);
	return 0;
}

static void miss(struct reporter *reporter, enum missing reason, uint64_t n)
{
	if (!n)
		return;
	reporter->missing[reason] += n;
	report_later(reporter);
}

static void miss_losses(struct reporter *reporter)
{
	static const enum missing of_loss[LOSSES] = {
		[LOSS_BUFFER] = MISSING_BUFFER,
		[LOSS_BUDGET] = MISSING_BUDGET,
	};
	uint64_t slow = listener_take_lost(&reporter->listener);

	for (int loss = 0; loss < LOSSES; loss++)
		for (int kind = 0; kind < EM_EVENT_KINDS; kind++) {
			miss(reporter, of_loss[loss], reporter->listener.lost[loss][kind]);
			reporter->listener.lost[loss][kind] = 0;
		}
	reporter->counters.lost += slow;
	miss(reporter, MISSING_QUEUE, slow);
}

static void miss_unsent(struct reporter *reporter)
{
	reporter->counters.unsent++;
	miss(reporter, MISSING_UNSENT, 1);
}

/* --- entries ----------------------------------------------------------------------------------- */

/* Whether there is an entry to send. */
static bool take_next(struct reporter *reporter)
{
	if (reporter->pending.length)
		return true;
	while (listener_take(&reporter->listener, 1, &reporter->pending)) {
		if (!reporter->pending.error)
			return true;
		json_done(&reporter->pending);
		miss_unsent(reporter);
	}
	return false;
}

/* At most @max of them. -EAGAIN: journald does not read. */
static int send_entries(struct reporter *reporter, unsigned int max)
{
	for (; max && take_next(reporter); max--) {
		int r = journal_send(&reporter->journal, &reporter->pending);

		if (r == -EAGAIN)
			return r;
		if (r < 0)
			miss_unsent(reporter);
		else
			reporter->counters.entries++;
		reporter->pending.length = 0;
	}
	return 0;
}

static void send_some(struct reporter *reporter);

static int on_room(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct reporter *reporter = userdata;

	(void)source;
	(void)fd;
	(void)events;
	reporter->room = sd_event_source_disable_unref(reporter->room);
	send_some(reporter);
	return 0;
}

/* While journald does not read entries wait as other listeners' messages do. */
static void send_some(struct reporter *reporter)
{
	miss_losses(reporter);
	if (!reporter->room && send_entries(reporter, TURN) == -EAGAIN)
		sd_event_add_io(reporter->loop, &reporter->room, reporter->journal.fd, EPOLLOUT,
				on_room, reporter);
}

static void on_news(struct listener *listener)
{
	send_some(listener->userdata);
}

/* Each entry makes it open files: told as well, that would have no end. */
static bool is_journald(const char *unit)
{
	static const char service[] = "systemd-journald.service", instance[] = "systemd-journald@";

	return unit && (!strcmp(unit, service) || !strncmp(unit, instance, strlen(instance)));
}

static bool write_entry(struct listener *listener, const struct told_event *told, struct json *text)
{
	struct reporter *reporter = listener->userdata;

	if (is_journald(told->unit))
		return false;
	if (!rate_allows(&reporter->rate, now_monotonic_usec(), told->event->record->subject.uid)) {
		reporter->counters.suppressed++;
		miss(reporter, MISSING_SUPPRESSED, 1);
		return false;
	}
	event_entry_write(told->event, told->probe, told->unit, told->clock, text);
	return true;
}

static const struct listener_type journal_type = { TICK_USEC, write_entry, on_news };

/* --- on and off -------------------------------------------------------------------------------- */

static void release(struct reporter *reporter)
{
	event_filter_done(&reporter->listener.filter);
	reporter->room = sd_event_source_disable_unref(reporter->room);
	reporter->timer = sd_event_source_disable_unref(reporter->timer);
	journal_close(&reporter->journal);
	json_done(&reporter->pending);
	reporter->on = false;
}

/* Whether journald reads before @end_usec. */
static bool wait_for_room(const struct reporter *reporter, uint64_t end_usec)
{
	struct pollfd fd = { .fd = reporter->journal.fd, .events = POLLOUT };
	uint64_t now = now_monotonic_usec();

	return now < end_usec && poll(&fd, 1, (int)((end_usec - now) / 1000) + 1) > 0;
}

/* What it has missed by then and cannot say any more it says when it is on again. */
static void stop(struct reporter *reporter, uint64_t patience_usec)
{
	uint64_t end_usec = now_monotonic_usec() + patience_usec;

	if (!reporter->on)
		return;
	listeners_read(reporter->listeners);
	while (send_entries(reporter, UINT32_MAX) == -EAGAIN && wait_for_room(reporter, end_usec))
		;
	while (take_next(reporter)) {
		miss_unsent(reporter);
		reporter->pending.length = 0;
	}
	miss_losses(reporter);
	report(reporter);
	if (is_missing(reporter) && wait_for_room(reporter, end_usec))
		report(reporter);
	listeners_remove(&reporter->listener);
	release(reporter);
}

/* 0 or -ENOMEM. */
static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

static int copy_filter(const struct event_filter *from, struct event_filter *to)
{
	*to = *from;
	to->unit = to->comm = to->path = NULL;
	if (copy_text(from->unit, &to->unit) < 0 || copy_text(from->comm, &to->comm) < 0 ||
	    copy_text(from->path, &to->path) < 0)
		return -ENOMEM;
	return 0;
}

static int start(struct reporter *reporter, const struct reporter_settings *settings)
{
	int r;

	reporter->listener = (struct listener){ .type = &journal_type, .userdata = reporter };
	reporter->rate = (struct rate){ .limits = settings->limits };
	reporter->journal = (struct journal){ JOURNAL_SOCKET, -1 };
	r = copy_filter(&settings->filter, &reporter->listener.filter);
	if (!r)
		r = listeners_add(reporter->listeners, &reporter->listener);
	if (r < 0) {
		release(reporter);
		return r;
	}
	reporter->on = true;
	if (is_missing(reporter))
		report_later(reporter);
	return 0;
}

static bool equal_texts(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool equal(const struct reporter *reporter, const struct reporter_settings *settings)
{
	const struct event_filter *a = &reporter->listener.filter, *b = &settings->filter;
	const struct rate_limits *limits = &reporter->rate.limits;

	return a->kinds == b->kinds && a->by_uid == b->by_uid && a->uid == b->uid &&
	       a->by_login == b->by_login && a->login == b->login &&
	       a->failed_only == b->failed_only && a->min_duration_usec == b->min_duration_usec &&
	       equal_texts(a->unit, b->unit) && equal_texts(a->comm, b->comm) &&
	       equal_texts(a->path, b->path) &&
	       limits->interval_usec == settings->limits.interval_usec &&
	       limits->total == settings->limits.total &&
	       limits->per_user == settings->limits.per_user;
}

/* --- from outside ------------------------------------------------------------------------------ */

int reporter_new(sd_event *loop, struct listeners *listeners, struct reporter **ret_reporter)
{
	struct reporter *reporter = calloc(1, sizeof(*reporter));

	if (!reporter)
		return -ENOMEM;
	reporter->loop = loop;
	reporter->listeners = listeners;
	reporter->journal = (struct journal){ JOURNAL_SOCKET, -1 };
	*ret_reporter = reporter;
	return 0;
}

struct reporter *reporter_free(struct reporter *reporter)
{
	if (!reporter)
		return NULL;
	stop(reporter, END_USEC);
	free(reporter);
	return NULL;
}

void reporter_configure(struct reporter *reporter, const struct reporter_settings *settings)
{
	int r;

	if (reporter->on && equal(reporter, settings))
		return;
	stop(reporter, RELOAD_USEC);
	r = settings->filter.kinds ? start(reporter, settings) : 0;
	if (r < 0)
		log_warning("there are no events in the journal: %s", strerror(-r));
}

const struct reporter_counters *reporter_counters(const struct reporter *reporter)
{
	return &reporter->counters;
}
