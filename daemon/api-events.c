/* SPDX-License-Identifier: GPL-2.0-only */
/* Subscribe(): parameters -> a filter, within what the caller may see. */
#include "api.h"

#include <limits.h>
#include <string.h>

/* An integer parameter of 32 bits: 1 it is there, 0 not, -EINVAL out of range. */
static int take_number(struct json_object *parameters, const char *name, uint32_t *ret_value)
{
	struct json_object *value = json_object_object_get(parameters, name);
	int64_t number;

	if (!value)
		return 0;
	number = json_object_get_int64(value);
	if (number < 0 || number > UINT32_MAX)
		return -EINVAL;
	*ret_value = (uint32_t)number;
	return 1;
}

/* Microseconds; 0 is as none. 0, or -EINVAL out of range. */
static int take_duration(struct json_object *parameters, const char *name, uint64_t *ret_usec)
{
	struct json_object *value = json_object_object_get(parameters, name);
	int64_t number = value ? json_object_get_int64(value) : 0;

	if (number < 0)
		return -EINVAL;
	*ret_usec = (uint64_t)number;
	return 0;
}

static int take_text(struct json_object *parameters, const char *name, char **ret_text)
{
	struct json_object *value = json_object_object_get(parameters, name);

	if (!value)
		return 0;
	*ret_text = strdup(json_object_get_string(value));
	return *ret_text ? 0 : -ENOMEM;
}

static bool take_flag(struct json_object *parameters, const char *name)
{
	return json_object_get_boolean(json_object_object_get(parameters, name));
}

/* Bits of the probes named; without names all that tell events. 0: one of them tells none. */
static uint32_t take_kinds(struct json_object *names)
{
	size_t n = names ? json_object_array_length(names) : 0;
	uint32_t kinds = 0;

	for (size_t i = 0; !names && probes[i]; i++)
		if (probes[i]->event)
			kinds |= 1U << probes[i]->event->kind;
	for (size_t k = 0; k < n; k++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, k));
		size_t i = 0;

		while (probes[i] && (!probes[i]->event || strcmp(probes[i]->name, name) != 0))
			i++;
		if (!probes[i])
			return 0;
		kinds |= 1U << probes[i]->event->kind;
	}
	return kinds;
}

/* 0, -ENOMEM, or -EINVAL with the name of the parameter. */
static int take_filter(struct json_object *parameters, struct event_filter *filter,
		       const char **ret_wrong)
{
	const struct {
		const char *name;
		uint32_t *value;
		bool *given;
	} numbers[] = {
		{ "uid", &filter->uid, &filter->by_uid },
		{ "login", &filter->login, &filter->by_login },
		{ "pid", &filter->pid, &filter->by_pid },
	};
	const struct {
		const char *name;
		char **value;
	} texts[] = {
		{ "unit", &filter->unit },
		{ "comm", &filter->comm },
		{ "path", &filter->path },
	};
	int r = 0;

	filter->kinds = take_kinds(json_object_object_get(parameters, "probes"));
	*ret_wrong = "probes";
	if (!filter->kinds)
		return -EINVAL;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(numbers); i++) {
		*ret_wrong = numbers[i].name;
		r = take_number(parameters, numbers[i].name, numbers[i].value);
		*numbers[i].given = r > 0;
	}
	if (r >= 0) {
		*ret_wrong = "minDuration";
		r = take_duration(parameters, "minDuration", &filter->min_duration_usec);
	}
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
		r = take_text(parameters, texts[i].name, texts[i].value);
	filter->children = filter->by_pid && take_flag(parameters, "children");
	filter->failed_only = take_flag(parameters, "failed");
	return r < 0 ? r : 0;
}

static int refuse(struct varlink_call *call, int error)
{
	if (error == -EUSERS || error == -EDQUOT)
		return varlink_error(call, "io.ebpfmon.Monitor.TooManySubscribers", NULL);
	return error;
}

int api_subscribe(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	CLEANUP(event_filter_done) struct event_filter filter = { 0 };
	const struct api *api = userdata;
	uid_t own = varlink_call_peer(call)->uid;
	bool everything = api_privileged(api, call);
	const char *wrong;
	int r = take_filter(parameters, &filter, &wrong);

	if (r == -EINVAL)
		return varlink_error_invalid_parameter(call, wrong);
	if (r < 0)
		return r;
	filter.kept = filter.children && filter.pid == (uint32_t)varlink_call_peer(call)->pid;
	if (!everything && filter.by_uid && filter.uid != own)
		return varlink_error_permission_denied(call);
	if (!everything) {
		filter.by_uid = true;
		filter.uid = own;
	}
	if (!api->subscriptions)
		return varlink_error(call, "io.ebpfmon.Monitor.NoEvents", NULL);
	r = subscriptions_add(api->subscriptions, call, &filter, everything);
	return r < 0 ? refuse(call, r) : 0;
}
