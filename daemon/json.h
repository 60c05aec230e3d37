/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes JSON text into one growing buffer. json-c builds a tree of allocations first: 12 ms
 * against 1 ms for the 10,240 rows of a large GetStats reply, so replies are written here and
 * only parsing is json-c's (message.h).
 */
#pragma once

#include "util.h"

#include <stdbool.h>

/*
 * A text under construction. Zero-initialise, release with json_done(). An allocation failure is
 * remembered in @error and makes every later call a no-op: check once, at the end.
 */
struct json {
	char *text; /* owned; NUL-terminated after every call */
	size_t length;
	size_t capacity;
	int error;  /* 0 or -ENOMEM */
	bool comma; /* a value was written at this level: the next one needs a comma */
};

void json_done(struct json *json);
#define _cleanup_json_ CLEANUP(json_done)

/* Hands the text out (NULL after an error) and leaves @json empty. */
char *json_take(struct json *json, size_t *ret_length);

/* Each value takes the @key it has in its object; NULL inside an array or at the top. */
void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_null(struct json *json, const char *key);
void json_boolean(struct json *json, const char *key, bool value);
void json_u64(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);

/* A key as it is written, for those that are written by the ten thousand. */
struct json_key {
	const char *name;
	size_t length; /* 0: too long to be prepared */
	char text[32];
};

struct json_key json_key(const char *name);
/* json_u64() under it. */
void json_u64_by(struct json *json, const struct json_key *key, uint64_t value);

/* Writes the decimal digits of @value to @at, 20 at most, without a NUL; returns their end. */
char *json_digits(char *at, uint64_t value);

/*
 * @text may hold any bytes: control bytes are escaped; what is not valid UTF-8 becomes U+FFFD, a
 * bad byte each, and so do NUL and noncharacters, for which readers would refuse it all.
 */
void json_string(struct json *json, const char *key, const char *text);
void json_string_n(struct json *json, const char *key, const char *text, size_t length);

/*
 * The string @text and, where json_string() had to replace some of its bytes, all of them as they
 * are under @bytes_key, in base64 (RFC 4648, section 4): no two texts are written the same.
 */
void json_bytes(struct json *json, const char *key, const char *bytes_key, const char *text);
void json_bytes_n(struct json *json, const char *key, const char *bytes_key, const char *text,
		  size_t length);

/* Whether json_string() writes @text with all its bytes recoverable. */
bool json_is_text(const char *text, size_t length);
/* Bytes in base64 (RFC 4648, section 4). */
void json_base64(struct json *json, const char *key, const char *bytes, size_t size);

/* Appends @text as it is, whatever comes before it. */
void json_append(struct json *json, const char *text, size_t length);

/* Inserts @text, already a valid JSON value, as it is. */
void json_raw(struct json *json, const char *key, const char *text, size_t length);
