/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages on their way to listeners: each is kept once, whoever wants it, in a fixed memory. When
 * that is full the oldest go, and a listener that had not taken one it wanted has lost it. Pure;
 * knows neither sockets nor what messages say.
 */
#pragma once

#include "json.h"

enum {
	EVENT_LOG_LISTENERS = 64, /* bits of a mask */
};

struct event_log;

int event_log_new(size_t bytes, struct event_log **ret_log);
struct event_log *event_log_free(struct event_log *log);

/* @listener, less than EVENT_LOG_LISTENERS, gets what is added from now on. */
void event_log_listen(struct event_log *log, unsigned int listener);

/*
 * Adds a message for the listeners in @mask, removing as many of the oldest as that takes.
 * -EMSGSIZE: it is larger than the whole log; then all in @mask have lost it.
 */
int event_log_add(struct event_log *log, uint64_t mask, const char *text, size_t length);

/* The same to those in @mask as a message that went before they took it. */
void event_log_lose(struct event_log *log, uint64_t mask);

/* Whether there is anything to tell @listener: messages, or that it has lost some. */
bool event_log_has_news(const struct event_log *log, unsigned int listener);
/* How many it has lost since the last call. */
uint64_t event_log_take_lost(struct event_log *log, unsigned int listener);

/*
 * Appends the next messages of @listener to @out, at least one if there is one, no more once there
 * are @bytes; returns how many.
 */
unsigned int event_log_take(struct event_log *log, unsigned int listener, size_t bytes,
			    struct json *out);
