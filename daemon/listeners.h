/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who listens to events: lets programs write what somebody wants and nothing else, reads the ring
 * buffer, and hands each event to those who want it. Owns the ring while there is anybody, and the
 * books of what was lost on the way. Knows neither who they are nor how they are told.
 */
#pragma once

#include "event-filter.h"
#include "event-json.h"
#include "event-maps.h"
#include "unit.h"

#include <systemd/sd-event.h>

enum {
	LISTENERS_MAX = 64,
};

struct listener;
struct listeners;

/* Where events were lost that somebody might have wanted. */
enum loss {
	LOSS_BUFFER, /* the ring was full */
	LOSS_BUDGET, /* its user had written too much */
	LOSSES,
};

/* An event with what is known of it. */
struct told_event {
	const struct event *event;
	const struct probe *probe;
	const char *unit; /* NULL: not known */
	struct event_clock *clock;
};

/* How those of one type are told. */
struct listener_type {
	uint64_t tick_usec; /* how long an event may wait for others */
	/*
	 * Writes the message on an event, for all of this type who want it; @listener is the first
	 * of them. false: they are to have none.
	 */
	bool (*write)(struct listener *listener, const struct told_event *told, struct json *text);
	/* After each reading that brought messages or losses. */
	void (*news)(struct listener *listener);
};

/* The first three are the owner's to set, and to release after listeners_remove(). */
struct listener {
	const struct listener_type *type;
	void *userdata;
	struct event_filter filter;
	struct listeners *owner;
	unsigned int number; /* place and bit */
	uint64_t since_ns;
	uint64_t lost[LOSSES][EM_EVENT_KINDS]; /* not told yet */
};

/* Since start. */
struct listeners_counters {
	uint64_t invalid; /* records that were none */
	uint64_t read[EM_EVENT_KINDS];
};

/* Everything is lent; @queue_bytes of messages may wait, for all listeners together. */
int listeners_new(sd_event *loop, const struct event_maps *maps, struct units *units,
		  uint64_t queue_bytes, struct listeners **ret_listeners);
struct listeners *listeners_free(struct listeners *listeners);

/*
 * From here on nothing that passes its filter is left out without being told. 0 or, with nothing
 * changed, -ENOMEM, -EUSERS (LISTENERS_MAX), or what mapping the ring failed with.
 */
int listeners_add(struct listeners *listeners, struct listener *listener);
/* Messages that it has not taken are gone. */
void listeners_remove(struct listener *listener);

/* As event_log_take(), event_log_take_lost() and event_log_has_news(). */
unsigned int listener_take(struct listener *listener, size_t bytes, struct json *out);
uint64_t listener_take_lost(struct listener *listener);
bool listener_has_news(const struct listener *listener);

/* Reads what is in the ring and has not been read, so that the books are complete. */
void listeners_read(struct listeners *listeners);

const struct listeners_counters *listeners_counters(const struct listeners *listeners);
