/* SPDX-License-Identifier: GPL-2.0-only */
/* One line per failure, and what was probably meant instead of a word nobody knows. */
#include "complaint.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	WORD_MAX = 32,	  /* longer words are near to nothing */
	DISTANCE_MAX = 2, /* edits between a word and what it was meant to be */
};

int complain(int code, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	_cleanup_text_ struct text line = {};
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&message, format, arguments);
	va_end(arguments);
	if (length < 0) {
		message = NULL;
		fputs("ebpfctl: out of memory\n", stderr);
		return code;
	}

	/* One write: lines of several processes on one stderr do not mix. */
	text_puts(&line, "ebpfctl: ");
	text_safe(&line, message, (size_t)length);
	text_puts(&line, "\n");
	fflush(stdout);
	fwrite(line.data, 1, line.length, stderr);
	return code;
}

static unsigned int smallest(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn @a into @b. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][WORD_MAX + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return DISTANCE_MAX + 1;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i - 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			row[j] = smallest(row[j - 1] + 1, above[j] + 1,
					  above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = smallest(row[j], row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

const char *nearest(const char *wrong, const char *const names[])
{
	unsigned int best = DISTANCE_MAX + 1;
	const char *found = NULL;

	for (size_t i = 0; names[i]; i++) {
		unsigned int edits = distance(wrong, names[i]);

		/* A word that would have to be replaced altogether was not meant. */
		if (edits < best && edits < strlen(names[i])) {
			best = edits;
			found = names[i];
		}
	}
	for (size_t i = 0; !found && *wrong && names[i]; i++)
		if (!strncmp(names[i], wrong, strlen(wrong)))
			found = names[i];
	return found;
}
