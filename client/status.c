/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl status: how the daemon is. */
#include "answer.h"
#include "complaint.h"
#include "losses.h"
#include "names.h"
#include "subcommands.h"
#include "timestamp.h"

#include <inttypes.h>

#define INDENT "            " /* of lines under a key */

/* A time of @object, with its age. */
static void since_append(struct text *text, struct json_object *object, const char *key)
{
	_cleanup_text_ struct text since = {};

	answer_append(&since, object, key);
	timestamp_since(text, since.data ? since.data : "-");
}

static void bytes_append(struct text *text, uint64_t bytes)
{
	text_printf(text, "%.1f MiB", (double)bytes / (1 << 20));
}

static void daemon_append(struct text *text, struct json_object *status)
{
	_cleanup_names_ struct names names = {};
	struct json_object *uid = answer_member(status, "uid", json_type_int);
	const char *user = uid ? names_get(&names, json_object_get_uint64(uid)) : NULL;

	text_puts(text, "ebpfmond ");
	answer_append(text, status, "version");
	text_puts(text, ", running since ");
	since_append(text, status, "started");
	text_puts(text, "\n  Status: ");
	answer_append(text, status, "status");
	text_puts(text, "\n     PID: ");
	answer_append(text, status, "pid");
	text_puts(text, " (user ");
	if (user)
		text_puts(text, user);
	else
		answer_append(text, status, "uid");
	text_puts(text, ")\n");
}

static void counting_append(struct text *text, struct json_object *status,
			    const struct output *output)
{
	uint64_t used = answer_number(status, "subjects"),
		 max = answer_number(status, "subjectsMax");

	text_puts(text, "Counting: since ");
	since_append(text, status, "since");
	text_puts(text, ", start ");
	answer_append(text, status, "generation");
	text_puts(text, " of the daemon\n    Pins: ");
	answer_append(text, status, "pins");
	text_printf(text, "\nSubjects: %s", used >= max ? output_style(output, STYLE_BAD) : "");
	answer_append(text, status, "subjects");
	text_puts(text, " of ");
	answer_append(text, status, "subjectsMax");
	text_printf(text, "%s, settled %" PRIu64 "\n  Memory: ",
		    used >= max ? output_style(output, STYLE_END) : "",
		    answer_number(status, "settled"));
	bytes_append(text, answer_number(status, "memory"));
	text_puts(text, ", kernel maps ");
	bytes_append(text, answer_number(status, "kernelMemory"));
	text_puts(text, "\n");
}

static void clients_append(struct text *text, struct json_object *status)
{
	static const struct {
		const char *key;
		const char *label;
	} limits[] = {
		{ "refusedTotal", "connections refused, too many in all" },
		{ "refusedPerUid", "connections refused, too many of one user" },
		{ "acceptErrors", "connections that could not be accepted" },
		{ "closedProtocol", "connections closed, request malformed" },
		{ "closedSize", "connections closed, request too long" },
		{ "closedQueue", "connections closed, answers not read" },
		{ "closedTimeout", "connections closed, request not completed" },
	};
	struct json_object *clients = answer_member(status, "clients", json_type_object);
	bool hit = false;

	text_puts(text, " Clients: ");
	answer_append(text, clients, "connected");
	text_puts(text, " connected, ");
	answer_append(text, clients, "accepted");
	text_puts(text, " accepted, ");
	answer_append(text, clients, "calls");
	text_puts(text, " calls, ");
	answer_append(text, clients, "errors");
	text_puts(text, " answered with an error\n  Limits: ");
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		uint64_t number = answer_number(clients, limits[i].key);

		if (number)
			text_printf(text, "%s" INDENT "%s: %llu\n", hit ? "" : "some were hit:\n",
				    limits[i].label, (unsigned long long)number);
		hit = hit || number;
	}
	text_puts(text, hit ? "" : "none was hit\n");
}

/* Losses are those of GetStats; by login its answer is shortest. */
static int losses_ask(struct connection *connection, struct text *text, const struct output *output)
{
	_cleanup_counts_ struct counts counts = {};
	struct reply reply;
	int error, code = connection_ask(connection, "GetStats", "{\"by\":\"login\"}", &reply);

	if (code)
		return code;
	error = counts_read(&counts, reply.parameters);
	if (error)
		return connection_complain(connection, error);
	text_puts(text, "  Losses: ");
	losses_append(text, &counts, output, INDENT);
	return CODE_OK;
}

/* Nothing if no events were to be in the journal since the daemon started. */
static void journal_append(struct text *text, struct json_object *journal)
{
	static const struct {
		const char *key, *label;
	} numbers[] = {
		{ "entries", " entries" },
		{ "suppressed", " suppressed" },
		{ "lost", " not read by journald in time" },
		{ "unsent", " not taken by it" },
	};
	uint64_t sum = 0;

	for (size_t i = 0; journal && i < ARRAY_SIZE(numbers); i++)
		sum += answer_number(journal, numbers[i].key);
	for (size_t i = 0; sum && i < ARRAY_SIZE(numbers); i++) {
		text_puts(text, i ? ", " : " Journal: ");
		answer_append(text, journal, numbers[i].key);
		text_puts(text, numbers[i].label);
	}
	text_puts(text, sum ? "\n" : "");
}

/* Nothing for who does not see everything, and from a daemon that has no events. */
static void events_append(struct text *text, struct json_object *status)
{
	struct json_object *events = answer_member(status, "events", json_type_object);

	if (!events)
		return;
	text_puts(text, "  Events: ");
	answer_append(text, events, "subscribers");
	text_puts(text, " subscribers, ");
	answer_append(text, events, "lostClients");
	text_puts(text, " lost by slow clients\n");
	journal_append(text, answer_member(events, "journal", json_type_object));
}

int status_main(const struct options *options)
{
	_cleanup_connection_ struct connection connection = connection_to(options->socket);
	_cleanup_json_object_ struct json_object *status = NULL;
	_cleanup_output_ struct output output = {};
	_cleanup_text_ struct text text = {};
	struct reply reply;
	int code = connection_ask(&connection, "GetStatus", NULL, &reply);

	if (code)
		return code;
	output_open(&output);
	if (options->json) {
		output_page(&output, options);
		return output_json(&output, options->json, reply.parameters);
	}
	code = answer_parse(&connection, &reply, &status);
	if (code)
		return code;
	daemon_append(&text, status);
	counting_append(&text, status, &output);
	clients_append(&text, status);
	events_append(&text, status);
	code = losses_ask(&connection, &text, &output);
	if (code)
		return code;
	output_page(&output, options);
	return output_write(&output, &text);
}
