/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event as JSON: the members all kinds have, and what descriptors write theirs with. Pure; the
 * caller knows names of units and the time.
 */
#pragma once

#include "event.h"
#include "json.h"
#include "probe.h"

/* How CLOCK_BOOTTIME became wall-clock time last, with the text of its second. */
struct event_clock {
	uint64_t offset_ns; /* CLOCK_REALTIME at boot */
	uint64_t second;
	char text[24]; /* "2026-01-31T23:59:59." */
};

/* To be called now and then: wall-clock time can be set. */
void event_clock_adjust(struct event_clock *clock);

/* Writes @event of @probe as an object under @key; @unit may be NULL. */
void event_write(const struct event *event, const struct probe *probe, const char *unit,
		 struct event_clock *clock, const char *key, struct json *json);

/* --- for descriptors --------------------------------------------------------------------------- */

/* The string, or null; what is not UTF-8 also in base64 under @bytes_key. */
void event_write_string(const struct event *event, enum em_event_string index, const char *key,
			const char *bytes_key, struct json *json);

/* path and asked, and what is to be known of them: deleted, unreachable, truncated, nameSource. */
void event_write_names(const struct event *event, struct json *json);

/* device and inode, of numbers 2 and 3; null without a path. */
void event_write_inode(const struct event *event, struct json *json);

/* Bits and what they are called; several bits are one name if all are set. Ends without a name. */
struct event_bits {
	uint64_t bits;
	const char *name;
};

/* Appends the names of what is set in @value, and the rest as one number in hexadecimal. */
void event_write_bits(const struct event_bits *table, uint64_t value, struct json *json);
