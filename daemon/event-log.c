/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages on their way to listeners: event-log.h. */
#include "event-log.h"

#include <assert.h>
#include <string.h>

/* Before each message. Messages do not wrap: what is left at the end is one without listeners. */
struct header {
	uint64_t mask;
	uint64_t length;
};

/* Positions count bytes for ever; the place in @data is the rest. */
struct event_log {
	size_t bytes;
	uint64_t head, tail; /* the next one is written at the head; the oldest is at the tail */
	uint64_t cursors[EVENT_LOG_LISTENERS];
	uint64_t waiting[EVENT_LOG_LISTENERS];
	uint64_t lost[EVENT_LOG_LISTENERS];
	unsigned char data[];
};

int event_log_new(size_t bytes, struct event_log **ret_log)
{
	struct event_log *log;

	bytes -= bytes % sizeof(struct header);
	assert(bytes);
	log = calloc(1, sizeof(*log) + bytes);
	if (!log)
		return -ENOMEM;
	log->bytes = bytes;
	*ret_log = log;
	return 0;
}

struct event_log *event_log_free(struct event_log *log)
{
	free(log);
	return NULL;
}

static struct header *header_at(struct event_log *log, uint64_t position)
{
	return (struct header *)(void *)(log->data + position % log->bytes);
}

static uint64_t span(uint64_t length)
{
	return sizeof(struct header) +
	       (length + sizeof(struct header) - 1) / sizeof(struct header) * sizeof(struct header);
}

void event_log_listen(struct event_log *log, unsigned int listener)
{
	assert(listener < EVENT_LOG_LISTENERS);
	log->cursors[listener] = log->head;
	log->waiting[listener] = log->lost[listener] = 0;
}

/* A listener whose cursor is beyond has taken it, or came later. */
static void drop_oldest(struct event_log *log)
{
	const struct header *header = header_at(log, log->tail);

	for (uint64_t mask = header->mask; mask; mask &= mask - 1) {
		unsigned int listener = (unsigned int)__builtin_ctzll(mask);

		if (log->cursors[listener] > log->tail)
			continue;
		log->waiting[listener]--;
		log->lost[listener]++;
	}
	log->tail += span(header->length);
}

static void make_room(struct event_log *log, uint64_t need)
{
	while (log->bytes - (log->head - log->tail) < need)
		drop_oldest(log);
}

/* Fills up the end of the data if @need does not fit there. */
static void pad(struct event_log *log, uint64_t need)
{
	uint64_t left = log->bytes - log->head % log->bytes;

	if (left >= need)
		return;
	make_room(log, left);
	*header_at(log, log->head) = (struct header){ 0, left - sizeof(struct header) };
	log->head += left;
}

void event_log_lose(struct event_log *log, uint64_t mask)
{
	for (; mask; mask &= mask - 1)
		log->lost[__builtin_ctzll(mask)]++;
}

int event_log_add(struct event_log *log, uint64_t mask, const char *text, size_t length)
{
	uint64_t need = span(length);
	struct header *header;

	if (need > log->bytes / 2) {
		event_log_lose(log, mask);
		return -EMSGSIZE;
	}
	pad(log, need);
	make_room(log, need);
	header = header_at(log, log->head);
	*header = (struct header){ mask, length };
	memcpy(header + 1, text, length);
	log->head += need;
	for (uint64_t m = mask; m; m &= m - 1)
		log->waiting[__builtin_ctzll(m)]++;
	return 0;
}

bool event_log_has_news(const struct event_log *log, unsigned int listener)
{
	return log->waiting[listener] || log->lost[listener];
}

uint64_t event_log_take_lost(struct event_log *log, unsigned int listener)
{
	uint64_t lost = log->lost[listener];

	log->lost[listener] = 0;
	return lost;
}

unsigned int event_log_take(struct event_log *log, unsigned int listener, size_t bytes,
			    struct json *out)
{
	uint64_t position = log->cursors[listener];
	unsigned int n = 0;

	if (position < log->tail)
		position = log->tail;
	while (log->waiting[listener] && (!n || out->length < bytes)) {
		const struct header *header = header_at(log, position);

		if (header->mask & UINT64_C(1) << listener) {
			json_append(out, (const char *)(header + 1), header->length);
			log->waiting[listener]--;
			n++;
		}
		position += span(header->length);
	}
	log->cursors[listener] = position;
	return n;
}
