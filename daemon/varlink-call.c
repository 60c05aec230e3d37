/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one request means: its header, its method, its parameters against the method's table, and
 * the interface org.varlink.service. Owns no connection and no socket.
 */
#include "varlink-internal.h"

#include "log.h"

#include <assert.h>
#include <string.h>

/* --- the header -------------------------------------------------------------------------------- */

struct header {
	const char *method;
	struct json_object *parameters; /* NULL: none */
	bool oneway, more, upgrade;
};

static bool *header_flag(struct header *header, const char *name)
{
	struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "oneway", &header->oneway },
		{ "more", &header->more },
		{ "upgrade", &header->upgrade },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(flags[i].name, name) == 0)
			return flags[i].flag;
	}
	return NULL;
}

static int read_member(struct header *header, const char *name, struct json_object *value)
{
	bool *flag = header_flag(header, name);

	if (flag && json_object_is_type(value, json_type_boolean))
		*flag = json_object_get_boolean(value);
	else if (strcmp(name, "method") == 0 && json_object_is_type(value, json_type_string))
		header->method = json_object_get_string(value);
	else if (strcmp(name, "parameters") == 0 &&
		 (!value || json_object_is_type(value, json_type_object)))
		header->parameters = value;
	else
		return -EPROTO;
	return 0;
}

/*
 * No answer can be given to a wrong header: the connection is closed. "upgrade" is accepted and
 * means nothing: no method here hands the connection over, and sd-varlink answers such a call as
 * any other. So is a false flag next to a true one, in any order.
 */
static int read_header(struct json_object *message, struct header *header)
{
	json_object_object_foreach(message, name, value) {
		if (read_member(header, name, value) < 0)
			return -EPROTO;
	}
	if (!header->method || header->oneway + header->more + header->upgrade > 1)
		return -EPROTO;
	return 0;
}

/* --- the parameters ---------------------------------------------------------------------------- */

static bool is_choice(const char *const *choices, const char *text)
{
	for (; *choices; choices++) {
		if (strcmp(*choices, text) == 0)
			return true;
	}
	return false;
}

static bool is_string_array(struct json_object *value)
{
	if (!json_object_is_type(value, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		if (!json_object_is_type(json_object_array_get_idx(value, i), json_type_string))
			return false;
	}
	return true;
}

/* A decimal number as JSON spells it, nothing around it. */
static struct json_object *integer_from_text(const char *text)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	size_t n = strspn(digits, "0123456789");
	uint64_t magnitude;

	if (n == 0 || digits[n] != '\0' || (digits[0] == '0' && n > 1))
		return NULL;
	errno = 0;
	magnitude = strtoull(digits, NULL, 10);
	if (errno != 0)
		return NULL;
	if (digits == text)
		return json_object_new_uint64(magnitude);
	if (magnitude > (uint64_t)INT64_MAX + 1)
		return NULL;
	return json_object_new_int64((int64_t)-magnitude);
}

static struct json_object *integer_from_double(double value)
{
	if (value >= -0x1p63 && value < 0x1p63 && value == (double)(int64_t)value)
		return json_object_new_int64((int64_t)value);
	if (value >= 0x1p63 && value < 0x1p64) /* too large to have a fraction */
		return json_object_new_uint64((uint64_t)value);
	return NULL;
}

/* Takes ownership of @value in any case. */
static bool replace(struct json_object *parameters, const char *name, struct json_object *value)
{
	if (json_object_object_add(parameters, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

/*
 * As sd-varlink has it, 1.0, 1e3 and "1000" are integers too: senders without 64-bit numbers
 * write them so. Handlers get them as plain integers.
 */
static bool make_integer(struct json_object *parameters, const char *name,
			 struct json_object *value)
{
	struct json_object *integer = NULL;

	if (json_object_is_type(value, json_type_int))
		return true;
	if (json_object_is_type(value, json_type_double))
		integer = integer_from_double(json_object_get_double(value));
	else if (json_object_is_type(value, json_type_string))
		integer = integer_from_text(json_object_get_string(value));
	return integer && replace(parameters, name, integer);
}

static bool make_float(struct json_object *parameters, const char *name, struct json_object *value)
{
	struct json_object *number;

	if (json_object_is_type(value, json_type_double))
		return true;
	if (!json_object_is_type(value, json_type_int))
		return false;
	number = json_object_new_double(json_object_get_double(value));
	return number && replace(parameters, name, number);
}

static bool check_parameter(const struct varlink_parameter *parameter,
			    struct json_object *parameters)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(parameters, parameter->name, &value);
	if (!value)
		return parameter->nullable;
	switch (parameter->type) {
	case VARLINK_BOOL:
		return json_object_is_type(value, json_type_boolean);
	case VARLINK_INT:
		return make_integer(parameters, parameter->name, value);
	case VARLINK_FLOAT:
		return make_float(parameters, parameter->name, value);
	case VARLINK_STRING:
		return json_object_is_type(value, json_type_string);
	case VARLINK_ENUM:
		return json_object_is_type(value, json_type_string) &&
		       is_choice(parameter->choices, json_object_get_string(value));
	case VARLINK_STRING_ARRAY:
		return is_string_array(value);
	case VARLINK_OBJECT:
		return json_object_is_type(value, json_type_object);
	}
	return false;
}

static bool is_declared(const struct varlink_method *method, const char *name)
{
	const struct varlink_parameter *parameter = method->parameters;

	for (; parameter && parameter->name; parameter++) {
		if (strcmp(parameter->name, name) == 0)
			return true;
	}
	return false;
}

/* The name of the first wrong one, in sd-varlink's order; NULL: all are right. */
static const char *find_wrong(const struct varlink_method *method, struct json_object *parameters)
{
	const struct varlink_parameter *parameter = method->parameters;

	for (; parameter && parameter->name; parameter++) {
		if (!check_parameter(parameter, parameters))
			return parameter->name;
	}
	json_object_object_foreach(parameters, name, value) {
		(void)value;
		if (!is_declared(method, name))
			return name;
	}
	return NULL;
}

/* --- errors ------------------------------------------------------------------------------------ */

/* The errors of org.varlink.service have one string or nothing. */
static int service_error(struct varlink_call *call, const char *error, const char *key,
			 const char *value)
{
	struct json json _cleanup_json_ = { .text = NULL };

	json_object_begin(&json, NULL);
	if (key)
		json_string(&json, key, value);
	json_object_end(&json);
	return varlink_error(call, error, &json);
}

int varlink_error_invalid_parameter(struct varlink_call *call, const char *parameter)
{
	return service_error(call, "org.varlink.service.InvalidParameter", "parameter", parameter);
}

int varlink_error_permission_denied(struct varlink_call *call)
{
	return service_error(call, "org.varlink.service.PermissionDenied", NULL, NULL);
}

/* --- the method -------------------------------------------------------------------------------- */

static const struct varlink_method *find_method(const struct varlink_interface *interface,
						const char *name)
{
	size_t length = strlen(interface->name);

	assert(name);
	if (strncmp(name, interface->name, length) != 0 || name[length] != '.')
		return NULL;
	for (const struct varlink_method *method = interface->methods; method->name; method++) {
		if (strcmp(method->name, name + length + 1) == 0)
			return method;
	}
	return NULL;
}

static const struct varlink_interface *interface_at(const struct varlink_server *server, size_t i)
{
	size_t n = 0;

	while (n < i && server->interfaces[n])
		n++;
	if (server->interfaces[n])
		return server->interfaces[n];
	return n == i ? &varlink_service : NULL;
}

static int dispatch(struct varlink_connection *connection, const char *name,
		    struct json_object *parameters)
{
	struct varlink_call *call = &connection->call;
	const struct varlink_method *method = NULL;
	const struct varlink_interface *interface;
	const char *wrong;

	for (size_t i = 0; !method && (interface = interface_at(connection->server, i)); i++)
		method = find_method(interface, name);
	if (!method)
		return service_error(call, "org.varlink.service.MethodNotFound", "method", name);
	if (!method->handler)
		return service_error(call, "org.varlink.service.MethodNotImplemented", "method",
				     name);
	if (method->streams && !call->more)
		return service_error(call, "org.varlink.service.ExpectedMore", NULL, NULL);
	wrong = find_wrong(method, parameters);
	if (wrong)
		return varlink_error_invalid_parameter(call, wrong);
	return method->handler(call, parameters, connection->server->userdata);
}

static int handle(struct varlink_connection *connection, const struct header *header)
{
	struct json_object *empty _cleanup_json_object_ = NULL;
	struct varlink_call *call = &connection->call;
	int r;

	if (!header->parameters) {
		empty = json_object_new_object();
		if (!empty)
			return -ENOMEM;
	}
	*call = (struct varlink_call){
		.open = true,
		.more = header->more,
		.oneway = header->oneway,
	};
	connection->server->counters.calls++;
	r = dispatch(connection, header->method, empty ? empty : header->parameters);
	if (r >= 0)
		return 0;
	/* Not answered; or the answer was lost, which was said already. */
	*call = (struct varlink_call){ .open = false };
	if (!connection->failed)
		log_error("method %s called by uid %u failed: %s; its connection is closed",
			  header->method, connection->peer.uid, strerror(-r));
	return r;
}

int varlink_request(struct varlink_connection *connection, const char *text, size_t length)
{
	struct varlink_server *server = connection->server;
	struct json_object *message _cleanup_json_object_ = NULL;
	struct header header = { .method = NULL };
	int r;

	r = message_parse(text, length, server->limits.depth, &message);
	if (r == 0)
		r = read_header(message, &header);
	if (r == -EBADMSG || r == -EPROTO)
		server->counters.closed_protocol++;
	if (r < 0)
		return r;
	return handle(connection, &header);
}

/* --- org.varlink.service ----------------------------------------------------------------------- */

static int get_info(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	const struct varlink_server *server = varlink_call_connection(call)->server;
	struct json json _cleanup_json_ = { .text = NULL };
	const struct varlink_interface *interface;

	(void)parameters;
	(void)userdata;
	json_object_begin(&json, NULL);
	json_string(&json, "vendor", server->info.vendor);
	json_string(&json, "product", server->info.product);
	json_string(&json, "version", server->info.version);
	json_string(&json, "url", server->info.url);
	json_array_begin(&json, "interfaces");
	for (size_t i = 0; (interface = interface_at(server, i)); i++)
		json_string(&json, NULL, interface->name);
	json_array_end(&json);
	json_object_end(&json);
	return varlink_reply(call, &json);
}

static int get_interface_description(struct varlink_call *call, struct json_object *parameters,
				     void *userdata)
{
	const char *name = json_object_get_string(json_object_object_get(parameters, "interface"));
	const struct varlink_server *server = varlink_call_connection(call)->server;
	struct json json _cleanup_json_ = { .text = NULL };
	const struct varlink_interface *interface;
	size_t i = 0;

	(void)userdata;
	while ((interface = interface_at(server, i)) && strcmp(interface->name, name) != 0)
		i++;
	if (!interface)
		return service_error(call, "org.varlink.service.InterfaceNotFound", "interface",
				     name);
	json_object_begin(&json, NULL);
	json_string(&json, "description", interface->description);
	json_object_end(&json);
	return varlink_reply(call, &json);
}

static const struct varlink_parameter description_parameters[] = {
	{ .name = "interface", .type = VARLINK_STRING },
	{ .name = NULL },
};

static const struct varlink_method service_methods[] = {
	{ .name = "GetInfo", .handler = get_info },
	{
		.name = "GetInterfaceDescription",
		.parameters = description_parameters,
		.handler = get_interface_description,
	},
	{ .name = NULL },
};

const struct varlink_interface varlink_service = {
	.name = "org.varlink.service",
	.description =
		"# What every Varlink service can say about itself, and the errors any method may\n"
		"# answer with.\n"
		"interface org.varlink.service\n"
		"\n"
		"# Who made this service, and which interfaces it has.\n"
		"method GetInfo() -> (\n"
		"  vendor: string,\n"
		"  product: string,\n"
		"  version: string,\n"
		"  url: string,\n"
		"  # Names for GetInterfaceDescription, this one included.\n"
		"  interfaces: []string\n"
		")\n"
		"\n"
		"# The text of an interface, as this one is.\n"
		"method GetInterfaceDescription(interface: string) -> (description: string)\n"
		"\n"
		"# The service has no interface of that name.\n"
		"error InterfaceNotFound (interface: string)\n"
		"\n"
		"# The service has no method of that name; so it says of unknown interfaces, too.\n"
		"error MethodNotFound (method: string)\n"
		"\n"
		"# The interface describes the method, but this service does not have it.\n"
		"error MethodNotImplemented (method: string)\n"
		"\n"
		"# A parameter is missing, unknown, of the wrong type or out of range.\n"
		"error InvalidParameter (parameter: string)\n"
		"\n"
		"# The caller may not do this.\n"
		"error PermissionDenied ()\n"
		"\n"
		"# The method has several answers and must be called with \"more\".\n"
		"error ExpectedMore ()\n",
	.methods = service_methods,
};
