/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl events: what happens, as it happens, and what was lost on the way. */
#include "answer.h"
#include "command.h"
#include "complaint.h"
#include "event-line.h"
#include "question.h"
#include "subcommands.h"
#include "subscription.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

enum {
	QUIET_MS = 200,	     /* after a command has ended: all it did has been read by then */
	WRITE_BYTES = 65536, /* gathered before they are written while more is there */
	LOSSES_MAX = 32,     /* kinds of them told apart in the summary */
};

struct loss {
	char what[64]; /* "open, buffer" */
	uint64_t count;
	bool unknown; /* there were some whose number is not ours to know */
};

struct stream {
	const struct options *options;
	struct connection connection;
	struct output output;
	struct event_line line;
	struct command command;
	struct text text; /* to be written */
	uint64_t events, limit;
	struct loss losses[LOSSES_MAX];
	size_t n_losses;
	bool open; /* the daemon has answered */
};

/* --- what is asked for ------------------------------------------------------------------------- */

static void member_begin(struct text *text, const char *name)
{
	text_printf(text, "%s\"%s\":", text->length > 1 ? "," : "", name);
}

/* @value as a JSON string. */
static int string_member(struct text *text, const char *name, const char *value)
{
	_cleanup_json_object_ struct json_object *string = json_object_new_string(value);
	const char *json = string ? json_object_to_json_string(string) : NULL;

	if (!json)
		return complain(CODE_FAILURE, "out of memory");
	member_begin(text, name);
	text_puts(text, json);
	return CODE_OK;
}

static int number_parse(const char *option, const char *value, uint64_t max, uint64_t *ret_number)
{
	size_t digits = strspn(value, "0123456789");
	uint64_t number = strtoull(value, NULL, 10);

	if (!digits || value[digits] || digits > 10 || !number || number > max)
		return complain(CODE_USAGE, "--%s takes a number from 1 to %" PRIu64 ", not '%s'",
				option, max, value);
	*ret_number = number;
	return CODE_OK;
}

static int user_member(struct text *text, const struct options *options, enum option_id option)
{
	const char *name = option_rows[option].name, *value = options->values[option];
	uint64_t uid;
	int code;

	if (!value)
		return CODE_OK;
	code = names_find(name, value, &uid);
	if (code)
		return code;
	member_begin(text, name);
	text_printf(text, "%" PRIu64, uid);
	return CODE_OK;
}

static int probes_member(struct text *text, const struct options *options)
{
	int code = CODE_OK;

	if (options->operand_count < 2)
		return CODE_OK;
	member_begin(text, "probes");
	text_puts(text, "[");
	for (unsigned int i = 1; !code && i < options->operand_count; i++) {
		_cleanup_json_object_ struct json_object *string =
			json_object_new_string(options->operands[i]);
		const char *json = string ? json_object_to_json_string(string) : NULL;

		text_puts(text, i > 1 ? "," : "");
		if (json)
			text_puts(text, json);
		else
			code = complain(CODE_FAILURE, "out of memory");
	}
	text_puts(text, "]");
	return code;
}

/* With a command all descendants of ours are meant: there are no others. */
static int process_members(struct text *text, const struct options *options)
{
	const char *value = options->values[OPTION_PID];
	uint64_t pid = (uint64_t)getpid();
	bool children = options->command || options->values[OPTION_CHILDREN];
	int code;

	if (options->command && value)
		return complain(CODE_USAGE, "--pid cannot be used with a command");
	if (!options->command && !value)
		return children ? complain(CODE_USAGE, "--children needs --pid") : CODE_OK;
	if (value) {
		code = number_parse("pid", value, INT32_MAX, &pid);
		if (code)
			return code;
	}
	member_begin(text, "pid");
	text_printf(text, "%" PRIu64, pid);
	member_begin(text, "children");
	text_puts(text, children ? "true" : "false");
	return CODE_OK;
}

static int duration_member(struct text *text, const struct options *options)
{
	const char *value = options->values[OPTION_MIN_DURATION];
	uint64_t usec;

	if (!value)
		return CODE_OK;
	usec = span_usec(value);
	if (!usec)
		return complain(CODE_USAGE,
				"--min-duration takes a time like 100ms, 5s or 1h30m, up to 366d, "
				"not '%s'",
				value);
	member_begin(text, "minDuration");
	text_printf(text, "%" PRIu64, usec);
	return CODE_OK;
}

static int parameters_write(const struct options *options, struct text *text)
{
	static const enum option_id strings[] = { OPTION_UNIT, OPTION_COMM, OPTION_PATH };
	int code;

	text_puts(text, "{");
	code = probes_member(text, options);
	if (!code)
		code = user_member(text, options, OPTION_UID);
	if (!code)
		code = user_member(text, options, OPTION_LOGIN);
	for (size_t i = 0; !code && i < ARRAY_SIZE(strings); i++)
		if (options->values[strings[i]])
			code = string_member(text, option_rows[strings[i]].name,
					     options->values[strings[i]]);
	if (!code)
		code = process_members(text, options);
	if (!code)
		code = duration_member(text, options);
	if (!code && options->values[OPTION_FAILED]) {
		member_begin(text, "failed");
		text_puts(text, "true");
	}
	text_puts(text, "}");
	if (!code && (text->error || message_check(text->data, text->length, 2)))
		return complain(CODE_USAGE, "a name to filter by is no text in UTF-8");
	return code;
}

static int form_parse(const struct options *options, enum event_form *ret_form)
{
	static const char *const forms[] = {
		[EVENT_SHORT] = "short", [EVENT_FULL] = "full", [EVENT_CAT] = "cat"
	};
	const char *value = options->values[OPTION_OUTPUT];

	*ret_form = EVENT_SHORT;
	for (size_t i = 0; value && i < ARRAY_SIZE(forms); i++)
		if (!strcmp(value, forms[i])) {
			*ret_form = (enum event_form)i;
			return CODE_OK;
		}
	return value ? complain(CODE_USAGE, "--output is short, full or cat, not '%s'", value)
		     : CODE_OK;
}

/* Also of the command, if there is one: it does nothing before the daemon has answered. */
static uint64_t realtime_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- what comes -------------------------------------------------------------------------------- */

static int write_out(struct stream *stream)
{
	int code = stream->text.length ? output_write(&stream->output, &stream->text) : CODE_OK;

	stream->text.length = 0;
	return code;
}

static void loss_add(struct stream *stream, struct slice lost)
{
	struct reader reader = reader_of(lost);
	_cleanup_text_ struct text probe = {}, reason = {};
	struct loss loss = {};
	struct slice key;
	bool known = false;
	size_t i = 0;

	reader_object(&reader);
	while (reader_member(&reader, &key)) {
		if (slice_is(key, "probe"))
			reader_string(&reader, &probe);
		else if (slice_is(key, "reason"))
			reader_string(&reader, &reason);
		else if (slice_is(key, "count"))
			reader_count(&reader, &loss.count, &known);
		else
			reader_value(&reader);
	}
	if (reader.error || !probe.data || !reason.data)
		return;
	snprintf(loss.what, sizeof(loss.what), "%s%s%s", reason.data,
		 strcmp(probe.data, "-") != 0 ? ", " : "",
		 strcmp(probe.data, "-") != 0 ? probe.data : "");
	while (i < stream->n_losses && strcmp(stream->losses[i].what, loss.what) != 0)
		i++;
	if (i == LOSSES_MAX)
		i--;
	else if (i == stream->n_losses)
		stream->losses[stream->n_losses++] = loss;
	else
		stream->losses[i].count += loss.count;
	stream->losses[i].unknown |= !known;
	if (!stream->options->json && known)
		text_printf(&stream->text, "%s-- %" PRIu64 " events lost: %s --%s\n",
			    output_style(&stream->output, STYLE_WARNING), loss.count, loss.what,
			    output_style(&stream->output, STYLE_END));
}

/* Ours are among the descendants of the command's parent. */
static bool is_own(const struct stream *stream, struct slice event)
{
	char own[32];
	int length;

	if (!stream->command.pid)
		return false;
	length = snprintf(own, sizeof(own), "\"pid\":%d,", (int)getpid());
	return memmem(event.text, event.length, own, (size_t)length);
}

static int json_append(struct stream *stream, struct slice value)
{
	int code;

	if (stream->options->json == JSON_SHORT && !stream->output.terminal) {
		text_append(&stream->text, value.text, value.length);
		text_puts(&stream->text, "\n");
		return CODE_OK;
	}
	code = write_out(stream);
	return code ? code : output_json(&stream->output, stream->options->json, value);
}

static int event_take(struct stream *stream, struct slice event)
{
	int error;

	if (is_own(stream, event))
		return CODE_OK;
	stream->events++;
	if (stream->options->json)
		return json_append(stream, event);
	error = event_line_append(&stream->line, event, &stream->text);
	return error ? connection_complain(&stream->connection, error) : CODE_OK;
}

/* The daemon has accepted what it was asked for. The heading is above what the command writes. */
static int begin(struct stream *stream)
{
	int code = CODE_OK;

	stream->open = true;
	if (!stream->options->json && !stream->options->values[OPTION_NO_LEGEND]) {
		event_line_heading(&stream->line, &stream->text);
		code = write_out(stream);
	}
	command_go(&stream->command);
	return code;
}

static int message_take(struct stream *stream, struct slice text)
{
	struct subscription_message message;
	int code = CODE_OK;

	if (subscription_read(text, &message))
		return connection_complain(&stream->connection, -EBADMSG);
	if (message.reply.error.text)
		return reply_complain(&message.reply, SUBSCRIBE);
	if (!stream->open)
		code = begin(stream);
	if (!code && message.event.text)
		code = event_take(stream, message.event);
	if (!code && message.lost.text) {
		loss_add(stream, message.lost);
		code = stream->options->json ? json_append(stream, message.lost) : CODE_OK;
	}
	return code;
}

/* --- until when -------------------------------------------------------------------------------- */

/* Whether the stream is to end: interrupted, or the command has ended. */
static bool signal_take(struct stream *stream)
{
	struct signalfd_siginfo info;
	bool stop = false;

	while (read(stream->connection.interrupt_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			command_reap(&stream->command);
		else if (!stream->command.pid)
			stop = true; /* otherwise it is the command's to end */
	}
	return stop || stream->command.ended;
}

/* Messages until none comes for @timeout_ms, a signal (-EINTR), or enough. */
static int follow(struct stream *stream, int timeout_ms, int *ret_code)
{
	int code = CODE_OK, result = 0;
	struct slice message;

	while (!code && !stream->output.closed) {
		if (stream->limit && stream->events >= stream->limit)
			break;
		result = connection_next(&stream->connection, 0, &message);
		if (!result) {
			code = write_out(stream);
			if (!code)
				result = connection_next(&stream->connection, timeout_ms, &message);
		}
		if (result <= 0)
			break;
		code = message_take(stream, message);
		if (!code && stream->text.length >= WRITE_BYTES)
			code = write_out(stream);
	}
	*ret_code = code ? code : write_out(stream);
	return code ? 0 : result;
}

/* Whoever was told events must know that they have an end. */
static int broken_off(const struct stream *stream, int result)
{
	if (result == -ECONNRESET && stream->open)
		return complain(CODE_FAILURE, "ebpfmond ended, or was started again: what happened "
					      "after these events is not told");
	return connection_complain(&stream->connection, result);
}

/* The daemon reads all that was written before it answers a question. */
static int finish(struct stream *stream)
{
	_cleanup_connection_ struct connection other = connection_to(stream->options->socket);
	struct reply reply;
	int result, code;

	if (connection_call(&other, "GetStatus", NULL, &reply))
		return CODE_OK; /* the stream will say why */
	stream->connection.interrupt_fd = -1;
	result = follow(stream, QUIET_MS, &code);
	return result < 0 ? broken_off(stream, result) : code;
}

static int signals_open(struct stream *stream)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	stream->connection.interrupt_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return stream->connection.interrupt_fd < 0
		       ? complain(CODE_FAILURE, "cannot watch for signals: %s", strerror(errno))
		       : CODE_OK;
}

static int run(struct stream *stream, const char *parameters)
{
	int result, code = CODE_OK;

	result = connection_stream(&stream->connection, SUBSCRIBE, parameters);
	if (result < 0)
		return connection_complain(&stream->connection, result);
	do
		result = follow(stream, -1, &code);
	while (result == -EINTR && !code && !signal_take(stream));
	if (code || (result < 0 && result != -EINTR))
		return code ? code : broken_off(stream, result);
	return stream->command.ended ? finish(stream) : CODE_OK;
}

static void summary_print(const struct stream *stream)
{
	_cleanup_text_ struct text text = {};

	text_printf(&text, "%" PRIu64 " events, ", stream->events);
	for (size_t i = 0; i < stream->n_losses; i++)
		text_printf(&text, "%s%s%" PRIu64 " lost (%s)", i ? ", " : "",
			    stream->losses[i].unknown ? "at least " : "", stream->losses[i].count,
			    stream->losses[i].what);
	if (!stream->n_losses)
		text_puts(&text, "none lost");
	if (text.data)
		fprintf(stderr, "%s\n", text.data);
}

/* What the command does when nobody looks any more is its own business, but not when it ends. */
static int show(struct stream *stream, const char *parameters)
{
	const struct options *options = stream->options;
	int code = CODE_OK;

	if (options->values[OPTION_NUMBER])
		code = number_parse("number", options->values[OPTION_NUMBER], UINT32_MAX,
				    &stream->limit);
	if (!code)
		code = form_parse(options, &stream->line.form);
	if (!code)
		code = signals_open(stream);
	if (!code && options->command)
		code = command_prepare(&stream->command, options->command);
	if (code)
		return code;
	if (options->values[OPTION_SINCE_START])
		stream->line.origin_usec = realtime_usec();
	output_open(&stream->output);
	stream->line.output = &stream->output;
	code = run(stream, parameters);
	command_wait(&stream->command);
	if (stream->open && !options->values[OPTION_NO_LEGEND])
		summary_print(stream);
	return code ? code : stream->command.code;
}

int events_main(const struct options *options)
{
	struct stream stream = { .options = options, .connection = connection_to(options->socket) };
	_cleanup_text_ struct text parameters = {};
	int code;

	if (options->command && !*options->command)
		return complain(CODE_USAGE, "there is no command behind '--'");
	code = parameters_write(options, &parameters);
	if (!code)
		code = show(&stream, parameters.data);
	close_fd(stream.connection.interrupt_fd);
	connection_close(&stream.connection);
	event_line_done(&stream.line);
	text_done(&stream.text);
	return code;
}
