/* SPDX-License-Identifier: GPL-2.0-only */
/* ListProbes(): what each probe does here, and what it cannot see. */
#include "api.h"

static void write_hooks(const struct object *object, struct json *reply)
{
	char name[64];

	json_array_begin(reply, "hooks");
	for (size_t i = 0; i < object->n_attachments; i++)
		json_string(reply, NULL,
			    attachment_name(&object->attachments[i], name, sizeof(name)));
	json_array_end(reply);
}

static void write_counters(const struct object *object, struct json *reply)
{
	json_array_begin(reply, "counters");
	for (size_t j = 0; j < object->probe->n_jobs; j++) {
		const struct job *job = &object->probe->jobs[j];

		for (size_t i = 0; i < job->n_slots; i++)
			json_string(reply, NULL, probe_slot_name(job->slots[i]));
	}
	json_array_end(reply);
}

static void write_coverage(const struct object *object, struct json *reply)
{
	unsigned int possible = probe_coverage_possible(object->probe);
	const char *name;

	json_object_begin(reply, "coverage");
	for (unsigned int bit = 0; (name = probe_coverage_name(bit)); bit++)
		if (possible & 1U << bit)
			json_boolean(reply, name, object->coverage & 1U << bit);
	json_object_end(reply);
}

/* How much the kernel skipped in all tells of others: @everything is for who may know. */
static void write_probe(const struct object *object, bool everything, struct json *reply)
{
	uint64_t misses;

	json_object_begin(reply, NULL);
	json_string(reply, "name", object->probe->name);
	json_string(reply, "summary", object->probe->summary);
	json_string(reply, "state", object_state_name(object->state));
	json_string(reply, "reason", object->reason);
	write_hooks(object, reply);
	write_counters(object, reply);
	write_coverage(object, reply);
	if (object->n_attachments && object_misses(object, &misses) == 0 && (everything || !misses))
		json_u64(reply, "misses", misses);
	else
		json_null(reply, "misses");
	json_boolean(reply, "survivesRestart", object->n_attachments > 0 && !object->unpinned);
	json_object_end(reply);
}

int api_list_probes(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct api *api = userdata;
	bool everything = api_privileged(api, call);
	_cleanup_json_ struct json reply = { 0 };

	(void)parameters;
	probeset_look(api->probeset);
	json_object_begin(&reply, NULL);
	json_array_begin(&reply, "probes");
	for (size_t i = 0; i < api->probeset->n_objects; i++)
		write_probe(&api->probeset->objects[i], everything, &reply);
	json_array_end(&reply);
	json_object_end(&reply);
	return varlink_reply(call, &reply);
}
