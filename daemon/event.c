/* SPDX-License-Identifier: GPL-2.0-only */
/* A record's parts: event.h. */
#include "event.h"

#include <inttypes.h>
#include <stdio.h>
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

/* A name that was asked for, behind the directory where it begins. */
static struct event_string join(const struct event_string *folder, const struct event_string *name,
				char room[static EVENT_PATH_BYTES])
{
	char *at = mempcpy(room, folder->text, folder->length);

	if (at == room || at[-1] != '/')
		*at++ = '/';
	at = mempcpy(at, name->text, name->length);
	return (struct event_string){ room, (size_t)(at - room),
				      folder->flags & ~(unsigned int)EM_STRING_COMPONENTS };
}

/* What was removed from a directory is known by its name there. */
static void take_target(struct event *event)
{
	const struct event_string *folder = &event->strings[EM_STRING_FOLDER];
	const struct event_string *asked = &event->strings[EM_STRING_ASKED];
	struct event_string *path = &event->strings[EM_STRING_PATH];

	event->target = path->text ? *path : *asked;
	if (path->text)
		return;
	event->target.flags = 0; /* its beginning is there */
	if (!(event->record->flags & EM_EVENT_DIRECTORY) || !folder->text || !asked->text ||
	    !asked->length || asked->text[0] == '/' ||
	    folder->length + asked->length > EVENT_PATH_BYTES - 1)
		return;
	event->target = join(folder, asked, event->path);
	if (!event->record->error && !memchr(asked->text, '/', asked->length))
		*path = event->target;
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
	take_target(event);
	return 0;
}

/*
 * What the kernel tells itself of a call that a signal interrupted (its include/linux/errno.h): whether
 * it is repeated or fails is decided later, by what the process does with the signal.
 */
static bool is_interruption(uint32_t error)
{
	enum { ERESTARTSYS = 512, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK = 516 };

	return (error >= ERESTARTSYS && error <= ERESTARTNOHAND) || error == ERESTART_RESTARTBLOCK;
}

const char *event_error(const struct event *event, char buffer[static EVENT_ERROR_BYTES])
{
	uint32_t error = is_interruption(event->record->error) ? EINTR : event->record->error;
	const char *name = strerrorname_np((int)error);

	buffer[0] = '\0';
	if (error && name)
		snprintf(buffer, EVENT_ERROR_BYTES, "%s", name);
	else if (error)
		snprintf(buffer, EVENT_ERROR_BYTES, "%" PRIu32, error);
	return buffer;
}
