/* SPDX-License-Identifier: GPL-2.0-only */
/* Parses RFC 3339, prints local time and ages. */
#include "timestamp.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* "+hh:mm" or "-hh:mm", in seconds. */
static bool offset_parse(const char *text, long *ret_seconds)
{
	unsigned int hours, minutes;
	int length = 0;

	if (!strcmp(text, "Z")) {
		*ret_seconds = 0;
		return true;
	}
	if ((*text != '+' && *text != '-') ||
	    sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &length) != 2 || length != 5 || text[6])
		return false;
	*ret_seconds = (long)(hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
	return true;
}

static bool timestamp_parse(const char *text, time_t *ret_time)
{
	struct tm fields = {};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &fields);
	long offset;

	if (!rest)
		return false;
	if (*rest == '.') {
		rest++;
		rest += strspn(rest, "0123456789");
	}
	if (!offset_parse(rest, &offset))
		return false;
	*ret_time = timegm(&fields) - offset;
	return true;
}

/* The largest unit that fits, rounded down: an age need not be exact, the time is there too. */
static void age_append(struct text *text, time_t seconds)
{
	static const struct {
		time_t seconds;
		const char *name;
	} units[] = {
		{ 86400, "day" },
		{ 3600, "hour" },
		{ 60, "minute" },
		{ 1, "second" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		long long number = seconds / units[i].seconds;

		if (number || i == ARRAY_SIZE(units) - 1) {
			text_printf(text, " (%lld %s%s)", number, units[i].name,
				    number == 1 ? "" : "s");
			return;
		}
	}
}

static void timestamp_append(struct text *text, const char *time_text, bool with_age)
{
	struct tm fields;
	char local[64];
	time_t when, now = time(NULL);

	if (!timestamp_parse(time_text, &when) || !localtime_r(&when, &fields) ||
	    !strftime(local, sizeof(local), "%F %T %Z", &fields)) {
		text_safe(text, time_text, strlen(time_text));
		return;
	}
	text_puts(text, local);
	if (with_age && when <= now)
		age_append(text, now - when);
}

void timestamp_since(struct text *text, const char *time)
{
	timestamp_append(text, time, true);
}

void timestamp_at(struct text *text, const char *time)
{
	timestamp_append(text, time, false);
}
