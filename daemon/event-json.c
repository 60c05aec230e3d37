/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as JSON: event-json.h. */
#include "event-json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	MINOR_BITS = 20, /* of the kernel's own device numbers */
};

/* --- time -------------------------------------------------------------------------------------- */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec now = { 0 };

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void event_clock_adjust(struct event_clock *clock)
{
	clock->offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

/* RFC 3339 in UTC with microseconds; most events are of the same second as the one before. */
static void write_time(struct event_clock *clock, uint64_t boot_ns, struct json *json)
{
	uint64_t usec = (clock->offset_ns + boot_ns) / 1000, second = usec / 1000000;
	char text[sizeof(clock->text) + 8];
	size_t length;

	if (second != clock->second || !clock->text[0]) {
		time_t seconds = (time_t)second;
		struct tm utc = { 0 };

		gmtime_r(&seconds, &utc);
		strftime(clock->text, sizeof(clock->text), "%Y-%m-%dT%H:%M:%S.", &utc);
		clock->second = second;
	}
	length = strnlen(clock->text, sizeof(clock->text));
	memcpy(text, clock->text, length);
	usec %= 1000000;
	for (int i = 5; i >= 0; i--, usec /= 10)
		text[length + (size_t)i] = (char)('0' + usec % 10);
	text[length + 6] = 'Z';
	json_string_n(json, "time", text, length + 7);
}

/* --- members ----------------------------------------------------------------------------------- */

static void write_bytes(const struct event_string *string, const char *key, const char *bytes_key,
			struct json *json)
{
	if (string->text)
		json_bytes_n(json, key, bytes_key, string->text, string->length);
	else
		json_null(json, key);
}

void event_write_string(const struct event *event, enum em_event_string index, const char *key,
			const char *bytes_key, struct json *json)
{
	write_bytes(&event->strings[index], key, bytes_key, json);
}

static void write_optional(struct json *json, const char *key, uint32_t value, uint32_t unset)
{
	if (value == unset)
		json_null(json, key);
	else
		json_u64(json, key, value);
}

/* Names of what is there in part only. */
static void write_truncated(const struct event *event, struct json *json)
{
	static const char *const names[EM_EVENT_STRINGS] = {
		[EM_STRING_PATH] = "path",
		[EM_STRING_ASKED] = "asked",
		[EM_STRING_ARGUMENTS] = "arguments",
		[EM_STRING_FOLDER] = "cwd",
	};
	bool any = false;

	for (int i = 0; i < EM_EVENT_STRINGS; i++) {
		const char *name = names[i];

		if (!name || !(event->strings[i].flags & EM_STRING_TRUNCATED))
			continue;
		if (!any)
			json_array_begin(json, "truncated");
		any = true;
		if (i == EM_STRING_FOLDER && event->record->flags & EM_EVENT_DIRECTORY)
			name = "directory";
		json_string(json, NULL, name);
	}
	if (any)
		json_array_end(json);
}

void event_write_names(const struct event *event, struct json *json)
{
	const struct event_string *path = &event->strings[EM_STRING_PATH];

	write_bytes(path, "path", "pathBytes", json);
	event_write_string(event, EM_STRING_ASKED, "asked", "askedBytes", json);
	if (path->flags & EM_STRING_DELETED)
		json_boolean(json, "deleted", true);
	if (path->flags & EM_STRING_UNREACHABLE)
		json_boolean(json, "unreachable", true);
	write_truncated(event, json);
	json_string(json, "nameSource",
		    event->record->flags & EM_EVENT_PROCESS_NAMES ? "process" : "kernel");
}

void event_write_inode(const struct event *event, struct json *json)
{
	uint64_t device = event->record->numbers[2];
	char text[48], *at;

	if (!event->strings[EM_STRING_PATH].text) {
		json_null(json, "device");
		json_null(json, "inode");
		return;
	}
	at = json_digits(text, device >> MINOR_BITS);
	*at++ = ':';
	at = json_digits(at, device & ((1 << MINOR_BITS) - 1));
	json_string_n(json, "device", text, (size_t)(at - text));
	json_u64(json, "inode", event->record->numbers[3]);
}

void event_write_bits(const struct event_bits *table, uint64_t value, struct json *json)
{
	char text[24];

	for (; table->name; table++) {
		if ((value & table->bits) != table->bits)
			continue;
		value &= ~table->bits;
		json_string(json, NULL, table->name);
	}
	if (!value)
		return;
	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_string(json, NULL, text);
}

static void write_error(const struct event *event, struct json *json)
{
	char error[EVENT_ERROR_BYTES];

	if (event->record->error)
		json_string(json, "error", event_error(event, error));
	else
		json_null(json, "error");
}

static void write_who(const struct event *event, const char *unit, struct json *json)
{
	const struct em_event *record = event->record;

	json_u64(json, "pid", record->pid);
	json_u64(json, "tid", record->tid);
	json_u64(json, "ppid", record->parent);
	json_u64(json, "uid", record->subject.uid);
	json_u64(json, "euid", record->euid);
	write_optional(json, "login", record->subject.login, (uint32_t)EM_LOGIN_UNSET);
	write_optional(json, "session", record->session, (uint32_t)EM_SESSION_UNSET);
	if (unit)
		json_bytes(json, "unit", "unitBytes", unit);
	else
		json_null(json, "unit");
	write_bytes(&event->comm, "comm", "commBytes", json);
}

void event_write(const struct event *event, const struct probe *probe, const char *unit,
		 struct event_clock *clock, const char *key, struct json *json)
{
	json_object_begin(json, key);
	json_string(json, "type", probe->name);
	write_time(clock, event->record->time_ns, json);
	write_who(event, unit, json);
	probe->event->write(event, json);
	write_error(event, json);
	json_object_end(json);
}
