/* SPDX-License-Identifier: GPL-2.0-only */
/* The one user of libsmartcols. */
#include "table.h"

#include <assert.h>
#include <libsmartcols/libsmartcols.h>
#include <string.h>

enum {
	REST_COMFORTABLE = 40, /* columns for the last column; with less, lists are broken */
	REST_MIN = 20,	       /* it never gets less, rather are lines too long */
};

void table_done(struct table *table)
{
	scols_unref_table(table->handle);
	*table = (struct table){};
}

static void table_check(struct table *table, int result)
{
	if (result && !table->error)
		table->error = result;
}

void table_open(struct table *table, const struct output *output, bool headings)
{
	table->width = output->width;
	table->handle = scols_new_table();
	if (!table->handle) {
		table->error = -ENOMEM;
		return;
	}
	/* Cells are safe already; encoding them again would spoil the escapes. */
	table_check(table, scols_table_enable_noencoding(table->handle, 1));
	table_check(table, scols_table_enable_noheadings(table->handle, !headings));
	table_check(table, scols_table_enable_colors(table->handle, output->colour));
	/* The library would break words, and nothing but the last column. */
	table_check(table, scols_table_set_termforce(table->handle, SCOLS_TERMFORCE_NEVER));
}

void table_column(struct table *table, const struct output *output, const char *heading,
		  enum column_kind kind)
{
	struct table_column *entry = &table->columns[table->column_count++];
	struct libscols_column *column;
	bool lines = kind == COLUMN_LIST || kind == COLUMN_REST;

	assert(table->column_count <= TABLE_COLUMNS_MAX);
	if (table->error)
		return;
	*entry = (struct table_column){ heading, kind, strlen(heading) };
	column = scols_table_new_column(table->handle, heading, 0,
					kind == COLUMN_NUMBER ? SCOLS_FL_RIGHT
					: lines		      ? SCOLS_FL_WRAP
							      : 0);
	if (!column) {
		table->error = -ENOMEM;
		return;
	}
	if (lines)
		table_check(table, scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
							     scols_wrapnl_nextchunk, NULL));
	if (output->colour)
		table_check(table, scols_cell_set_color(scols_column_get_header(column),
							output_style(output, STYLE_HEADING)));
}

void table_row(struct table *table)
{
	if (table->error)
		return;
	table->next = 0;
	table->line = scols_table_new_line(table->handle, NULL);
	if (!table->line)
		table->error = -ENOMEM;
}

void table_cell(struct table *table, const char *text, const char *colour)
{
	size_t cell = table->next++, width = text_width(text, strlen(text));

	if (table->error)
		return;
	table_check(table, scols_line_set_data(table->line, cell, text));
	if (*colour)
		table_check(table,
			    scols_cell_set_color(scols_line_get_cell(table->line, cell), colour));
	if (table->columns[cell].width < width)
		table->columns[cell].width = width;
}

/* Appends @cell with a line per item; the width of the longest. */
static size_t list_break(struct text *text, const char *cell, size_t unused)
{
	size_t longest = 0;

	(void)unused;
	while (*cell) {
		const char *comma = strchr(cell, ',');
		size_t length = comma ? (size_t)(comma - cell) + 1 : strlen(cell);
		size_t width = text_width(cell, length);

		text_append(text, cell, length);
		cell += length;
		text_puts(text, *cell ? "\n" : "");
		longest = width > longest ? width : longest;
	}
	return longest;
}

/* Appends the words of @cell in lines of at most @room columns, if no word is longer. */
static size_t words_break(struct text *text, const char *cell, size_t room)
{
	size_t used = 0;

	while (*cell) {
		size_t length = strcspn(cell, " "), width = text_width(cell, length);

		if (used)
			text_puts(text, used + 1 + width > room ? "\n" : " ");
		used = used && used + 1 + width <= room ? used + 1 + width : width;
		text_append(text, cell, length);
		cell += length;
		cell += strspn(cell, " ");
	}
	return room;
}

/* Breaks every cell of a column. */
static void column_break(struct table *table, size_t number,
			 size_t (*break_cell)(struct text *text, const char *cell, size_t room),
			 size_t room)
{
	size_t lines = scols_table_get_nlines(table->handle);

	for (size_t i = 0; i < lines; i++) {
		struct libscols_cell *cell =
			scols_line_get_cell(scols_table_get_line(table->handle, i), number);
		const char *data = scols_cell_get_data(cell);
		_cleanup_text_ struct text text = {};
		size_t width = break_cell(&text, data ? data : "", room);

		text_puts(&text, "");
		table_check(table, text.error);
		if (!text.error)
			table_check(table, scols_cell_set_data(cell, text.data));
		if (table->columns[number].width < width)
			table->columns[number].width = width;
	}
}

/* Columns that the last column leaves to the others. */
static size_t table_used(const struct table *table)
{
	size_t used = table->column_count - 1;

	for (size_t i = 0; i + 1 < table->column_count; i++)
		used += table->columns[i].width;
	return used;
}

static void table_fit(struct table *table)
{
	size_t last = table->column_count - 1, used;

	if (table->columns[last].kind != COLUMN_REST ||
	    table_used(table) + table->columns[last].width <= table->width)
		return;
	if (table_used(table) + REST_COMFORTABLE > table->width)
		for (size_t i = 0; i < last; i++)
			if (table->columns[i].kind == COLUMN_LIST) {
				table->columns[i].width = strlen(table->columns[i].heading);
				column_break(table, i, list_break, 0);
			}
	used = table_used(table);
	column_break(table, last, words_break,
		     used + REST_MIN > table->width ? REST_MIN : table->width - used);
}

void table_append(struct table *table, struct text *text)
{
	_cleanup_free_ char *printed = NULL;

	if (!table->error && table->width)
		table_fit(table);
	if (!table->error)
		table_check(table, scols_print_table_to_string(table->handle, &printed));
	if (table->error)
		text->error = table->error;
	else if (printed && *printed) {
		text_puts(text, printed);
		text_puts(text, "\n");
	}
}
