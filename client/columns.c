/* SPDX-License-Identifier: GPL-2.0-only */
/* Widths, padding, digits. */
#include "columns.h"

#include <string.h>

static size_t digits(uint64_t value)
{
	size_t count = 1;

	for (; value >= 10; value /= 10)
		count++;
	return count;
}

static size_t cell_width(const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_UNKNOWN:
		return 1;
	case CELL_NUMBER:
		return digits(cell->value);
	case CELL_ADDED:
		return 1 + digits(cell->value);
	case CELL_BLANK:
		break;
	}
	return 0;
}

static void widen(size_t *width, size_t needed)
{
	if (*width < needed)
		*width = needed;
}

void columns_measure(struct columns *columns, const char *label, const struct cell cells[])
{
	widen(&columns->label_width, text_width(label, strlen(label)));
	for (unsigned int i = 0; i < columns->count; i++)
		widen(&columns->widths[i], cell_width(&cells[i]));
}

void columns_heading_measure(struct columns *columns, const char *label)
{
	widen(&columns->label_width, strlen(label));
	for (unsigned int i = 0; i < columns->count; i++)
		widen(&columns->widths[i], strlen(columns->headings[i]));
}

static void spaces(struct text *text, size_t count)
{
	char *room = text_extend(text, count);

	if (room)
		memset(room, ' ', count);
}

static void label_append(const struct columns *columns, struct text *text, const char *label)
{
	size_t length = strlen(label);

	text_append(text, label, length);
	spaces(text, columns->label_width - text_width(label, length));
}

void columns_heading(const struct columns *columns, struct text *text, const char *label)
{
	label_append(columns, text, label);
	for (unsigned int i = 0; i < columns->count; i++) {
		spaces(text, 1 + columns->widths[i] - strlen(columns->headings[i]));
		text_puts(text, columns->headings[i]);
	}
	text_puts(text, "\n");
}

/* Right-aligned, with the space that parts it from what stands before. */
static void cell_append(struct text *text, const struct cell *cell, size_t width)
{
	char *at = text_extend(text, width + 1), *end;
	uint64_t value = cell->value;

	if (!at)
		return;
	memset(at, ' ', width + 1);
	end = at + width + 1;
	if (cell->kind == CELL_UNKNOWN)
		end[-1] = '-';
	if (cell->kind != CELL_NUMBER && cell->kind != CELL_ADDED)
		return;
	do
		*--end = (char)('0' + value % 10);
	while (value /= 10);
	if (cell->kind == CELL_ADDED)
		*--end = '+';
}

void columns_row(const struct columns *columns, struct text *text, const char *label,
		 const struct cell cells[])
{
	label_append(columns, text, label);
	for (unsigned int i = 0; i < columns->count; i++)
		cell_append(text, &cells[i], columns->widths[i]);
	text_puts(text, "\n");
}
