/* SPDX-License-Identifier: GPL-2.0-only */
/* Lays out counts: names for ids, headings for counters, differences to what was before. */
#include "stats-table.h"
#include "losses.h"
#include "timestamp.h"

#include <ctype.h>
#include <string.h>

#define OTHER "(other)"

/* What has a column only when all is asked for: a line is to fit on a terminal. */
static const char *const minor[] = {
	"exits",	"abnormalExits", "exitsUnder1ms",  "exitsUnder10ms", "exitsUnder100ms",
	"exitsUnder1s", "exitsUnder10s", "exitsUnder1min", "exitsUnder1h",   "exitsFrom1h",
	"forks",	"threads",	 "unlinks",	   "unlinkFailures", "renamesOver",
};

static bool is_minor(const char *counter)
{
	for (size_t i = 0; i < ARRAY_SIZE(minor); i++)
		if (!strcmp(counter, minor[i]))
			return true;
	return false;
}

void stats_choose(struct stats_view *view, bool all)
{
	const struct counts *counts = view->counts;

	view->shown = 0;
	for (unsigned int i = 0; i < counts->column_count; i++) {
		bool hidden = !all && is_minor(counts_string(counts, counts->columns[i]));

		view->places[i] = hidden ? COUNTERS_MAX : view->shown++;
	}
}

void counts_heading(const struct counts *counts, unsigned int column, struct text *text)
{
	const char *counter = counts_string(counts, counts->columns[column]);

	for (const char *at = counter; *at; at++) {
		char letters[] = { '-', (char)toupper((unsigned char)*at) };
		bool new_word = at > counter && isupper((unsigned char)*at) &&
				!isupper((unsigned char)at[-1]);

		text_append(text, letters + !new_word, 1 + (size_t)new_word);
	}
}

/* Headings stand in @text, one after the other, each with its NUL. */
static void headings_set(struct columns *columns, struct text *text, const struct stats_view *view)
{
	const struct counts *counts = view->counts;
	const char *at;

	for (unsigned int i = 0; i < counts->column_count; i++) {
		if (view->places[i] == COUNTERS_MAX)
			continue;
		counts_heading(counts, i, text);
		text_append(text, "", 1);
	}
	columns->count = 0;
	at = text->data;
	if (text->error || !at)
		return;
	for (unsigned int i = 0; i < view->shown; i++) {
		columns->headings[columns->count++] = at;
		if (view->added)
			columns->headings[columns->count++] = view->rate_usec ? "/s" : "+";
		at += strlen(at) + 1;
	}
}

/* The row in @counts that is about the same as @row of @other; NULL: there is none. */
static const struct counts_row *row_find(const struct counts *counts, const struct counts *other,
					 const struct counts_row *row)
{
	size_t low = 0, high = counts->row_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = counts_compare(counts, &counts->rows[middle], other, row);

		if (!order)
			return &counts->rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The counter of @row in @counts that is called as @column is in @other, or 0. */
static uint64_t value_before(const struct counts *counts, const struct counts_row *row,
			     const struct counts *other, uint32_t column)
{
	const char *name = counts_string(other, other->columns[column]);

	for (size_t i = 0; row && i < row->length; i++) {
		const struct counter *counter = &counts->counters[row->first + i];

		if (!strcmp(counts_string(counts, counts->columns[counter->column]), name))
			return counter->value;
	}
	return 0;
}

/* What was added to @counter: since the answer before, or in the span that this one is about. */
static uint64_t added_to(const struct stats_view *view, const struct counter *counter,
			 const struct counts_row *before)
{
	uint64_t old = 0;

	if (view->before)
		old = value_before(view->before, before, view->counts, counter->column);
	else if (!view->counts->span.duration_usec)
		return 0;
	return counter->value > old ? counter->value - old : 0;
}

static struct cell added_cell(const struct stats_view *view, uint64_t added)
{
	if (!added)
		return (struct cell){ 0, CELL_BLANK };
	if (view->rate_usec)
		return (struct cell){ rate_of(added, view->rate_usec), CELL_RATE };
	return (struct cell){ added, CELL_ADDED };
}

static void cells_fill(struct cell cells[], const struct stats_view *view,
		       const struct counts_row *row, const struct counts_row *before)
{
	const struct counts *counts = view->counts;
	unsigned int step = view->added ? 2 : 1;

	for (size_t i = 0; i < (size_t)view->shown * step; i++)
		cells[i] = (struct cell){ 0, i % step ? CELL_BLANK : CELL_UNKNOWN };
	for (size_t i = 0; i < row->length; i++) {
		const struct counter *counter = &counts->counters[row->first + i];
		unsigned int place = view->places[counter->column];
		struct cell *cell;

		if (!counter->known || place == COUNTERS_MAX)
			continue;
		cell = &cells[(size_t)place * step];
		*cell = (struct cell){ counter->value, CELL_NUMBER };
		if (view->added)
			cell[1] = added_cell(view, added_to(view, counter, before));
	}
}

static void row_cells(struct cell cells[], const struct stats_view *view,
		      const struct counts_row *row)
{
	bool compare = view->added && view->before;

	cells_fill(cells, view, row, compare ? row_find(view->before, view->counts, row) : NULL);
}

static void total_cells(struct cell cells[], const struct stats_view *view)
{
	cells_fill(cells, view, &view->counts->totals, view->before ? &view->before->totals : NULL);
}

/* What had no room in the history: a row of its own, if it is anything. */
static bool any_other(const struct counts *counts)
{
	const struct counts_row *other = &counts->span.other;

	for (size_t i = 0; i < other->length; i++)
		if (counts->counters[other->first + i].value)
			return true;
	return false;
}

const char *counts_label(const struct counts *counts, const struct counts_row *row,
			 const struct dimension *by, struct names *names, char room[NUMBER_SIZE])
{
	const char *name;

	if (!by->named) {
		name = counts_string(counts, row->unit);
		return *name ? name : "-";
	}
	if (row->id == COUNTS_NO_ID)
		return "-";
	name = names_get(names, row->id);
	return name ? name : number_format(room, row->id);
}

static const char *row_label(const struct stats_view *view, const struct counts_row *row,
			     char number[NUMBER_SIZE])
{
	return counts_label(view->counts, row, view->by, view->names, number);
}

static void measure(struct columns *columns, const struct stats_view *view, size_t rows)
{
	struct cell cells[COLUMNS_MAX];
	char number[NUMBER_SIZE];

	for (size_t i = 0; i < rows; i++) {
		const struct counts_row *row = &view->counts->rows[i];

		row_cells(cells, view, row);
		columns_measure(columns, row_label(view, row, number), cells);
	}
	if (any_other(view->counts)) {
		cells_fill(cells, view, &view->counts->span.other, NULL);
		columns_measure(columns, OTHER, cells);
	}
	if (!view->legend)
		return;
	columns_heading_measure(columns, view->by->heading);
	total_cells(cells, view);
	columns_measure(columns, "TOTAL", cells);
}

static void rows_append(struct text *text, const struct columns *columns,
			const struct stats_view *view, size_t rows)
{
	struct cell cells[COLUMNS_MAX];
	char number[NUMBER_SIZE];

	for (size_t i = 0; i < rows; i++) {
		const struct counts_row *row = &view->counts->rows[i];

		row_cells(cells, view, row);
		columns_row(columns, text, row_label(view, row, number), cells);
	}
	if (rows < view->counts->row_count)
		text_printf(text, "(%zu more)\n", view->counts->row_count - rows);
	if (any_other(view->counts)) {
		cells_fill(cells, view, &view->counts->span.other, NULL);
		columns_row(columns, text, OTHER, cells);
	}
}

void stats_table(struct text *text, const struct stats_view *view)
{
	_cleanup_text_ struct text headings = {};
	struct columns columns = {};
	struct cell cells[COLUMNS_MAX];
	size_t rows = view->counts->row_count;

	if (view->rows_max && rows > view->rows_max)
		rows = view->rows_max;
	if (view->by->named)
		names_expect(view->names, rows);
	headings_set(&columns, &headings, view);
	measure(&columns, view, rows);
	if (view->legend) {
		text_puts(text, output_style(view->output, STYLE_HEADING));
		columns_heading(&columns, text, view->by->heading);
		text_puts(text, output_style(view->output, STYLE_END));
	}
	rows_append(text, &columns, view, rows);
	if (view->legend) {
		total_cells(cells, view);
		columns_row(&columns, text, "TOTAL", cells);
	}
}

/* Whether a number that has a column is unknown. */
static bool any_unknown(const struct stats_view *view)
{
	const struct counts *counts = view->counts;

	for (size_t i = 0; i < counts->totals.length; i++) {
		const struct counter *counter = &counts->counters[counts->totals.first + i];

		if (!counter->known && view->places[counter->column] < COUNTERS_MAX)
			return true;
	}
	return false;
}

/* Which time the counts are of. */
static void time_append(struct text *text, const struct counts *counts)
{
	const struct counts_span *span = &counts->span;

	if (!span->from) {
		text_puts(text, "counting since ");
		timestamp_since(text, counts_string(counts, counts->since));
		return;
	}
	text_puts(text, span->reached ? "since " : "since the history began, ");
	timestamp_since(text, counts_string(counts, span->from));
}

void stats_footer(struct text *text, const struct stats_view *view)
{
	const struct counts *counts = view->counts;

	text_puts(text, "\n");
	if (any_unknown(view))
		text_puts(text, "-: not covered by the hook in use, see 'ebpfctl probes'\n");
	if (any_other(counts))
		text_puts(text, OTHER ": rows that had no room in the history, added up\n");
	text_printf(text, "%zu %s%s, ", counts->row_count, view->by->noun,
		    counts->row_count == 1 ? "" : "s");
	time_append(text, counts);
	text_puts(text, ", ");
	losses_append(text, counts, view->output, "  ");
}
