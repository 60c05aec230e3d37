/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of times without counting, kept next to the counts. Pure: works on struct em_state
 * wherever it lies. A set of counts without a gap is complete since its beginning.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

#include <stdbool.h>

/*
 * @program of @probe counts from @now on, anew. If it counted when it was last looked at, or not
 * since the beginning, the time in between is a gap.
 */
void gaps_started(struct em_state *state, const char *probe, const char *program,
		  uint64_t now_usec);

/* Why what is attached to functions of the kernel did not count: ftrace.h. */
#define GAPS_UNCALLED "kernel.ftrace_enabled was 0"

/* @program of @probe counted until @now and does not any more: a gap, if none is open, until... */
void gaps_stopped(struct em_state *state, const char *probe, const char *program,
		  const char *reason, uint64_t now_usec);
/* ... somebody counts the same again. False: there was no open gap of @program. */
bool gaps_resumed(struct em_state *state, const char *program, uint64_t now_usec);

/* @program of @probe counts what another program counted until @from. */
void gaps_taken_over(struct em_state *state, const char *probe, const char *program,
		     uint64_t from_usec, uint64_t now_usec);

/* Name of the hook in the record of the clock: nothing was lost, but times told before are off. */
#define GAPS_CLOCK "clock"

/*
 * The clock was set from @was to @now. One entry tells of all such times; when counting began is
 * corrected.
 */
void gaps_clock_set(struct em_state *state, uint64_t was_usec, uint64_t now_usec);

/* What is attached, as the next start will compare it: clear, then name each. */
void gaps_attached_clear(struct em_state *state);
void gaps_attached_add(struct em_state *state, const char *program);
