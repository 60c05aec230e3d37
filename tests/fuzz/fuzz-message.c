/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same bytes as a stream of messages, as one message, and as a string to be written: framing
 * finds what memchr() finds, check and parse agree, and what is written can be read back.
 */
#include "json.h"
#include "message.h"

#include <json-c/json_visit.h>
#include <math.h>
#include <string.h>

enum {
	MESSAGE_MAX = 300,
	DEPTH_MAX = 10,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept)
{
	if (!kept)
		abort();
}

/* Takes what is complete and compares it with the stream; returns where the rest begins. */
static size_t take_messages(struct message_buffer *buffer, const uint8_t *data, size_t taken)
{
	size_t length;
	char *text;
	int r;

	while ((r = message_buffer_next(buffer, &text, &length)) > 0) {
		promise(length <= MESSAGE_MAX && strlen(text) == length);
		promise(memcmp(data + taken, text, length + 1) == 0);
		taken += length + 1;
	}
	promise(r == 0);
	return taken;
}

static void stream(const uint8_t *data, size_t size, size_t chunk)
{
	struct message_buffer buffer = { .max = MESSAGE_MAX };
	size_t taken = 0, given = 0;

	while (given < size) {
		size_t room;
		char *space;

		if (message_buffer_reserve(&buffer, &space, &room) < 0) {
			promise(given - taken == MESSAGE_MAX + 1);
			break;
		}
		room = room < chunk ? room : chunk;
		room = room < size - given ? room : size - given;
		memcpy(space, data + given, room);
		message_buffer_commit(&buffer, room);
		given += room;
		taken = take_messages(&buffer, data, taken);
		promise(message_buffer_partial(&buffer) == (taken < given));
		promise(!memchr(data + taken, '\0', given - taken));
		promise(buffer.capacity <= MESSAGE_MAX + 1);
	}
	message_buffer_done(&buffer);
}

static int find_infinity(struct json_object *value, int flags, struct json_object *parent,
			 const char *key, size_t *index, void *userdata)
{
	bool *infinite = userdata;

	(void)flags;
	(void)parent;
	(void)key;
	(void)index;
	if (json_object_is_type(value, json_type_double))
		*infinite |= !isfinite(json_object_get_double(value));
	return JSON_C_VISIT_RETURN_CONTINUE;
}

/* What was parsed is, written by json-c, valid again and the same; but JSON has no infinity. */
static void write_again(struct json_object *object)
{
	struct json_object *again _cleanup_json_object_ = NULL;
	bool infinite = false;
	const char *text;

	json_c_visit(object, 0, find_infinity, &infinite);
	if (infinite)
		return;
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	promise(message_parse(text, strlen(text), DEPTH_MAX, &again) == 0);
	promise(json_object_equal(object, again));
}

static void one_message(const char *text, size_t size)
{
	struct json_object *object _cleanup_json_object_ = NULL;
	int checked = message_check(text, size, DEPTH_MAX);
	int parsed = message_parse(text, size, DEPTH_MAX, &object);

	promise(checked == 0 || checked == -EBADMSG);
	promise(parsed == 0 || parsed == -EBADMSG);
	promise(parsed != 0 || checked == 0);
	promise((parsed == 0) == !!object);
	if (object)
		write_again(object);
}

/* Any bytes make a valid string; those that are a string already come back as they were. */
static void one_string(const char *text, size_t size)
{
	struct json_object *object _cleanup_json_object_ = NULL, *value;
	struct json json _cleanup_json_ = { .text = NULL };
	const char *read;
	size_t length;

	json_object_begin(&json, NULL);
	json_string_n(&json, "text", text, size);
	json_object_end(&json);
	promise(json.error == 0);
	promise(message_parse(json.text, json.length, 1, &object) == 0);
	promise(json_object_object_get_ex(object, "text", &value));
	read = json_object_get_string(value);
	length = (size_t)json_object_get_string_len(value);
	promise(strlen(read) == length);
	if (!strstr(read, "\xef\xbf\xbd"))
		promise(length == size && memcmp(read, text, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	stream(data, size, 1);
	stream(data, size, 7);
	stream(data, size, SIZE_MAX);
	one_message((const char *)data, size);
	one_string((const char *)data, size);
	return 0;
}
