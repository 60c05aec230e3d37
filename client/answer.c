/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads members of json-c objects. */
#include "answer.h"

enum {
	ANSWER_DEPTH_MAX = 32,
};

int answer_parse(const struct connection *connection, const struct reply *reply,
		 struct json_object **ret_object)
{
	int error = message_parse(reply->parameters.text, reply->parameters.length,
				  ANSWER_DEPTH_MAX, ret_object);

	return error ? connection_complain(connection, error) : 0;
}

static void value_append(struct text *text, struct json_object *value)
{
	const char *string = value ? json_object_get_string(value) : "-";

	if (!string)
		text->error = -ENOMEM;
	else if (json_object_is_type(value, json_type_string))
		text_safe(text, string, (size_t)json_object_get_string_len(value));
	else
		text_puts(text, string);
}

void answer_append(struct text *text, struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	value_append(text, value);
}

struct json_object *answer_member(struct json_object *object, const char *key, json_type type)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, type) ? value : NULL;
}

void answer_list(struct text *text, struct json_object *object, const char *key,
		 const char *separator)
{
	struct json_object *list = answer_member(object, key, json_type_array);
	size_t count = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count; i++) {
		text_puts(text, i ? separator : "");
		value_append(text, json_object_array_get_idx(list, i));
	}
	text_puts(text, count ? "" : "-");
}

uint64_t answer_number(struct json_object *object, const char *key)
{
	struct json_object *value = answer_member(object, key, json_type_int);

	return value ? json_object_get_uint64(value) : 0;
}
