/* SPDX-License-Identifier: GPL-2.0-only */
/* Widths and cells: top-table.h. */
#include "top-table.h"

#include "columns.h"
#include "stats-table.h"

#include <string.h>

enum {
	RATE_WIDTH = 7, /* "1234567"; more makes the line longer, which is cut */
	LABEL_MIN = 8,
	SPARK_MIN = 8,
};

/* Who row @number is; @room is for an id. */
static const char *label_of(const struct top_view *view, size_t number, char room[NUMBER_SIZE])
{
	const struct counts *counts = &view->rates->counts;

	if (number == rates_totals(view->rates))
		return "TOTAL";
	return counts_label(counts, &counts->rows[number], view->by, view->names, room);
}

static void labels_measure(struct top_table *table, size_t from, size_t end)
{
	const struct top_view *view = table->view;
	size_t most = view->width ? view->width / 4 : SIZE_MAX;
	char room[NUMBER_SIZE];

	table->label_width = LABEL_MIN;
	for (size_t i = from; i < end; i++) {
		const char *label = label_of(view, view->rates->order[i], room);
		size_t width = text_width(label, strlen(label));

		if (width > table->label_width)
			table->label_width = width;
	}
	if (table->label_width > most)
		table->label_width = most > LABEL_MIN ? most : LABEL_MIN;
}

static void headings_measure(struct top_table *table)
{
	const struct counts *counts = &table->view->rates->counts;

	for (unsigned int i = 0; i < counts->column_count; i++) {
		table->places[i] = table->headings.length;
		counts_heading(counts, i, &table->headings);
		table->widths[i] = table->headings.length - table->places[i];
		text_append(&table->headings, "", 1);
		if (table->widths[i] < RATE_WIDTH)
			table->widths[i] = RATE_WIDTH;
	}
}

/* As many columns as fit, from the first on; the one that counts is always among them. */
static void columns_choose(struct top_table *table)
{
	const struct top_view *view = table->view;
	unsigned int count = view->rates->counts.column_count;
	unsigned int wanted = view->column < 0 ? 0 : (unsigned int)view->column;
	size_t taken = table->label_width + 1 + SPARK_MIN;

	table->end = count;
	if (!view->width)
		return;
	for (table->end = 0; table->end < count; table->end++) {
		taken += 1 + table->widths[table->end];
		while (taken > view->width && table->first < wanted && table->end <= wanted)
			taken -= 1 + table->widths[table->first++];
		if (taken > view->width && table->end > wanted) {
			taken -= 1 + table->widths[table->end];
			break;
		}
	}
	taken -= 1 + SPARK_MIN;
	table->spark_width = view->width > taken + 1 ? view->width - taken - 1 : 0;
	if (table->spark_width > RATES_PAST)
		table->spark_width = RATES_PAST;
}

void top_table_open(struct top_table *table, const struct top_view *view, size_t from, size_t end)
{
	*table = (struct top_table){ .view = view };
	labels_measure(table, from, end);
	headings_measure(table);
	columns_choose(table);
}

void top_table_done(struct top_table *table)
{
	text_done(&table->headings);
}

/* --- lines ------------------------------------------------------------------------------------- */

/* Cut where it is longer, which '~' says. */
static void label_append(const struct top_table *table, const char *label, struct text *text)
{
	size_t length = strlen(label), width = text_width(label, length);

	if (width > table->label_width) {
		length = text_fit(label, length, table->label_width - 1);
		text_append(text, label, length);
		text_puts(text, "~");
		width = text_width(label, length) + 1;
	} else {
		text_append(text, label, length);
	}
	text_printf(text, "%*s", (int)(table->label_width - width), "");
}

void top_table_heading(const struct top_table *table, struct text *text)
{
	label_append(table, table->view->by->heading, text);
	for (unsigned int i = table->first; i < table->end; i++)
		text_printf(text, " %*s", (int)table->widths[i],
			    table->headings.data + table->places[i]);
	if (table->spark_width)
		text_printf(text, " %*s", (int)table->spark_width, "");
}

/* '-' is a number that nobody knows. */
static void cell_append(const struct top_table *table, size_t row, unsigned int column,
			struct text *text)
{
	const struct rates *rates = table->view->rates;
	double thousandths = rates_now(rates, row, column) * 1000;
	char room[NUMBER_SIZE];
	const char *shown = "-";

	if (thousandths > 1e18)
		thousandths = 1e18;
	if (counts_known(&rates->counts, column))
		shown = rate_format(room, thousandths > 0 && thousandths < 1
						  ? 1
						  : (uint64_t)(thousandths + 0.5));
	text_printf(text, " %*s", (int)table->widths[column], shown);
}

void top_table_row(const struct top_table *table, size_t row, struct text *text)
{
	const struct top_view *view = table->view;
	char room[NUMBER_SIZE];

	label_append(table, label_of(view, row, room), text);
	for (unsigned int i = table->first; i < table->end; i++)
		cell_append(table, row, i, text);
	if (!table->spark_width || table->first == table->end)
		return;
	text_puts(text, " ");
	rates_spark(view->rates, row, view->column < 0 ? 0 : (unsigned int)view->column,
		    table->spark_width, view->unicode, text);
}
