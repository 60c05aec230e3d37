/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * certify SOCKET [STEP]: walks through org.varlink.certification as a client. Each call brings
 * what the one before answered, so it knows no value; at STEP, 1 to 12, it brings something else
 * and must be refused. Exits 0 when it all went so.
 */
#include "message.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	STEP_STREAM = 10,
	STEP_ONEWAY = 11,
	STEP_END = 12,
	ANSWER_MAX = 1 << 16,
	DEPTH = 32,
};

static int connected(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(1, "the path is too long: %s", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", path);
	return fd;
}

static void send_call(int fd, unsigned int step, struct json_object *parameters)
{
	struct json_object *call _cleanup_json_object_ = json_object_new_object();
	const char *text;
	char method[64];

	snprintf(method, sizeof(method), "org.varlink.certification.%s%.0u",
		 step == 0	      ? "Start"
		 : step == STEP_END   ? "End"
		 : step < STEP_STREAM ? "Test0"
				      : "Test",
		 step == STEP_END ? 0 : step);
	json_object_object_add(call, "method", json_object_new_string(method));
	json_object_object_add(call, "parameters", json_object_get(parameters));
	if (step == STEP_STREAM)
		json_object_object_add(call, "more", json_object_new_boolean(true));
	if (step == STEP_ONEWAY)
		json_object_object_add(call, "oneway", json_object_new_boolean(true));
	text = json_object_to_json_string_ext(call, JSON_C_TO_STRING_PLAIN);
	if (send(fd, text, strlen(text) + 1, MSG_NOSIGNAL) != (ssize_t)strlen(text) + 1)
		err(1, "%s", text);
}

static struct json_object *receive(int fd, struct message_buffer *input)
{
	struct json_object *answer = NULL;
	size_t length, size;
	char *text;

	while (message_buffer_next(input, &text, &length) == 0) {
		ssize_t n = -1;

		if (message_buffer_reserve(input, &text, &size) == 0)
			n = recv(fd, text, size, 0);
		if (n <= 0)
			errx(1, "no answer");
		message_buffer_commit(input, (size_t)n);
	}
	if (message_parse(text, length, DEPTH, &answer) < 0)
		errx(1, "a bad answer: %s", text);
	return answer;
}

/* NULL: it is an error. */
static struct json_object *parameters_of(struct json_object *answer)
{
	if (json_object_object_get_ex(answer, "error", NULL)) {
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
		return NULL;
	}
	return json_object_get(json_object_object_get(answer, "parameters"));
}

/* The answers of the stream as the parameter of the next step. */
static struct json_object *receive_stream(int fd, struct message_buffer *input)
{
	struct json_object *all = json_object_new_object(), *strings = json_object_new_array();
	bool continues = true;

	json_object_object_add(all, "last_more_replies", strings);
	while (all && continues) {
		struct json_object *answer _cleanup_json_object_ = receive(fd, input);
		struct json_object *got _cleanup_json_object_ = parameters_of(answer);

		continues = json_object_get_boolean(json_object_object_get(answer, "continues"));
		if (got)
			json_object_array_add(
				strings, json_object_get(json_object_object_get(got, "string")));
		else if (json_object_put(all))
			all = NULL;
	}
	return all;
}

/* What @step answers: parameters of the next; NULL: it was refused. */
static struct json_object *take_step(int fd, struct message_buffer *input, unsigned int step,
				     struct json_object *parameters)
{
	struct json_object *answer _cleanup_json_object_ = NULL;

	send_call(fd, step, parameters);
	if (step == STEP_STREAM)
		return receive_stream(fd, input);
	if (step == STEP_ONEWAY)
		return json_object_new_object();
	answer = receive(fd, input);
	return parameters_of(answer);
}

static struct json_object *first_member(struct json_object *object)
{
	json_object_object_foreach(object, name, value) {
		(void)name;
		return value;
	}
	return NULL;
}

/* Makes @value another one of the same type, or something in it. */
static void spoil(struct json_object *value)
{
	if (json_object_is_type(value, json_type_boolean))
		json_object_set_boolean(value, !json_object_get_boolean(value));
	else if (json_object_is_type(value, json_type_int))
		json_object_int_inc(value, 1);
	else if (json_object_is_type(value, json_type_double))
		json_object_set_double(value, json_object_get_double(value) + 1);
	else if (json_object_is_type(value, json_type_string))
		json_object_set_string(value, "spoiled");
	else if (json_object_is_type(value, json_type_array))
		json_object_array_add(value, json_object_new_string("spoiled"));
	else if (json_object_object_length(value) > 0)
		spoil(first_member(value));
	else
		json_object_object_add(value, "spoiled", json_object_new_int(1));
}

/* What the step brings besides the client's id, or that where there is nothing else. */
static void add_client(struct json_object *parameters, struct json_object *id, bool wrong)
{
	struct json_object *own = json_object_new_string(json_object_get_string(id));

	if (wrong)
		spoil(json_object_object_length(parameters) > 0 ? parameters : own);
	json_object_object_add(parameters, "client_id", own);
}

/* The step that was refused; STEP_END + 1: none. */
static unsigned int walk(int fd, struct message_buffer *input, unsigned int wrong)
{
	struct json_object *parameters = take_step(fd, input, 0, NULL);
	struct json_object *id _cleanup_json_object_ =
		json_object_get(json_object_object_get(parameters, "client_id"));
	unsigned int step = 1;

	json_object_object_del(parameters, "client_id");
	for (; step <= STEP_END; step++) {
		struct json_object *brought _cleanup_json_object_ = parameters;

		add_client(brought, id, step == wrong);
		parameters = take_step(fd, input, step, brought);
		if (!parameters)
			return step;
	}
	if (!json_object_get_boolean(json_object_object_get(parameters, "all_ok")))
		errx(1, "not all was right");
	json_object_put(parameters);
	return step;
}

int main(int argc, char *argv[])
{
	struct message_buffer input CLEANUP(message_buffer_done) = { .max = ANSWER_MAX };
	unsigned int wrong, wanted, refused;
	int fd _cleanup_close_ = -1;

	if (argc < 2 || argc > 3)
		errx(2, "usage: certify SOCKET [STEP]");
	wrong = argc == 3 ? (unsigned int)atoi(argv[2]) : STEP_END + 1;
	/* What was wrong with a call that is not answered is said in the next. */
	wanted = wrong == STEP_ONEWAY ? STEP_END : wrong;
	fd = connected(argv[1]);
	refused = walk(fd, &input, wrong);
	if (refused != wanted)
		errx(1, "refused at step %u, not at %u", refused, wanted);
	return 0;
}
