/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line: one row per option, and what was given. Which verb takes which option stands
 * in the table of verbs (subcommands.h); what a value means is the business of the verb.
 */
#pragma once

#include "util.h"

#include <stdbool.h>

/* Options of verbs first, then those that every verb takes. */
enum option_id {
	OPTION_BY,
	OPTION_UID,
	OPTION_ALL,
	OPTION_WATCH,
	OPTION_SINCE,
	OPTION_RATE,
	OPTION_SORT,
	OPTION_DELAY,
	OPTION_NUMBER,
	OPTION_BATCH,
	OPTION_LOGIN,
	OPTION_UNIT,
	OPTION_COMM,
	OPTION_PATH,
	OPTION_PID,
	OPTION_CHILDREN,
	OPTION_FAILED,
	OPTION_MIN_DURATION,
	OPTION_SINCE_START,
	OPTION_OUTPUT,
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_NO_LEGEND,
	OPTION_NO_PAGER,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT,
};

enum {
	OPTIONS_GLOBAL = OPTION_SOCKET, /* the first that every verb takes */
	OPERANDS_MAX = 16,
};

struct option_row {
	const char *name;
	char letter;		 /* 0: has no short form */
	int argument;		 /* no_argument, required_argument or optional_argument */
	const char *placeholder; /* as help shows its argument, "" without one */
	const char *summary;
};
extern const struct option_row option_rows[OPTION_COUNT];

enum json_mode { JSON_OFF, JSON_SHORT, JSON_PRETTY };

struct options {
	const char *values[OPTION_COUNT]; /* NULL: not given; "": given without argument */
	enum json_mode json;
	const char *socket;		    /* never NULL */
	const char *operands[OPERANDS_MAX]; /* the verb and what follows it */
	unsigned int operand_count;
	char **command; /* what follows "--", ended by NULL; NULL: there is no "--" */
};

/* Makes what follows "--" operands like those before: for verbs that run no command. */
int options_take_command(struct options *options);

/* Fills @options; or complains and returns an exit code. */
int options_parse(int argc, char *argv[], struct options *options);
