/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text under construction, and the one place where bytes of strangers (user names, units, reasons)
 * become something that cannot steer a terminal. Knows nothing of where text comes from or goes.
 */
#pragma once

#include "util.h"

/* Bytes of somebody else: not owned, not NUL-terminated. */
struct slice {
	const char *text;
	size_t length;
};

/*
 * Zero-initialise, release with text_done(). An allocation failure is remembered in @error and
 * makes every later call a no-op: check once, at the end.
 */
struct text {
	char *data; /* owned; NUL-terminated after every call, NULL before the first */
	size_t length;
	size_t capacity;
	int error; /* 0 or -ENOMEM */
};

void text_done(struct text *text);
#define _cleanup_text_ CLEANUP(text_done)

/* Makes the text @size bytes longer and returns where they go; NULL after an error. */
char *text_extend(struct text *text, size_t size);

void text_append(struct text *text, const char *bytes, size_t length);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);

enum {
	NUMBER_SIZE = 21, /* bytes of the longest uint64 and its NUL */
};

/* The decimal digits of @value, at the end of @room. printf() takes ten times as long. */
char *number_format(char room[NUMBER_SIZE], uint64_t value);

/*
 * Appends @bytes for people: control bytes and bytes that are not UTF-8 as \xNN, characters that
 * reorder, hide or break lines (bidi controls and their like) as \u{HEX}.
 */
void text_safe(struct text *text, const char *bytes, size_t length);

/* Appends valid JSON with the same characters as \uNNNN: still the same JSON. */
void text_safe_json(struct text *text, const char *json, size_t length);

/* Appends one Unicode character as UTF-8; what is no character becomes U+FFFD. */
void text_character(struct text *text, uint32_t character);

/* How many bytes at the start of safe text take at most @width columns: whole characters. */
size_t text_fit(const char *bytes, size_t length, size_t width);

/* Columns that safe text takes on a terminal. */
size_t text_width(const char *bytes, size_t length);
