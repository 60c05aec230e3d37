/* SPDX-License-Identifier: GPL-2.0-only */
/* GetStatus() and Reload(): the daemon itself. */
#include "api.h"
#include "collect.h"

#include <stdio.h>
#include <string.h>

static void ignore_row(const struct collect_row *row, const uint64_t *counters, void *userdata)
{
	(void)row;
	(void)counters;
	(void)userdata;
}

/* Resident memory; proc(5), /proc/PID/statm, second number, pages. */
static uint64_t resident_bytes(void)
{
	unsigned long long size, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void api_status_line(const struct probeset *probeset, char *buffer, size_t size)
{
	size_t length = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < probeset->n_objects && length < size; i++)
		length += (size_t)snprintf(buffer + length, size - length, "%s%s %s", i ? ", " : "",
					   probeset->objects[i].probe->name,
					   object_state_name(probeset->objects[i].state));
}

static void write_clients(const struct varlink_counters *counters, struct json *reply)
{
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{ "connected", counters->connections },
		{ "accepted", counters->accepted },
		{ "refusedTotal", counters->refused_total },
		{ "refusedPerUid", counters->refused_per_uid },
		{ "acceptErrors", counters->accept_errors },
		{ "closedProtocol", counters->closed_protocol },
		{ "closedSize", counters->closed_size },
		{ "closedQueue", counters->closed_queue },
		{ "closedTimeout", counters->closed_timeout },
		{ "calls", counters->calls },
		{ "errors", counters->errors },
	};

	json_object_begin(reply, "clients");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		json_u64(reply, fields[i].name, fields[i].value);
	json_object_end(reply);
}

/* What happened to the events of each probe while somebody wanted them: read + lost = counted. */
static void write_event_books(const struct api *api, struct json *reply)
{
	const struct listeners_counters *counters = listeners_counters(api->listeners);
	struct em_event_losses losses;

	event_maps_losses(api->event_maps, &losses);
	json_object_begin(reply, "probes");
	for (size_t i = 0; probes[i]; i++) {
		const struct probe_event *event = probes[i]->event;

		if (!event)
			continue;
		json_object_begin(reply, probes[i]->name);
		json_u64(reply, "read", counters->read[event->kind]);
		json_u64(reply, "lostBuffer", losses.full[event->kind]);
		json_u64(reply, "lostBudget", losses.budget[event->kind]);
		json_u64(reply, "filtered", losses.filtered[event->kind]);
		json_object_end(reply);
	}
	json_object_end(reply);
}

static void write_journal_books(const struct api *api, struct json *reply)
{
	const struct reporter_counters *counters = reporter_counters(api->reporter);

	json_object_begin(reply, "journal");
	json_u64(reply, "entries", counters->entries);
	json_u64(reply, "suppressed", counters->suppressed);
	json_u64(reply, "lost", counters->lost);
	json_u64(reply, "unsent", counters->unsent);
	json_object_end(reply);
}

/* Of others than the caller as well: for those who see everything. */
static void write_events(const struct api *api, bool everything, struct json *reply)
{
	const struct subscription_counters *counters;

	if (!api->subscriptions || !everything) {
		json_null(reply, "events");
		return;
	}
	counters = subscriptions_counters(api->subscriptions);
	json_object_begin(reply, "events");
	json_u64(reply, "subscribers", counters->subscribers);
	json_u64(reply, "refusedTotal", counters->refused_total);
	json_u64(reply, "refusedPerUser", counters->refused_per_user);
	json_u64(reply, "lostClients", counters->lost);
	json_u64(reply, "invalid", listeners_counters(api->listeners)->invalid);
	write_event_books(api, reply);
	write_journal_books(api, reply);
	json_object_end(reply);
}

static void write_status(const struct api *api, uint32_t rows_used, bool everything,
			 struct json *reply)
{
	char line[256];

	json_object_begin(reply, NULL);
	json_string(reply, "version", EBPFMON_VERSION);
	api_status_line(api->probeset, line, sizeof(line));
	json_string(reply, "status", line);
	json_i64(reply, "pid", getpid());
	json_u64(reply, "uid", geteuid());
	api_write_identity(api, reply);
	api_write_time(reply, "started", api->started_usec);
	json_string(reply, "pins", api->pin_path);
	json_u64(reply, "subjects", rows_used);
	json_u64(reply, "subjectsMax", maps_state(api->maps)->subjects_max);
	json_u64(reply, "settlements", settle_count(api->settle));
	json_u64(reply, "settled", settle_rows(api->settle));
	json_u64(reply, "memory", resident_bytes());
	json_u64(reply, "kernelMemory",
		 maps_kernel_bytes(api->maps) +
			 (api->event_maps ? event_maps_kernel_bytes(api->event_maps) : 0));
	write_events(api, everything, reply);
	write_clients(varlink_server_counters(api->server), reply);
	json_object_end(reply);
}

int api_get_status(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct api *api = userdata;
	_cleanup_json_ struct json reply = { 0 };
	uint64_t unaccounted[EM_SLOTS_USED];
	struct ledger_sample sample;
	int r;

	(void)parameters;
	r = collect_sweep(api->maps, ignore_row, NULL, &sample);
	if (r < 0)
		return r;
	api_check_books(api, &sample, unaccounted);
	probeset_look(api->probeset);
	if (api->listeners)
		listeners_read(api->listeners); /* what was counted has been told */
	write_status(api, sample.rows_used, api_privileged(api, call), &reply);
	return varlink_reply(call, &reply);
}

int api_reload(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	const struct api *api = userdata;
	_cleanup_json_ struct json reply = { 0 };
	int r;

	(void)parameters;
	if (!api_privileged(api, call))
		return varlink_error_permission_denied(call);
	r = api->reload(&reply, api->userdata);
	return r < 0 ? r : varlink_reply(call, &reply);
}
