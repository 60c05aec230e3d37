/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON writer against exact texts, and against json-c reading them back. */
#include "json.h"
#include "utf8.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(struct json *json, const char *expected)
{
	assert_int_equal(json->error, 0);
	assert_int_equal(json->text[json->length], '\0');
	assert_int_equal(json->length, strlen(expected));
	assert_string_equal(json->text, expected);
	json_done(json);
}

static void commas_and_nesting(void **state)
{
	struct json json _cleanup_json_ = { .text = NULL };

	(void)state;
	json_object_begin(&json, NULL);
	json_object_begin(&json, "empty");
	json_object_end(&json);
	json_array_begin(&json, "none");
	json_array_end(&json);
	json_array_begin(&json, "rows");
	json_object_begin(&json, NULL);
	json_u64(&json, "uid", 7);
	json_array_begin(&json, "in");
	json_array_begin(&json, NULL);
	json_array_end(&json);
	json_null(&json, NULL);
	json_array_end(&json);
	json_object_end(&json);
	json_object_begin(&json, NULL);
	json_object_end(&json);
	json_array_end(&json);
	json_boolean(&json, "yes", true);
	json_boolean(&json, "no", false);
	json_null(&json, "nothing");
	json_raw(&json, "raw", "{\"a\":1}  ", 7);
	json_string(&json, "last", "");
	json_object_end(&json);
	assert_text(&json, "{\"empty\":{},\"none\":[],\"rows\":[{\"uid\":7,\"in\":[[],null]},{}],"
			   "\"yes\":true,\"no\":false,\"nothing\":null,\"raw\":{\"a\":1},"
			   "\"last\":\"\"}");
}

static void every_call_leaves_a_string(void **state)
{
	struct json json _cleanup_json_ = { .text = NULL };

	(void)state;
	json_array_begin(&json, NULL);
	assert_string_equal(json.text, "[");
	json_u64(&json, NULL, 1);
	assert_string_equal(json.text, "[1");
	json_i64(&json, NULL, -2);
	assert_string_equal(json.text, "[1,-2");
	json_string(&json, NULL, "x");
	assert_string_equal(json.text, "[1,-2,\"x\"");
	json_array_end(&json);
	assert_string_equal(json.text, "[1,-2,\"x\"]");
}

static void unsigned_numbers(void **state)
{
	uint64_t power = 1;
	char expected[32], digits[21];

	(void)state;
	for (int i = 0; i < 20; i++, power *= 10) {
		for (uint64_t value = power - 1; value - (power - 1) < 3; value++) {
			struct json json = { .text = NULL };

			json_u64(&json, NULL, value);
			snprintf(expected, sizeof(expected), "%ju", (uintmax_t)value);
			assert_text(&json, expected);
			*json_digits(digits, value) = '\0';
			assert_string_equal(digits, expected);
		}
	}
	struct json json = { .text = NULL };

	json_u64(&json, NULL, UINT64_MAX);
	assert_text(&json, "18446744073709551615");
}

static void every_power_of_two(void **state)
{
	char expected[32], digits[21];

	(void)state;
	for (int bit = 0; bit < 64; bit++)
		for (int less = 0; less < 2; less++) {
			uint64_t value = (UINT64_C(1) << bit) - (uint64_t)less;

			snprintf(expected, sizeof(expected), "%ju", (uintmax_t)value);
			*json_digits(digits, value) = '\0';
			assert_string_equal(digits, expected);
		}
}

/* As without, whatever the length of the name, first or not. */
static void prepared_keys(void **state)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

	(void)state;
	for (size_t from = 0; from < sizeof(name); from++) {
		struct json_key key = json_key(name + from);
		struct json json = { .text = NULL }, plain = { .text = NULL };

		assert_int_equal(key.length > 0, sizeof(name) - from <= 28);
		json_object_begin(&json, NULL);
		json_object_begin(&plain, NULL);
		for (uint64_t value = 0; value < 100000; value = value * 7 + 3) {
			json_u64_by(&json, &key, value);
			json_u64(&plain, name + from, value);
		}
		json_object_end(&json);
		json_object_end(&plain);
		assert_string_equal(json.text, plain.text);
		json_done(&json);
		json_done(&plain);
	}
}

static void signed_numbers(void **state)
{
	struct json json = { .text = NULL };

	(void)state;
	json_i64(&json, NULL, INT64_MIN);
	assert_text(&json, "-9223372036854775808");
	json_i64(&json, NULL, INT64_MAX);
	assert_text(&json, "9223372036854775807");
	json_i64(&json, NULL, -1);
	assert_text(&json, "-1");
	json_i64(&json, NULL, 0);
	assert_text(&json, "0");
	json_i64(&json, "key", -100);
	assert_text(&json, "\"key\":-100");
}

/* What is no UTF-8 of its own, and NUL, becomes U+FFFD; control bytes and DEL are escaped. */
static void every_byte(void **state)
{
	static const char *const letters[256] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",	 ['\f'] = "\\f",
		['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
	};

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		struct json json = { .text = NULL };
		char text = (char)byte, expected[16];

		if (letters[byte])
			snprintf(expected, sizeof(expected), "\"%s\"", letters[byte]);
		else if ((byte > 0 && byte < 0x20) || byte == 0x7f)
			snprintf(expected, sizeof(expected), "\"\\u%04x\"", byte);
		else if (byte > 0 && byte < 0x80)
			snprintf(expected, sizeof(expected), "\"%c\"", byte);
		else
			snprintf(expected, sizeof(expected), "\"\xef\xbf\xbd\"");
		json_string_n(&json, NULL, &text, 1);
		assert_text(&json, expected);
	}
}

static void all_bytes_at_once_can_be_parsed(void **state)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct json_object *object;
	char all[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	json_string_n(&json, NULL, all, sizeof(all));
	assert_int_equal(json.error, 0);
	object = json_tokener_parse(json.text);
	assert_non_null(object);
	assert_int_equal(json_object_get_string_len(object), 127 + 129 * 3);
	assert_memory_equal(json_object_get_string(object), "\xef\xbf\xbd", 3);
	assert_memory_equal(json_object_get_string(object) + 3, all + 1, 127);
	json_object_put(object);
}

static const struct {
	const char *text, *expected; /* both without quotes */
} utf8_cases[] = {
	{ "a\xc3\xa4z", "a\xc3\xa4z" },
	{ "\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd" },		    /* U+10FFFD */
	{ "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" }, /* around surrogates */
	{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },		    /* overlong */
	{ "\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* overlong */
	{ "\xf0\x8f\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate */
	{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },   /* cut short by the end */
	{ "\xe2\x82z", "\xef\xbf\xbd\xef\xbf\xbdz" }, /* cut short by a letter */
	{ "\xe2\x82\xe2\x82\xac", "\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac" },
	{ "\xf0\x9f\x98\xff", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	/* Noncharacters: sd-json refuses a message that has one. */
	{ "\xef\xb7\x8f\xef\xb7\x90\xef\xb7\xaf\xef\xb7\xb0",
	  "\xef\xb7\x8f\xef\xbf\xbd\xef\xbf\xbd\xef\xb7\xb0" },
	{ "\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xf0\x9f\xbf\xbd\xf0\x9f\xbf\xbe\xf4\x8f\xbf\xbf",
	  "\xf0\x9f\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
};

static void utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(utf8_cases); i++) {
		struct json json = { .text = NULL };
		char expected[64];

		snprintf(expected, sizeof(expected), "\"%s\"", utf8_cases[i].expected);
		json_string(&json, NULL, utf8_cases[i].text);
		assert_text(&json, expected);
	}
}

/* Of all sequences of two bytes only 1920 code points are one sequence. */
static void utf8_two_bytes_counted(void **state)
{
	unsigned int valid = 0;

	(void)state;
	for (unsigned int i = 0; i < 0x10000; i++) {
		unsigned char text[2] = { (unsigned char)(i >> 8), (unsigned char)i };

		valid += utf8_sequence(text, 2) == 2;
		assert_true(utf8_sequence(text, 1) == (text[0] < 0x80));
	}
	assert_int_equal(valid, 0x800 - 0x80);
}

/* Of all of three, those of the basic plane above U+07FF without surrogates; 34 nothing. */
static void utf8_three_bytes_counted(void **state)
{
	unsigned int valid = 0, nothing = 0;

	(void)state;
	for (unsigned int i = 0; i < 0x1000000; i++) {
		unsigned char text[3] = { (unsigned char)(i >> 16), (unsigned char)(i >> 8),
					  (unsigned char)i };

		if (utf8_sequence(text, 3) != 3)
			continue;
		valid++;
		nothing += utf8_is_noncharacter(text, 3);
	}
	assert_int_equal(valid, 0x10000 - 0x800 - 0x800);
	assert_int_equal(nothing, 34);
}

static void round_trip(void **state)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct json_object *object, *rows, *row, *value;

	(void)state;
	json_object_begin(&json, NULL);
	json_array_begin(&json, "rows");
	for (uint64_t i = 0; i < 1000; i++) {
		json_object_begin(&json, NULL);
		json_u64(&json, "value", UINT64_MAX - i * UINT64_C(18446744073709551));
		json_i64(&json, "negative", INT64_MIN + (int64_t)i);
		json_object_end(&json);
	}
	json_array_end(&json);
	json_string(&json, "name", "a \"quoted\" \\ \x01 \xc3\xa4");
	json_object_end(&json);

	object = json_tokener_parse(json.text);
	assert_non_null(object);
	assert_true(json_object_object_get_ex(object, "rows", &rows));
	assert_int_equal(json_object_array_length(rows), 1000);
	for (uint64_t i = 0; i < 1000; i++) {
		row = json_object_array_get_idx(rows, i);
		assert_true(json_object_object_get_ex(row, "value", &value));
		assert_true(json_object_get_uint64(value) ==
			    UINT64_MAX - i * UINT64_C(18446744073709551));
		assert_true(json_object_object_get_ex(row, "negative", &value));
		assert_true(json_object_get_int64(value) == INT64_MIN + (int64_t)i);
	}
	assert_true(json_object_object_get_ex(object, "name", &value));
	assert_string_equal(json_object_get_string(value), "a \"quoted\" \\ \x01 \xc3\xa4");
	json_object_put(object);
}

/* Base64 as base64(1) writes it, and only where the string does not say it all. */
static void bytes_are_kept(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "", "{\"a\":\"\"}" },
		{ "a\x01\x7f\xc3\xa4\xe2\x82\xac",
		  "{\"a\":\"a\\u0001\\u007f\xc3\xa4\xe2\x82\xac\"}" },
		{ "\xef\xbf\xbd", "{\"a\":\"\xef\xbf\xbd\"}" },
		{ "\xff", "{\"a\":\"\xef\xbf\xbd\",\"aBytes\":\"/w==\"}" },
		{ "x\xc0", "{\"a\":\"x\xef\xbf\xbd\",\"aBytes\":\"eMA=\"}" },
		{ "xy\xc3", "{\"a\":\"xy\xef\xbf\xbd\",\"aBytes\":\"eHnD\"}" },
		{ "\xef\xbf\xbe\xfb",
		  "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"aBytes\":\"77+++w==\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json json _cleanup_json_ = { .text = NULL };

		json_object_begin(&json, NULL);
		json_bytes(&json, "a", "aBytes", cases[i].text);
		json_object_end(&json);
		assert_int_equal(json.error, 0);
		assert_string_equal(json.text, cases[i].wanted);
	}
}

static void growth(void **state)
{
	struct json json _cleanup_json_ = { .text = NULL };
	static char large[100000];

	(void)state;
	memset(large, '\x01', sizeof(large));
	json_array_begin(&json, NULL);
	for (int i = 0; i < 3; i++)
		json_string_n(&json, NULL, large, sizeof(large));
	json_array_end(&json);
	assert_int_equal(json.error, 0);
	assert_int_equal(json.length, 2 + 3 * (2 + 6 * sizeof(large)) + 2);
	assert_int_equal(strlen(json.text), json.length);
}

static void take_empties(void **state)
{
	struct json json = { .text = NULL };
	size_t length = 99;
	char *text;

	(void)state;
	json_u64(&json, NULL, 5);
	text = json_take(&json, &length);
	assert_string_equal(text, "5");
	assert_int_equal(length, 1);
	free(text);
	assert_null(json.text);
	assert_int_equal(json.length + json.capacity, 0);
	assert_false(json.comma);
	json_u64(&json, NULL, 6);
	text = json_take(&json, NULL);
	assert_string_equal(text, "6");
	free(text);
	text = json_take(&json, &length);
	assert_string_equal(text, "");
	assert_int_equal(length, 0);
	free(text);
}

static void a_failure_is_remembered(void **state)
{
	struct json json = { .text = NULL };
	size_t length = 99, before;

	(void)state;
	json_object_begin(&json, NULL);
	before = json.length;
	json_raw(&json, "large", "x", SIZE_MAX / 2); /* more than there can be: nothing is read */
	assert_int_equal(json.error, -ENOMEM);
	json_u64(&json, "a", 1);
	json_string(&json, "b", "x");
	json_null(&json, "c");
	json_array_begin(&json, "d");
	json_array_end(&json);
	json_object_end(&json);
	assert_int_equal(json.error, -ENOMEM);
	assert_int_equal(json.length, before);
	assert_null(json_take(&json, &length));
	assert_int_equal(length, 0);
	assert_int_equal(json.error, 0);
	json_string_n(&json, NULL, "x", SIZE_MAX);
	assert_int_equal(json.error, -ENOMEM);
	json_done(&json);
	assert_null(json.text);
}

/* NUL is a byte like others where the length is given. */
static void bytes_by_length(void **state)
{
	_cleanup_json_ struct json json = { 0 };

	(void)state;
	json_array_begin(&json, NULL);
	json_base64(&json, NULL, "", 0);
	json_base64(&json, NULL, "\0\xff", 2);
	json_array_end(&json);
	assert_string_equal(json.text, "[\"\",\"AP8=\"]");
	json_done(&json);
	json_object_begin(&json, NULL);
	json_bytes_n(&json, "a", "aBytes", "x\ny", 3);
	json_bytes_n(&json, "b", "bBytes", "x\0y", 3);
	json_object_end(&json);
	assert_string_equal(json.text,
			    "{\"a\":\"x\\ny\",\"b\":\"x\xef\xbf\xbdy\",\"bBytes\":\"eAB5\"}");
}

static void what_is_text(void **state)
{
	(void)state;
	assert_true(json_is_text("", 0));
	assert_true(json_is_text("a\x01\x7f\"\\", 5));
	assert_true(json_is_text("\xc3\xa9", 2));
	assert_false(json_is_text("\xc3\xa9", 1));
	assert_false(json_is_text("a\0", 2));
	assert_false(json_is_text("\xef\xbf\xbf", 3));
}

/* As it is, and with nothing before what comes next. */
static void appended(void **state)
{
	_cleanup_json_ struct json json = { 0 };

	(void)state;
	json_u64(&json, NULL, 1);
	json_append(&json, "\0x", 2);
	assert_int_equal(json.length, 3);
	assert_memory_equal(json.text, "1\0x", 4);
	json_append(&json, "x", SIZE_MAX / 2); /* nothing is read */
	assert_int_equal(json.error, -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_nesting),
		cmocka_unit_test(every_call_leaves_a_string),
		cmocka_unit_test(unsigned_numbers),
		cmocka_unit_test(every_power_of_two),
		cmocka_unit_test(prepared_keys),
		cmocka_unit_test(signed_numbers),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(all_bytes_at_once_can_be_parsed),
		cmocka_unit_test(utf8),
		cmocka_unit_test(utf8_two_bytes_counted),
		cmocka_unit_test(utf8_three_bytes_counted),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(bytes_are_kept),
		cmocka_unit_test(bytes_by_length),
		cmocka_unit_test(what_is_text),
		cmocka_unit_test(appended),
		cmocka_unit_test(growth),
		cmocka_unit_test(take_empties),
		cmocka_unit_test(a_failure_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
