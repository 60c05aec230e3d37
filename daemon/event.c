/* SPDX-License-Identifier: GPL-2.0-only */
/* A record's parts: event.h. */
#include "event.h"

#include <string.h>

/*
 * @part consists of components, the last first, each with its NUL: writes them to @room the other
 * way round, with '/' before each but the first of a path whose beginning is not known.
 */
static void turn_round(struct event_string *part, char room[static EVENT_PATH_BYTES])
{
	const char *end = part->text + part->length;
	char *at = room;

	if (part->length && end[-1] == '\0')
		end--; /* of the first component */
	if (!part->length)
		*at++ = '/';
	while (part->length && end >= part->text) {
		const char *nul = memrchr(part->text, '\0', (size_t)(end - part->text));
		const char *begin = nul ? nul + 1 : part->text;

		if (at > room || !(part->flags & EM_STRING_TRUNCATED))
			*at++ = '/';
		at = mempcpy(at, begin, (size_t)(end - begin));
		end = begin - 1;
	}
	part->text = room;
	part->length = (size_t)(at - room);
}

static int take_strings(const struct em_event *record, size_t bytes, struct event *event)
{
	const char *at = (const char *)(record + 1);
	size_t left = bytes - sizeof(*record);

	for (int i = 0; i < EM_EVENT_STRINGS; i++) {
		const struct em_event_part *part = &record->strings[i];
		struct event_string *string = &event->strings[i];

		if (part->bytes > left || part->bytes > EVENT_PATH_BYTES - 2)
			return -EBADMSG;
		*string = (struct event_string){
			.text = part->flags & EM_STRING_KNOWN ? at : NULL,
			.length = part->bytes,
			.flags = part->flags,
		};
		at += part->bytes;
		left -= part->bytes;
	}
	return 0;
}

static void take_path(struct event_string *string, char room[static EVENT_PATH_BYTES])
{
	if (string->text && string->flags & EM_STRING_COMPONENTS)
		turn_round(string, room);
}

int event_decode(const void *record, size_t bytes, struct event *event)
{
	const struct em_event *header = record;
	const struct event_string *ancestors = &event->strings[EM_STRING_ANCESTORS];

	if (bytes < sizeof(*header) || header->kind >= EM_EVENT_KINDS)
		return -EBADMSG;
	event->record = header;
	if (take_strings(header, bytes, event) < 0 ||
	    ancestors->length % sizeof(struct em_ancestor))
		return -EBADMSG;
	event->ancestors = (const struct em_ancestor *)ancestors->text;
	event->n_ancestors = ancestors->text ? ancestors->length / sizeof(struct em_ancestor) : 0;
	event->comm = (struct event_string){ header->comm,
					     strnlen(header->comm, sizeof(header->comm)), 0 };
	take_path(&event->strings[EM_STRING_PATH], event->path);
	take_path(&event->strings[EM_STRING_FOLDER], event->folder);
	return 0;
}
