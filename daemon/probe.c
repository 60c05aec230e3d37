/* SPDX-License-Identifier: GPL-2.0-only */
/* The registry of probes and the names of what descriptors refer to by number. */
#include "probe.h"

#define PROBE(name) extern const struct probe probe_##name;
#include "probe-list.h"
#undef PROBE

const struct probe *const probes[] = {
#define PROBE(name) &probe_##name,
#include "probe-list.h"
#undef PROBE
	NULL,
};

const struct probe *probe_of_kind(uint32_t kind)
{
	for (size_t i = 0; probes[i]; i++)
		if (probes[i]->event && probes[i]->event->kind == kind)
			return probes[i];
	return NULL;
}

static const char *const slot_names[] = {
#define EM_SLOT(name, number, json) [number] = json,
	EM_SLOT_LIST(EM_SLOT)
#undef EM_SLOT
};
_Static_assert(ARRAY_SIZE(slot_names) == EM_SLOTS_USED, "slot numbers have a hole");

const char *probe_slot_name(enum em_slot slot)
{
	return slot_names[slot];
}

static const char *const coverage_names[] = {
	"ioUring", "compat", "byHandle", "failed", "oPath", "earlyFailures",
};

const char *probe_coverage_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(coverage_names) ? coverage_names[bit] : NULL;
}

unsigned int probe_coverage_possible(const struct probe *probe)
{
	unsigned int coverage = 0;

	for (size_t i = 0; i < probe->n_jobs; i++)
		coverage |= probe->jobs[i].coverage;
	return coverage;
}
