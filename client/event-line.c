/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as lines: event-line.h. */
#include "event-line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	TYPE_WIDTH = 6,
	PID_WIDTH = 7,
	USER_WIDTH = 10,
	COMM_WIDTH = 15,
	ERROR_WIDTH = 8,
	DETAIL_MIN = 20, /* narrower terminals wrap */
	USEC = 1000000,
	TIME_BYTES = 19, /* "2026-01-31T23:59:59" */
};

/* Members that a line is made of, as they are written. */
enum member {
	MEMBER_TIME,
	MEMBER_TYPE,
	MEMBER_PID,
	MEMBER_UID,
	MEMBER_COMM,
	MEMBER_COMM_BYTES,
	MEMBER_PATH,
	MEMBER_PATH_BYTES,
	MEMBER_ASKED,
	MEMBER_ASKED_BYTES,
	MEMBER_ARGUMENTS,
	MEMBER_ARGUMENTS_BYTES,
	MEMBER_ERROR,
	MEMBER_EXIT_CODE,
	MEMBER_SIGNAL,
	MEMBER_CORE_DUMPED,
	MEMBER_DURATION,
	MEMBER_CHILD_TID,
	MEMBER_THREAD,
	MEMBER_RENAME,
	MEMBERS,
};

static const char *const members[MEMBERS] = {
	[MEMBER_TIME] = "time",
	[MEMBER_TYPE] = "type",
	[MEMBER_PID] = "pid",
	[MEMBER_UID] = "uid",
	[MEMBER_COMM] = "comm",
	[MEMBER_COMM_BYTES] = "commBytes",
	[MEMBER_PATH] = "path",
	[MEMBER_PATH_BYTES] = "pathBytes",
	[MEMBER_ASKED] = "asked",
	[MEMBER_ASKED_BYTES] = "askedBytes",
	[MEMBER_ARGUMENTS] = "arguments",
	[MEMBER_ARGUMENTS_BYTES] = "argumentsBytes",
	[MEMBER_ERROR] = "error",
	[MEMBER_EXIT_CODE] = "exitCode",
	[MEMBER_SIGNAL] = "signal",
	[MEMBER_CORE_DUMPED] = "coreDumped",
	[MEMBER_DURATION] = "duration",
	[MEMBER_CHILD_TID] = "childTid",
	[MEMBER_THREAD] = "thread",
	[MEMBER_RENAME] = "rename",
};

static const struct slice nothing = { "null", 4 };

void event_line_done(struct event_line *line)
{
	names_done(&line->names);
}

static int read_members(struct slice event, struct slice ret_values[MEMBERS])
{
	struct reader reader = reader_of(event);
	struct slice key;

	for (int i = 0; i < MEMBERS; i++)
		ret_values[i] = nothing;
	reader_object(&reader);
	while (reader_member(&reader, &key)) {
		struct slice value = reader_value(&reader);

		for (int i = 0; i < MEMBERS; i++)
			if (slice_is(key, members[i]))
				ret_values[i] = value;
	}
	return reader.error;
}

static bool is_null(struct slice value)
{
	return slice_is(value, "null");
}

/* The string @value, or all its bytes if @bytes are there; safe. */
static void string_append(struct text *text, struct slice value, struct slice bytes)
{
	struct reader reader = reader_of(is_null(bytes) ? value : bytes);

	if (is_null(bytes))
		reader_string(&reader, text);
	else
		reader_base64(&reader, text);
}

/* --- one line ---------------------------------------------------------------------------------- */

static void second_remember(struct event_line *line, const char *text)
{
	struct tm fields = {};
	time_t when;

	memcpy(line->second, text, TIME_BYTES);
	line->second[TIME_BYTES] = '\0';
	strptime(line->second, "%Y-%m-%dT%H:%M:%S", &fields);
	when = timegm(&fields);
	line->second_usec = (uint64_t)when * USEC;
	if (!localtime_r(&when, &fields) ||
	    !strftime(line->local, sizeof(line->local), "%H:%M:%S", &fields))
		strcpy(line->local, "-");
}

/* @fraction: ".123456" and more; none is negative, the clock may have been set back. */
static void elapsed_append(const struct event_line *line, const char *fraction, struct text *text)
{
	uint64_t usec = line->second_usec;

	for (uint64_t i = 1, digit = USEC / 10; i <= 6 && fraction[i] >= '0' && fraction[i] <= '9';
	     i++, digit /= 10)
		usec += (uint64_t)(fraction[i] - '0') * digit;
	usec = usec > line->origin_usec ? usec - line->origin_usec : 0;
	text_printf(text, "%5" PRIu64 ".%06" PRIu64 " ", usec / USEC, usec % USEC);
}

/* Local time of day with milliseconds, or seconds since the origin; @time is a JSON string. */
static void time_append(struct event_line *line, struct slice time, struct text *text)
{
	if (time.length < TIME_BYTES + 6) {
		text_puts(text, "-            ");
		return;
	}
	if (memcmp(line->second, time.text + 1, TIME_BYTES) != 0)
		second_remember(line, time.text + 1);
	if (line->origin_usec) {
		elapsed_append(line, time.text + 1 + TIME_BYTES, text);
		return;
	}
	text_puts(text, line->local);
	text_safe(text, time.text + 1 + TIME_BYTES, 4);
	text_puts(text, " ");
}

/* Makes what was appended from @start on exactly @width columns and a space, cutting its end. */
static void column_end(struct text *text, size_t start, size_t width)
{
	size_t length = text->length - start;

	if (text->error)
		return;
	while (length && text_width(text->data + start, length) > width)
		do
			length--;
		while (length && ((unsigned char)text->data[start + length] & 0xc0) == 0x80);
	text->length = start + length;
	for (size_t used = text_width(text->data + start, length); used <= width; used++)
		text_puts(text, " ");
}

static void user_append(struct event_line *line, struct slice uid, struct text *text)
{
	struct reader reader = reader_of(uid);
	const char *name = NULL;
	uint64_t number;
	bool known;

	reader_count(&reader, &number, &known);
	if (known)
		name = names_get(&line->names, number);
	if (name)
		text_puts(text, name);
	else
		text_safe(text, uid.text, uid.length);
}

/* The words of a command, each as it could be typed if there is nothing odd in it. */
static void arguments_append(struct text *text, struct slice arguments, struct slice bytes)
{
	struct reader reader = reader_of(is_null(bytes) ? arguments : bytes);
	bool first = true;

	reader_array(&reader);
	while (reader_item(&reader)) {
		_cleanup_text_ struct text word = {};
		bool plain;

		if (is_null(bytes))
			reader_string(&reader, &word);
		else
			reader_base64(&reader, &word);
		plain = word.length && !strpbrk(word.data, " '\"\\$`&|;<>()*?[]#~!{}");
		text_puts(text, first ? "" : " ");
		text_puts(text, plain ? "" : "'");
		text_append(text, word.data ? word.data : "", word.length);
		text_puts(text, plain ? "" : "'");
		first = false;
	}
}

/* The file itself, or what was asked for. */
static void file_append(struct text *text, const struct slice values[MEMBERS])
{
	bool found = !is_null(values[MEMBER_PATH]);

	string_append(text, values[found ? MEMBER_PATH : MEMBER_ASKED],
		      values[found ? MEMBER_PATH_BYTES : MEMBER_ASKED_BYTES]);
	if (slice_is(values[MEMBER_RENAME], "true"))
		text_puts(text, " (renamed over)");
}

static void exec_append(struct text *text, const struct slice values[MEMBERS])
{
	if (is_null(values[MEMBER_ARGUMENTS])) {
		file_append(text, values);
		return;
	}
	string_append(text, values[MEMBER_PATH], values[MEMBER_PATH_BYTES]);
	text_puts(text, " [");
	arguments_append(text, values[MEMBER_ARGUMENTS], values[MEMBER_ARGUMENTS_BYTES]);
	text_puts(text, "]");
}

/* "7 after 0.012345s", "SIGSEGV (core dumped) after 3.000000s" */
static void exit_append(struct text *text, const struct slice values[MEMBERS])
{
	struct reader reader = reader_of(values[MEMBER_DURATION]);
	uint64_t usec = 0;
	bool known;

	if (is_null(values[MEMBER_SIGNAL]))
		text_safe(text, values[MEMBER_EXIT_CODE].text, values[MEMBER_EXIT_CODE].length);
	else
		string_append(text, values[MEMBER_SIGNAL], nothing);
	if (slice_is(values[MEMBER_CORE_DUMPED], "true"))
		text_puts(text, " (core dumped)");
	reader_count(&reader, &usec, &known);
	text_printf(text, " after %" PRIu64 ".%06" PRIu64 "s", usec / USEC, usec % USEC);
}

static void fork_append(struct text *text, const struct slice values[MEMBERS])
{
	text_puts(text, slice_is(values[MEMBER_THREAD], "true") ? "thread " : "process ");
	text_safe(text, values[MEMBER_CHILD_TID].text, values[MEMBER_CHILD_TID].length);
}

/* How a kind of event looks; of others than these it is what happened to a file. */
struct kind {
	const char *type;
	enum style style;
	void (*append)(struct text *text,
		       const struct slice values[MEMBERS]); /* safe, any length */
};

static const struct kind kinds[] = {
	{ "\"exec\"", STYLE_GOOD, exec_append },    { "\"exit\"", STYLE_DIM, exit_append },
	{ "\"fork\"", STYLE_HEADING, fork_append }, { "\"unlink\"", STYLE_WARNING, file_append },
	{ NULL, STYLE_END, file_append },
};

static const struct kind *kind_of(const struct slice values[MEMBERS])
{
	const struct kind *kind = kinds;

	while (kind->type && !slice_is(values[MEMBER_TYPE], kind->type))
		kind++;
	return kind;
}

/* Cuts the detail that begins at @start to @width columns: of a path its beginning goes. */
static void detail_cut(struct text *text, size_t start, size_t width, bool keep_end)
{
	size_t length = text->length - start, cut = 0;

	if (text->error || text_width(text->data + start, length) <= width)
		return;
	if (!keep_end) {
		column_end(text, start, width - 1);
		text->length--;
		text_puts(text, "…");
		return;
	}
	while (text_width(text->data + start + cut, length - cut) > width - 1)
		do
			cut++;
		while (cut < length && ((unsigned char)text->data[start + cut] & 0xc0) == 0x80);
	memmove(text->data + start + strlen("…"), text->data + start + cut, length - cut);
	memcpy(text->data + start, "…", strlen("…"));
	text->length = start + strlen("…") + length - cut;
	text->data[text->length] = '\0';
}
/* What is cut out is never shorter than what marks it: more columns than one, of three bytes. */

/* What ended by a signal or with another status than 0 did not go well either. */
static enum style event_style(const struct kind *kind, const struct slice values[MEMBERS])
{
	bool well = is_null(values[MEMBER_ERROR]) && is_null(values[MEMBER_SIGNAL]) &&
		    (is_null(values[MEMBER_EXIT_CODE]) || slice_is(values[MEMBER_EXIT_CODE], "0"));

	return well ? kind->style : STYLE_BAD;
}

static void short_append(struct event_line *line, const struct slice values[MEMBERS],
			 struct text *text)
{
	static const size_t before =
		13 + TYPE_WIDTH + PID_WIDTH + USER_WIDTH + COMM_WIDTH + ERROR_WIDTH + 5;
	const struct kind *kind = kind_of(values);
	size_t start, width = line->output->width;

	time_append(line, values[MEMBER_TIME], text);
	text_puts(text, output_style(line->output, event_style(kind, values)));
	start = text->length;
	string_append(text, values[MEMBER_TYPE], nothing);
	column_end(text, start, TYPE_WIDTH);
	text_puts(text, output_style(line->output, STYLE_END));
	for (size_t used = values[MEMBER_PID].length; used < PID_WIDTH; used++)
		text_puts(text, " ");
	text_safe(text, values[MEMBER_PID].text, values[MEMBER_PID].length);
	text_puts(text, " ");
	start = text->length;
	user_append(line, values[MEMBER_UID], text);
	column_end(text, start, USER_WIDTH);
	start = text->length;
	string_append(text, values[MEMBER_COMM], values[MEMBER_COMM_BYTES]);
	column_end(text, start, COMM_WIDTH);
	start = text->length;
	string_append(text, values[MEMBER_ERROR], nothing);
	column_end(text, start, ERROR_WIDTH);
	start = text->length;
	kind->append(text, values);
	if (width >= before + DETAIL_MIN)
		detail_cut(text, start, width - before, is_null(values[MEMBER_ARGUMENTS]));
	text_puts(text, "\n");
}

void event_line_heading(const struct event_line *line, struct text *text)
{
	if (line->form != EVENT_SHORT)
		return;
	text_printf(text, "%s%-12s %-*s %*s %-*s %-*s %-*s %s%s\n",
		    output_style(line->output, STYLE_HEADING),
		    line->origin_usec ? "     SECONDS" : "TIME", TYPE_WIDTH, "EVENT", PID_WIDTH,
		    "PID", USER_WIDTH, "USER", COMM_WIDTH, "COMM", ERROR_WIDTH, "ERROR", "WHAT",
		    output_style(line->output, STYLE_END));
}

/* --- all members ------------------------------------------------------------------------------- */

/* "key: value" each, without what is null, and an empty line. */
static int full_append(struct slice event, struct text *text)
{
	struct reader reader = reader_of(event);
	struct slice key;

	reader_object(&reader);
	while (reader_member(&reader, &key)) {
		struct slice value = reader_value(&reader);

		if (is_null(value))
			continue;
		text_safe(text, key.text, key.length);
		text_puts(text, ": ");
		if (value.length && value.text[0] == '"')
			string_append(text, value, nothing);
		else
			text_safe_json(text, value.text, value.length);
		text_puts(text, "\n");
	}
	text_puts(text, "\n");
	return reader.error;
}

int event_line_append(struct event_line *line, struct slice event, struct text *text)
{
	struct slice values[MEMBERS];
	int error;

	if (line->form == EVENT_FULL)
		return full_append(event, text);
	error = read_members(event, values);
	if (error)
		return error;
	if (line->form == EVENT_SHORT) {
		short_append(line, values, text);
		return 0;
	}
	kind_of(values)->append(text, values);
	text_puts(text, "\n");
	return 0;
}
