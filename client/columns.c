/* SPDX-License-Identifier: GPL-2.0-only */
/* Widths, padding, digits. */
#include "columns.h"

#include <stdio.h>
#include <string.h>

uint64_t rate_of(uint64_t count, uint64_t usec)
{
	double rate = usec ? (double)count * 1e9 / (double)usec : 0;

	if (rate >= 1e18)
		return UINT64_C(1000000000000000000);
	return count && rate < 1 ? 1 : (uint64_t)(rate + 0.5);
}

char *rate_format(char room[NUMBER_SIZE], uint64_t thousandths)
{
	unsigned long long tenths = (thousandths + 50) / 100;

	if (thousandths >= 100000 || !thousandths)
		return number_format(room, (thousandths + 500) / 1000);
	if (thousandths >= 100)
		snprintf(room, NUMBER_SIZE, "%llu.%llu", tenths / 10, tenths % 10);
	else
		snprintf(room, NUMBER_SIZE, "0.%03u", (unsigned int)thousandths);
	return room;
}

/* The text of a cell, in @room or constant. */
static const char *cell_text(const struct cell *cell, char room[1 + NUMBER_SIZE])
{
	char *number;

	switch (cell->kind) {
	case CELL_UNKNOWN:
		return "-";
	case CELL_NUMBER:
		return number_format(room + 1, cell->value);
	case CELL_ADDED:
		number = number_format(room + 1, cell->value);
		*--number = '+';
		return number;
	case CELL_RATE:
		return rate_format(room + 1, cell->value);
	case CELL_BLANK:
		break;
	}
	return "";
}

static void widen(size_t *width, size_t needed)
{
	if (*width < needed)
		*width = needed;
}

void columns_measure(struct columns *columns, const char *label, const struct cell cells[])
{
	char room[1 + NUMBER_SIZE];

	widen(&columns->label_width, text_width(label, strlen(label)));
	for (unsigned int i = 0; i < columns->count; i++)
		widen(&columns->widths[i], strlen(cell_text(&cells[i], room)));
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
	char room[1 + NUMBER_SIZE];
	const char *shown = cell_text(cell, room);
	size_t length = strlen(shown);

	spaces(text, 1 + width - length);
	text_append(text, shown, length);
}

void columns_row(const struct columns *columns, struct text *text, const char *label,
		 const struct cell cells[])
{
	label_append(columns, text, label);
	for (unsigned int i = 0; i < columns->count; i++)
		cell_append(text, &cells[i], columns->widths[i]);
	/* Of cells that are blank. */
	while (text->length && text->data[text->length - 1] == ' ')
		text->data[--text->length] = '\0';
	text_puts(text, "\n");
}
