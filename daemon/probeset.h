/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All probes at run time: starts them, tells how each one does, and which hooks are theirs. Uses
 * libbpf for the kernel's types; knows not how a single one is started: object.h.
 */
#pragma once

#include "object.h"
#include "settings.h"

/*
 * Zero-initialise, lend it pins (or none: everything ends with the process) and maps, start; release
 * with probeset_release(), started or not.
 */
struct probeset {
	struct pins *pins;
	const struct maps *maps;
	int ftrace_fd;				    /* 0: not started */
	struct object objects[SETTINGS_PROBES_MAX]; /* as probes[] */
	size_t n_objects;
};

/* Starts all of them; @events as of struct object_context. 0 or, with a problem, -errno. */
int probeset_start(struct probeset *set, const struct settings *settings,
		   const struct event_maps *events, struct problem *problem);
/* Lets go of everything; what is pinned goes on counting. */
void probeset_release(struct probeset *set);

/* Ends the pinned hooks that none of them uses, with a gap for each. 0 or, with a problem, -errno. */
int probeset_drop_unknown(const struct probeset *set, struct problem *problem);

/*
 * Looks whether all that was started still counts, as everybody has to who tells of it: their states
 * follow, what is not counted is noted next to the counts, and a change is logged.
 */
void probeset_look(struct probeset *set);

/* Notes next to the counts that its hooks, and no others, count now. */
void probeset_verified(const struct probeset *set);

/* Logs those that do not count all that is asked for, and why. */
void probeset_report(const struct probeset *set);
