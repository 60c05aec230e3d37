/* SPDX-License-Identifier: GPL-2.0-only */
/* GetStats(): gathers one reading, or what the history has, by dimension, then writes it. */
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
	uint64_t since_usec; /* only what was counted in so much time; 0: all that ever was */
	struct recorder_span span;
	bool everything; /* the caller may see what concerns others */
	struct store store;
	uint64_t sums[EM_SLOTS_USED]; /* of the rows in @store */
	struct ledger_sample sample;
	uint64_t unaccounted[EM_SLOTS_USED];
	struct json_key names[EM_SLOTS_USED]; /* of counters */
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

static void add(struct reading *reading, uint64_t key, const uint64_t *counters)
{
	store_add(&reading->store, key, counters);
	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		reading->sums[i] += counters[i];
}

static void add_row(const struct collect_row *row, const uint64_t *counters, void *userdata)
{
	struct reading *reading = userdata;

	if (reading->since_usec || (reading->filtered && row->uid != reading->uid))
		return;
	add(reading, key_of(reading, row), counters);
}

static void add_recorded(const struct history_key *key, const uint64_t *counters, void *userdata)
{
	struct reading *reading = userdata;
	const uint64_t keys[] = {
		[BY_UID] = key->uid, [BY_LOGIN] = key->login, [BY_UNIT] = key->id
	};

	if (!reading->filtered || key->uid == reading->uid)
		add(reading, keys[reading->by], counters);
}

static int gather(struct reading *reading)
{
	int r;

	units_begin(reading->api->units);
	r = collect_sweep(reading->api->maps, add_row, reading, &reading->sample);
	if (!r && reading->since_usec)
		r = recorder_since(reading->api->recorder, reading->since_usec, add_recorded,
				   reading, &reading->span);
	if (r < 0)
		return r;
	if (reading->store.error)
		return reading->store.error;
	store_sort(&reading->store);
	api_check_books(reading->api, &reading->sample, reading->unaccounted);
	probeset_look(reading->api->probeset);
	return 0;
}

/* --- writing ----------------------------------------------------------------------------------- */

static void write_counters(const struct reading *reading, struct json *reply, const char *key,
			   const uint64_t *counters, uint32_t slots)
{
	json_object_begin(reply, key);
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		if (slots & 1U << i)
			json_u64_by(reply, &reading->names[i], counters[i]);
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
		write_counters(reading, reply, "counters", row->counters, slots);
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

static void write_nobodys(const struct reading *reading, struct json *reply, const char *key,
			  const uint64_t *counters, uint32_t slots)
{
	json_object_begin(reply, key);
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		if (slots & 1U << i)
			write_loss(reading, reply, probe_slot_name(i), counters[i]);
		else
			json_null(reply, probe_slot_name(i));
	}
	json_object_end(reply);
}

/* What belongs to no row for lack of room. */
static const uint64_t *overflow_of(const struct reading *reading)
{
	return reading->since_usec ? reading->span.history.overflow
				   : reading->sample.after.overflow;
}

static void write_totals(const struct reading *reading, struct json *reply, uint32_t slots)
{
	uint64_t totals[EM_SLOTS_USED];

	/* The rows of this very reading, so that the reply balances while counting goes on. */
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		totals[i] = reading->sums[i];
		if (reading->everything && !reading->filtered)
			totals[i] += overflow_of(reading)[i] + reading->span.history.other[i];
	}
	write_counters(reading, reply, "totals", totals, slots);
}

static void write_misses(const struct reading *reading, struct json *reply)
{
	const struct probeset *probeset = reading->api->probeset;

	json_object_begin(reply, "misses");
	for (size_t i = 0; i < probeset->n_objects; i++) {
		const struct object *object = &probeset->objects[i];
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
		overflow += overflow_of(reading)[i];
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

static void write_history(const struct reading *reading, struct json *reply, uint32_t slots)
{
	const struct recorder_span *span = &reading->span;
	const struct history_time *from = &span->history.from;

	if (!reading->since_usec)
		return;
	json_object_begin(reply, "history");
	api_write_time(reply, "from", from->real_usec);
	api_write_time(reply, "to", span->to.real_usec);
	json_u64(reply, "duration", span->to.boot_usec - from->boot_usec);
	json_boolean(reply, "reached", span->history.reached);
	write_nobodys(reading, reply, "other", span->history.other, slots);
	write_loss(reading, reply, "leftOut", span->history.left_out);
	json_object_end(reply);
}

static void write_reply(const struct reading *reading, struct json *reply)
{
	uint32_t slots = api_slots(reading->api);

	json_object_begin(reply, NULL);
	api_write_identity(reading->api, reply);
	json_string(reply, "by", dimension_names[reading->by]);
	write_rows(reading, reply, slots);
	write_totals(reading, reply, slots);
	write_nobodys(reading, reply, "overflow", overflow_of(reading), slots);
	write_losses(reading, reply);
	write_gaps(reading, reply);
	write_history(reading, reply, slots);
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

/* false: a number is out of range, which @ret_wrong names. */
static bool parse_numbers(struct reading *reading, struct json_object *parameters,
			  const char **ret_wrong)
{
	struct json_object *uid = json_object_object_get(parameters, "uid");
	struct json_object *since = json_object_object_get(parameters, "since");
	int64_t number;

	if (uid) {
		number = json_object_get_int64(uid);
		*ret_wrong = "uid";
		if (number < 0 || number > UINT32_MAX)
			return false;
		reading->filtered = true;
		reading->uid = (uint32_t)number;
	}
	if (since) {
		number = json_object_get_int64(since);
		*ret_wrong = "since";
		if (number <= 0)
			return false;
		reading->since_usec = (uint64_t)number;
	}
	return true;
}

static int answer(struct varlink_call *call, struct reading *reading)
{
	_cleanup_json_ struct json reply = { 0 };
	int r = gather(reading);

	if (r == -ENODATA)
		return varlink_error(call, "io.ebpfmon.Monitor.HistoryDisabled", NULL);
	if (r < 0)
		return r;
	write_reply(reading, &reply);
	return varlink_reply(call, &reply);
}

int api_get_stats(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct reading reading = { .api = userdata };
	uid_t own = varlink_call_peer(call)->uid;
	const char *wrong;
	int r;

	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		reading.names[i] = json_key(probe_slot_name(i));
	reading.by = parse_dimension(json_object_object_get(parameters, "by"));
	reading.everything = api_privileged(reading.api, call);
	if (!parse_numbers(&reading, parameters, &wrong))
		return varlink_error_invalid_parameter(call, wrong);
	if (!reading.everything) {
		if (reading.filtered && reading.uid != own)
			return varlink_error_permission_denied(call);
		reading.filtered = true;
		reading.uid = own;
	}
	r = answer(call, &reading);
	store_done(&reading.store);
	return r;
}
