/* SPDX-License-Identifier: GPL-2.0-only */
/* Options to parameters. */
#include "question.h"
#include "complaint.h"
#include "names.h"

#include <string.h>

enum {
	DIMENSIONS_MAX = 8,
	DIGITS_MAX = 9,
	USEC = 1000000,
};

#define SPAN_MAX (UINT64_C(366) * 86400 * USEC)

const struct dimension dimensions[] = {
	{ "uid", "USER", "user", .named = true },
	{ "login", "LOGIN", "login", .named = true },
	{ "unit", "UNIT", "unit" },
	{ "command", "COMMAND", "command", .events = true },
	{},
};

static const struct dimension *dimension_find(const char *name)
{
	const char *names[DIMENSIONS_MAX] = {}, *meant;

	if (!name)
		return &dimensions[0];
	for (size_t i = 0; dimensions[i].name; i++) {
		if (!strcmp(name, dimensions[i].name))
			return &dimensions[i];
		names[i] = dimensions[i].name;
	}
	meant = nearest(name, names);
	complain(CODE_USAGE, "--by is uid, login, unit or command, not '%s'%s%s%s", name,
		 meant ? ": did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
	return NULL;
}

/* The unit that stands at @text; none: seconds. Its microseconds and length; 0: there is no such. */
static uint64_t unit_usec(const char *text, size_t *ret_length)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = {
		{ "", USEC },
		{ "us", 1 },
		{ "ms", 1000 },
		{ "s", USEC },
		{ "m", UINT64_C(60) * USEC },
		{ "h", UINT64_C(3600) * USEC },
		{ "d", UINT64_C(86400) * USEC },
	};

	*ret_length = strcspn(text, "0123456789");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == *ret_length &&
		    !memcmp(text, units[i].name, *ret_length))
			return units[i].usec;
	return 0;
}

uint64_t span_usec(const char *text)
{
	uint64_t sum = 0;

	while (*text) {
		size_t digits = strspn(text, "0123456789"), length;
		uint64_t usec = unit_usec(text + digits, &length);

		if (!digits || digits > DIGITS_MAX || !usec ||
		    strtoull(text, NULL, 10) > (SPAN_MAX - sum) / usec)
			return 0;
		sum += strtoull(text, NULL, 10) * usec;
		text += digits + length;
	}
	return sum;
}

void question_write(struct question *question)
{
	text_done(&question->parameters);
	text_puts(&question->parameters, "{");
	if (!question->by->events)
		text_printf(&question->parameters, "\"by\":\"%s\"", question->by->name);
	if (question->of_user)
		text_printf(&question->parameters, "%s\"uid\":%llu",
			    question->by->events ? "" : ",", (unsigned long long)question->uid);
	if (question->since_usec)
		text_printf(&question->parameters, ",\"since\":%llu",
			    (unsigned long long)question->since_usec);
	text_puts(&question->parameters, "}");
}

int question_read(struct question *question, const struct options *options)
{
	const char *since = options->values[OPTION_SINCE];
	int code;

	*question = (struct question){ .by = dimension_find(options->values[OPTION_BY]) };
	if (!question->by)
		return CODE_USAGE;
	if (options->values[OPTION_UID]) {
		question->of_user = true;
		code = names_find("uid", options->values[OPTION_UID], &question->uid);
		if (code)
			return code;
	}
	if (since) {
		question->since_usec = span_usec(since);
		if (!question->since_usec)
			return complain(CODE_USAGE,
					"--since takes a time like 90s, 10m, 1h30m or 2d, up to "
					"366d, not '%s'",
					since);
	}
	question_write(question);
	return question->parameters.error ? complain(CODE_FAILURE, "out of memory") : CODE_OK;
}
