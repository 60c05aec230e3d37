/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One record of the ring buffer "events" -> its parts. Takes it for hostile: whatever the bytes
 * are, what comes out lies inside them. Pure; knows no probe and no listener.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

#include <stdbool.h>

enum {
	EVENT_PATH_BYTES = EM_EVENT_BYTES + EM_EVENT_PIECE + 2, /* all components, '/' before */
	EVENT_ERROR_BYTES = 32,
};

/* Part of a record, not NUL-terminated. */
struct event_string {
	const char *text; /* NULL: not known */
	size_t length;
	unsigned int flags; /* EM_STRING_* */
};

struct event {
	const struct em_event *record;
	struct event_string strings[EM_EVENT_STRINGS];
	struct event_string comm;
	/* The path, or what was asked for, from the directory where that is known. */
	struct event_string target;
	const struct em_ancestor *ancestors; /* the parent first */
	size_t n_ancestors;
	char path[EVENT_PATH_BYTES]; /* what strings[] of paths refer to */
	char folder[EVENT_PATH_BYTES];
};

/* Valid as long as the record. 0, or -EBADMSG: it is none. */
int event_decode(const void *record, size_t bytes, struct event *event);

/* errno by name, as a process would see it: "ENOENT"; a number without a name as text; "" for none. */
const char *event_error(const struct event *event, char buffer[static EVENT_ERROR_BYTES]);
