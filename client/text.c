/* SPDX-License-Identifier: GPL-2.0-only */
/* Growing text, escaping for terminals, width on a terminal. */
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum {
	FIRST_CAPACITY = 256,
	REPLACEMENT = 0xfffd,
	CHARACTER_MAX = 0x10ffff,
};

void text_done(struct text *text)
{
	free(text->data);
	*text = (struct text){};
}

/* Room for @size bytes and a NUL behind what is there. */
static bool text_reserve(struct text *text, size_t size)
{
	size_t capacity = text->capacity ? text->capacity : FIRST_CAPACITY;
	char *data;

	if (text->error)
		return false;
	if (size > SIZE_MAX / 4 || text->length > SIZE_MAX / 4)
		goto out_of_memory;
	while (capacity < text->length + size + 1)
		capacity *= 2;
	if (capacity == text->capacity)
		return true;
	data = realloc(text->data, capacity);
	if (!data)
		goto out_of_memory;
	text->data = data;
	text->capacity = capacity;
	return true;

out_of_memory:
	text->error = -ENOMEM;
	return false;
}

char *text_extend(struct text *text, size_t size)
{
	char *room;

	if (!text_reserve(text, size))
		return NULL;
	room = text->data + text->length;
	text->length += size;
	text->data[text->length] = '\0';
	return room;
}

void text_append(struct text *text, const char *bytes, size_t length)
{
	char *room = text_extend(text, length);

	if (room && length)
		memcpy(room, bytes, length);
}

void text_puts(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0 || !text_reserve(text, (size_t)length))
		return;
	va_start(arguments, format);
	vsnprintf(text->data + text->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)length;
}

char *number_format(char room[NUMBER_SIZE], uint64_t value)
{
	char *at = room + NUMBER_SIZE - 1;

	*at = '\0';
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	return at;
}

/*
 * The character at the start of @bytes and the number of its bytes; 0: they are not UTF-8 (an
 * overlong form, a surrogate, beyond the last character, cut off).
 */
static size_t utf8_read(const unsigned char *bytes, size_t length, uint32_t *ret_character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = bytes[0] < 0x80	? 1
		      : bytes[0] < 0xc2 ? 0
		      : bytes[0] < 0xe0 ? 2
		      : bytes[0] < 0xf0 ? 3
		      : bytes[0] < 0xf5 ? 4
					: 0;
	uint32_t character;

	if (!size || size > length)
		return 0;
	character = size == 1 ? bytes[0] : bytes[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < least[size] || character > CHARACTER_MAX ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret_character = character;
	return size;
}

void text_character(struct text *text, uint32_t character)
{
	char bytes[4];
	size_t size = 0;

	if (character > CHARACTER_MAX || (character >= 0xd800 && character <= 0xdfff))
		character = REPLACEMENT;
	if (character < 0x80) {
		bytes[size++] = (char)character;
	} else if (character < 0x800) {
		bytes[size++] = (char)(0xc0 | character >> 6);
		bytes[size++] = (char)(0x80 | (character & 0x3f));
	} else {
		if (character < 0x10000) {
			bytes[size++] = (char)(0xe0 | character >> 12);
		} else {
			bytes[size++] = (char)(0xf0 | character >> 18);
			bytes[size++] = (char)(0x80 | (character >> 12 & 0x3f));
		}
		bytes[size++] = (char)(0x80 | (character >> 6 & 0x3f));
		bytes[size++] = (char)(0x80 | (character & 0x3f));
	}
	text_append(text, bytes, size);
}

/* Controls, and what Unicode calls format characters: invisible, or moving what is around them. */
static bool dangerous(uint32_t character)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} ranges[] = {
		{ 0x0000, 0x001f },   /* C0 */
		{ 0x007f, 0x009f },   /* DEL and C1: terminals obey these too */
		{ 0x00ad, 0x00ad },   /* soft hyphen */
		{ 0x061c, 0x061c },   /* Arabic letter mark */
		{ 0x180e, 0x180e },   /* Mongolian vowel separator */
		{ 0x200b, 0x200f },   /* zero width, directional marks */
		{ 0x2028, 0x202e },   /* line and paragraph separator, embeddings, overrides */
		{ 0x2060, 0x206f },   /* word joiner, isolates */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff9, 0xfffb },   /* interlinear annotation */
		{ 0xe0000, 0xe0fff }, /* tags, further variation selectors */
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (character <= ranges[i].last)
			return character >= ranges[i].first;
	return false;
}

/* Bytes at the start of @bytes that are printable ASCII: nearly always all of them. */
static size_t plain_length(const char *bytes, size_t length)
{
	size_t plain = 0;

	while (plain < length && bytes[plain] >= ' ' && bytes[plain] < 0x7f)
		plain++;
	return plain;
}

void text_safe(struct text *text, const char *bytes, size_t length)
{
	while (length) {
		size_t size = plain_length(bytes, length);
		uint32_t character = 0;

		if (size) {
			text_append(text, bytes, size);
		} else {
			size = utf8_read((const unsigned char *)bytes, length, &character);
			if (size <= 1)
				text_printf(text, "\\x%02x", (unsigned char)bytes[0]);
			else if (dangerous(character))
				text_printf(text, "\\u{%x}", character);
			else
				text_append(text, bytes, size);
			size = size ? size : 1;
		}
		bytes += size;
		length -= size;
	}
}

static void json_escape(struct text *text, uint32_t character)
{
	if (character < 0x10000)
		text_printf(text, "\\u%04x", character);
	else
		text_printf(text, "\\u%04x\\u%04x", 0xd800 + ((character - 0x10000) >> 10),
			    0xdc00 + ((character - 0x10000) & 0x3ff));
}

void text_safe_json(struct text *text, const char *json, size_t length)
{
	while (length) {
		size_t size = plain_length(json, length);
		uint32_t character = REPLACEMENT;

		if (size || *json == '\n' || *json == '\t' || *json == '\r') {
			/* White space of JSON stands between values only. */
			size = size ? size : 1;
			text_append(text, json, size);
		} else {
			size = utf8_read((const unsigned char *)json, length, &character);
			if (!size || dangerous(character))
				json_escape(text, character);
			else
				text_append(text, json, size);
			size = size ? size : 1;
		}
		json += size;
		length -= size;
	}
}

/* Columns of the character at the start of @bytes, and its bytes. */
static size_t character_width(const char *bytes, size_t length, size_t *ret_size)
{
	uint32_t character = REPLACEMENT;
	size_t size = utf8_read((const unsigned char *)bytes, length, &character);
	int columns = wcwidth((wchar_t)character);

	*ret_size = size ? size : 1;
	/* -1: the locale does not know the character; most take one column. */
	return columns < 0 ? 1 : (size_t)columns;
}

size_t text_width(const char *bytes, size_t length)
{
	size_t width = plain_length(bytes, length);
	size_t size;

	if (width == length)
		return width;
	for (width = 0; length; bytes += size, length -= size)
		width += character_width(bytes, length, &size);
	return width;
}

size_t text_fit(const char *bytes, size_t length, size_t width)
{
	size_t fit = 0, size;

	while (fit < length) {
		size_t columns = character_width(bytes + fit, length - fit, &size);

		if (columns > width)
			break;
		width -= columns;
		fit += size;
	}
	return fit;
}
