/* SPDX-License-Identifier: GPL-2.0-only */
/* All probes at run time: probeset.h. */
#include "probeset.h"

#include "ftrace.h"
#include "gaps.h"
#include "log-ids.h"
#include "log.h"

#include <bpf/btf.h>
#include <string.h>

int probeset_start(struct probeset *set, const struct settings *settings,
		   const struct event_maps *events, struct problem *problem)
{
	struct em_constants constants = settings->constants;
	struct object_context context = {
		.pins = set->pins, .maps = set->maps, .events = events, .constants = &constants
	};
	struct btf *btf = object_btf(problem);
	size_t n_probes = 0;
	int r;

	if (!btf)
		return -problem->error;
	set->ftrace_fd = ftrace_open();
	context.btf = btf;
	context.functions_called = ftrace_enabled(set->ftrace_fd);
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
	if (set->ftrace_fd > 0)
		set->ftrace_fd = close_fd(set->ftrace_fd);
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

/* What lacks from the start is as it was to be expected here; what goes later is not. */
static void report(const struct object *object, int degraded_priority)
{
	struct log_context context = { .message_id = LOG_ID_DEGRADED,
				       .probe = object->probe->name };

	if (object->state == OBJECT_DEGRADED)
		log_write(degraded_priority, &context, "probe '%s': %s", object->probe->name,
			  object->reason);
	else if (object->state == OBJECT_UNSUPPORTED)
		log_write(LOG_WARNING, &context, "probe '%s' does not run: %s", object->probe->name,
			  object->reason);
}

void probeset_report(const struct probeset *set)
{
	for (size_t i = 0; i < set->n_objects; i++)
		report(&set->objects[i], LOG_NOTICE);
}

/* --- looking ----------------------------------------------------------------------------------- */

/* What does not count any more did when it was last looked at. */
static void note_changes(const struct probeset *set, const struct object *before,
			 const struct object *object, uint64_t now)
{
	struct em_state *state = maps_state(set->maps);
	const char *probe = object->probe->name;

	if (object->exchanged && !before->exchanged)
		gaps_stopped(state, probe, object->exchanged->hook->program,
			     "its program was exchanged by somebody else", state->verified_usec);
	if (object->uncalled && !before->uncalled)
		gaps_stopped(state, probe, object_function(object)->hook->program, GAPS_UNCALLED,
			     state->verified_usec);
	if (!object->uncalled && before->uncalled && !object->exchanged)
		gaps_resumed(state, object_function(object)->hook->program, now);
}

void probeset_look(struct probeset *set)
{
	bool functions_called = ftrace_enabled(set->ftrace_fd);
	uint64_t now = now_realtime_usec();

	for (size_t i = 0; i < set->n_objects; i++) {
		struct object *object = &set->objects[i];
		struct object before = *object;

		if (!object_look(object, functions_called))
			continue;
		note_changes(set, &before, object, now);
		if (object->state == OBJECT_RUNNING)
			log_notice("probe '%s': all of it is counted again", object->probe->name);
		report(object, LOG_WARNING);
	}
	if (functions_called)
		maps_state(set->maps)->verified_usec = now;
}
