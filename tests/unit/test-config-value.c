/* SPDX-License-Identifier: GPL-2.0-only */
/* What each type of value accepts, as what, and what it refuses. */
#include "config-value.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const levels[] = { "error", "warning", "notice", NULL };

static const struct config_key bool_key = { .type = CONFIG_BOOL };
static const struct config_key switch_key = { .type = CONFIG_SWITCH };
static const struct config_key uint_key = { .type = CONFIG_UINT };
static const struct config_key ranged_key = { .type = CONFIG_UINT, .min = 64, .max = 262144 };
static const struct config_key size_key = { .type = CONFIG_SIZE };
static const struct config_key ranged_size_key = { .type = CONFIG_SIZE,
						   .min = 1024,
						   .max = 1 << 20 };
static const struct config_key time_key = { .type = CONFIG_TIME };
static const struct config_key ranged_time_key = { .type = CONFIG_TIME,
						   .min = 100000,
						   .max = UINT64_C(3600000000) };
static const struct config_key path_key = { .type = CONFIG_PATH };
static const struct config_key choice_key = { .type = CONFIG_CHOICE, .choices = levels };
static const struct config_key name_key = { .type = CONFIG_NAME };
static const struct config_key set_key = { .type = CONFIG_SET, .choices = levels };
static const struct config_key text_key = { .type = CONFIG_TEXT };
static const struct config_key optional_key = { .type = CONFIG_UINT,
						.min = 0,
						.max = 4294967294,
						.optional = true };
static const struct config_key optional_path_key = { .type = CONFIG_PATH, .optional = true };

static const struct {
	const struct config_key *key;
	const char *text;
	uint64_t number;
} numbers[] = {
	{ &bool_key, "yes", 1 },
	{ &bool_key, "TRUE", 1 },
	{ &bool_key, "On", 1 },
	{ &bool_key, "1", 1 },
	{ &bool_key, "no", 0 },
	{ &bool_key, "False", 0 },
	{ &bool_key, "off", 0 },
	{ &bool_key, "0", 0 },
	{ &switch_key, "auto", CONFIG_AUTO },
	{ &switch_key, "yes", CONFIG_YES },
	{ &switch_key, "off", CONFIG_NO },
	{ &uint_key, "0", 0 },
	{ &uint_key, "007", 7 },
	{ &uint_key, "18446744073709551615", UINT64_MAX },
	{ &ranged_key, "64", 64 },
	{ &ranged_key, "262144", 262144 },
	{ &size_key, "17", 17 },
	{ &size_key, "17B", 17 },
	{ &size_key, "17K", 17408 },
	{ &size_key, "17 KB", 17408 },
	{ &size_key, "17KiB", 17408 },
	{ &size_key, "3M", 3145728 },
	{ &size_key, "3MiB", 3145728 },
	{ &size_key, "5G", UINT64_C(5368709120) },
	{ &size_key, "7T", UINT64_C(7696581394432) },
	{ &size_key, "16777215T", UINT64_C(18446742974197923840) },
	{ &ranged_size_key, "1K", 1024 },
	{ &ranged_size_key, "1024K", 1 << 20 },
	{ &time_key, "0", 0 },
	{ &time_key, "7", 7000000 },
	{ &time_key, "1.5", 1500000 },
	{ &time_key, "3us", 3 },
	{ &time_key, "3usec", 3 },
	{ &time_key, "3\xc2\xb5s", 3 },
	{ &time_key, "3\xce\xbcs", 3 },
	{ &time_key, "100ms", 100000 },
	{ &time_key, "100 msec", 100000 },
	{ &time_key, "5s", 5000000 },
	{ &time_key, "5sec", 5000000 },
	{ &time_key, "5 seconds", 5000000 },
	{ &time_key, "1min 30s", 90000000 },
	{ &time_key, "1m30s", 90000000 },
	{ &time_key, "30s 1 minute ", 90000000 },
	{ &time_key, "1min 30", 90000000 },
	{ &time_key, "2h", UINT64_C(7200000000) },
	{ &time_key, "2hr", UINT64_C(7200000000) },
	{ &time_key, "2hours", UINT64_C(7200000000) },
	{ &time_key, "3d", UINT64_C(259200000000) },
	{ &time_key, "2weeks", UINT64_C(1209600000000) },
	{ &time_key, "1month", UINT64_C(2629800000000) },
	{ &time_key, "1M", UINT64_C(2629800000000) },
	{ &time_key, "1y", UINT64_C(31557600000000) },
	{ &time_key, "1.25h 0.5min", UINT64_C(4530000000) },
	{ &time_key, "0.0000019s", 1 }, /* finer than a microsecond is dropped */
	{ &time_key, "584542y", UINT64_C(18446742619200000000) },
	{ &ranged_time_key, "100ms", 100000 },
	{ &ranged_time_key, "60min", UINT64_C(3600000000) },
	{ &choice_key, "error", 0 },
	{ &choice_key, "notice", 2 },
	{ &set_key, "", 0 },
	{ &set_key, "error", 1 },
	{ &set_key, "notice error", 5 },
	{ &set_key, " \tnotice  error\tnotice ", 5 },
	{ &optional_key, "", CONFIG_NONE },
	{ &optional_key, "0", 0 },
	{ &optional_key, "4294967294", 4294967294 },
};

static const struct {
	const struct config_key *key;
	const char *text;
	const char *expected;
} texts[] = {
	{ &path_key, "/", "/" },
	{ &path_key, "//", "/" },
	{ &path_key, "/.", "/" },
	{ &path_key, "/a/b", "/a/b" },
	{ &path_key, "//a///b//", "/a/b" },
	{ &path_key, "/./a/./b/.", "/a/b" },
	{ &path_key, "/.a/..b/c../...", "/.a/..b/c../..." },
	{ &path_key, "/with space #;=\"x\" ", "/with space #;=\"x\" " },
	{ &path_key, "/\xff\xc3", "/\xff\xc3" },
	{ &name_key, "root", "root" },
	{ &name_key, "_system-user.1$", "_system-user.1$" },
	{ &name_key, "0", "0" },
	{ &name_key, "4294967294", "4294967294" },
	{ &name_key, "12ab", "12ab" },
	{ &text_key, "", "" },
	{ &text_key, " (sd-pam) #;=\\x2d\xff ", " (sd-pam) #;=\\x2d\xff " },
	{ &optional_path_key, "", "" },
	{ &optional_path_key, "//a/.", "/a" },
};

static const struct {
	const struct config_key *key;
	const char *text;
} refused[] = {
	{ &bool_key, "" },
	{ &bool_key, "2" },
	{ &bool_key, "yes " },
	{ &bool_key, "auto" },
	{ &switch_key, "never" },
	{ &uint_key, "" },
	{ &uint_key, "-1" },
	{ &uint_key, "+1" },
	{ &uint_key, " 1" },
	{ &uint_key, "1 " },
	{ &uint_key, "0x10" },
	{ &uint_key, "1K" },
	{ &uint_key, "18446744073709551616" },
	{ &uint_key, "99999999999999999999999" },
	{ &ranged_key, "63" },
	{ &ranged_key, "262145" },
	{ &size_key, "" },
	{ &size_key, "K" },
	{ &size_key, "1k" },
	{ &size_key, "1KK" },
	{ &size_key, "1iB" },
	{ &size_key, "1.5K" },
	{ &size_key, "-1K" },
	{ &size_key, "1K 1" },
	{ &size_key, "16777216T" },
	{ &ranged_size_key, "1023" },
	{ &ranged_size_key, "1025K" },
	{ &time_key, "" },
	{ &time_key, " " },
	{ &time_key, "s" },
	{ &time_key, "-5s" },
	{ &time_key, "5 parsecs" },
	{ &time_key, "5S" },
	{ &time_key, "1." },
	{ &time_key, "1.s" },
	{ &time_key, ".5s" },
	{ &time_key, "1.5.5s" },
	{ &time_key, "1s," },
	{ &time_key, "1s-" },
	{ &time_key, "584543y" },
	{ &time_key, "584542y 1y" },
	{ &time_key, "18446744073709551616us" },
	{ &time_key, "infinity" },
	{ &ranged_time_key, "99ms" },
	{ &ranged_time_key, "1h 1us" },
	{ &path_key, "" },
	{ &path_key, "a" },
	{ &path_key, " /a" },
	{ &path_key, "~/a" },
	{ &path_key, "/.." },
	{ &path_key, "/a/../b" },
	{ &path_key, "/a/.." },
	{ &path_key, "/a\nb" },
	{ &path_key, "/a\tb" },
	{ &path_key, "/a\x7f" },
	{ &choice_key, "" },
	{ &choice_key, "Error" },
	{ &choice_key, "err" },
	{ &choice_key, "errors" },
	{ &name_key, "" },
	{ &name_key, "-x" },
	{ &name_key, "a b" },
	{ &name_key, "a:b" },
	{ &name_key, "a/b" },
	{ &name_key, "." },
	{ &name_key, ".." },
	{ &name_key, "a\n" },
	{ &name_key, "4294967295" },
	{ &name_key, "18446744073709551616" },
	{ &set_key, "err" },
	{ &set_key, "errors" },
	{ &set_key, "error,notice" },
	{ &set_key, "notice err" },
	{ &text_key, "a\nb" },
	{ &text_key, "\x1b" },
	{ &text_key, "a\"b" },
	{ &optional_key, " " },
	{ &optional_key, "4294967295" },
	{ &optional_path_key, "a" },
};

static const struct {
	const struct config_key *key;
	const char *expected;
} descriptions[] = {
	{ &bool_key, "yes or no" },
	{ &switch_key, "auto, yes or no" },
	{ &uint_key, "a whole number" },
	{ &ranged_key, "a whole number from 64 to 262144" },
	{ &size_key, "a size such as \"64K\"" },
	{ &ranged_size_key, "a size such as \"64K\" from 1K to 1M" },
	{ &time_key, "a time span such as \"1min 30s\"" },
	{ &ranged_time_key, "a time span such as \"1min 30s\" from 100ms to 1h" },
	{ &path_key, "an absolute path without \"..\" of at most 4095 bytes" },
	{ &choice_key, "one of error, warning, notice" },
	{ &name_key, "a user or group name, or a number" },
	{ &set_key, "a list of any of error, warning, notice" },
	{ &text_key, "a text without control characters and double quotes" },
	{ &optional_key, "a whole number from 0 to 4294967294, or nothing" },
	{ &optional_path_key, "an absolute path without \"..\" of at most 4095 bytes, or nothing" },
};

static void numbers_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		_cleanup_free_ char *text = NULL;
		uint64_t number = 42;
		int r = config_value_parse(numbers[i].key, numbers[i].text, &number, &text);

		if (r != 0 || number != numbers[i].number)
			fail_msg("'%s': %d, %" PRIu64, numbers[i].text, r, number);
		assert_string_equal(text, numbers[i].text);
		assert_false(config_value_is_text(numbers[i].key->type));
	}
}

static void texts_are_normalised(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *text = NULL;
		uint64_t number;

		if (config_value_parse(texts[i].key, texts[i].text, &number, &text) < 0)
			fail_msg("'%s' was refused", texts[i].text);
		assert_string_equal(text, texts[i].expected);
		assert_true(config_value_is_text(texts[i].key->type));
	}
}

static void the_rest_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		uint64_t number = 42;
		char *text = NULL;
		int r = config_value_parse(refused[i].key, refused[i].text, &number, &text);

		if (r != -EINVAL || number != 42 || text)
			fail_msg("'%s': %d", refused[i].text, r);
	}
}

static void long_values_are_refused(void **state)
{
	char path[4097] = "/", name[257];
	uint64_t number;
	char *text = NULL;

	(void)state;
	memset(path + 1, 'a', sizeof(path) - 2);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(config_value_parse(&path_key, path, &number, &text), -EINVAL);
	path[4095] = '\0';
	assert_int_equal(config_value_parse(&path_key, path, &number, &text), 0);
	assert_string_equal(text, path);
	free(TAKE_PTR(text));

	memset(name, 'a', sizeof(name));
	name[256] = '\0';
	assert_int_equal(config_value_parse(&name_key, name, &number, &text), -EINVAL);
	name[255] = '\0';
	assert_int_equal(config_value_parse(&name_key, name, &number, &text), 0);
	free(text);
}

static void descriptions_say_what_is_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(descriptions); i++) {
		char out[256];

		config_value_describe(descriptions[i].key, out, sizeof(out));
		assert_string_equal(out, descriptions[i].expected);
	}
}

/* A description that does not fit is cut, not written behind its end. */
static void descriptions_fit(void **state)
{
	char out[64];

	(void)state;
	for (size_t size = 1; size < sizeof(out); size++) {
		memset(out, '!', sizeof(out));
		config_value_describe(&choice_key, out, size);
		assert_true(strlen(out) < size);
		assert_int_equal(out[size], '!');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(texts_are_normalised),
		cmocka_unit_test(the_rest_is_refused),
		cmocka_unit_test(long_values_are_refused),
		cmocka_unit_test(descriptions_say_what_is_allowed),
		cmocka_unit_test(descriptions_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
