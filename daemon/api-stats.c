/* SPDX-License-Identifier: GPL-2.0-only */
/* GetStats(): gathers one reading by the dimension asked for, then writes it. */
#include "api.h"
#include "collect.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

enum dimension {
	BY_UID,
	BY_LOGIN,
	BY_UNIT,
};

/* What is asked, and what came of it. */
struct reading {
	struct api *api;
	enum dimension by;
	bool filtered; /* only @uid */
	uint32_t uid;
	bool everything; /* the caller may see what concerns others */
	struct store store;
	uint64_t sums[EM_SLOTS_USED]; /* of the rows in @store */
	struct ledger_sample sample;
	uint64_t unaccounted[EM_SLOTS_USED];
};

static const char *const dimension_names[] = { "uid", "login", "unit" };

/* --- gathering --------------------------------------------------------------------------------- */

static uint64_t key_of(const struct reading *reading, const struct collect_row *row)
{
	switch (reading->by) {
	case BY_LOGIN:
		return row->login;
	case BY_UNIT:
		return row->cgroup ? units_find(reading->api->units, row->cgroup)
				   : settle_unit(reading->api->settle, row->unit);
	default:
		return row->uid;
	}
}

static void add_row(const struct collect_row *row, const uint64_t *counters, void *userdata)
{
	struct reading *reading = userdata;

	if (reading->filtered && row->uid != reading->uid)
		return;
	store_add(&reading->store, key_of(reading, row), counters);
	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		reading->sums[i] += counters[i];
}

static int gather(struct reading *reading)
{
	int r;

	units_begin(reading->api->units);
	r = collect_sweep(reading->api->maps, add_row, reading, &reading->sample);

	if (r < 0)
		return r;
	if (reading->store.error)
		return reading->store.error;
	store_sort(&reading->store);
	api_check_books(reading->api, &reading->sample, reading->unaccounted);
	api_look_at_probes(reading->api);
	return 0;
}

/* --- writing ----------------------------------------------------------------------------------- */

static void write_counters(struct json *reply, const char *key, const uint64_t *counters,
			   uint32_t slots)
{
	json_object_begin(reply, key);
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		if (slots & 1U << i)
			json_u64(reply, probe_slot_name(i), counters[i]);
		else
			json_null(reply, probe_slot_name(i));
	}
	json_object_end(reply);
}

static void write_key(const struct reading *reading, struct json *reply, uint64_t key)
{
	const char *unit;

	switch (reading->by) {
	case BY_UID:
		json_u64(reply, "uid", key);
		break;
	case BY_LOGIN:
		if (key == (uint32_t)EM_LOGIN_UNSET)
			json_null(reply, "login");
		else
			json_u64(reply, "login", key);
		break;
	case BY_UNIT:
		unit = units_name(reading->api->units, (uint32_t)key);
		if (unit)
			json_bytes(reply, "unit", "unitBytes", unit);
		else
			json_null(reply, "unit");
		break;
	}
}

static void write_rows(const struct reading *reading, struct json *reply, uint32_t slots)
{
	json_array_begin(reply, "rows");
	for (size_t i = 0; i < reading->store.n_rows; i++) {
		const struct store_row *row = &reading->store.rows[i];

		json_object_begin(reply, NULL);
		write_key(reading, reply, row->key);
		write_counters(reply, "counters", row->counters, slots);
		json_object_end(reply);
	}
	json_array_end(reply);
}

/*
 * Events without a row belong to nobody in particular: who sees only the own rows is told 0 where
 * nothing was lost at all, and otherwise that it cannot be known.
 */
static void write_loss(const struct reading *reading, struct json *reply, const char *key,
		       uint64_t value)
{
	if (reading->everything || !value)
		json_u64(reply, key, value);
	else
		json_null(reply, key);
}

static void write_overflow(const struct reading *reading, struct json *reply, uint32_t slots)
{
	json_object_begin(reply, "overflow");
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		if (slots & 1U << i)
			write_loss(reading, reply, probe_slot_name(i),
				   reading->sample.after.overflow[i]);
		else
			json_null(reply, probe_slot_name(i));
	}
	json_object_end(reply);
}

static void write_totals(const struct reading *reading, struct json *reply, uint32_t slots)
{
	uint64_t totals[EM_SLOTS_USED];

	/* The rows of this very reading, so that the reply balances while counting goes on. */
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		totals[i] = reading->sums[i];
		if (reading->everything && !reading->filtered)
			totals[i] += reading->sample.after.overflow[i];
	}
	write_counters(reply, "totals", totals, slots);
}

static void write_misses(const struct reading *reading, struct json *reply)
{
	json_object_begin(reply, "misses");
	for (size_t i = 0; i < reading->api->n_objects; i++) {
		const struct object *object = &reading->api->objects[i];
		uint64_t misses;

		if (object->state == OBJECT_DEGRADED && !object->n_attachments)
			continue; /* nothing runs that could be skipped */
		if (object->n_attachments && object_misses(object, &misses) == 0)
			write_loss(reading, reply, object->probe->name, misses);
		else
			json_null(reply, object->probe->name);
	}
	json_object_end(reply);
}

static void write_losses(const struct reading *reading, struct json *reply)
{
	static const char *const errors[EM_UPDATE_ERRORS] = {
		[EM_ERROR_E2BIG] = "E2BIG", [EM_ERROR_ENOSPC] = "ENOSPC",
		[EM_ERROR_EBUSY] = "EBUSY", [EM_ERROR_ENOMEM] = "ENOMEM",
		[EM_ERROR_OTHER] = "other",
	};
	const struct ledger_totals *totals = &reading->sample.after;
	uint64_t overflow = 0, unaccounted = 0;

	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		overflow += totals->overflow[i];
		unaccounted += reading->unaccounted[i];
	}
	json_object_begin(reply, "losses");
	write_loss(reading, reply, "overflow", overflow);
	json_object_begin(reply, "updateErrors");
	for (size_t i = 0; reading->everything && i < EM_UPDATE_ERRORS; i++)
		if (totals->update_errors[i])
			json_u64(reply, errors[i], totals->update_errors[i]);
	json_object_end(reply);
	write_loss(reading, reply, "dispatchMisses", totals->dispatch_misses);
	write_misses(reading, reply);
	write_loss(reading, reply, "unaccounted", unaccounted);
	json_object_end(reply);
}

static void write_gaps(const struct reading *reading, struct json *reply)
{
	const struct em_state *state = maps_state(reading->api->maps);
	uint32_t n = state->gap_count < EM_GAPS ? state->gap_count : EM_GAPS;

	json_array_begin(reply, "gaps");
	for (uint32_t i = 0; i < n; i++) {
		const struct em_gap *gap = &state->gaps[i];

		json_object_begin(reply, NULL);
		json_string_n(reply, "probe", gap->probe, strnlen(gap->probe, EM_NAME));
		json_string_n(reply, "hook", gap->hook, strnlen(gap->hook, EM_NAME));
		api_write_time(reply, "from", gap->from_usec);
		if (gap->to_usec)
			api_write_time(reply, "to", gap->to_usec);
		else
			json_null(reply, "to");
		json_string_n(reply, "reason", gap->reason,
			      strnlen(gap->reason, sizeof(gap->reason)));
		json_object_end(reply);
	}
	json_array_end(reply);
}

static void write_reply(const struct reading *reading, struct json *reply)
{
	uint32_t slots = api_slots(reading->api);

	json_object_begin(reply, NULL);
	api_write_identity(reading->api, reply);
	json_string(reply, "by", dimension_names[reading->by]);
	write_rows(reading, reply, slots);
	write_totals(reading, reply, slots);
	write_overflow(reading, reply, slots);
	write_losses(reading, reply);
	write_gaps(reading, reply);
	json_object_end(reply);
}

/* --- the method -------------------------------------------------------------------------------- */

static enum dimension parse_dimension(struct json_object *by)
{
	const char *name = by ? json_object_get_string(by) : dimension_names[BY_UID];
	size_t i = BY_UNIT;

	while (i > BY_UID && strcmp(dimension_names[i], name))
		i--; /* the server has checked that it is one of them */
	return i;
}

int api_get_stats(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct reading reading = { .api = userdata };
	uid_t own = varlink_call_peer(call)->uid;
	_cleanup_json_ struct json reply = { 0 };
	struct json_object *uid;
	int r;

	reading.by = parse_dimension(json_object_object_get(parameters, "by"));
	reading.everything = api_privileged(reading.api, call);
	uid = json_object_object_get(parameters, "uid");
	if (uid) {
		int64_t wanted = json_object_get_int64(uid);

		if (wanted < 0 || wanted > UINT32_MAX)
			return varlink_error_invalid_parameter(call, "uid");
		reading.filtered = true;
		reading.uid = (uint32_t)wanted;
	}
	if (!reading.everything) {
		if (reading.filtered && reading.uid != own)
			return varlink_error_permission_denied(call);
		reading.filtered = true;
		reading.uid = own;
	}
	r = gather(&reading);
	if (!r)
		write_reply(&reading, &reply);
	store_done(&reading.store);
	return r < 0 ? r : varlink_reply(call, &reply);
}
