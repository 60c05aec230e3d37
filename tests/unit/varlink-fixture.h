/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Varlink server with a small interface, an event loop and one client on a socketpair, all in
 * one thread. Nothing sleeps: the loop runs until it has nothing to do, or until a condition.
 */
#pragma once

#include "varlink.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

enum {
	OUTPUT_MAX = 1 << 22,
};

struct fixture {
	sd_event *event;
	struct varlink_server *server;
	int client;
	struct varlink_call *call; /* of Later or Watch, unanswered */
	unsigned int gone;	   /* on_disconnect was called */
	unsigned int handled;	   /* calls of Count */
	uint64_t turn, turns;	   /* of Stream: had, wanted */
	size_t padding;		   /* of each of its answers */
	int result;		   /* of the last varlink_*() in a handler */
	char *output;		   /* all that the client received */
	size_t length;
	bool closed; /* the client saw the end */
};

static const struct varlink_info test_info = {
	.vendor = "Vendor",
	.product = "Product \"1\"",
	.version = "1.2",
	.url = "https://example.org/",
};

static const struct varlink_limits test_limits = {
	.message_bytes = 4096,
	.depth = 8,
	.connections = 20,
	.connections_per_uid = 10,
	.queue_bytes = 100000,
	.request_usec = 60 * UINT64_C(1000000),
	.requests_queued = 16,
};

#define GET_INFO "{\"method\":\"org.varlink.service.GetInfo\"}"
#define GET_INFO_ANSWER                                                             \
	"{\"parameters\":{\"vendor\":\"Vendor\",\"product\":\"Product \\\"1\\\"\"," \
	"\"version\":\"1.2\",\"url\":\"https://example.org/\","                     \
	"\"interfaces\":[\"org.example.Test\",\"org.example.Second\",\"org.varlink.service\"]}}"
#define CALL(name)	"{\"method\":\"org.example.Test." name "\"}"
#define CALL_MORE(name) "{\"method\":\"org.example.Test." name "\",\"more\":true}"
#define CALL_WITH(name, parameters) \
	"{\"method\":\"org.example.Test." name "\",\"parameters\":{" parameters "}}"
#define EMPTY_ANSWER "{\"parameters\":{}}"

/* --- the interface ----------------------------------------------------------------------------- */

/* What the handler was given, as json-c writes it. */
static inline int handle_echo(struct varlink_call *call, struct json_object *parameters,
			      void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };
	const char *text = json_object_to_json_string_ext(parameters, JSON_C_TO_STRING_PLAIN);

	(void)userdata;
	json_raw(&json, NULL, text, strlen(text));
	return varlink_reply(call, &json);
}

/* {"n":N}, N counting the calls. */
static inline int handle_count(struct varlink_call *call, struct json_object *parameters,
			       void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct fixture *f = userdata;

	(void)parameters;
	json_object_begin(&json, NULL);
	json_u64(&json, "n", ++f->handled);
	json_object_end(&json);
	return varlink_reply(call, &json);
}

/* {"x":"xxx..."}, @size bytes of x. */
static inline int handle_large(struct varlink_call *call, struct json_object *parameters,
			       void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };
	size_t size = json_object_get_uint64(json_object_object_get(parameters, "size"));
	char *text = malloc(size + 1);

	(void)userdata;
	memset(text, 'x', size);
	json_object_begin(&json, NULL);
	json_string_n(&json, "x", text, size);
	json_object_end(&json);
	free(text);
	return varlink_reply(call, &json);
}

static inline void on_gone(void *userdata)
{
	struct fixture *f = userdata;

	f->gone++;
	f->call = NULL;
}

static inline int handle_later(struct varlink_call *call, struct json_object *parameters,
			       void *userdata)
{
	struct fixture *f = userdata;

	(void)parameters;
	f->call = call;
	varlink_call_on_disconnect(call, on_gone, f);
	return 0;
}

/* The same, but it does not want to know. */
static inline int handle_careless(struct varlink_call *call, struct json_object *parameters,
				  void *userdata)
{
	struct fixture *f = userdata;

	(void)parameters;
	f->call = call;
	return 0;
}

static inline int notify_number(struct varlink_call *call, uint64_t number)
{
	struct json json _cleanup_json_ = { .text = NULL };

	json_object_begin(&json, NULL);
	json_u64(&json, "event", number);
	json_object_end(&json);
	return varlink_notify(call, &json);
}

/* Two events at once, more whenever the test wants. */
static inline int handle_watch(struct varlink_call *call, struct json_object *parameters,
			       void *userdata)
{
	struct fixture *f = userdata;

	handle_later(call, parameters, userdata);
	f->result = notify_number(call, 1);
	return f->result < 0 ? f->result : notify_number(call, 2);
}

/* An answer a turn, each when there is room; then {}. */
static inline void on_room(void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct fixture *f = userdata;
	struct varlink_call *call = f->call;

	assert_true(varlink_call_has_room(call));
	if (f->turn++ == f->turns) {
		f->call = NULL;
		f->result = varlink_reply(call, NULL);
		return;
	}
	json_object_begin(&json, NULL);
	json_u64(&json, "event", f->turn);
	if (f->padding > 0) {
		char *text = malloc(f->padding);

		memset(text, 'x', f->padding);
		json_string_n(&json, "x", text, f->padding);
		free(text);
	}
	json_object_end(&json);
	f->result = varlink_notify(call, &json);
	varlink_call_on_room(call, on_room, f);
}

static inline int handle_stream(struct varlink_call *call, struct json_object *parameters,
				void *userdata)
{
	handle_later(call, parameters, userdata);
	varlink_call_on_room(call, on_room, userdata);
	return 0;
}

static inline int handle_fail(struct varlink_call *call, struct json_object *parameters,
			      void *userdata)
{
	(void)call;
	(void)parameters;
	(void)userdata;
	return -EIO;
}

static inline int handle_denied(struct varlink_call *call, struct json_object *parameters,
				void *userdata)
{
	(void)parameters;
	(void)userdata;
	return varlink_error_permission_denied(call);
}

/* An error of its own; with "more" wanted or not, both are fine. */
static inline int handle_error(struct varlink_call *call, struct json_object *parameters,
			       void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };

	(void)parameters;
	(void)userdata;
	json_object_begin(&json, NULL);
	json_boolean(&json, "more", varlink_call_wants_more(call));
	json_object_end(&json);
	return varlink_error(call, "org.example.Test.Wrong", &json);
}

/* An answer that there was no memory for. */
static inline int handle_no_memory(struct varlink_call *call, struct json_object *parameters,
				   void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct fixture *f = userdata;

	(void)parameters;
	json_raw(&json, NULL, "", SIZE_MAX / 2);
	return f->result = varlink_reply(call, &json);
}

/* {"peer": [uid, gid, pid, groups]} */
static inline int handle_peer(struct varlink_call *call, struct json_object *parameters,
			      void *userdata)
{
	const struct varlink_peer *peer = varlink_call_peer(call);
	struct json json _cleanup_json_ = { .text = NULL };

	(void)parameters;
	(void)userdata;
	json_object_begin(&json, NULL);
	json_array_begin(&json, "peer");
	json_u64(&json, NULL, peer->uid);
	json_u64(&json, NULL, peer->gid);
	json_i64(&json, NULL, peer->pid);
	for (size_t i = 0; i < peer->n_groups; i++)
		json_u64(&json, NULL, peer->groups[i]);
	json_array_end(&json);
	json_object_end(&json);
	return varlink_reply(call, &json);
}

static const char *const colors[] = { "red", "green", NULL };
static const struct varlink_parameter echo_parameters[] = {
	{ .name = "text", .type = VARLINK_STRING },
	{ .name = "number", .type = VARLINK_INT, .nullable = true },
	{ .name = "flag", .type = VARLINK_BOOL, .nullable = true },
	{ .name = "color", .type = VARLINK_ENUM, .nullable = true, .choices = colors },
	{ .name = "list", .type = VARLINK_STRING_ARRAY, .nullable = true },
	{ .name = "real", .type = VARLINK_FLOAT, .nullable = true },
	{ .name = "object", .type = VARLINK_OBJECT, .nullable = true },
	{ .name = NULL },
};
static const struct varlink_parameter large_parameters[] = {
	{ .name = "size", .type = VARLINK_INT },
	{ .name = NULL },
};
static const struct varlink_parameter no_parameters[] = { { .name = NULL } };

static const struct varlink_method test_methods[] = {
	{ .name = "Echo", .parameters = echo_parameters, .handler = handle_echo },
	{ .name = "Count", .parameters = no_parameters, .handler = handle_count },
	{ .name = "Large", .parameters = large_parameters, .handler = handle_large },
	{ .name = "Later", .handler = handle_later },
	{ .name = "Careless", .handler = handle_careless },
	{ .name = "Watch", .handler = handle_watch, .streams = true },
	{ .name = "Stream", .handler = handle_stream, .streams = true },
	{ .name = "Fail", .handler = handle_fail },
	{ .name = "Denied", .handler = handle_denied },
	{ .name = "Error", .handler = handle_error },
	{ .name = "NoMemory", .handler = handle_no_memory },
	{ .name = "Peer", .handler = handle_peer },
	{ .name = "Missing" },
	{ .name = NULL },
};
static const struct varlink_method no_methods[] = { { .name = NULL } };

static const struct varlink_interface test_interface = {
	.name = "org.example.Test",
	.description = "# For tests: \"x\".\ninterface org.example.Test\n",
	.methods = test_methods,
};
static const struct varlink_interface second_interface = {
	.name = "org.example.Second",
	.description = "interface org.example.Second\n",
	.methods = no_methods,
};
static const struct varlink_interface *const test_interfaces[] = {
	&test_interface,
	&second_interface,
	NULL,
};

/* --- the loop and the client ------------------------------------------------------------------- */

/* Until there is nothing to do now. */
static inline void pump(struct fixture *f)
{
	int r;

	do
		r = sd_event_run(f->event, 0);
	while (r > 0);
	assert_int_equal(r, 0);
}

/* All that has come so far, into f->output. */
static inline void receive(struct fixture *f)
{
	while (!f->closed && f->length < OUTPUT_MAX) {
		ssize_t n = recv(f->client, f->output + f->length, OUTPUT_MAX - f->length, 0);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			f->closed = true;
		else
			f->length += (size_t)n;
	}
}

static inline void exchange(struct fixture *f)
{
	size_t before;

	do {
		before = f->length;
		pump(f);
		receive(f);
	} while (f->length > before);
}

/* Sends @size bytes in writes of @chunk, running the loop after each. */
static inline void send_split(struct fixture *f, const char *bytes, size_t size, size_t chunk)
{
	while (size > 0) {
		ssize_t n = send(f->client, bytes, size < chunk ? size : chunk, MSG_NOSIGNAL);

		exchange(f);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0) /* closed by the server, which a test can see in f->closed */
			return;
		bytes += n;
		size -= (size_t)n;
	}
}

/* Literals of messages, each with a NUL; the last one has that of the literal. */
#define SEND(f, literal) send_split(f, literal, sizeof(literal), sizeof(literal))

static inline void assert_output(struct fixture *f, const char *expected, size_t size)
{
	if (f->length != size || memcmp(f->output, expected, size) != 0)
		fail_msg("got %zu bytes '%s', not %zu bytes '%s'", f->length, f->output, size,
			 expected);
	memset(f->output, 0, f->length);
	f->length = 0;
}
#define EXPECT(f, literal) assert_output(f, literal, sizeof(literal))

static inline void new_client(struct fixture *f)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	assert_int_equal(varlink_server_add_connection(f->server, pair[1]), 0);
	f->client = pair[0];
	f->closed = false;
	memset(f->output, 0, f->length);
	f->length = 0;
}

/* The client goes and the server notices. */
static inline void drop_client(struct fixture *f)
{
	f->client = close_fd(f->client);
	pump(f);
}

static inline struct fixture *fixture_new(const struct varlink_limits *limits)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(sd_event_new(&f->event), 0);
	assert_int_equal(
		varlink_server_new(f->event, test_interfaces, &test_info, limits, f, &f->server),
		0);
	f->output = calloc(1, OUTPUT_MAX + 1);
	new_client(f);
	return f;
}

static inline int fixture_setup(void **state)
{
	*state = fixture_new(&test_limits);
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	varlink_server_free(f->server);
	close_fd(f->client);
	sd_event_unref(f->event);
	free(f->output);
	free(f);
	return 0;
}

static inline const struct varlink_counters *counters(const struct fixture *f)
{
	return varlink_server_counters(f->server);
}

static inline bool is_armed(sd_event_source *source)
{
	int enabled = SD_EVENT_OFF;

	assert_return_code(sd_event_source_get_enabled(source, &enabled), 0);
	return enabled != SD_EVENT_OFF;
}

static inline uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Runs the loop until @condition; false after ten seconds. */
#define WAIT_UNTIL(f, condition)                            \
	({                                                  \
		uint64_t _end = now_usec() + 10000000;      \
		while (!(condition) && now_usec() < _end) { \
			sd_event_run((f)->event, 10000);    \
			receive(f);                         \
		}                                           \
		(condition);                                \
	})
