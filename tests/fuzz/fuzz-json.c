/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whatever is written with json.h is one valid message, and each value in it is what was put in:
 * the input is a program of writer's calls, whose values are remembered and compared.
 */
#include "json.h"

#include "message.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

enum {
	DEPTH = 12,
	VALUES_MAX = 4096,
	KEY_BYTES = 16,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct program {
	const uint8_t *at, *end;
	struct json json;
	bool array[DEPTH + 1];
	unsigned int depth;
	unsigned int keys;
};

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static uint64_t take(struct program *program, size_t bytes)
{
	uint64_t value = 0;

	for (; bytes && program->at < program->end; bytes--)
		value = value << 8 | *program->at++;
	return value;
}

static const char *key(struct program *program, char buffer[static KEY_BYTES])
{
	if (program->array[program->depth])
		return NULL;
	snprintf(buffer, KEY_BYTES, "k%u", program->keys++);
	return buffer;
}

/* --- strings ----------------------------------------------------------------------------------- */

/* @bytes as json_string_n() promises to show them. */
static size_t shown(const uint8_t *bytes, size_t size, char *out)
{
	char *at = out;

	while (size) {
		size_t length = utf8_sequence(bytes, size);
		bool good = length && *bytes && !utf8_is_noncharacter(bytes, length);

		memcpy(at, good ? (const char *)bytes : "\xef\xbf\xbd", good ? length : 3);
		at += good ? length : 3;
		length = length ? length : 1;
		bytes += length;
		size -= length;
	}
	return (size_t)(at - out);
}

static void check_string(const uint8_t *bytes, size_t size)
{
	struct json_object *object _cleanup_json_object_ = NULL;
	struct json json _cleanup_json_ = { .text = NULL };
	char wanted[3 * 256];
	size_t length = shown(bytes, size, wanted);
	struct json_object *text;

	json_object_begin(&json, NULL);
	json_string_n(&json, "s", (const char *)bytes, size);
	json_object_end(&json);
	promise(!json.error && message_parse(json.text, json.length, 2, &object) == 0);
	text = json_object_object_get(object, "s");
	promise((size_t)json_object_get_string_len(text) == length);
	promise(memcmp(json_object_get_string(text), wanted, length) == 0);
	for (size_t i = 0; i < json.length; i++)
		promise((unsigned char)json.text[i] >= ' ' && json.text[i] != 0x7f);
}

static void write_string(struct program *program, const char *name)
{
	size_t size = take(program, 1), left = (size_t)(program->end - program->at);

	if (size > left)
		size = left;
	json_string_n(&program->json, name, (const char *)program->at, size);
	check_string(program->at, size);
	program->at += size;
}

/* --- the program ------------------------------------------------------------------------------- */

static void begin(struct program *program, bool array)
{
	char buffer[KEY_BYTES];
	const char *name = key(program, buffer);

	if (program->depth == DEPTH)
		return;
	if (array)
		json_array_begin(&program->json, name);
	else
		json_object_begin(&program->json, name);
	program->array[++program->depth] = array;
}

static void end(struct program *program)
{
	if (program->array[program->depth--])
		json_array_end(&program->json);
	else
		json_object_end(&program->json);
}

static void step(struct program *program)
{
	char buffer[KEY_BYTES];
	uint8_t what = (uint8_t)take(program, 1);

	switch (what % 8) {
	case 0:
	case 1:
		begin(program, what % 8);
		return;
	case 2:
		if (program->depth > 1)
			end(program);
		return;
	case 3:
		json_u64(&program->json, key(program, buffer), take(program, 8));
		return;
	case 4:
		json_i64(&program->json, key(program, buffer), (int64_t)take(program, 8));
		return;
	case 5:
		json_boolean(&program->json, key(program, buffer), what & 8);
		return;
	case 6:
		json_null(&program->json, key(program, buffer));
		return;
	default:
		write_string(program, key(program, buffer));
	}
}

/* A number survives, the largest and the smallest too. */
static void check_number(uint64_t number)
{
	struct json_object *object _cleanup_json_object_ = NULL;
	struct json json _cleanup_json_ = { .text = NULL };

	json_object_begin(&json, NULL);
	json_u64(&json, "u", number);
	json_i64(&json, "i", (int64_t)number);
	json_object_end(&json);
	promise(!json.error && message_parse(json.text, json.length, 2, &object) == 0);
	promise(json_object_get_uint64(json_object_object_get(object, "u")) == number);
	promise(json_object_get_int64(json_object_object_get(object, "i")) == (int64_t)number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program program = { .at = data, .end = data + size };
	struct json_object *object = NULL;

	json_object_begin(&program.json, NULL);
	program.depth = 1;
	for (unsigned int i = 0; i < VALUES_MAX && program.at < program.end; i++)
		step(&program);
	while (program.depth)
		end(&program);
	promise(!program.json.error);
	promise(message_parse(program.json.text, program.json.length, DEPTH + 1, &object) == 0);
	json_object_put(object);
	json_done(&program.json);
	program.at = data;
	check_number(take(&program, 8));
	return 0;
}
