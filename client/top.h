/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl top at work, between what obeys (top.c) and what draws (top-draw.c). */
#pragma once

#include "connection.h"
#include "output.h"
#include "screen.h"
#include "subscription.h"
#include "tally.h"
#include "top-table.h"
#include "watch.h"

enum {
	TOP_HEADING = 3, /* lines above the rows: status, message, headings */
	TOP_FRAME = 4,	 /* and with that of the totals */
};

struct top {
	const struct options *options;
	struct question question;
	struct connection connection;
	struct output output; /* with --batch */
	struct screen screen; /* without */
	struct watch watch;
	struct names names;
	struct rates rates;
	struct tally tally; /* of what is counted from events */
	bool streaming;	    /* and they have begun to come */
	int events_fd; /* readable when there is something to do beside waiting for an answer */
	int column;    /* rows are sorted by */
	bool answered, away, paused, help, drawn, quit;
	const char *news; /* "": none */
	size_t skip;	  /* rows scrolled over */
	uint64_t left;	  /* tables; 0: without end */
};

/* Draws what there is; a table with rates is one of those that --number counts. An exit code. */
int top_draw(struct top *top, bool was_away);
/* The screen once more, because of a key or another size. */
void top_redraw(struct top *top);
