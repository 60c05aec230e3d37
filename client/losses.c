/* SPDX-License-Identifier: GPL-2.0-only */
/* Words for losses. */
#include "losses.h"
#include "timestamp.h"

#include <string.h>

/* The name of a loss; "of" is part of some. */
static void label_append(struct text *text, const struct counts *counts, const struct loss *loss)
{
	static const struct {
		const char *kind;
		const char *before; /* "of" */
		const char *after;
	} labels[] = {
		{ "overflow", "counted for nobody, for lack of room", "" },
		{ "updateErrors", "rows refused, ", "" },
		{ "dispatchMisses", "not counted while a program was replaced", "" },
		{ "misses", "runs of probe '", "' skipped by the kernel" },
		{ "unaccounted", "unaccounted for, TOTAL is not rows plus overflow", "" },
	};
	const char *kind = counts_string(counts, loss->kind);
	const char *of = counts_string(counts, loss->of);

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (!strcmp(kind, labels[i].kind)) {
			text_printf(text, "%s%s%s", labels[i].before, of, labels[i].after);
			return;
		}
	text_printf(text, "%s%s%s", kind, *of ? " " : "", of);
}

/* " (execs 5, opens 7)": what is in no row, by counter. */
static void overflow_append(struct text *text, const struct counts *counts)
{
	const char *separator = " (";

	for (size_t i = 0; i < counts->overflow.length; i++) {
		const struct counter *counter = &counts->counters[counts->overflow.first + i];

		if (!counter->value)
			continue;
		text_printf(text, "%s%s %llu", separator,
			    counts_string(counts, counts->columns[counter->column]),
			    (unsigned long long)counter->value);
		separator = ", ";
	}
	text_puts(text, *separator == ',' ? ")" : "");
}

static void loss_append(struct text *text, const struct counts *counts, const struct loss *loss)
{
	label_append(text, counts, loss);
	text_printf(text, ": %s", counts_string(counts, loss->number));
	if (!strcmp(counts_string(counts, loss->kind), "overflow"))
		overflow_append(text, counts);
	text_puts(text, "\n");
}

/* Not a time without counting, but of two clocks. */
static bool gap_is_clock(const struct counts *counts, const struct gap *gap)
{
	return !strcmp(counts_string(counts, gap->hook), "clock");
}

static void clock_append(struct text *text, const struct counts *counts, const struct gap *gap)
{
	text_printf(text, "%s; times told before ", counts_string(counts, gap->reason));
	timestamp_at(text, counts_string(counts, gap->to));
	text_puts(text, " may be off\n");
}

static void gap_append(struct text *text, const struct counts *counts, const struct gap *gap)
{
	const char *to = counts_string(counts, gap->to);
	bool over = strcmp(to, "-") != 0;

	text_printf(text, "probe '%s' %s by %s %s ", counts_string(counts, gap->probe),
		    over ? "did not count" : "does not count", counts_string(counts, gap->hook),
		    over ? "from" : "since");
	timestamp_at(text, counts_string(counts, gap->from));
	if (over) {
		text_puts(text, " to ");
		timestamp_at(text, to);
	}
	text_printf(text, ": %s\n", counts_string(counts, gap->reason));
}

/* Their number, without that of the clock, which is told in @clock. */
static size_t gaps_append(struct text *text, const struct counts *counts, const char *indent,
			  struct text *clock)
{
	size_t shown = counts->gap_count;

	for (size_t i = 0; i < counts->gap_count && i < GAPS_MAX; i++) {
		const struct gap *gap = &counts->gaps[i];

		if (gap_is_clock(counts, gap)) {
			clock_append(clock, counts, gap);
			shown--;
			continue;
		}
		text_puts(text, indent);
		gap_append(text, counts, gap);
	}
	if (counts->gap_count > GAPS_MAX)
		text_printf(text, "%sand %zu gaps more, see 'ebpfctl stats -j'\n", indent,
			    counts->gap_count - GAPS_MAX);
	return shown;
}

/* The losses that there were, a line each; their number. */
static size_t known_append(struct text *text, const struct counts *counts, const char *indent,
			   struct text *clock)
{
	size_t shown = 0;

	for (size_t i = 0; i < counts->loss_count && i < LOSSES_MAX; i++)
		if (counts->losses[i].known && !counts->losses[i].zero) {
			text_puts(text, indent);
			loss_append(text, counts, &counts->losses[i]);
			shown++;
		}
	if (counts->loss_count > LOSSES_MAX)
		text_printf(text, "%sand %zu kinds more, see 'ebpfctl stats -j'\n", indent,
			    counts->loss_count - LOSSES_MAX);
	return shown + gaps_append(text, counts, indent, clock) + (counts->loss_count > LOSSES_MAX);
}

/* "not known: ..." with all that is null; whether anything is. */
static bool unknown_append(struct text *text, const struct counts *counts, const char *indent)
{
	const char *separator = "not known: ";
	bool any = false;

	for (size_t i = 0; i < counts->loss_count && i < LOSSES_MAX; i++)
		if (!counts->losses[i].known) {
			text_printf(text, "%s%s", any ? "" : indent, separator);
			label_append(text, counts, &counts->losses[i]);
			separator = "; ";
			any = true;
		}
	text_puts(text, any ? "\n" : "");
	return any;
}

void losses_append(struct text *text, const struct counts *counts, const struct output *output,
		   const char *indent)
{
	_cleanup_text_ struct text known = {}, unknown = {}, clock = {};
	bool lost = known_append(&known, counts, indent, &clock);
	bool unsure = unknown_append(&unknown, counts, indent);

	if (lost)
		text_printf(text, "%snot everything was counted:%s\n",
			    output_style(output, STYLE_BAD), output_style(output, STYLE_END));
	else
		text_puts(text, unsure ? "nothing lost as far as is known\n" : "nothing lost\n");
	text_append(text, known.data ? known.data : "", known.length);
	text_append(text, unknown.data ? unknown.data : "", unknown.length);
	if (clock.length)
		text_printf(text, "%snote: %s", indent, clock.data);
	if (known.error || unknown.error || clock.error)
		text->error = -ENOMEM;
}
