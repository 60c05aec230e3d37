/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfmond --check: a start without pins, so that all of it ends with the process. */
#include "check.h"

#include "privileges.h"
#include "probeset.h"

#include <stdio.h>
#include <string.h>

enum {
	TRIAL_SUBJECTS = 64,
};

static void print_coverage(const struct object *object)
{
	unsigned int possible = probe_coverage_possible(object->probe);
	const char *name;

	for (unsigned int bit = 0; (name = probe_coverage_name(bit)); bit++)
		if (possible & 1U << bit)
			printf("    %-14s %s\n", name, object->coverage & 1U << bit ? "yes" : "no");
}

static void print_probe(const struct object *object)
{
	char name[64];

	printf("probe %s: %s\n", object->probe->name, object_state_name(object->state));
	if (object->reason[0])
		printf("    %s\n", object->reason);
	for (size_t i = 0; i < object->n_attachments; i++)
		printf("    attaches to %s\n",
		       attachment_name(&object->attachments[i], name, sizeof(name)));
	if (object->n_attachments)
		print_coverage(object);
}

static void check_pins(const struct settings *settings, const struct identity_ids *ids)
{
	CLEANUP(pins_freep) struct pins *pins = NULL;
	struct problem problem = { 0 };
	int r = pins_open_existing(settings->pin_path, ids->uid, &pins, &problem);

	if (r == -ENOENT)
		printf("pins: %s will be created\n", settings->pin_path);
	else if (r == -EBUSY)
		printf("pins: %s is in use by a running ebpfmond\n", settings->pin_path);
	else if (r < 0)
		printf("pins: %s\n", problem.text);
	else
		printf("pins: %s is ready\n", settings->pin_path);
}

/* 1: one that counts something cannot. */
static int check_probes(const struct settings *settings, const struct maps *maps,
			const struct event_maps *events, struct problem *problem)
{
	struct probeset probeset = { .maps = maps };
	int r = probeset_start(&probeset, settings, events, problem);

	for (size_t i = 0; r >= 0 && i < probeset.n_objects; i++) {
		const struct object *object = &probeset.objects[i];

		print_probe(object);
		if (object->state == OBJECT_UNSUPPORTED && object->probe->jobs[0].n_slots)
			r = 1;
	}
	probeset_release(&probeset);
	return r;
}

int check_run(const struct settings *settings, struct problem *problem)
{
	CLEANUP(maps_freep) struct maps *maps = NULL;
	CLEANUP(event_maps_freep) struct event_maps *events = NULL;
	struct identity_ids ids;
	int r;

	r = privileges_target(settings->user, &ids, problem);
	if (r < 0)
		return r;
	check_pins(settings, &ids);
	r = privileges_drop(&ids, problem);
	if (r < 0)
		return r;
	printf("privileges: uid %u with CAP_BPF and CAP_PERFMON\n", ids.uid);
	r = maps_new(NULL, TRIAL_SUBJECTS, &maps, problem);
	if (!r)
		r = event_maps_new(0, &events, problem);
	if (!r)
		r = check_probes(settings, maps, events, problem);
	return r;
}
