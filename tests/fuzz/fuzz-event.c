/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a record of the ring buffer: what is accepted lies inside the record, becomes valid
 * JSON whatever is in its strings, and passes a filter made of its own values.
 */
#include "event-entry.h"
#include "event-filter.h"
#include "event-json.h"
#include "message.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of exactly that size, so that a sanitizer sees every step beyond it. */
static void *copy_of(const uint8_t *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	return copy;
}

static void check_json(const struct event *event, const struct probe *probe)
{
	_cleanup_json_ struct json json = { 0 };
	struct event_clock clock = { 0 };
	struct json_object *object = NULL;

	event_write(event, probe, "unit.service", &clock, NULL, &json);
	if (json.error || message_parse(json.text, json.length, 8, &object) < 0)
		abort();
	json_object_put(object);
}

/* Takes the entry apart as journald does; there is one line for people, of harmless bytes. */
static void check_entry(const struct event *event, const struct probe *probe)
{
	_cleanup_json_ struct json entry = { 0 };
	struct event_clock clock = { 0 };
	unsigned int lines = 0;

	event_entry_write(event, probe, "unit.service", &clock, &entry);
	for (const char *at = entry.text, *end = at + entry.length; at < end;) {
		const char *value = at + strcspn(at, "=\n") + 1;
		uint64_t length;

		if (value[-1] == '\n') {
			memcpy(&length, value, sizeof(length));
			value += sizeof(length);
		} else {
			length = (uint64_t)((const char *)memchr(value, '\n',
								 (size_t)(end - value)) -
					    value);
		}
		if (length >= (uint64_t)(end - value) || value[length] != '\n')
			abort();
		lines += !strncmp(at, "MESSAGE=", strlen("MESSAGE="));
		for (size_t i = 0; !strncmp(at, "MESSAGE=", strlen("MESSAGE=")) && i < length; i++)
			if (value[i] < 0x20 || value[i] == 0x7f)
				abort();
		at = value + length + 1;
	}
	if (entry.error || lines != 1)
		abort();
}

static void check_filter(const struct event *event)
{
	CLEANUP(event_filter_done)
	struct event_filter filter = {
		.kinds = 1U << event->record->kind,
		.by_uid = true,
		.uid = event->record->subject.uid,
		.by_login = true,
		.login = event->record->subject.login,
		.by_pid = true,
		.pid = event->n_ancestors ? event->ancestors[event->n_ancestors - 1].pid
					  : event->record->pid,
		.children = true,
	};

	filter.comm = strndup(event->comm.text, event->comm.length);
	if (!event_filter_passes(&filter, event, NULL))
		abort();
	filter.kinds = ~filter.kinds;
	if (event_filter_passes(&filter, event, NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event event;
	_cleanup_free_ void *record = copy_of(data, size);
	const struct probe *probe;

	if (event_decode(record, size, &event) < 0)
		return 0;
	probe = probe_of_kind(event.record->kind);
	if (probe) {
		check_json(&event, probe);
		check_entry(&event, probe);
	}
	check_filter(&event);
	return 0;
}
