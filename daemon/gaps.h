/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of times without counting, kept next to the counts. Pure: works on struct em_state
 * wherever it lies. A set of counts without a gap is complete since its beginning.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

/*
 * @program of @probe counts from @now on, anew. If it counted when it was last looked at, or not
 * since the beginning, the time in between is a gap; one that gaps_stopped() opened ends.
 */
void gaps_started(struct em_state *state, const char *probe, const char *program,
		  uint64_t now_usec);

/* @program of @probe was counting and is taken off at @now. */
void gaps_stopped(struct em_state *state, const char *probe, const char *program,
		  const char *reason, uint64_t now_usec);

/* What is attached, as the next start will compare it: clear, then name each. */
void gaps_attached_clear(struct em_state *state);
void gaps_attached_add(struct em_state *state, const char *program);
