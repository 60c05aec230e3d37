/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parameters of every method of io.ebpfmon.Monitor, as the server checks them before a method
 * sees them: the first byte chooses the method, the rest is the text of its parameters. Whatever
 * comes, a method is called with what its table promises and nothing else, or not at all.
 */
#include "api.h"
#include "message.h"
#include "varlink.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	METHODS_MAX = 32,
	REQUEST_BYTES = 1 << 16,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The method that was asked for, and whether it was called. */
struct question {
	const struct varlink_method *method;
	bool called;
};

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static bool is_choice(const struct varlink_parameter *parameter, const char *text)
{
	for (size_t i = 0; parameter->choices[i]; i++)
		if (!strcmp(parameter->choices[i], text))
			return true;
	return false;
}

static bool fits(const struct varlink_parameter *parameter, struct json_object *value)
{
	if (!value)
		return parameter->nullable;
	switch (parameter->type) {
	case VARLINK_BOOL:
		return json_object_is_type(value, json_type_boolean);
	case VARLINK_INT:
		return json_object_is_type(value, json_type_int);
	case VARLINK_STRING:
		return json_object_is_type(value, json_type_string);
	case VARLINK_ENUM:
		return json_object_is_type(value, json_type_string) &&
		       is_choice(parameter, json_object_get_string(value));
	case VARLINK_STRING_ARRAY:
		return json_object_is_type(value, json_type_array);
	default:
		return true; /* of no method so far */
	}
}

static const struct varlink_parameter *find(const struct varlink_method *method, const char *name)
{
	for (const struct varlink_parameter *p = method->parameters; p && p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static int handle(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct question *question = userdata;
	const struct varlink_method *method = question->method;

	question->called = true;
	for (const struct varlink_parameter *p = method->parameters; p && p->name; p++)
		promise(fits(p, json_object_object_get(parameters, p->name)));
	json_object_object_foreach(parameters, key, value) {
		(void)value;
		promise(find(method, key) != NULL);
	}
	return varlink_reply(call, NULL);
}

/* The real interface, but for what its methods do. */
static size_t copy_methods(struct varlink_method *copy)
{
	size_t n = 0;

	for (; api_interface.methods[n].name; n++) {
		promise(n + 1 < METHODS_MAX);
		copy[n] = api_interface.methods[n];
		copy[n].handler = handle;
	}
	copy[n] = (struct varlink_method){ .name = NULL };
	promise(n > 0);
	return n;
}

static size_t write_request(const struct question *question, const uint8_t *data, size_t size,
			    char *request)
{
	int length = snprintf(
		request, REQUEST_BYTES, "{\"method\":\"%s.%s\",\"more\":%s,\"parameters\":%.*s}",
		api_interface.name, question->method->name,
		question->method->streams ? "true" : "false", (int)size, (const char *)data);

	return (size_t)length + 1;
}

static void ask(sd_event *event, int client, const char *request, size_t length)
{
	char answer[4096];

	promise(send(client, request, length, MSG_NOSIGNAL) == (ssize_t)length);
	shutdown(client, SHUT_WR);
	do
		while (sd_event_run(event, 0) > 0)
			;
	while (recv(client, answer, sizeof(answer), MSG_DONTWAIT) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct varlink_limits limits = { 1 << 15, 32, 2, 2, 10000, 3600000000, 16 };
	static const struct varlink_info info = { "Vendor", "Product", "1", "https://example.org" };
	static char request[REQUEST_BYTES];
	struct varlink_method methods[METHODS_MAX];
	const struct varlink_interface interface = { api_interface.name, "interface x.y\n",
						     methods };
	const struct varlink_interface *const interfaces[] = { &interface, NULL };
	struct varlink_server *server = NULL;
	struct question question = { NULL };
	sd_event *event = NULL;
	int pair[2];

	if (!size || size > REQUEST_BYTES / 2)
		return 0;
	question.method = &methods[data[0] % copy_methods(methods)];
	promise(sd_event_new(&event) >= 0);
	promise(varlink_server_new(event, interfaces, &info, &limits, &question, &server) == 0);
	promise(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	promise(varlink_server_add_connection(server, pair[1]) == 0);
	ask(event, pair[0], request, write_request(&question, data + 1, size - 1, request));
	close_fd(pair[0]);
	varlink_server_free(server);
	sd_event_unref(event);
	return 0;
}
