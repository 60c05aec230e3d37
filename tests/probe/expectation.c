/* SPDX-License-Identifier: GPL-2.0-only */
/* Compares counts with the ground truth: expectation.h. */
#include "expectation.h"

#include <stdio.h>
#include <string.h>

/* Slots of failures are null where the probe does not cover them. */
static const enum em_slot failure_slots[] = { EM_EXEC_FAILURES, EM_OPEN_FAILURES, EM_OPEN_DENIALS,
					      EM_UNLINK_FAILURES };

/* These are null without one of the hooks. */
static const struct {
	enum em_slot slot;
	const char *hooks[4];
} served_slots[] = {
	{ EM_UNLINKS, { "fexit/do_unlinkat", "fexit/filename_unlinkat", "tp_btf/sys_exit" } },
	{ EM_RENAMES_OVER, { "fexit/vfs_rename" } },
};

/* One counter of one user. */
struct comparison {
	enum em_slot slot;
	struct json_object *probe;
	bool covered;
	uint64_t expected, got;
	uint64_t missed; /* what losses.misses grew by */
	bool missed_known;
};

static bool array_contains(struct json_object *array, const char *text)
{
	for (size_t i = 0; i < json_object_array_length(array); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(array, i)), text))
			return true;
	return false;
}

/* NULL: no probe has this counter. */
static struct json_object *probe_of_slot(struct json_object *probes, enum em_slot slot)
{
	json_object_object_foreach(probes, name, probe) {
		struct json_object *counters;

		(void)name;
		if (json_object_object_get_ex(probe, "counters", &counters) &&
		    array_contains(counters, slot_names[slot]))
			return probe;
	}
	return NULL;
}

bool probe_counts(struct json_object *probe)
{
	struct json_object *state;

	return json_object_object_get_ex(probe, "state", &state) &&
	       (!strcmp(json_object_get_string(state), "running") ||
		!strcmp(json_object_get_string(state), "degraded"));
}

/* What a probe does not mention is nothing that its hooks could miss. */
static bool probe_covers(struct json_object *probe, const char *what)
{
	struct json_object *coverage, *covered;

	return !json_object_object_get_ex(probe, "coverage", &coverage) ||
	       !json_object_object_get_ex(coverage, what, &covered) ||
	       json_object_get_boolean(covered);
}

static bool probe_sees(struct json_object *probe, struct json_object *description)
{
	struct json_object *needs;

	json_object_object_get_ex(description, "needs", &needs);
	for (size_t i = 0; i < json_object_array_length(needs); i++)
		if (!probe_covers(probe,
				  json_object_get_string(json_object_array_get_idx(needs, i))))
			return false;
	return true;
}

/* Whether @probe uses one of @wanted, which ends with NULL. */
static bool probe_uses(struct json_object *probe, const char *const wanted[])
{
	struct json_object *hooks;

	if (!json_object_object_get_ex(probe, "hooks", &hooks))
		return false;
	for (size_t i = 0; wanted[i]; i++)
		if (array_contains(hooks, wanted[i]))
			return true;
	return false;
}

static bool slot_covered(struct json_object *probe, enum em_slot slot)
{
	if (!probe_counts(probe))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(served_slots); i++)
		if (served_slots[i].slot == slot)
			return probe_uses(probe, served_slots[i].hooks);
	for (size_t i = 0; i < ARRAY_SIZE(failure_slots); i++)
		if (failure_slots[i] == slot)
			return probe_covers(probe, "failed");
	return true;
}

static uint64_t expected_count(const struct observation *observation, struct json_object *probe,
			       enum em_slot slot)
{
	struct json_object *counted, *times, *exits = NULL;
	uint64_t once = 0;

	if (slot == EM_EXITS &&
	    json_object_object_get_ex(observation->description, "exits", &exits))
		once = json_object_get_uint64(exits);
	json_object_object_get_ex(observation->description, "counted", &counted);
	if (!json_object_object_get_ex(counted, slot_names[slot], &times) ||
	    !probe_sees(probe, observation->description))
		return once;
	return once + json_object_get_uint64(times) * observation->count;
}

static bool is_lifetime(enum em_slot slot)
{
	return slot >= EM_EXITS_UNDER_1MS && slot <= EM_EXITS_FROM_1H;
}

/* How long a process lives is nobody's to say; but each is in one of these counters. */
static bool lifetimes_right(const struct observation *observation)
{
	uint64_t sum = 0, exits;

	exits = observation->after.value[EM_EXITS] - observation->before.value[EM_EXITS];
	for (size_t slot = EM_EXITS_UNDER_1MS; slot <= EM_EXITS_FROM_1H; slot++)
		sum += observation->after.value[slot] - observation->before.value[slot];
	if (sum == exits)
		return true;
	fprintf(stderr, "%s: uid %u: %llu lifetimes of %llu exits\n", observation->title,
		observation->uid, (unsigned long long)sum, (unsigned long long)exits);
	return false;
}

/* losses.misses of @probe; false: the kernel cannot tell. */
static bool read_misses(struct json_object *stats, struct json_object *probe, uint64_t *ret_misses)
{
	struct json_object *losses, *misses, *number, *name;

	if (!json_object_object_get_ex(probe, "name", &name) ||
	    !json_object_object_get_ex(stats, "losses", &losses) ||
	    !json_object_object_get_ex(losses, "misses", &misses) ||
	    !json_object_object_get_ex(misses, json_object_get_string(name), &number) || !number)
		return false;
	*ret_misses = json_object_get_uint64(number);
	return true;
}

static void compare(const struct observation *observation, enum em_slot slot,
		    struct json_object *probe, struct comparison *ret_comparison)
{
	uint64_t before, after;

	*ret_comparison = (struct comparison){
		.slot = slot,
		.probe = probe,
		.covered = slot_covered(probe, slot),
		.expected = expected_count(observation, probe, slot),
		.got = observation->after.value[slot] - observation->before.value[slot],
	};
	if (!read_misses(observation->stats_before, probe, &before) ||
	    !read_misses(observation->stats_after, probe, &after))
		return;
	ret_comparison->missed_known = true;
	ret_comparison->missed = after - before;
}

/* A number, or null where there is none. */
static void say_number(const char *what, bool known, uint64_t number)
{
	if (known)
		fprintf(stderr, "%s %llu", what, (unsigned long long)number);
	else
		fprintf(stderr, "%s null", what);
}

static void complain(const struct observation *observation, const struct comparison *comparison)
{
	struct json_object *hooks = NULL;

	json_object_object_get_ex(comparison->probe, "hooks", &hooks);
	fprintf(stderr, "%s: uid %u, %lu attempts: %s:", observation->title, observation->uid,
		observation->count, slot_names[comparison->slot]);
	say_number(" expected", comparison->covered, comparison->expected);
	say_number(", got", observation->after.covered[comparison->slot], comparison->got);
	say_number("; misses grew by", comparison->missed_known, comparison->missed);
	fprintf(stderr, "; hooks %s\n", hooks ? json_object_get_string(hooks) : "unknown");
}

static bool is_right(const struct observation *observation, const struct comparison *comparison,
		     bool named_losses, uint64_t *lost)
{
	if (observation->after.covered[comparison->slot] != comparison->covered)
		return false;
	if (!comparison->covered || comparison->got == comparison->expected ||
	    is_lifetime(comparison->slot))
		return true;
	if (!named_losses || comparison->got > comparison->expected ||
	    comparison->expected - comparison->got > comparison->missed)
		return false;
	*lost += comparison->expected - comparison->got;
	return true;
}

unsigned int observation_check(const struct observation *observation, bool named_losses,
			       uint64_t *ret_lost)
{
	unsigned int wrong = !lifetimes_right(observation);

	*ret_lost = 0;
	for (size_t slot = 0; slot < EM_SLOTS_USED; slot++) {
		struct json_object *probe = probe_of_slot(observation->probes, slot);
		struct comparison comparison;

		if (!probe) {
			fprintf(stderr, "no probe has the counter %s\n", slot_names[slot]);
			wrong++;
			continue;
		}
		compare(observation, slot, probe, &comparison);
		if (is_right(observation, &comparison, named_losses, ret_lost))
			continue;
		complain(observation, &comparison);
		wrong++;
	}
	return wrong;
}
