/* SPDX-License-Identifier: GPL-2.0-only */
/* When it is settled: settler.h. */
#include "settler.h"

#include "log-ids.h"
#include "log.h"
#include "ring.h"

#include <limits.h>
#include <string.h>

enum {
	RETRY_USEC = 10000000, /* after a failure, which is then probably one of memory */
};

struct settler {
	sd_event *event;
	struct settle *settle;
	struct ring *bells;
	sd_event_source *again; /* settling that has to wait for a moment */
	bool failed;		/* and that was logged */
};

static void look(struct settler *settler);

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct settler *settler = userdata;

	(void)source;
	(void)usec;
	settler->again = sd_event_source_disable_unref(settler->again);
	look(settler);
	return 0;
}

static void look_again(struct settler *settler, uint64_t usec)
{
	if (!settler->again)
		sd_event_add_time_relative(settler->event, &settler->again, CLOCK_MONOTONIC, usec,
					   0, on_again, settler);
}

/* Meanwhile counting goes on; when the table is full, for nobody, and the totals say so. */
static void look(struct settler *settler)
{
	uint64_t begun = now_monotonic_usec(), settled = settle_count(settler->settle);
	struct problem problem = { 0 };
	int r = settle_look(settler->settle, &problem);

	if (settle_count(settler->settle) > settled)
		log_debug("settled: %llu us, %llu rows now",
			  (unsigned long long)(now_monotonic_usec() - begun),
			  (unsigned long long)settle_rows(settler->settle));
	if (r > 0)
		look_again(settler, 0); /* clients come first */
	if (r >= 0) {
		settler->failed = false;
		return;
	}
	if (!settler->failed)
		log_write(LOG_WARNING,
			  &(struct log_context){ .message_id = LOG_ID_SETTLE,
						 .error = problem.error },
			  "cannot make room in the table of subjects: %s; trying again",
			  problem.text);
	settler->failed = true;
	look_again(settler, RETRY_USEC);
}

/* Why it was rung is not said: there may be several reasons. */
static void on_bell(void *userdata)
{
	struct settler *settler = userdata;

	ring_consume(settler->bells, UINT_MAX, NULL, NULL);
	look(settler);
}

struct settler *settler_free(struct settler *settler)
{
	if (!settler)
		return NULL;
	sd_event_source_disable_unref(settler->again);
	ring_free(settler->bells);
	free(settler);
	return NULL;
}

static void settler_freep(struct settler **settler)
{
	settler_free(*settler);
}

int settler_new(sd_event *event, const struct maps *maps, struct settle *settle,
		struct settler **ret_settler, struct problem *problem)
{
	CLEANUP(settler_freep) struct settler *settler = calloc(1, sizeof(*settler));
	int r;

	if (!settler)
		return problem_set(problem, ENOMEM, "out of memory");
	settler->event = event;
	settler->settle = settle;
	r = ring_new(event, maps_bells_fd(maps), MAPS_BELLS_BYTES, on_bell, settler,
		     &settler->bells);
	if (r < 0)
		return problem_set(problem, -r, "cannot read the ring buffer: %s", strerror(-r));
	/* Bodies of the daemon before us may be running still, and ring a bell that nobody hears. */
	r = maps_wait_programs(maps);
	if (r < 0)
		return problem_set(problem, -r, "cannot wait for programs to end: %s",
				   strerror(-r));
	look(settler);
	*ret_settler = TAKE_PTR(settler);
	return 0;
}
