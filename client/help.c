/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl help: the tables of verbs and options as text. */
#include "complaint.h"
#include "output.h"
#include "subcommands.h"

#include <stdio.h>

static void option_append(struct text *text, const struct option_row *row)
{
	char synopsis[64];

	snprintf(synopsis, sizeof(synopsis), "--%s%s", row->name, row->placeholder);
	if (row->letter)
		text_printf(text, "  -%c, %-24s %s\n", row->letter, synopsis, row->summary);
	else
		text_printf(text, "      %-24s %s\n", synopsis, row->summary);
}

static void options_append(struct text *text, int first, int end, unsigned int wanted)
{
	for (int i = first; i < end; i++)
		if (wanted & 1u << i)
			option_append(text, &option_rows[i]);
}

static void footer_append(struct text *text)
{
	text_puts(text, "\nOptions of every verb:\n");
	options_append(text, OPTIONS_GLOBAL, OPTION_COUNT, ~0u);
	text_puts(text, "\nSee ebpfctl(1).\n");
}

static int help_write(const struct options *options, const struct text *text)
{
	_cleanup_output_ struct output output = {};

	output_open(&output);
	output_page(&output, options);
	return output_write(&output, text);
}

static int help_all(const struct options *options)
{
	_cleanup_text_ struct text text = {};

	text_puts(&text,
		  "Usage: ebpfctl [OPTION...] [VERB]\n\n"
		  "Who runs what and who opens what on this machine, as ebpfmond counts it.\n\n"
		  "Verbs:\n");
	for (const struct subcommand *row = subcommands; row->name; row++) {
		char synopsis[64];

		snprintf(synopsis, sizeof(synopsis), "%s%s", row->name, row->placeholder);
		text_printf(&text, "  %-12s %s\n", synopsis, row->summary);
	}
	for (const struct subcommand *row = subcommands; row->name; row++)
		if (row->options) {
			text_printf(&text, "\nOptions of %s:\n", row->name);
			options_append(&text, 0, OPTIONS_GLOBAL, row->options);
		}
	footer_append(&text);
	return help_write(options, &text);
}

int help_subcommand(const struct options *options, const struct subcommand *subcommand)
{
	_cleanup_text_ struct text text = {};

	text_printf(&text, "Usage: ebpfctl [OPTION...] %s%s\n\n%s\n", subcommand->name,
		    subcommand->placeholder, subcommand->description);
	if (subcommand->options) {
		text_printf(&text, "\nOptions of %s:\n", subcommand->name);
		options_append(&text, 0, OPTIONS_GLOBAL, subcommand->options);
	}
	footer_append(&text);
	return help_write(options, &text);
}

int help_main(const struct options *options)
{
	const struct subcommand *subcommand;

	if (options->operand_count < 2)
		return help_all(options);
	subcommand = subcommand_find(options->operands[1]);
	return subcommand ? help_subcommand(options, subcommand) : CODE_USAGE;
}
