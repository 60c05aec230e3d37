/* SPDX-License-Identifier: GPL-2.0-only */
/* One event of the daemon as people read it. Knows neither the stream nor which were asked for. */
#pragma once

#include "names.h"
#include "output.h"
#include "reader.h"

enum event_form {
	EVENT_SHORT,
	EVENT_FULL,
	EVENT_CAT,
};

/* What is remembered from line to line. Zero-initialise, release with event_line_done(). */
struct event_line {
	const struct output *output;
	enum event_form form;
	struct names names;
	uint64_t origin_usec; /* times are shown since then, UTC; 0: as the time of day */
	char second[20];      /* the last one as the daemon wrote it, the same in UTC and local */
	uint64_t second_usec;
	char local[12];
};

void event_line_done(struct event_line *line);

/* Appends the titles of EVENT_SHORT; nothing for the others. */
void event_line_heading(const struct event_line *line, struct text *text);

/* Appends @event, an object of type Event; 0 or -EBADMSG. */
int event_line_append(struct event_line *line, struct slice event, struct text *text);
