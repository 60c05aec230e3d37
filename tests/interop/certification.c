/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The methods of org.varlink.certification. Owns what each call must bring and what it answers;
 * refuses whatever differs, so that a client that gets to the end of it has understood every
 * answer, and was understood.
 */
#include "certification.h"

#include "message.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CERTIFICATION "org.varlink.certification."

enum {
	STEP_STREAM = 10,
	STEP_END = 12,
	STREAM_ANSWERS = 10,
	DEPTH = 32,
};

#define SCALARS \
	"\"bool\":false,\"int\":2,\"float\":3.141592653589793,\"string\":\"a lot of string\""
#define NUMBER(n) "\"Reply number " #n "\""

/* What step N answers; it must come back in step N + 1, with the client's id. */
static const char *const answers[] = {
	"{}",
	"{\"bool\":true}",
	"{\"int\":1}",
	"{\"float\":1.0}",
	"{\"string\":\"ping\"}",
	"{" SCALARS "}",
	"{\"struct\":{" SCALARS "}}",
	"{\"map\":{\"foo\":\"Foo\",\"bar\":\"Bar\"}}",
	"{\"set\":{\"one\":{},\"two\":{},\"three\":{}}}",
	"{\"mytype\":{\"object\":{\"method\":\"org.varlink.certification.Test09\","
	"\"parameters\":{\"map\":{\"foo\":\"Foo\",\"bar\":\"Bar\"}}},"
	"\"enum\":\"two\",\"struct\":{\"first\":1,\"second\":\"2\"},"
	"\"array\":[\"one\",\"two\",\"three\"],"
	"\"dictionary\":{\"foo\":\"Foo\",\"bar\":\"Bar\"},"
	"\"stringset\":{\"one\":{},\"two\":{},\"three\":{}},"
	"\"nullable\":null,\"nullable_array_struct\":null,"
	"\"interface\":{\"foo\":[null,{\"foo\":\"foo\",\"bar\":\"bar\"},null,"
	"{\"one\":\"foo\",\"two\":\"bar\"}],\"anon\":{\"foo\":true,\"bar\":false}}}}",
	/* of the stream, together */
	"{\"last_more_replies\":[" NUMBER(1) "," NUMBER(2) "," NUMBER(3) "," NUMBER(4) "," NUMBER(
		5) "," NUMBER(6) "," NUMBER(7) "," NUMBER(8) "," NUMBER(9) "," NUMBER(10) "]}",
	"{}",
	"{\"all_ok\":true}",
};
static_assert(ARRAY_SIZE(answers) == STEP_END + 1, "an answer for each step");

/* --- what came ------------------------------------------------------------------------------- */

static bool matches(struct json_object *wanted, struct json_object *got);

/* A member that is null may be absent. */
static bool members_match(struct json_object *wanted, struct json_object *got)
{
	json_object_object_foreach(wanted, key, value) {
		if (!matches(value, json_object_object_get(got, key)))
			return false;
	}
	json_object_object_foreach(got, name, other) {
		if (other && !json_object_object_get_ex(wanted, name, NULL))
			return false;
	}
	return true;
}

static bool elements_match(struct json_object *wanted, struct json_object *got)
{
	size_t n = json_object_array_length(wanted);

	if (json_object_array_length(got) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!matches(json_object_array_get_idx(wanted, i),
			     json_object_array_get_idx(got, i)))
			return false;
	}
	return true;
}

static bool matches(struct json_object *wanted, struct json_object *got)
{
	enum json_type type = json_object_get_type(wanted);

	if (json_object_get_type(got) != type)
		return false;
	if (type == json_type_object)
		return members_match(wanted, got);
	if (type == json_type_array)
		return elements_match(wanted, got);
	return json_object_equal(wanted, got);
}

/* --- clients --------------------------------------------------------------------------------- */

static struct certification_client *find_client(struct certification *certification,
						struct json_object *parameters)
{
	const char *name = json_object_get_string(json_object_object_get(parameters, "client_id"));

	for (size_t i = 0; i < CERTIFICATION_CLIENTS; i++) {
		struct certification_client *client = &certification->clients[i];
		char own[32];

		snprintf(own, sizeof(own), "client-%" PRIu64, client->id);
		if (client->id != 0 && strcmp(own, name) == 0)
			return client;
	}
	return NULL;
}

static int start(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct certification *certification = userdata;
	struct certification_client *client;
	char id[32];

	(void)parameters;
	client = &certification->clients[certification->started++ % CERTIFICATION_CLIENTS];
	*client = (struct certification_client){ .id = certification->started, .step = 1 };
	snprintf(id, sizeof(id), "client-%" PRIu64, client->id);
	json_object_begin(&json, NULL);
	json_string(&json, "client_id", id);
	json_object_end(&json);
	return varlink_reply(call, &json);
}

/* --- steps ----------------------------------------------------------------------------------- */

static int refuse(struct varlink_call *call, const char *wanted, struct json_object *got)
{
	const char *text = json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN);
	struct json json _cleanup_json_ = { .text = NULL };

	fprintf(stderr, "wanted %s, got %s\n", wanted, text);
	json_object_begin(&json, NULL);
	json_raw(&json, "wants", wanted, strlen(wanted));
	json_raw(&json, "got", text, strlen(text));
	json_object_end(&json);
	return varlink_error(call, CERTIFICATION "CertificationError", &json);
}

/* The client is one that @step is the turn of, and brings what it should: 1; else 0 or -errno. */
static int check_step(struct varlink_call *call, struct json_object *parameters, void *userdata,
		      unsigned int step)
{
	struct certification_client *client = find_client(userdata, parameters);
	struct json_object *wanted _cleanup_json_object_ = NULL;
	const char *text = answers[step - 1];
	int r;

	if (!client)
		return varlink_error(call, CERTIFICATION "ClientIdError", NULL);
	r = message_parse(text, strlen(text), DEPTH, &wanted);
	if (r < 0)
		return r;
	json_object_object_del(parameters, "client_id");
	if (client->step != step || !matches(wanted, parameters)) {
		client->id = 0;
		return refuse(call, text, parameters);
	}
	client->step++;
	if (step == STEP_END)
		client->id = 0;
	return 1;
}

static int take_step(struct varlink_call *call, struct json_object *parameters, void *userdata,
		     unsigned int step)
{
	struct json json _cleanup_json_ = { .text = NULL };
	int r = check_step(call, parameters, userdata, step);

	if (r <= 0)
		return r;
	json_raw(&json, NULL, answers[step], strlen(answers[step]));
	return varlink_reply(call, &json);
}

static int test01(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 1);
}

static int test02(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 2);
}

static int test03(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 3);
}

static int test04(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 4);
}

static int test05(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 5);
}

static int test06(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 6);
}

static int test07(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 7);
}

static int test08(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 8);
}

static int test09(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 9);
}

static int test11(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, 11);
}

static int end(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	return take_step(call, parameters, userdata, STEP_END);
}

/* --- the stream ------------------------------------------------------------------------------ */

struct stream {
	struct varlink_call *call;
	unsigned int number;
};

static void stream_gone(void *userdata)
{
	free(userdata);
}

/* One answer a turn; the last is the final one. */
static void stream_turn(void *userdata)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct stream *stream = userdata;
	char text[32];

	snprintf(text, sizeof(text), "Reply number %u", ++stream->number);
	json_object_begin(&json, NULL);
	json_string(&json, "string", text);
	json_object_end(&json);
	if (stream->number == STREAM_ANSWERS) {
		varlink_reply(stream->call, &json);
		free(stream);
		return;
	}
	varlink_call_on_room(stream->call, stream_turn, stream);
	varlink_notify(stream->call, &json); /* a failure ends it by stream_gone() */
}

static int test10(struct varlink_call *call, struct json_object *parameters, void *userdata)
{
	struct stream *stream;
	int r = check_step(call, parameters, userdata, STEP_STREAM);

	if (r <= 0)
		return r;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->call = call;
	varlink_call_on_disconnect(call, stream_gone, stream);
	varlink_call_on_room(call, stream_turn, stream);
	return 0;
}

/* --- the interface --------------------------------------------------------------------------- */

#define CLIENT_ID                                           \
	{                                                   \
		.name = "client_id", .type = VARLINK_STRING \
	}

static const struct varlink_parameter client_only[] = {
	CLIENT_ID,
	{ .name = NULL },
};
static const struct varlink_parameter test02_parameters[] = {
	CLIENT_ID,
	{ .name = "bool", .type = VARLINK_BOOL },
	{ .name = NULL },
};
static const struct varlink_parameter test03_parameters[] = {
	CLIENT_ID,
	{ .name = "int", .type = VARLINK_INT },
	{ .name = NULL },
};
static const struct varlink_parameter test04_parameters[] = {
	CLIENT_ID,
	{ .name = "float", .type = VARLINK_FLOAT },
	{ .name = NULL },
};
static const struct varlink_parameter test05_parameters[] = {
	CLIENT_ID,
	{ .name = "string", .type = VARLINK_STRING },
	{ .name = NULL },
};
static const struct varlink_parameter test06_parameters[] = {
	CLIENT_ID,
	{ .name = "bool", .type = VARLINK_BOOL },
	{ .name = "int", .type = VARLINK_INT },
	{ .name = "float", .type = VARLINK_FLOAT },
	{ .name = "string", .type = VARLINK_STRING },
	{ .name = NULL },
};
static const struct varlink_parameter test07_parameters[] = {
	CLIENT_ID,
	{ .name = "struct", .type = VARLINK_OBJECT },
	{ .name = NULL },
};
static const struct varlink_parameter test08_parameters[] = {
	CLIENT_ID,
	{ .name = "map", .type = VARLINK_OBJECT },
	{ .name = NULL },
};
static const struct varlink_parameter test09_parameters[] = {
	CLIENT_ID,
	{ .name = "set", .type = VARLINK_OBJECT },
	{ .name = NULL },
};
static const struct varlink_parameter test10_parameters[] = {
	CLIENT_ID,
	{ .name = "mytype", .type = VARLINK_OBJECT },
	{ .name = NULL },
};
static const struct varlink_parameter test11_parameters[] = {
	CLIENT_ID,
	{ .name = "last_more_replies", .type = VARLINK_STRING_ARRAY },
	{ .name = NULL },
};

static const struct varlink_method methods[] = {
	{ .name = "Start", .handler = start },
	{ .name = "Test01", .parameters = client_only, .handler = test01 },
	{ .name = "Test02", .parameters = test02_parameters, .handler = test02 },
	{ .name = "Test03", .parameters = test03_parameters, .handler = test03 },
	{ .name = "Test04", .parameters = test04_parameters, .handler = test04 },
	{ .name = "Test05", .parameters = test05_parameters, .handler = test05 },
	{ .name = "Test06", .parameters = test06_parameters, .handler = test06 },
	{ .name = "Test07", .parameters = test07_parameters, .handler = test07 },
	{ .name = "Test08", .parameters = test08_parameters, .handler = test08 },
	{ .name = "Test09", .parameters = test09_parameters, .handler = test09 },
	{ .name = "Test10", .parameters = test10_parameters, .handler = test10, .streams = true },
	{ .name = "Test11", .parameters = test11_parameters, .handler = test11 },
	{ .name = "End", .parameters = client_only, .handler = end },
	{ .name = NULL },
};

static const char description[] =
#include "org.varlink.certification.varlink.h"
	;

const struct varlink_interface certification_interface = {
	.name = "org.varlink.certification",
	.description = description,
	.methods = methods,
};
