/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client's bytes through a whole connection: twice, in one piece and in small ones, which must
 * make no difference. Whatever comes, every answer is a valid message, there are no more answers
 * than requests, and in the end nothing is left.
 */
#include "varlink.h"

#include "message.h"

#include <string.h>
#include <sys/socket.h>

enum {
	INPUT_MAX = 1 << 16,
	OUTPUT_MAX = 1 << 22,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct session {
	sd_event *event;
	sd_event_source *later; /* answers @call */
	struct varlink_server *server;
	struct varlink_call *call;
	unsigned int turns; /* of a stream that is left */
	int client;
	char *output; /* OUTPUT_MAX, not owned */
	size_t length;
	bool closed;
};

static void promise(bool kept)
{
	if (!kept)
		abort();
}

/* --- the interface ----------------------------------------------------------------------------- */

static int handle_echo(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };

	(void)userdata;
	json_object_begin(&json, NULL);
	json_object_object_foreach(parameters, key, value) {
		if (json_object_is_type(value, json_type_string))
			json_string(&json, key, json_object_get_string(value));
	}
	json_object_end(&json);
	return varlink_reply(call, &json);
}

static void on_gone(void *userdata)
{
	struct session *session = userdata;

	promise(session->call != NULL);
	session->call = NULL;
	sd_event_source_set_enabled(session->later, SD_EVENT_OFF);
}

static int on_later(sd_event_source *source, void *userdata)
{
	struct session *session = userdata;
	struct varlink_call *call = session->call;

	(void)source;
	session->call = NULL;
	promise(varlink_reply(call, NULL) == 0);
	return 0;
}

static int handle_later(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct session *session = userdata;

	(void)parameters;
	promise(session->call == NULL); /* one at a time */
	session->call = call;
	varlink_call_on_disconnect(call, on_gone, session);
	return sd_event_source_set_enabled(session->later, SD_EVENT_ONESHOT);
}

/* Two events and then, with "end", an answer a little later; otherwise it goes on for ever. */
static int handle_watch(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct json_object *end = json_object_object_get(parameters, "end");
	struct session *session = userdata;

	handle_later(call, parameters, userdata);
	if (!json_object_get_boolean(end))
		sd_event_source_set_enabled(session->later, SD_EVENT_OFF);
	promise(varlink_notify(call, NULL) == 0);
	promise(varlink_notify(call, NULL) == 0);
	return 0;
}

static void on_room(void *userdata)
{
	struct session *session = userdata;
	struct varlink_call *call = session->call;

	promise(varlink_call_has_room(call));
	if (session->turns-- > 0) {
		varlink_call_on_room(call, on_room, session);
		promise(varlink_notify(call, NULL) == 0);
		return;
	}
	session->call = NULL;
	promise(varlink_reply(call, NULL) == 0);
}

/* As many events as it has turns, each when there is room for it, then the answer. */
static int handle_stream(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct session *session = userdata;

	promise(session->call == NULL);
	session->call = call;
	session->turns = json_object_get_uint64(json_object_object_get(parameters, "turns")) % 64;
	varlink_call_on_disconnect(call, on_gone, session);
	varlink_call_on_room(call, on_room, session);
	return 0;
}

static int handle_fail(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	(void)parameters;
	(void)userdata;
	return varlink_error_permission_denied(call);
}

static const char *const choices[] = { "red", "green", NULL };
static const struct varlink_parameter echo_parameters[] = {
	{ .name = "text", .type = VARLINK_STRING },
	{ .name = "number", .type = VARLINK_INT, .nullable = true },
	{ .name = "flag", .type = VARLINK_BOOL, .nullable = true },
	{ .name = "color", .type = VARLINK_ENUM, .nullable = true, .choices = choices },
	{ .name = "list", .type = VARLINK_STRING_ARRAY, .nullable = true },
	{ .name = NULL },
};
static const struct varlink_parameter watch_parameters[] = {
	{ .name = "end", .type = VARLINK_BOOL, .nullable = true },
	{ .name = NULL },
};
static const struct varlink_parameter stream_parameters[] = {
	{ .name = "turns", .type = VARLINK_INT },
	{ .name = NULL },
};
static const struct varlink_method methods[] = {
	{ .name = "Echo", .parameters = echo_parameters, .handler = handle_echo },
	{ .name = "Later", .handler = handle_later },
	{ .name = "Watch",
	  .parameters = watch_parameters,
	  .handler = handle_watch,
	  .streams = true },
	{ .name = "Stream",
	  .parameters = stream_parameters,
	  .handler = handle_stream,
	  .streams = true },
	{ .name = "Fail", .handler = handle_fail },
	{ .name = "Missing" },
	{ .name = NULL },
};
static const struct varlink_interface interface = {
	.name = "org.example.Test",
	.description = "interface org.example.Test\n",
	.methods = methods,
};
static const struct varlink_interface *const interfaces[] = { &interface, NULL };
static const struct varlink_info info = { "Vendor", "Product", "1", "https://example.org/" };
static const struct varlink_limits limits = {
	.message_bytes = 1000,
	.depth = 8,
	.connections = 2,
	.connections_per_uid = 2,
	.queue_bytes = 10000,
	.request_usec = 3600 * UINT64_C(1000000),
	.requests_queued = 3,
};

/* --- the session ------------------------------------------------------------------------------- */

static void session_open(struct session *session, char *output)
{
	int pair[2];

	*session = (struct session){ .client = -1, .output = output };
	promise(sd_event_new(&session->event) >= 0);
	promise(sd_event_add_defer(session->event, &session->later, on_later, session) >= 0);
	promise(sd_event_source_set_enabled(session->later, SD_EVENT_OFF) >= 0);
	promise(varlink_server_new(session->event, interfaces, &info, &limits, session,
				   &session->server) == 0);
	promise(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	promise(varlink_server_add_connection(session->server, pair[1]) == 0);
	session->client = pair[0];
}

static void session_close(struct session *session)
{
	varlink_server_free(session->server);
	promise(session->call == NULL);
	sd_event_source_disable_unref(session->later);
	sd_event_unref(session->event);
	close_fd(session->client);
}

/* Until neither side has anything to do. */
static void settle(struct session *session)
{
	ssize_t n = 1;

	while (n > 0) {
		while (sd_event_run(session->event, 0) > 0)
			;
		promise(session->length < OUTPUT_MAX);
		n = session->closed ? 0
				    : recv(session->client, session->output + session->length,
					   OUTPUT_MAX - session->length, 0);
		if (n > 0)
			session->length += (size_t)n;
		else if (n == 0 || errno != EAGAIN)
			session->closed = true;
	}
}

static void session_run(struct session *session, const uint8_t *data, size_t size, size_t chunk)
{
	while (size > 0 && !session->closed) {
		ssize_t n = send(session->client, data, size < chunk ? size : chunk, MSG_NOSIGNAL);

		settle(session);
		if (n < 0 && errno == EAGAIN) /* a stream is open: nothing is read any more */
			break;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	if (!session->closed)
		shutdown(session->client, SHUT_WR);
	settle(session);
	promise(session->closed || session->call != NULL);
	session->client = close_fd(session->client);
	session->closed = true;
	settle(session);
	promise(session->call == NULL);
	promise(varlink_server_counters(session->server)->connections == 0);
}

static size_t count_nuls(const uint8_t *data, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\0';
	return n;
}

/* Returns how many final answers there are; all of the output is valid answers. */
static size_t check_output(const char *output, size_t length)
{
	size_t finals = 0;

	promise(length == 0 || output[length - 1] == '\0');
	for (const char *at = output; at < output + length; at += strlen(at) + 1) {
		struct json_object *answer _cleanup_json_object_ = NULL, *parameters;

		promise(message_parse(at, strlen(at), 3, &answer) == 0);
		promise(json_object_object_get_ex(answer, "parameters", &parameters));
		promise(json_object_is_type(parameters, json_type_object));
		finals += !json_object_object_get(answer, "continues");
	}
	return finals;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char outputs[2][OUTPUT_MAX];
	struct session whole, split;

	if (size > INPUT_MAX)
		return 0;
	session_open(&whole, outputs[0]);
	session_run(&whole, data, size, SIZE_MAX);
	session_open(&split, outputs[1]);
	session_run(&split, data, size, size < 50 ? 1 : size / 20);
	promise(check_output(whole.output, whole.length) <= count_nuls(data, size));
	promise(whole.length == split.length);
	promise(memcmp(whole.output, split.output, whole.length) == 0);
	session_close(&whole);
	session_close(&split);
	return 0;
}
