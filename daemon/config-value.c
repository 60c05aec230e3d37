/* SPDX-License-Identifier: GPL-2.0-only */
/* Parses and describes single values, one row per type. Knows no file and no table of keys. */
#include "config-value.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define SPACES "\t "
#define DIGITS "0123456789"

enum {
	VALUE_BYTES_MAX = 4095, /* PATH_MAX without its NUL */
	NAME_BYTES_MAX = 255,
};

struct unit {
	const char *name;
	uint64_t factor;
};

#define USEC_PER_SEC UINT64_C(1000000)

/*
 * systemd.time(7): a month is 30.44 days, a year 365.25. The first name of each factor, in
 * descending order, is the one that messages use.
 */
static const struct unit time_units[] = {
	{ "y", 31557600 * USEC_PER_SEC },
	{ "year", 31557600 * USEC_PER_SEC },
	{ "years", 31557600 * USEC_PER_SEC },
	{ "month", 2629800 * USEC_PER_SEC },
	{ "months", 2629800 * USEC_PER_SEC },
	{ "M", 2629800 * USEC_PER_SEC },
	{ "w", 604800 * USEC_PER_SEC },
	{ "week", 604800 * USEC_PER_SEC },
	{ "weeks", 604800 * USEC_PER_SEC },
	{ "d", 86400 * USEC_PER_SEC },
	{ "day", 86400 * USEC_PER_SEC },
	{ "days", 86400 * USEC_PER_SEC },
	{ "h", 3600 * USEC_PER_SEC },
	{ "hr", 3600 * USEC_PER_SEC },
	{ "hour", 3600 * USEC_PER_SEC },
	{ "hours", 3600 * USEC_PER_SEC },
	{ "min", 60 * USEC_PER_SEC },
	{ "minute", 60 * USEC_PER_SEC },
	{ "minutes", 60 * USEC_PER_SEC },
	{ "m", 60 * USEC_PER_SEC },
	{ "s", USEC_PER_SEC },
	{ "sec", USEC_PER_SEC },
	{ "second", USEC_PER_SEC },
	{ "seconds", USEC_PER_SEC },
	{ "ms", 1000 },
	{ "msec", 1000 },
	{ "us", 1 },
	{ "usec", 1 },
	{ "\xc2\xb5s", 1 }, /* U+00B5, micro sign */
	{ "\xce\xbcs", 1 }, /* U+03BC, Greek mu */
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "T", UINT64_C(1) << 40 },
	{ "TB", UINT64_C(1) << 40 },
	{ "TiB", UINT64_C(1) << 40 },
	{ "G", UINT64_C(1) << 30 },
	{ "GB", UINT64_C(1) << 30 },
	{ "GiB", UINT64_C(1) << 30 },
	{ "M", UINT64_C(1) << 20 },
	{ "MB", UINT64_C(1) << 20 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "K", UINT64_C(1) << 10 },
	{ "KB", UINT64_C(1) << 10 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "B", 1 },
	{ NULL, 0 },
};

static const struct unit booleans[] = {
	{ "yes", 1 }, { "true", 1 },  { "on", 1 },  { "1", 1 },
	{ "no", 0 },  { "false", 0 }, { "off", 0 }, { "0", 0 },
};

/* The unit called the first @length bytes of @name; NULL: none. */
static const struct unit *find_unit(const struct unit *units, const char *name, size_t length)
{
	for (; units->name; units++)
		if (strlen(units->name) == length && !memcmp(units->name, name, length))
			return units;
	return NULL;
}

/* Moves *@cursor behind the digits there. */
static int scan_digits(const char **cursor, uint64_t *ret)
{
	size_t n = strspn(*cursor, DIGITS);
	uint64_t value = 0;

	if (n == 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)((*cursor)[i] - '0'), &value))
			return -EINVAL;
	*cursor += n;
	*ret = value;
	return 0;
}

static int parse_bool(const struct config_key *key, char *text, uint64_t *ret)
{
	(void)key;
	for (size_t i = 0; i < ARRAY_SIZE(booleans); i++) {
		if (!strcasecmp(text, booleans[i].name)) {
			*ret = booleans[i].factor;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_switch(const struct config_key *key, char *text, uint64_t *ret)
{
	uint64_t value;
	int r;

	if (!strcasecmp(text, "auto")) {
		*ret = CONFIG_AUTO;
		return 0;
	}
	r = parse_bool(key, text, &value);
	if (r < 0)
		return r;
	*ret = value ? CONFIG_YES : CONFIG_NO;
	return 0;
}

static int parse_uint(const struct config_key *key, char *text, uint64_t *ret)
{
	const char *cursor = text;
	uint64_t value;
	int r = scan_digits(&cursor, &value);

	(void)key;
	if (r < 0 || *cursor)
		return -EINVAL;
	*ret = value;
	return 0;
}

static int parse_size(const struct config_key *key, char *text, uint64_t *ret)
{
	const char *cursor = text;
	const struct unit *unit;
	uint64_t value;
	int r = scan_digits(&cursor, &value);

	(void)key;
	if (r < 0)
		return r;
	if (*cursor) {
		cursor += strspn(cursor, SPACES);
		unit = find_unit(size_units, cursor, strlen(cursor));
		if (!unit || __builtin_mul_overflow(value, unit->factor, &value))
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

/* The digits behind a decimal point, in microseconds; what is finer is dropped, as systemd does. */
static int scan_fraction(const char **cursor, uint64_t factor, uint64_t *ret)
{
	uint64_t value = 0;

	if (!strspn(*cursor, DIGITS))
		return -EINVAL;
	for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++) {
		factor /= 10;
		value += factor * (uint64_t)(**cursor - '0');
	}
	*ret = value;
	return 0;
}

/* One NUMBER[.FRACTION][UNIT] of a time span, seconds without a unit. */
static int scan_span(const char **cursor, uint64_t *ret)
{
	const char *fraction = NULL;
	const struct unit *unit;
	uint64_t value, rest = 0;
	size_t n;
	int r = scan_digits(cursor, &value);

	if (r < 0)
		return r;
	if (**cursor == '.') {
		fraction = ++*cursor;
		*cursor += strspn(*cursor, DIGITS);
	}
	*cursor += strspn(*cursor, SPACES);
	n = strcspn(*cursor, SPACES DIGITS ".");
	unit = n ? find_unit(time_units, *cursor, n) : find_unit(time_units, "s", 1);
	if (!unit || (fraction && scan_fraction(&fraction, unit->factor, &rest) < 0))
		return -EINVAL;
	if (__builtin_mul_overflow(value, unit->factor, &value) ||
	    __builtin_add_overflow(value, rest, &value))
		return -EINVAL;
	*cursor += n;
	*ret = value;
	return 0;
}

static int parse_time(const struct config_key *key, char *text, uint64_t *ret)
{
	const char *cursor = text;
	uint64_t total = 0, span;
	int r;

	(void)key;
	do {
		r = scan_span(&cursor, &span);
		if (r < 0 || __builtin_add_overflow(total, span, &total))
			return -EINVAL;
		cursor += strspn(cursor, SPACES);
	} while (*cursor);
	*ret = total;
	return 0;
}

/* Control characters could not be written to a file again. */
static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* In place: no "//", no "/./", no "/" at the end; ".." is refused, what it means is unclear. */
static int parse_path(const struct config_key *key, char *text, uint64_t *ret)
{
	const char *in = text;
	char *out = text;
	size_t n;

	(void)key;
	(void)ret;
	if (*text != '/' || has_control(text))
		return -EINVAL;
	for (; *in; in += n) {
		in += strspn(in, "/");
		n = strcspn(in, "/");
		if (n == 2 && !memcmp(in, "..", 2))
			return -EINVAL;
		if (n == 0 || (n == 1 && *in == '.'))
			continue;
		*out++ = '/';
		memmove(out, in, n);
		out += n;
	}
	if (out == text)
		*out++ = '/';
	*out = '\0';
	return 0;
}

/* Whether a user of that name exists is the caller's to find out; 4294967295 is "no user". */
static int parse_name(const struct config_key *key, char *text, uint64_t *ret)
{
	const char *cursor = text;
	uint64_t id;

	(void)key;
	(void)ret;
	if (!*text || strlen(text) > NAME_BYTES_MAX || *text == '-' || has_control(text))
		return -EINVAL;
	if (strpbrk(text, " :,/\"'\\") || !strcmp(text, ".") || !strcmp(text, ".."))
		return -EINVAL;
	if (strspn(text, DIGITS) < strlen(text))
		return 0;
	return scan_digits(&cursor, &id) < 0 || id >= UINT32_MAX ? -EINVAL : 0;
}

static int find_choice(const struct config_key *key, const char *name, size_t length)
{
	for (int i = 0; key->choices[i]; i++)
		if (strlen(key->choices[i]) == length && !memcmp(name, key->choices[i], length))
			return i;
	return -EINVAL;
}

static int parse_choice(const struct config_key *key, char *text, uint64_t *ret)
{
	int i = find_choice(key, text, strlen(text));

	if (i < 0)
		return i;
	*ret = (uint64_t)i;
	return 0;
}

static int parse_set(const struct config_key *key, char *text, uint64_t *ret)
{
	const char *cursor = text + strspn(text, SPACES);
	uint64_t bits = 0;

	while (*cursor) {
		size_t n = strcspn(cursor, SPACES);
		int i = find_choice(key, cursor, n);

		if (i < 0)
			return i;
		bits |= UINT64_C(1) << i;
		cursor += n;
		cursor += strspn(cursor, SPACES);
	}
	*ret = bits;
	return 0;
}

/* A double quote could be taken for one that belongs to the file. */
static int parse_text(const struct config_key *key, char *text, uint64_t *ret)
{
	(void)key;
	(void)ret;
	return has_control(text) || strchr(text, '"') ? -EINVAL : 0;
}

static const struct {
	/* May change @text; leaves *ret alone when the value is a text. */
	int (*parse)(const struct config_key *key, char *text, uint64_t *ret);
	bool text;
	const struct unit *units; /* to write limits with; NULL: plain numbers */
	const char *description;
} types[] = {
	[CONFIG_BOOL] = { parse_bool, false, NULL, "yes or no" },
	[CONFIG_SWITCH] = { parse_switch, false, NULL, "auto, yes or no" },
	[CONFIG_UINT] = { parse_uint, false, NULL, "a whole number" },
	[CONFIG_SIZE] = { parse_size, false, size_units, "a size such as \"64K\"" },
	[CONFIG_TIME] = { parse_time, false, time_units, "a time span such as \"1min 30s\"" },
	[CONFIG_PATH] = { parse_path, true, NULL,
			  "an absolute path without \"..\" of at most 4095 bytes" },
	[CONFIG_CHOICE] = { parse_choice, false, NULL, "one of" },
	[CONFIG_NAME] = { parse_name, true, NULL, "a user or group name, or a number" },
	[CONFIG_SET] = { parse_set, false, NULL, "a list of any of" },
	[CONFIG_TEXT] = { parse_text, true, NULL,
			  "a text without control characters and double quotes" },
};

static bool in_range(const struct config_key *key, uint64_t number)
{
	if (key->type != CONFIG_UINT && key->type != CONFIG_SIZE && key->type != CONFIG_TIME)
		return true;
	if (key->min == 0 && key->max == 0)
		return true;
	return number >= key->min && number <= key->max;
}

int config_value_parse(const struct config_key *key, const char *text, uint64_t *ret_number,
		       char **ret_text)
{
	_cleanup_free_ char *copy = NULL;
	uint64_t number = 0;
	bool none = key->optional && !*text;
	int r;

	assert((size_t)key->type < ARRAY_SIZE(types));
	if (strlen(text) > VALUE_BYTES_MAX)
		return -EINVAL;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	r = none ? 0 : types[key->type].parse(key, copy, &number);
	if (r < 0)
		return r;
	if (!none && !in_range(key, number))
		return -EINVAL;
	*ret_number = none ? CONFIG_NONE : number;
	*ret_text = TAKE_PTR(copy);
	return 0;
}

bool config_value_is_text(enum config_type type)
{
	return types[type].text;
}

/* A limit in the largest unit that divides it. */
static int format_number(char *out, size_t size, uint64_t number, const struct unit *units)
{
	for (; units && units->name; units++)
		if (number && number % units->factor == 0)
			return snprintf(out, size, "%" PRIu64 "%s", number / units->factor,
					units->name);
	return snprintf(out, size, "%" PRIu64, number);
}

static void append_choices(const struct config_key *key, char *out, size_t size)
{
	for (size_t i = 0; key->choices[i]; i++) {
		size_t n = strlen(out);

		snprintf(out + n, size - n, "%s %s", i ? "," : "", key->choices[i]);
	}
}

void config_value_describe(const struct config_key *key, char *out, size_t size)
{
	const struct unit *units = types[key->type].units;
	char min[32], max[32];

	snprintf(out, size, "%s", types[key->type].description);
	if (key->choices)
		append_choices(key, out, size);
	if (!in_range(key, 0) || !in_range(key, UINT64_MAX)) {
		size_t n = strlen(out);

		format_number(min, sizeof(min), key->min, units);
		format_number(max, sizeof(max), key->max, units);
		snprintf(out + n, size - n, " from %s to %s", min, max);
	}
	if (key->optional) {
		size_t n = strlen(out);

		snprintf(out + n, size - n, ", or nothing");
	}
}
