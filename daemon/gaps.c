/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of times without counting: gaps.h. */
#include "gaps.h"

#include <stdio.h>
#include <string.h>

static bool was_attached(const struct em_state *state, const char *program)
{
	for (size_t i = 0; i < EM_HOOKS; i++)
		if (!strncmp(state->attached[i], program, EM_NAME))
			return true;
	return false;
}

static struct em_gap *find(struct em_state *state, const char *program)
{
	for (size_t i = 0; i < state->gap_count; i++)
		if (!strncmp(state->gaps[i].hook, program, EM_NAME))
			return &state->gaps[i];
	return NULL;
}

static struct em_gap *find_open(struct em_state *state, const char *program)
{
	for (size_t i = 0; i < state->gap_count; i++)
		if (!state->gaps[i].to_usec && !strncmp(state->gaps[i].hook, program, EM_NAME))
			return &state->gaps[i];
	return NULL;
}

/* The clock may have been set back meanwhile: then nobody knows better. */
static void order(struct em_gap *gap)
{
	uint64_t from_usec = gap->from_usec;

	if (!gap->to_usec || gap->to_usec >= from_usec)
		return;
	gap->from_usec = gap->to_usec;
	gap->to_usec = from_usec;
}

/*
 * A full record grows its last gap: times are then told too widely, never too narrowly. One that
 * is open stays so, since nobody could tell any more which of several ends.
 */
static void add(struct em_state *state, struct em_gap *gap)
{
	struct em_gap *last = &state->gaps[EM_GAPS - 1];

	order(gap);
	if (state->gap_count < EM_GAPS) {
		state->gaps[state->gap_count++] = *gap;
		return;
	}
	if (gap->from_usec < last->from_usec)
		last->from_usec = gap->from_usec;
	if (!gap->to_usec || (last->to_usec && gap->to_usec > last->to_usec))
		last->to_usec = gap->to_usec;
	snprintf(last->probe, sizeof(last->probe), "*");
	snprintf(last->hook, sizeof(last->hook), "*");
	snprintf(last->reason, sizeof(last->reason), "several; the record was full");
}

static void fill(struct em_gap *gap, const char *probe, const char *program, const char *reason)
{
	snprintf(gap->probe, sizeof(gap->probe), "%s", probe);
	snprintf(gap->hook, sizeof(gap->hook), "%s", program);
	snprintf(gap->reason, sizeof(gap->reason), "%s", reason);
}

void gaps_started(struct em_state *state, const char *probe, const char *program, uint64_t now_usec)
{
	struct em_gap gap = { .to_usec = now_usec };

	if (was_attached(state, program)) {
		gap.from_usec = state->verified_usec;
		fill(&gap, probe, program, "its attachment was removed by somebody else");
	} else {
		gap.from_usec = state->since_usec;
		fill(&gap, probe, program, "it was not counted before");
	}
	add(state, &gap);
}

void gaps_stopped(struct em_state *state, const char *probe, const char *program,
		  const char *reason, uint64_t now_usec)
{
	struct em_gap gap = { .from_usec = now_usec };

	if (find_open(state, program))
		return;
	fill(&gap, probe, program, reason);
	add(state, &gap);
}

bool gaps_resumed(struct em_state *state, const char *program, uint64_t now_usec)
{
	struct em_gap *open = find_open(state, program);

	if (!open)
		return false;
	open->to_usec = now_usec;
	order(open);
	return true;
}

void gaps_taken_over(struct em_state *state, const char *probe, const char *program,
		     uint64_t from_usec, uint64_t now_usec)
{
	struct em_gap gap = { .from_usec = from_usec, .to_usec = now_usec };

	fill(&gap, probe, program, "another hook counted until then");
	add(state, &gap);
}

void gaps_clock_set(struct em_state *state, uint64_t was_usec, uint64_t now_usec)
{
	struct em_gap gap = { .from_usec = was_usec, .to_usec = now_usec };
	struct em_gap *before = find(state, GAPS_CLOCK);
	int64_t step = (int64_t)(now_usec - was_usec);
	int64_t since = (int64_t)state->since_usec + step;
	char reason[sizeof(gap.reason)];

	state->since_usec = since > 0 ? (uint64_t)since : 0;
	snprintf(reason, sizeof(reason), "the clock was set%s by %+.3f s",
		 before ? " more than once, at last" : "", (double)step / 1e6);
	fill(&gap, "*", GAPS_CLOCK, reason);
	if (before) {
		order(&gap);
		*before = gap;
	} else {
		add(state, &gap);
	}
}

void gaps_attached_clear(struct em_state *state)
{
	memset(state->attached, 0, sizeof(state->attached));
}

void gaps_attached_add(struct em_state *state, const char *program)
{
	for (size_t i = 0; i < EM_HOOKS; i++) {
		if (state->attached[i][0])
			continue;
		snprintf(state->attached[i], EM_NAME, "%s", program);
		return;
	}
}
