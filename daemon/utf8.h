/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What valid UTF-8 is, in one place for the writer and the checker of JSON. Owns the table of
 * well-formed sequences; decodes nothing.
 */
#pragma once

#include "util.h"

#include <stdbool.h>

/* The Unicode Standard, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF. */
struct utf8_row {
	unsigned char first_min, first_max;
	unsigned char second_min, second_max; /* further bytes are always 80..BF */
	unsigned char length;
};

/* Length of the well-formed sequence that starts at @text, of @size > 0 bytes: 1 to 4; 0: none. */
static inline size_t utf8_sequence(const unsigned char *text, size_t size)
{
	static const struct utf8_row rows[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	const struct utf8_row *row = rows;

	while (row < rows + ARRAY_SIZE(rows) &&
	       (text[0] < row->first_min || text[0] > row->first_max))
		row++;
	if (row == rows + ARRAY_SIZE(rows) || size < row->length)
		return 0;
	if (row->length > 1 && (text[1] < row->second_min || text[1] > row->second_max))
		return 0;
	for (size_t i = 2; i < row->length; i++) {
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	}
	return row->length;
}

/* Whether the valid sequence @text is one of Unicode's 66 noncharacters: FDD0..FDEF, xxFFFE, xxFFFF. */
static inline bool utf8_is_noncharacter(const unsigned char *text, size_t length)
{
	if (length == 3 && text[0] == 0xef)
		return (text[1] == 0xb7 && text[2] >= 0x90 && text[2] <= 0xaf) ||
		       (text[1] == 0xbf && text[2] >= 0xbe);
	return length == 4 && (text[1] & 0x0f) == 0x0f && text[2] == 0xbf && text[3] >= 0xbe;
}
