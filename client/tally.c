/* SPDX-License-Identifier: GPL-2.0-only */
/* Events by command: tally.h. */
#include "tally.h"
#include "reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	PLACES = 2 * TALLY_ROWS, /* a power of two, and so many that some are always free */
	COMMAND_BYTES = 112,	 /* a JSON string: 15 bytes, each at most six characters */
	OTHERS = TALLY_ROWS,	 /* the row of those without one */
};

/* The counters of a kind of event, as GetStats calls them where it has the same. */
struct kind {
	const char *type;
	const char *done, *other; /* @other: what failed, or is something else; NULL: none */
};

static const struct kind kinds[] = {
	{ "exec", "execs", "execFailures" },
	{ "open", "opens", "openFailures" },
	{ "exit", "exits", NULL },
	{ "fork", "forks", "threads" },
	{ "unlink", "unlinks", "unlinkFailures" },
	{ "rename", "renamesOver", NULL }, /* an unlink, too, in events */
};

enum {
	KINDS = ARRAY_SIZE(kinds),
	COUNTERS = 2 * (KINDS + TALLY_KINDS),
};

struct tally_row {
	char command[COMMAND_BYTES]; /* JSON; if @bytes in base64 */
	bool bytes;
	uint64_t counters[COUNTERS];
};

void tally_done(struct tally *tally)
{
	free(tally->rows);
	free(tally->places);
	*tally = (struct tally){};
}

static int tally_begin(struct tally *tally)
{
	if (tally->rows)
		return 0;
	tally->rows = calloc(TALLY_ROWS + 1, sizeof(*tally->rows));
	tally->places = calloc(PLACES, sizeof(*tally->places));
	return tally->rows && tally->places ? 0 : -ENOMEM;
}

/* --- an event ---------------------------------------------------------------------------------- */

/* What is looked at of an event: values as they are written, "null" for what is not there. */
struct parts {
	struct slice type, comm, comm_bytes, error, thread, rename;
};

static int parts_read(struct slice event, struct parts *parts)
{
	static const struct slice nothing = { "null", 4 };
	const struct {
		const char *name;
		struct slice *value;
	} members[] = {
		{ "type", &parts->type },     { "comm", &parts->comm },
		{ "error", &parts->error },   { "commBytes", &parts->comm_bytes },
		{ "thread", &parts->thread }, { "rename", &parts->rename },
	};
	struct reader reader = reader_of(event);
	struct slice key;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		*members[i].value = nothing;
	reader_object(&reader);
	while (reader_member(&reader, &key)) {
		struct slice value = reader_value(&reader);

		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			if (slice_is(key, members[i].name))
				*members[i].value = value;
	}
	return reader.error;
}

static size_t hash(struct slice command)
{
	uint32_t sum = 2166136261; /* FNV-1a */

	for (size_t i = 0; i < command.length; i++)
		sum = (sum ^ (unsigned char)command.text[i]) * 16777619;
	return sum % PLACES;
}

static struct tally_row *row_of(struct tally *tally, struct slice command, bool bytes)
{
	struct tally_row *row;
	size_t place = hash(command);

	if (command.length >= COMMAND_BYTES)
		return &tally->rows[OTHERS];
	for (; tally->places[place]; place = (place + 1) % PLACES) {
		row = &tally->rows[tally->places[place] - 1];
		if (row->bytes == bytes && slice_is(command, row->command))
			return row;
	}
	if (tally->n_rows == TALLY_ROWS)
		return &tally->rows[OTHERS];
	row = &tally->rows[tally->n_rows++];
	tally->places[place] = (uint16_t)tally->n_rows;
	memcpy(row->command, command.text, command.length);
	row->bytes = bytes;
	return row;
}

/* The number of a type, a JSON string; COUNTERS / 2 when there is no room for one more. */
static size_t kind_of(struct tally *tally, struct slice type)
{
	struct slice name = { type.text + 1, type.length - 2 };
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (slice_is(name, kinds[i].type))
			return i;
	for (i = 0; i < tally->n_kinds; i++)
		if (slice_is(name, tally->kinds[i]))
			return KINDS + i;
	if (i == TALLY_KINDS || name.length >= sizeof(tally->kinds[i]))
		return COUNTERS / 2;
	memcpy(tally->kinds[tally->n_kinds++], name.text, name.length);
	return KINDS + i;
}

static int event_add(struct tally *tally, struct slice event)
{
	struct parts parts;
	bool bytes, other;
	size_t kind;
	int error = parts_read(event, &parts);

	if (!error && slice_is(parts.rename, "true"))
		parts.type = (struct slice){ "\"rename\"", strlen("\"rename\"") };
	if (!error && (parts.type.length < 2 || *parts.type.text != '"'))
		error = -EBADMSG;
	if (error)
		return error;
	bytes = !slice_is(parts.comm_bytes, "null");
	other = !slice_is(parts.error, "null") || slice_is(parts.thread, "true");
	kind = kind_of(tally, parts.type);
	if (kind < COUNTERS / 2)
		row_of(tally, bytes ? parts.comm_bytes : parts.comm, bytes)
			->counters[2 * kind + other]++;
	return 0;
}

/* --- a loss ------------------------------------------------------------------------------------ */

/* Where it is not known how many, there was at least one. */
static int lost_add(struct tally *tally, struct slice lost)
{
	struct reader reader = reader_of(lost);
	uint64_t count = 1;
	struct slice key;
	bool known = false;

	reader_object(&reader);
	while (reader_member(&reader, &key))
		if (slice_is(key, "count"))
			reader_count(&reader, &count, &known);
		else
			reader_value(&reader);
	tally->lost += known ? count : 1;
	return reader.error;
}

int tally_add(struct tally *tally, struct slice event, struct slice lost)
{
	int error = tally_begin(tally);

	if (!error && event.text)
		error = event_add(tally, event);
	if (!error && lost.text)
		error = lost_add(tally, lost);
	return error;
}

/* --- the answer -------------------------------------------------------------------------------- */

static void counter_write(struct text *text, bool first, const char *name, uint64_t value)
{
	text_printf(text, "%s\"%s\":%" PRIu64, first ? "" : ",", name, value);
}

static void counters_write(const struct tally *tally, const uint64_t counters[COUNTERS],
			   struct text *text)
{
	text_puts(text, "{");
	for (size_t i = 0; i < KINDS; i++) {
		counter_write(text, !i, kinds[i].done, counters[2 * i]);
		if (kinds[i].other)
			counter_write(text, false, kinds[i].other, counters[2 * i + 1]);
	}
	for (size_t i = 0; i < tally->n_kinds; i++)
		counter_write(text, false, tally->kinds[i],
			      counters[2 * (KINDS + i)] + counters[2 * (KINDS + i) + 1]);
	text_puts(text, "}");
}

static void row_write(const struct tally *tally, const struct tally_row *row, struct text *text)
{
	if (row == &tally->rows[OTHERS])
		text_puts(text, "{\"unit\":\"(other commands)\"");
	else
		text_printf(text, "{\"unit%s\":%s", row->bytes ? "Bytes" : "", row->command);
	text_puts(text, ",\"counters\":");
	counters_write(tally, row->counters, text);
	text_puts(text, "}");
}

static bool is_empty(const struct tally_row *row)
{
	for (size_t i = 0; i < COUNTERS; i++)
		if (row->counters[i])
			return false;
	return true;
}

void tally_write(const struct tally *tally, struct text *text)
{
	uint64_t totals[COUNTERS] = {};
	bool first = true;

	text_puts(text, "{\"rows\":[");
	for (size_t i = 0; tally->rows && i <= OTHERS; i++) {
		const struct tally_row *row = &tally->rows[i];

		if (is_empty(row))
			continue;
		text_puts(text, first ? "" : ",");
		row_write(tally, row, text);
		first = false;
		for (size_t c = 0; c < COUNTERS; c++)
			totals[c] += row->counters[c];
	}
	text_puts(text, "],\"totals\":");
	counters_write(tally, totals, text);
	text_printf(text, ",\"losses\":{\"events\":%" PRIu64 "}}", tally->lost);
}
