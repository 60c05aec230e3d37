/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks through JSON text. Every step is bounded by the end of the text, valid or not. */
#include "reader.h"

#include <string.h>

struct reader reader_of(struct slice json)
{
	return (struct reader){ .at = json.text, .end = json.text + json.length };
}

bool slice_is(struct slice slice, const char *string)
{
	return slice.length == strlen(string) && !memcmp(slice.text, string, slice.length);
}

static bool reader_fail(struct reader *reader)
{
	reader->error = -EBADMSG;
	reader->at = reader->end;
	return false;
}

/* The first character of what comes next; 0 at the end. */
static char reader_peek(struct reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
					    *reader->at == '\t' || *reader->at == '\r'))
		reader->at++;
	return reader->at < reader->end ? *reader->at : (char)'\0';
}

static bool reader_take(struct reader *reader, char wanted)
{
	if (reader_peek(reader) != wanted)
		return false;
	reader->at++;
	return true;
}

/* Takes a string; *ret_inside is what stands between its quotes, escapes and all. */
static bool reader_quoted(struct reader *reader, struct slice *ret_inside)
{
	const char *quote;

	if (!reader_take(reader, '"'))
		return reader_fail(reader);
	quote = memchr(reader->at, '"', (size_t)(reader->end - reader->at));
	/* Nearly never: a backslash is in there. */
	if (quote && memchr(reader->at, '\\', (size_t)(quote - reader->at)))
		for (quote = reader->at; quote < reader->end && *quote != '"'; quote++)
			quote += *quote == '\\';
	if (!quote || quote >= reader->end)
		return reader_fail(reader);
	*ret_inside = (struct slice){ reader->at, (size_t)(quote - reader->at) };
	reader->at = quote + 1;
	return true;
}

bool reader_object(struct reader *reader)
{
	return reader_take(reader, '{') || reader_fail(reader);
}

bool reader_array(struct reader *reader)
{
	return reader_take(reader, '[') || reader_fail(reader);
}

bool reader_item(struct reader *reader)
{
	if (reader_take(reader, ']'))
		return false;
	reader_take(reader, ',');
	return reader_peek(reader) || reader_fail(reader);
}

bool reader_member(struct reader *reader, struct slice *ret_key)
{
	if (reader_take(reader, '}'))
		return false;
	reader_take(reader, ',');
	return reader_quoted(reader, ret_key) && (reader_take(reader, ':') || reader_fail(reader));
}

/* Takes an object or array with all that is in it. */
static bool reader_skip_nested(struct reader *reader)
{
	size_t depth = 0;
	struct slice inside;

	while (reader->at < reader->end) {
		switch (*reader->at) {
		case '"':
			if (!reader_quoted(reader, &inside))
				return false;
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		}
		reader->at++;
		if (!depth)
			return true;
	}
	return reader_fail(reader);
}

struct slice reader_value(struct reader *reader)
{
	char first = reader_peek(reader);
	const char *start = reader->at;
	struct slice inside;

	if (first == '{' || first == '[') {
		reader_skip_nested(reader);
	} else if (first == '"') {
		reader_quoted(reader, &inside);
	} else {
		while (reader->at < reader->end && !strchr(",]} \t\r\n", *reader->at))
			reader->at++;
		if (reader->at == start)
			reader_fail(reader);
	}
	return reader->error ? (struct slice){ "", 0 }
			     : (struct slice){ start, (size_t)(reader->at - start) };
}

bool reader_null(struct reader *reader)
{
	return reader_peek(reader) == 'n' && slice_is(reader_value(reader), "null");
}

void reader_count(struct reader *reader, uint64_t *ret_value, bool *ret_known)
{
	uint64_t value = 0;
	const char *start;
	char after;

	*ret_value = 0;
	*ret_known = false;
	if (reader_null(reader))
		return;
	for (start = reader->at; reader->at < reader->end; reader->at++) {
		unsigned int digit = (unsigned int)(unsigned char)*reader->at - '0';

		if (digit > 9)
			break;
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value)) {
			reader_fail(reader);
			return;
		}
	}
	/* A sign, a fraction or an exponent is no count. */
	after = reader->at < reader->end ? *reader->at : (char)',';
	if (reader->at == start || after == '.' || after == 'e' || after == 'E') {
		reader_fail(reader);
		return;
	}
	*ret_value = value;
	*ret_known = true;
}

/* The four hexadecimal digits at @at; @end bounds them. */
static uint32_t hex4(const char *at, const char *end)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < 4; i++) {
		char digit = at + i < end ? at[i] : (char)'0';

		value = value << 4 |
			(uint32_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
	}
	return value & 0xffff;
}

/* Takes one escape, @at being behind the backslash; returns what is behind the escape. */
static const char *unescape(const char *at, const char *end, struct text *text)
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	const char *letter = *at ? strchr(letters, *at) : NULL;
	uint32_t character, low;

	if (*at != 'u') {
		text_character(text, (unsigned char)(letter ? meanings[letter - letters] : *at));
		return at + 1;
	}
	character = hex4(at + 1, end);
	at += 5;
	if (character >= 0xd800 && character < 0xdc00 && at + 1 < end && at[0] == '\\' &&
	    at[1] == 'u') {
		low = hex4(at + 2, end);
		if (low >= 0xdc00 && low < 0xe000) {
			character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
			at += 6;
		}
	}
	text_character(text, character);
	return at;
}

void reader_string(struct reader *reader, struct text *text)
{
	_cleanup_text_ struct text decoded = {};
	const char *at, *end;
	struct slice inside;

	if (reader_null(reader)) {
		text_puts(text, "-");
		return;
	}
	if (!reader_quoted(reader, &inside))
		return;
	if (!memchr(inside.text, '\\', inside.length)) {
		text_safe(text, inside.text, inside.length);
		return;
	}
	end = inside.text + inside.length;
	for (at = inside.text; at < end;) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));

		text_append(&decoded, at, (size_t)((escape ? escape : end) - at));
		at = escape && escape + 1 < end ? unescape(escape + 1, end, &decoded) : end;
	}
	if (decoded.error)
		text->error = decoded.error;
	else
		text_safe(text, decoded.data ? decoded.data : "", decoded.length);
}

/* 0 to 63; 64: no digit of base64. */
static uint32_t base64_digit(char digit)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const char *at = digit ? strchr(digits, digit) : NULL;

	return at ? (uint32_t)(at - digits) : 64;
}

void reader_base64(struct reader *reader, struct text *text)
{
	_cleanup_text_ struct text decoded = {};
	struct slice inside, padding;
	uint32_t bits = 0, digit;
	size_t n = 0;

	if (!reader_quoted(reader, &inside))
		return;
	for (; n < inside.length && (digit = base64_digit(inside.text[n])) < 64; n++) {
		char byte;

		bits = bits << 6 | digit;
		byte = (char)(bits >> (6 - n % 4 * 2) & 0xff);
		if (n % 4)
			text_append(&decoded, &byte, 1);
	}
	padding = (struct slice){ inside.text + n, inside.length - n };
	if (inside.length % 4 || (padding.length && !slice_is(padding, n % 4 == 2 ? "==" : "="))) {
		reader_fail(reader);
		return;
	}
	if (decoded.error)
		text->error = decoded.error;
	else
		text_safe(text, decoded.data ? decoded.data : "", decoded.length);
}
