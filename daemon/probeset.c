/* SPDX-License-Identifier: GPL-2.0-only */
/* All probes at run time: probeset.h. */
#include "probeset.h"

#include "gaps.h"
#include "log-ids.h"
#include "log.h"

#include <bpf/btf.h>
#include <string.h>

int probeset_start(struct probeset *set, const struct settings *settings,
		   const struct event_maps *events, struct problem *problem)
{
	struct btf *btf = object_btf(problem);
	struct em_constants constants = settings->constants;
	const struct object_context context = { .pins = set->pins,
						.maps = set->maps,
						.btf = btf,
						.events = events,
						.constants = &constants };
	size_t n_probes = 0;
	int r;

	if (!btf)
		return -problem->error;
	constants.events = event_maps_level(events);
	while (n_probes < SETTINGS_PROBES_MAX && probes[n_probes])
		n_probes++;
	r = objects_start(&context, settings->probes, n_probes, set->objects, &set->n_objects,
			  problem);
	btf__free(btf);
	return r;
}

void probeset_release(struct probeset *set)
{
	for (size_t i = 0; i < set->n_objects; i++)
		object_release(&set->objects[i]);
	set->n_objects = 0;
}

/* --- hooks ------------------------------------------------------------------------------------- */

struct sweep {
	const struct probeset *set;
	struct problem *problem;
};

/* A pinned hook that no probe of ours is using: of a probe that this version does not have. */
static int drop_unknown(const char *name, void *userdata)
{
	const struct sweep *sweep = userdata;
	const struct probeset *set = sweep->set;

	for (size_t i = 0; i < set->n_objects; i++)
		for (size_t a = 0; a < set->objects[i].n_attachments; a++)
			if (!strcmp(set->objects[i].attachments[a].hook->program, name))
				return 0;
	log_notice("removing the pinned hook '%s', which no probe uses any more", name);
	gaps_stopped(maps_state(set->maps), "?", name, "no probe of this version uses it",
		     now_realtime_usec());
	return pins_drop_hook(set->pins, name, sweep->problem);
}

int probeset_drop_unknown(const struct probeset *set, struct problem *problem)
{
	struct sweep sweep = { set, problem };
	int r = pins_each_link(set->pins, drop_unknown, &sweep);

	if (r < 0 && !problem->error)
		problem_set(problem, -r, "cannot read the links in %s: %s", pins_path(set->pins),
			    strerror(-r));
	return r;
}

/* Said at the start and at the end: in between our own descriptors keep the links attached. */
void probeset_verified(const struct probeset *set)
{
	struct em_state *state = maps_state(set->maps);

	gaps_attached_clear(state);
	for (size_t i = 0; i < set->n_objects; i++)
		for (size_t a = 0; a < set->objects[i].n_attachments; a++)
			gaps_attached_add(state, set->objects[i].attachments[a].hook->program);
	state->verified_usec = now_realtime_usec();
}

/* --- telling ----------------------------------------------------------------------------------- */

static void report(const struct object *object)
{
	struct log_context context = { .message_id = LOG_ID_DEGRADED,
				       .probe = object->probe->name };

	if (object->state == OBJECT_DEGRADED)
		log_write(LOG_NOTICE, &context, "probe '%s': %s", object->probe->name,
			  object->reason);
	else if (object->state == OBJECT_UNSUPPORTED)
		log_write(LOG_WARNING, &context, "probe '%s' does not run: %s", object->probe->name,
			  object->reason);
}

void probeset_report(const struct probeset *set)
{
	for (size_t i = 0; i < set->n_objects; i++)
		report(&set->objects[i]);
}
