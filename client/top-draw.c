/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl top: its screen, and its lines for programs. */
#include "complaint.h"
#include "top.h"

#include <langinfo.h>
#include <string.h>
#include <time.h>

#define HELP \
	"q quit  p pause  < > sort by  n by name  v users, logins, units, commands  arrows scroll"

static struct top_view top_view(struct top *top)
{
	return (struct top_view){
		.rates = &top->rates,
		.by = top->question.by,
		.names = &top->names,
		.column = top->column,
		.width = top->screen.open ? top->screen.width : 0,
		.unicode = !strcmp(nl_langinfo(CODESET), "UTF-8"),
	};
}

static void time_append(struct text *text, bool date)
{
	time_t now = time(NULL);
	struct tm fields;
	char local[64];

	if (localtime_r(&now, &fields) &&
	    strftime(local, sizeof(local), date ? "%F %T %Z\n" : "%T", &fields))
		text_puts(text, local);
}

static const char *sort_name(const struct top *top)
{
	const struct counts *counts = &top->rates.counts;

	if (top->column < 0)
		return "name";
	return counts->column_count ? counts_string(counts, counts->columns[top->column]) : "";
}

static void status_append(const struct top *top, struct text *text)
{
	const struct counts *counts = &top->rates.counts;

	time_append(text, false);
	text_printf(text, "  %zu %s%s, %zu active  by %s per second, every %g s", counts->row_count,
		    top->question.by->noun, counts->row_count == 1 ? "" : "s", top->rates.active,
		    sort_name(top), (double)top->watch.interval_ms / 1000);
	text_puts(text, top->away ? "  RECONNECTING" : top->paused ? "  PAUSED" : "");
}

static bool any_loss(const struct counts *counts)
{
	for (size_t i = 0; i < counts->loss_count && i < LOSSES_MAX; i++)
		if (counts->losses[i].known && !counts->losses[i].zero)
			return true;
	return counts->gap_count;
}

static const char *message(const struct top *top)
{
	if (top->help)
		return HELP;
	if (top->away)
		return "ebpfmond does not answer: reconnecting";
	if (*top->news)
		return top->news;
	if (!top->rates.samples)
		return "waiting for a second answer";
	if (top->question.by->events && top->tally.lost)
		return "events were lost: these rates are too low, those of units and users are not";
	return any_loss(&top->rates.counts) ? "not everything was counted: see 'ebpfctl status'"
					    : "q quit  h help";
}

static void line_put(const struct top *top, unsigned int y, struct text *text,
		     enum screen_style style)
{
	screen_line(&top->screen, y, text, style);
	text_done(text);
}

static void rows_draw(struct top *top)
{
	const struct top_view view = top_view(top);
	unsigned int height = top->screen.height;
	size_t room = height > TOP_FRAME ? height - TOP_FRAME : 0;
	_cleanup_top_table_ struct top_table table;
	_cleanup_text_ struct text text = {};
	size_t end;

	if (top->skip + room > top->rates.active)
		top->skip = top->rates.active > room ? top->rates.active - room : 0;
	end = top->skip + room < top->rates.active ? top->skip + room : top->rates.active;
	top_table_open(&table, &view, top->skip, end);
	top_table_heading(&table, &text);
	line_put(top, TOP_HEADING - 1, &text, SCREEN_REVERSE);
	for (size_t i = top->skip; i < end; i++) {
		top_table_row(&table, top->rates.order[i], &text);
		line_put(top, TOP_HEADING + (unsigned int)(i - top->skip), &text, SCREEN_PLAIN);
	}
	top_table_row(&table, rates_totals(&top->rates), &text);
	line_put(top, height - 1, &text, SCREEN_BOLD);
}

static void screen_draw(struct top *top)
{
	_cleanup_text_ struct text text = {};

	screen_clear(&top->screen);
	if (top->screen.height >= TOP_FRAME)
		rows_draw(top);
	status_append(top, &text);
	line_put(top, 0, &text, top->away ? SCREEN_BOLD : SCREEN_PLAIN);
	text_puts(&text, message(top));
	line_put(top, 1, &text, SCREEN_PLAIN);
	screen_show(&top->screen);
}

/* News go where errors go: what is written is for programs. */
static int batch_draw(struct top *top)
{
	const struct top_view view = top_view(top);
	bool legend = !top->options->values[OPTION_NO_LEGEND];
	_cleanup_top_table_ struct top_table table;
	_cleanup_text_ struct text text = {};

	top_table_open(&table, &view, 0, top->rates.active);
	if (top->drawn)
		text_puts(&text, "\n");
	if (legend) {
		time_append(&text, true);
		top_table_heading(&table, &text);
		text_puts(&text, "\n");
	}
	for (size_t i = 0; i < top->rates.active; i++) {
		top_table_row(&table, top->rates.order[i], &text);
		text_puts(&text, "\n");
	}
	if (legend) {
		top_table_row(&table, rates_totals(&top->rates), &text);
		text_puts(&text, "\n");
	}
	return output_write(&top->output, &text);
}

static int batch_step(struct top *top, bool was_away)
{
	if (top->away != was_away)
		complain(CODE_OK, top->away ? "ebpfmond does not answer: reconnecting"
					    : "ebpfmond answers again");
	if (*top->news)
		complain(CODE_OK, "%s", top->news);
	return top->away || !top->rates.samples ? CODE_OK : batch_draw(top);
}

void top_redraw(struct top *top)
{
	rates_sort(&top->rates, top->column);
	screen_draw(top);
}

int top_draw(struct top *top, bool was_away)
{
	int code = CODE_OK;

	rates_sort(&top->rates, top->column);
	if (top->screen.open)
		screen_draw(top);
	else
		code = batch_step(top, was_away);
	if (!top->rates.samples || top->away || top->paused)
		return code;
	top->drawn = true;
	if (top->left && !--top->left)
		top->quit = true;
	return code;
}
