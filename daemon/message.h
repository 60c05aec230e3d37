/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Varlink framing that daemon and client share: messages are JSON objects, each ended by one
 * NUL byte, over a stream. Owns splitting a stream into messages and strict parsing; knows no
 * method and no socket.
 */
#pragma once

#include "util.h"

#include <json-c/json.h>
#include <stdbool.h>

static inline void json_object_putp(struct json_object **object)
{
	if (*object)
		json_object_put(*object);
}
#define _cleanup_json_object_ CLEANUP(json_object_putp)

/*
 * Bytes received and not yet taken as messages. Zero-initialise, set @max, release with
 * message_buffer_done(). Memory grows with what was received, never beyond @max, and is given back
 * when the buffer runs empty.
 */
struct message_buffer {
	char *data;
	size_t start;	/* first byte of the first message not yet taken */
	size_t end;	/* end of the bytes received */
	size_t scanned; /* no NUL between start and here */
	size_t capacity;
	size_t max; /* longest message accepted, without its NUL, bytes */
};

/* Drops what is waiting; the buffer is empty then, its @max as before, and can be used again. */
void message_buffer_done(struct message_buffer *buffer);

/*
 * Room to receive into: *ret_space, *ret_size > 0; -EMSGSIZE: the message under way is over @max;
 * -ENOMEM. All complete messages must have been taken.
 */
int message_buffer_reserve(struct message_buffer *buffer, char **ret_space, size_t *ret_size);

/* @size bytes were received into the room that message_buffer_reserve() gave. */
void message_buffer_commit(struct message_buffer *buffer, size_t size);

/*
 * The next complete message: 1 and its NUL-terminated text, owned by the buffer until the next
 * call of any of these functions; 0: none is complete; -EMSGSIZE: a complete one is over @max.
 */
int message_buffer_next(struct message_buffer *buffer, char **ret_text, size_t *ret_length);

/* Whether bytes of an incomplete message are waiting. */
bool message_buffer_partial(const struct message_buffer *buffer);

/*
 * Parses one message strictly as RFC 8259 and Varlink want it: one object in valid UTF-8, nested
 * at most @max_depth deep, no NaN, no single quotes, no comments, no leading zeros, no member
 * twice in one object, no integer that does not fit int64 or uint64, no \u0000, which would cut
 * a C string short and which sd-json refuses too. json-c accepts or silently changes all of these,
 * so the text is checked first. At most 1024 levels, whatever @max_depth.
 * 0 and the object, to be released by the caller; -EBADMSG; -ENOMEM.
 */
int message_parse(const char *text, size_t length, unsigned int max_depth,
		  struct json_object **ret_object);

/*
 * The check alone, for a large reply that is passed on as it is: 0 or -EBADMSG. Does not notice
 * members given twice.
 */
int message_check(const char *text, size_t length, unsigned int max_depth);
