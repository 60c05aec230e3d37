/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts events by the command that did it: what the daemon's tables do not have. Its answer looks
 * like one of GetStats. In a memory of fixed size: what comes when it is full is counted together.
 */
#pragma once

#include "text.h"

enum {
	TALLY_ROWS = 4096,
	TALLY_KINDS = 16,
};

/* Zero-initialise, release with tally_done(). */
struct tally {
	struct tally_row *rows; /* TALLY_ROWS and one for all others; NULL: nothing yet */
	size_t n_rows;
	uint16_t *places;	     /* hash of a command: its row and 1 */
	char kinds[TALLY_KINDS][32]; /* types of events beyond those that are known */
	size_t n_kinds;
	uint64_t lost;
};

void tally_done(struct tally *tally);

/* Of a message: an object of type Event, one of type Lost; either may be nothing. -errno. */
int tally_add(struct tally *tally, struct slice event, struct slice lost);

/* Appends the counts until now, as the parameters of an answer to GetStats. */
void tally_write(const struct tally *tally, struct text *text);
