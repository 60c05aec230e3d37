/* SPDX-License-Identifier: GPL-2.0-only */
/* Framing under every way of splitting a stream, and the strict parser on good and bad texts. */
#include "message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- the buffer -------------------------------------------------------------------------------- */

/* Puts @size bytes in, @chunk at most at a time, into whatever room there is. */
static int feed(struct message_buffer *buffer, const char *bytes, size_t size, size_t chunk)
{
	while (size > 0) {
		size_t room;
		char *space;
		int r;

		r = message_buffer_reserve(buffer, &space, &room);
		if (r < 0)
			return r;
		assert_true(room > 0);
		if (room > chunk)
			room = chunk;
		if (room > size)
			room = size;
		memcpy(space, bytes, room);
		message_buffer_commit(buffer, room);
		bytes += room;
		size -= room;
	}
	return 0;
}

static void assert_next(struct message_buffer *buffer, const char *expected)
{
	size_t length;
	char *text;

	assert_int_equal(message_buffer_next(buffer, &text, &length), 1);
	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
}

static void assert_none(struct message_buffer *buffer)
{
	size_t length;
	char *text;

	assert_int_equal(message_buffer_next(buffer, &text, &length), 0);
}

static void every_split(void **state)
{
	static const char stream[] = "{\"a\":1}\0\0x\0{\"b\":2}\0rest";
	static const char *const expected[] = { "{\"a\":1}", "", "x", "{\"b\":2}" };

	(void)state;
	for (size_t chunk = 1; chunk <= sizeof(stream); chunk++) {
		struct message_buffer buffer = { .max = 100 };

		assert_int_equal(feed(&buffer, stream, sizeof(stream) - 1, chunk), 0);
		for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
			assert_next(&buffer, expected[i]);
		assert_none(&buffer);
		assert_true(message_buffer_partial(&buffer));
		assert_int_equal(feed(&buffer, "", 1, 1), 0);
		assert_false(message_buffer_partial(&buffer));
		assert_next(&buffer, "rest");
		assert_none(&buffer);
		message_buffer_done(&buffer);
	}
}

static void partial(void **state)
{
	struct message_buffer buffer = { .max = 100 };

	(void)state;
	assert_false(message_buffer_partial(&buffer));
	feed(&buffer, "a", 1, 1);
	assert_true(message_buffer_partial(&buffer));
	feed(&buffer, "\0b", 2, 2);
	assert_true(message_buffer_partial(&buffer));
	feed(&buffer, "\0", 1, 1);
	assert_false(message_buffer_partial(&buffer));
	assert_next(&buffer, "a");
	assert_next(&buffer, "b");
	assert_false(message_buffer_partial(&buffer));
	message_buffer_done(&buffer);
}

/* The longest that is allowed passes, one byte more does not, with and without its NUL. */
static void longest(void **state)
{
	static const size_t sizes[] = { 1, 100, 4094, 4095, 4096, 4097, 8191, 8192, 100000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct message_buffer buffer = { .max = sizes[i] };
		char *text = malloc(sizes[i] + 2), *space;
		size_t room;

		memset(text, 'x', sizes[i] + 1);
		text[sizes[i]] = '\0';
		assert_int_equal(feed(&buffer, text, sizes[i] + 1, 1000), 0);
		assert_next(&buffer, text);
		assert_true(buffer.capacity <= sizes[i] + 1);

		text[sizes[i]] = 'x';
		assert_int_equal(feed(&buffer, text, sizes[i] + 1, 1000), 0);
		assert_none(&buffer);
		assert_int_equal(message_buffer_reserve(&buffer, &space, &room), -EMSGSIZE);
		message_buffer_done(&buffer);
		assert_int_equal(buffer.max, sizes[i]);
		free(text);
	}
}

static void a_lower_limit_counts_at_once(void **state)
{
	struct message_buffer buffer = { .max = 100 };
	size_t length;
	char *text;

	(void)state;
	feed(&buffer,
	     "12345\0"
	     "123456\0",
	     13, 13);
	buffer.max = 5;
	assert_next(&buffer, "12345");
	assert_int_equal(message_buffer_next(&buffer, &text, &length), -EMSGSIZE);
	message_buffer_done(&buffer);
}

static void memory_grows_and_goes(void **state)
{
	struct message_buffer buffer = { .max = 1 << 24 };
	static char large[300000];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	feed(&buffer, "x", 2, 2);
	assert_true(buffer.capacity <= 4096);
	assert_next(&buffer, "x");
	assert_none(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer.capacity, 0);
	feed(&buffer, large, sizeof(large), 5000);
	assert_true(buffer.capacity <= 2 * sizeof(large));
	assert_next(&buffer, large);
	assert_none(&buffer);
	assert_int_equal(buffer.capacity, 0);
}

/*
 * Linear time, counted: bytes of 1 MiB that arrive one by one are each looked at once. The
 * quadratic alternative is 5e11 looks, which no time limit of a test run lets pass.
 */
static void byte_by_byte(void **state)
{
	struct message_buffer buffer = { .max = 1 << 20 };

	(void)state;
	for (size_t i = 0; i < 1 << 20; i++) {
		feed(&buffer, "x", 1, 1);
		assert_none(&buffer);
		if (buffer.scanned != i + 1)
			fail();
	}
	feed(&buffer, "", 1, 1);
	assert_false(message_buffer_partial(&buffer));
	message_buffer_done(&buffer);
}

/* Messages that never end together with a chunk: the buffer is moved now and then, not grown. */
static void a_long_stream_of_short_messages(void **state)
{
	struct message_buffer buffer = { .max = 1 << 20 };
	unsigned int sent = 0, taken = 0;
	char message[11], expected[10];

	(void)state;
	feed(&buffer, "0", 1, 1);
	while (sent < 100000) {
		/* The rest of this one and the first digit of the next. */
		snprintf(message, sizeof(message), "%08u", sent++ % 100000000);
		message[9] = '0';
		assert_int_equal(feed(&buffer, message, 10, 3), 0);
		if (sent % 50 != 0)
			continue;
		for (; taken < sent; taken++) {
			snprintf(expected, sizeof(expected), "0%08u", taken % 100000000);
			assert_next(&buffer, expected);
		}
		assert_none(&buffer);
		assert_true(message_buffer_partial(&buffer));
		assert_true(buffer.capacity <= 4096);
	}
	message_buffer_done(&buffer);
}

static void compaction_keeps_the_bytes(void **state)
{
	struct message_buffer buffer = { .max = 5000 };
	char message[4001], filler[1500];

	(void)state;
	memset(filler, 'f', sizeof(filler));
	filler[sizeof(filler) - 1] = '\0';
	for (int i = 0; i < 200; i++) {
		memset(message, 'a' + i % 26, sizeof(message) - 1);
		message[sizeof(message) - 1] = '\0';
		assert_int_equal(feed(&buffer, filler, sizeof(filler), 999), 0);
		assert_int_equal(feed(&buffer, message, 2000, 999), 0);
		assert_next(&buffer, filler);
		assert_int_equal(feed(&buffer, message + 2000, sizeof(message) - 2000, 999), 0);
		assert_next(&buffer, message);
		assert_true(buffer.capacity <= 5001);
	}
	message_buffer_done(&buffer);
}

/* --- the parser -------------------------------------------------------------------------------- */

static const char *const good[] = {
	"{}",
	" \t\r\n{ } \n",
	"{\"a\":null,\"b\":true,\"c\":false}",
	"{\"a\":[],\"b\":[[]],\"c\":[1,2,[3]],\"d\":{}}",
	"{\"a\" : [ 1 , 2 ] , \"b\" : { } }",
	"{\"\":0}",
	"{\"a\":0,\"b\":-0,\"c\":10,\"d\":-10}",
	"{\"a\":1.5,\"b\":1e3,\"c\":1E+3,\"d\":-0.0e-10,\"e\":0.1e1,\"f\":1e400}",
	"{\"a\":18446744073709551615,\"b\":-9223372036854775808}",
	"{\"a\":123456789012345678901234567890.0,\"b\":99999999999999999999e0}",
	"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\uABCD\\uabcd\"}",
	"{\"a\":\"\\ud83d\\ude00\\udbff\\udfff\"}",
	"{\"a\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\x7f\"}",
	"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2}}",
	"{\"a\":[{\"a\":1},{\"a\":1}]}",
};

static const char *const bad[] = {
	"",
	" ",
	"null",
	"1",
	"\"a\"",
	"[]",
	"[{}]",
	"{",
	"}",
	"{}}",
	"{}{}",
	"{} x",
	"{},",
	"\xef\xbb\xbf{}", /* byte order mark */
	"/**/{}",
	"{}//",
	"{,}",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{\"a\" 1}",
	"{\"a\":1 \"b\":2}",
	"{\"a\":1;\"b\":2}",
	"{a:1}",
	"{'a':1}",
	"{\"a\":'b'}",
	"{1:1}",
	"{null:1}",
	"{\"a\":[1,]}",
	"{\"a\":[,1]}",
	"{\"a\":[1 2]}",
	"{\"a\":[1:2]}",
	"{\"a\":[}",
	"{\"a\":[}]",
	"{\"a\":[1}",
	"{\"a\":{]}",
	"{\"a\":True}",
	"{\"a\":nul}",
	"{\"a\":nulll}",
	"{\"a\":truefalse}",
	"{\"a\":NaN}",
	"{\"a\":Infinity}",
	"{\"a\":-Infinity}",
	"{\"a\":undefined}",
	/* numbers */
	"{\"a\":-}",
	"{\"a\":+1}",
	"{\"a\":01}",
	"{\"a\":-01}",
	"{\"a\":00}",
	"{\"a\":1.}",
	"{\"a\":.5}",
	"{\"a\":1.e1}",
	"{\"a\":1e}",
	"{\"a\":1e+}",
	"{\"a\":1e+-1}",
	"{\"a\":1e1.5}",
	"{\"a\":0x10}",
	"{\"a\":1_000}",
	"{\"a\":--1}",
	"{\"a\":1a}",
	"{\"a\":18446744073709551616}",
	"{\"a\":-9223372036854775809}",
	"{\"a\":100000000000000000000}",
	"{\"a\":340282366920938463463374607431768211456}",
	/* strings */
	"{\"a\":\"}",
	"{\"a\":\"\\",
	"{\"a\":\"\\\"}",
	"{\"a\":\"\\u",
	"{\"a\":\"\\u12\"}",
	"{\"a\":\"\\u123g\"}",
	"{\"a\":\"\\U0041\"}",
	"{\"a\":\"\\x41\"}",
	"{\"a\":\"\\'\"}",
	"{\"a\":\"\\0\"}",
	"{\"a\":\"\\u0000\"}", /* as sd-json */
	"{\"a\\u0000b\":1}",
	"{\"a\":\"\t\"}",
	"{\"a\":\"\n\"}",
	"{\"a\":\"\x1f\"}",
	"{\"a\":\"\\ud800\"}",
	"{\"a\":\"\\ud800x\"}",
	"{\"a\":\"\\ud800\\n\"}",
	"{\"a\":\"\\ud800\\u0041\"}",
	"{\"a\":\"\\ud800\\ud800\"}",
	"{\"a\":\"\\udc00\"}",
	"{\"a\":\"\\udfff\\ud800\"}",
	"{\"a\":\"\x80\"}",
	"{\"a\":\"\xff\"}",
	"{\"a\":\"\xc3\"}",
	"{\"a\":\"\xc0\x80\"}",
	"{\"a\":\"\xed\xa0\x80\"}",
	"{\"a\":\"\xf4\x90\x80\x80\"}",
	"{\"\xff\":1}",
	"{\"a\":1\xc2\xa0}", /* no white space */
	"{\"a\":1\f}",
};

static const char *const twice[] = {
	"{\"a\":1,\"a\":1}",
	"{\"a\":1,\"b\":2,\"a\":3}",
	"{\"a\":1,\"\\u0061\":1}",
	"{\"\xc3\xa4\":1,\"\\u00e4\":1}",
	"{\"\":1,\"\":1}",
	"{\"x\":{\"a\":1,\"a\":1}}",
	"{\"x\":[1,[{\"a\":null,\"a\":null}]]}",
	"{\"x\":{\"a\":1,\"b\":2},\"x\":{\"a\":1,\"b\":2}}",
};

static int parse_and_forget(const char *text, size_t length, unsigned int depth)
{
	struct json_object *object = NULL;
	int r = message_parse(text, length, depth, &object);

	if (r == 0)
		json_object_put(object);
	else
		assert_null(object);
	return r;
}

static void good_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (message_check(good[i], strlen(good[i]), 8) != 0)
			fail_msg("check: %s", good[i]);
		if (parse_and_forget(good[i], strlen(good[i]), 8) != 0)
			fail_msg("parse: %s", good[i]);
	}
}

static void bad_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (message_check(bad[i], strlen(bad[i]), 8) != -EBADMSG)
			fail_msg("check: %s", bad[i]);
		if (parse_and_forget(bad[i], strlen(bad[i]), 8) != -EBADMSG)
			fail_msg("parse: %s", bad[i]);
	}
}

static void members_given_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(twice); i++) {
		assert_int_equal(message_check(twice[i], strlen(twice[i]), 8), 0);
		if (parse_and_forget(twice[i], strlen(twice[i]), 8) != -EBADMSG)
			fail_msg("parse: %s", twice[i]);
	}
}

/* Cut anywhere, a text is bad; in memory of exactly its size, so that reading on is noticed. */
static void every_prefix(void **state)
{
	static const char text[] =
		"{\"ab\":[true,null,-1.5e+3,{\"\\u00e4\\ud83d\\ude00\":\"\xe2\x82\xac\\n\"}]}";

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		char *copy = malloc(length ? length : 1);

		memcpy(copy, text, length);
		assert_int_equal(message_check(copy, length, 8), -EBADMSG);
		assert_int_equal(parse_and_forget(copy, length, 8), -EBADMSG);
		free(copy);
	}
	assert_int_equal(message_check(text, sizeof(text) - 1, 8), 0);
	assert_int_equal(message_check(text, sizeof(text), 8), -EBADMSG); /* its NUL */
}

/* {"a":[[[...]]]} of @depth levels. */
static char *nested(unsigned int depth)
{
	char *text = calloc(1, 2 * depth + 10), *at = text;

	at = stpcpy(at, "{\"a\":");
	memset(at, '[', depth - 1);
	at += depth - 1;
	if (depth == 1)
		*at++ = '1';
	memset(at, ']', depth - 1);
	at += depth - 1;
	*at++ = '}';
	return text;
}

static void depth(void **state)
{
	static const struct {
		unsigned int depth, max;
		int expected;
	} cases[] = {
		{ 1, 0, -EBADMSG },
		{ 1, 1, 0 },
		{ 2, 1, -EBADMSG },
		{ 2, 2, 0 },
		{ 64, 64, 0 },
		{ 65, 64, -EBADMSG },
		{ 65, 65, 0 },
		{ 1024, 1024, 0 },
		{ 1024, UINT32_MAX, 0 },
		{ 1025, 1024, -EBADMSG },
		{ 1025, UINT32_MAX, -EBADMSG },
		{ 100000, UINT32_MAX, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = nested(cases[i].depth);

		assert_int_equal(message_check(text, strlen(text), cases[i].max),
				 cases[i].expected);
		assert_int_equal(parse_and_forget(text, strlen(text), cases[i].max),
				 cases[i].expected);
		free(text);
	}
}

static void values_survive(void **state)
{
	static const char text[] = "{\"max\":18446744073709551615,\"min\":-9223372036854775808,"
				   "\"real\":1e3,\"text\":\"\\u00e4\\ud83d\\ude00\",\"null\":null}";
	struct json_object *object, *value;

	(void)state;
	assert_int_equal(message_parse(text, strlen(text), 1, &object), 0);
	assert_int_equal(json_object_object_length(object), 5);
	assert_true(json_object_object_get_ex(object, "max", &value));
	assert_true(json_object_get_uint64(value) == UINT64_MAX);
	assert_true(json_object_object_get_ex(object, "min", &value));
	assert_true(json_object_get_int64(value) == INT64_MIN);
	assert_true(json_object_object_get_ex(object, "real", &value));
	assert_true(json_object_is_type(value, json_type_double));
	assert_true(json_object_object_get_ex(object, "text", &value));
	assert_string_equal(json_object_get_string(value), "\xc3\xa4\xf0\x9f\x98\x80");
	assert_true(json_object_object_get_ex(object, "null", &value));
	assert_null(value);
	json_object_put(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split),
		cmocka_unit_test(partial),
		cmocka_unit_test(longest),
		cmocka_unit_test(a_lower_limit_counts_at_once),
		cmocka_unit_test(memory_grows_and_goes),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(a_long_stream_of_short_messages),
		cmocka_unit_test(compaction_keeps_the_bytes),
		cmocka_unit_test(good_texts),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test(members_given_twice),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(depth),
		cmocka_unit_test(values_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
