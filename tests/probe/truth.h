/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The truth table test of one probe: every case of attempt that belongs to it, made by two users
 * at once, has to be counted exactly, while the counts are polled. Owns the course of events; what
 * is expected is expectation.h's matter, how cases work is attempt's.
 *
 * Kernels skip a program that runs already on the same processor, on some of them because it was
 * preempted, and say how often. That is a failure here, unless EBPFMON_ALLOW_MISSES is set: for
 * emulated machines, on which a program takes a hundred times as long. EBPFMON_SMALL is for them
 * as well: the same cases and the same exactness with fewer attempts and fewer polls.
 */
#pragma once

#include "util.h"

enum { TRUTH_USERS = 2 /* at a time */ };

/* A case made so often that much of it coincides with polling. */
struct truth_load {
	const char *name;
	unsigned long counts[TRUTH_USERS];
};

struct truth {
	const char *probe;
	unsigned int first_uid; /* two per case from here */
	/* The daemon is started once for each: what its configuration ends with. NULL at the end. */
	const char *const *configurations;
	const struct truth_load *loads; /* a NULL name at the end */
};

/* What main() returns. */
int truth_run(const struct truth *truth);
