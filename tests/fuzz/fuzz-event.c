/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a record of the ring buffer: what is accepted lies inside the record, becomes valid
 * JSON whatever is in its strings, and passes a filter made of its own values.
 */
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
	if (probe)
		check_json(&event, probe);
	check_filter(&event);
	return 0;
}
