/* SPDX-License-Identifier: GPL-2.0-only */
/* The one user of libsmartcols. */
#include "table.h"

#include <libsmartcols/libsmartcols.h>

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
	table->handle = scols_new_table();
	if (!table->handle) {
		table->error = -ENOMEM;
		return;
	}
	/* Cells are safe already; encoding them again would spoil the escapes. */
	table_check(table, scols_table_enable_noencoding(table->handle, 1));
	table_check(table, scols_table_enable_noheadings(table->handle, !headings));
	table_check(table, scols_table_enable_colors(table->handle, output->colour));
	table_check(table, scols_table_set_termforce(table->handle,
						     output->width ? SCOLS_TERMFORCE_ALWAYS
								   : SCOLS_TERMFORCE_NEVER));
	if (output->width)
		table_check(table, scols_table_set_termwidth(table->handle, output->width));
}

void table_column(struct table *table, const struct output *output, const char *heading,
		  enum column_kind kind)
{
	struct libscols_column *column;
	int flags = kind == COLUMN_NUMBER ? SCOLS_FL_RIGHT : 0;

	if (table->error)
		return;
	if (kind == COLUMN_WRAP && output->width)
		flags = SCOLS_FL_WRAP;
	column = scols_table_new_column(table->handle, heading, 0, flags);
	if (!column)
		table->error = -ENOMEM;
	else if (output->colour)
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
	size_t cell = table->next++;

	if (table->error)
		return;
	table_check(table, scols_line_set_data(table->line, cell, text));
	if (*colour)
		table_check(table,
			    scols_cell_set_color(scols_line_get_cell(table->line, cell), colour));
}

void table_append(struct table *table, struct text *text)
{
	_cleanup_free_ char *printed = NULL;

	if (!table->error)
		table_check(table, scols_print_table_to_string(table->handle, &printed));
	if (table->error)
		text->error = table->error;
	else if (printed && *printed) {
		text_puts(text, printed);
		text_puts(text, "\n");
	}
}
