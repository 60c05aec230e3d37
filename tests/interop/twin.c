/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods that systemd serves, so that the oracle can send the same bytes there and here. Its
 * manager has one with parameters, whose answer is that there is no such user, and one that
 * streams or answers once; sysext has one that must stream, journald one with an integer. Owns no
 * users, cgroups, extensions or levels.
 */
#include "twin.h"

#include "message.h"

#include <string.h>

#define UID_INVALID UINT32_MAX

static int get_user_record(struct varlink_call *call, struct json_object *parameters,
			   void *userdata)
{
	const char *service = json_object_get_string(json_object_object_get(parameters, "service"));

	(void)userdata;
	if (json_object_get_uint64(json_object_object_get(parameters, "uid")) >= UID_INVALID)
		return varlink_error_invalid_parameter(call, "uid");
	return varlink_error(call,
			     strcmp(service, "io.systemd.DynamicUser") == 0
				     ? "io.systemd.UserDatabase.NoRecordFound"
				     : "io.systemd.UserDatabase.BadService",
			     NULL);
}

static void subscriber_gone(void *userdata)
{
	(void)userdata;
}

static int subscribe(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };

	(void)parameters;
	(void)userdata;
	json_object_begin(&json, NULL);
	json_array_begin(&json, "cgroups");
	json_array_end(&json);
	json_object_end(&json);
	if (!varlink_call_wants_more(call))
		return varlink_reply(call, &json);
	varlink_call_on_disconnect(call, subscriber_gone, NULL);
	return varlink_notify(call, &json);
}

static int set_log_level(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	(void)parameters;
	(void)userdata;
	return varlink_reply(call, NULL);
}

/* In the order of systemd's description, which is that of its checks. */
static const struct varlink_parameter get_user_record_parameters[] = {
	{ .name = "uid", .type = VARLINK_INT, .nullable = true },
	{ .name = "userName", .type = VARLINK_STRING, .nullable = true },
	{ .name = "service", .type = VARLINK_STRING },
	{ .name = NULL },
};

static const struct varlink_method database_methods[] = {
	{
		.name = "GetUserRecord",
		.parameters = get_user_record_parameters,
		.handler = get_user_record,
	},
	{ .name = NULL },
};

const struct varlink_interface twin_database_interface = {
	.name = "io.systemd.UserDatabase",
	.description = "interface io.systemd.UserDatabase\n"
		       "\n"
		       "method GetUserRecord(\n"
		       "  uid: ?int,\n"
		       "  userName: ?string,\n"
		       "  service: string\n"
		       ") -> (record: object)\n"
		       "\n"
		       "error NoRecordFound ()\n"
		       "\n"
		       "error BadService ()\n",
	.methods = database_methods,
};

static const struct varlink_method oom_methods[] = {
	{ .name = "SubscribeManagedOOMCGroups", .handler = subscribe },
	{ .name = NULL },
};

const struct varlink_interface twin_oom_interface = {
	.name = "io.systemd.ManagedOOM",
	.description = "interface io.systemd.ManagedOOM\n"
		       "\n"
		       "method SubscribeManagedOOMCGroups() -> (cgroups: []object)\n",
	.methods = oom_methods,
};

static const struct varlink_parameter set_log_level_parameters[] = {
	{ .name = "level", .type = VARLINK_INT, .nullable = true },
	{ .name = NULL },
};

static const struct varlink_method service_methods[] = {
	{
		.name = "SetLogLevel",
		.parameters = set_log_level_parameters,
		.handler = set_log_level,
	},
	{ .name = NULL },
};

const struct varlink_interface twin_service_interface = {
	.name = "io.systemd.service",
	.description = "interface io.systemd.service\n"
		       "\n"
		       "method SetLogLevel(level: ?int) -> ()\n",
	.methods = service_methods,
};

static int list_extensions(struct varlink_call *call, struct json_object *parameters,
			   void *userdata)
{
	(void)parameters;
	(void)userdata;
	return varlink_reply(call, NULL);
}

static const struct varlink_parameter list_extensions_parameters[] = {
	{ .name = "class", .type = VARLINK_STRING, .nullable = true },
	{ .name = NULL },
};

static const struct varlink_method extension_methods[] = {
	{
		.name = "List",
		.parameters = list_extensions_parameters,
		.handler = list_extensions,
		.streams = true,
	},
	{ .name = NULL },
};

const struct varlink_interface twin_extension_interface = {
	.name = "io.systemd.sysext",
	.description = "interface io.systemd.sysext\n"
		       "\n"
		       "method List(class: ?string) -> ()\n",
	.methods = extension_methods,
};
