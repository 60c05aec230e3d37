/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl probes: what is counted, how, and what is missing. */
#include "answer.h"
#include "complaint.h"
#include "subcommands.h"
#include "table.h"

#include <string.h>

static enum style state_style(const char *state)
{
	static const struct {
		const char *state;
		enum style style;
	} styles[] = {
		{ "running", STYLE_GOOD },
		{ "degraded", STYLE_WARNING },
		{ "unsupported", STYLE_BAD },
		{ "disabled", STYLE_DIM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
		if (!strcmp(state, styles[i].state))
			return styles[i].style;
	return STYLE_WARNING;
}

/* "+compat,-ioUring": what the hooks see, and what not. */
static void coverage_append(struct text *text, struct json_object *probe)
{
	struct json_object *coverage = answer_member(probe, "coverage", json_type_object);
	const char *separator = "";

	if (!coverage)
		return;
	json_object_object_foreach(coverage, key, value) {
		text_printf(text, "%s%c", separator, json_object_get_boolean(value) ? '+' : '-');
		text_safe(text, key, strlen(key));
		separator = ",";
	}
}

static void cell_add(struct table *table, const struct text *text, const char *fallback,
		     const char *colour)
{
	if (text->error)
		table->error = text->error;
	table_cell(table, text->length ? text->data : fallback, colour);
}

static void probe_row(struct table *table, const struct output *output, struct json_object *probe)
{
	_cleanup_text_ struct text name = {}, state = {}, hooks = {}, coverage = {}, misses = {},
				   reason = {};

	answer_append(&name, probe, "name");
	answer_append(&state, probe, "state");
	answer_list(&hooks, probe, "hooks", ",");
	coverage_append(&coverage, probe);
	if (answer_member(probe, "misses", json_type_int))
		answer_append(&misses, probe, "misses");
	answer_append(&reason, probe, "reason");
	table_row(table);
	cell_add(table, &name, "-", "");
	cell_add(table, &state, "-",
		 output_style(output, state_style(state.data ? state.data : "")));
	cell_add(table, &hooks, "-", "");
	cell_add(table, &coverage, "-", "");
	cell_add(table, &misses, "unknown", "");
	cell_add(table, &reason, "-", "");
}

/* What the table has no column for. */
static void footer_append(struct text *text, struct json_object *probes)
{
	size_t count = json_object_array_length(probes);

	text_puts(text, "\n");
	for (size_t i = 0; i < count; i++) {
		struct json_object *probe = json_object_array_get_idx(probes, i);
		struct json_object *survives =
			answer_member(probe, "survivesRestart", json_type_boolean);

		if (!survives || json_object_get_boolean(survives) ||
		    !json_object_array_length(answer_member(probe, "hooks", json_type_array)))
			continue;
		text_puts(text, "'");
		answer_append(text, probe, "name");
		text_puts(text, "' does not count while the daemon is away\n");
	}
	text_puts(text, "COVERAGE: what the hooks see (+) and do not see (-); "
			"MISSES: runs skipped by the kernel\n");
}

static int probes_show(struct output *output, const struct options *options,
		       struct json_object *probes)
{
	static const struct {
		const char *heading;
		enum column_kind kind;
	} columns[] = {
		{ "NAME", COLUMN_TEXT },     { "STATE", COLUMN_TEXT },	  { "HOOKS", COLUMN_LIST },
		{ "COVERAGE", COLUMN_LIST }, { "MISSES", COLUMN_NUMBER }, { "REASON", COLUMN_REST },
	};
	_cleanup_table_ struct table table = {};
	_cleanup_text_ struct text text = {};
	bool legend = !options->values[OPTION_NO_LEGEND];

	table_open(&table, output, legend);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		table_column(&table, output, columns[i].heading, columns[i].kind);
	for (size_t i = 0; i < json_object_array_length(probes); i++)
		probe_row(&table, output, json_object_array_get_idx(probes, i));
	table_append(&table, &text);
	if (legend)
		footer_append(&text, probes);
	output_page(output, options);
	return output_write(output, &text);
}

int probes_main(const struct options *options)
{
	_cleanup_connection_ struct connection connection = connection_to(options->socket);
	_cleanup_json_object_ struct json_object *object = NULL;
	_cleanup_output_ struct output output = {};
	struct json_object *probes;
	struct reply reply;
	int code = connection_ask(&connection, "ListProbes", NULL, &reply);

	if (code)
		return code;
	output_open(&output);
	if (options->json) {
		output_page(&output, options);
		return output_json(&output, options->json, reply.parameters);
	}
	code = answer_parse(&connection, &reply, &object);
	if (code)
		return code;
	probes = answer_member(object, "probes", json_type_array);
	return probes ? probes_show(&output, options, probes)
		      : connection_complain(&connection, -EBADMSG);
}
