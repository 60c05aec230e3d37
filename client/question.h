/* SPDX-License-Identifier: GPL-2.0-only */
/* What is asked of GetStats, from the options that verbs share. Never sees an answer. */
#pragma once

#include "options.h"
#include "text.h"

#define GET_STATS "GetStats"

struct dimension {
	const char *name; /* as --by and the daemon call it */
	const char *heading;
	const char *noun;
	bool named;  /* the ids are those of users */
	bool events; /* not in the daemon's tables: counted by who subscribes to events */
};
/* Ended by a row without a name. */
extern const struct dimension dimensions[];

/* Release @parameters with text_done(). */
struct question {
	const struct dimension *by;
	bool of_user; /* only of @uid */
	uint64_t uid;
	uint64_t since_usec;	/* 0: since counting began */
	struct text parameters; /* of GetStats, or of Subscribe; JSON */
};

/* "90", "90s", "100ms", "10m", "1h30m", "2d": microseconds; 0: it is none of these. */
uint64_t span_usec(const char *text);

/* Reads --by, --uid and --since: an exit code, after a complaint. */
int question_read(struct question *question, const struct options *options);

/* Writes @parameters again, after a change of the others. */
void question_write(struct question *question);
