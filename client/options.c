/* SPDX-License-Identifier: GPL-2.0-only */
/* Parses the command line with getopt_long(), by the table of options. */
#include "options.h"
#include "complaint.h"

#include <getopt.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/ebpfmon/io.ebpfmon.Monitor"

enum {
	LONG_OPTION = 256, /* getopt_long() returns this plus the id: apart from every letter */
};

const struct option_row option_rows[OPTION_COUNT] = {
	[OPTION_BY] = { "by", 0, required_argument, "=uid|login|unit|command",
			"one row per user (the default), login user, systemd unit, or command (top)" },
	[OPTION_UID] = { "uid", 0, required_argument, "=NUMBER|NAME", "only this user" },
	[OPTION_ALL] = { "all", 0, no_argument, "",
			 "all counters, not only those of programs run and files opened" },
	[OPTION_WATCH] = { "watch", 0, optional_argument, "[=SECONDS]",
			   "again every 2 or SECONDS seconds, with what was added" },
	[OPTION_SINCE] = { "since", 0, required_argument, "=TIME",
			   "only the last 90s, 10m, 1h30m ..., from the daemon's history" },
	[OPTION_RATE] = { "rate", 0, no_argument, "",
			  "with --since or --watch: how many per second" },
	[OPTION_SORT] = { "sort", 0, required_argument, "=COUNTER",
			  "who is on top: execs, opens ..., or name" },
	[OPTION_DELAY] = { "delay", 'd', required_argument, "=SECONDS", "between two tables (2)" },
	[OPTION_NUMBER] = { "number", 'n', required_argument, "=NUMBER",
			    "end after so many tables or events" },
	[OPTION_BATCH] = { "batch", 'b', no_argument, "", "lines for scripts, not a screen" },
	[OPTION_LOGIN] = { "login", 0, required_argument, "=NUMBER|NAME",
			   "only who logged in as this user" },
	[OPTION_UNIT] = { "unit", 0, required_argument, "=UNIT", "only this systemd unit" },
	[OPTION_COMM] = { "comm", 0, required_argument, "=NAME", "only this command name" },
	[OPTION_PATH] = { "path", 0, required_argument, "=PATH",
			  "only this file, or what is below this directory" },
	[OPTION_PID] = { "pid", 0, required_argument, "=PID", "only this process" },
	[OPTION_CHILDREN] = { "children", 0, no_argument, "", "and all that --pid starts" },
	[OPTION_FAILED] = { "failed", 0, no_argument, "", "only what failed" },
	[OPTION_MIN_DURATION] = { "min-duration", 0, required_argument, "=TIME",
				  "only processes that ended and lived 100ms, 5s, 1h30m ..." },
	[OPTION_SINCE_START] = { "since-start", 0, no_argument, "",
				 "times as seconds since ebpfctl or its command began" },
	[OPTION_OUTPUT] = { "output", 'o', required_argument, "=short|full|cat",
			    "one line, all that is known, or the bare names" },
	[OPTION_SOCKET] = { "socket", 0, required_argument, "=PATH",
			    "socket of the daemon (" DEFAULT_SOCKET ")" },
	[OPTION_JSON] = { "json", 'j', required_argument, "=short|pretty|off",
			  "the daemon's answer as JSON; -j is --json=short" },
	[OPTION_NO_LEGEND] = { "no-legend", 0, no_argument, "", "rows only" },
	[OPTION_NO_PAGER] = { "no-pager", 0, no_argument, "", "no pager on a terminal" },
	[OPTION_HELP] = { "help", 'h', no_argument, "", "help, also on a verb" },
	[OPTION_VERSION] = { "version", 0, no_argument, "", "the version" },
};

static int json_parse(struct options *options)
{
	static const char *const modes[] = {
		[JSON_OFF] = "off", [JSON_SHORT] = "short", [JSON_PRETTY] = "pretty"
	};
	const char *value = options->values[OPTION_JSON];

	for (size_t i = 0; value && i < ARRAY_SIZE(modes); i++)
		if (!strcmp(value, modes[i])) {
			options->json = (enum json_mode)i;
			return CODE_OK;
		}
	return value ? complain(CODE_USAGE, "--json is short, pretty or off, not '%s'", value)
		     : CODE_OK;
}

static int unknown_option(const char *given)
{
	const char *names[OPTION_COUNT + 1] = {}, *meant;
	char name[64];

	for (size_t i = 0; i < OPTION_COUNT; i++)
		names[i] = option_rows[i].name;
	given += strspn(given, "-");
	if (strcspn(given, "=") < sizeof(name)) {
		*stpncpy(name, given, strcspn(given, "=")) = '\0';
		meant = nearest(name, names);
		if (meant)
			return complain(CODE_USAGE, "unknown option '--%s': did you mean '--%s'?",
					name, meant);
	}
	return complain(CODE_USAGE, "unknown option '--%s': see 'ebpfctl --help'", given);
}

/* The id of a letter; OPTION_COUNT: no option has it. */
static int letter_find(int letter)
{
	int i = 0;

	while (i < OPTION_COUNT && option_rows[i].letter != letter)
		i++;
	return i;
}

/* @optopt says less for long options: 0 for an unknown one, else LONG_OPTION plus the id. */
static int refused_option(int reason, const char *given)
{
	const char *name = optopt >= LONG_OPTION ? option_rows[optopt - LONG_OPTION].name : NULL;

	if (name && reason == ':')
		return complain(CODE_USAGE, "--%s needs an argument: --%s%s", name, name,
				option_rows[optopt - LONG_OPTION].placeholder);
	if (name)
		return complain(CODE_USAGE, "--%s takes no argument", name);
	if (optopt && reason == ':')
		return complain(CODE_USAGE, "-%c needs an argument: --%s%s", optopt,
				option_rows[letter_find(optopt)].name,
				option_rows[letter_find(optopt)].placeholder);
	if (optopt)
		return complain(CODE_USAGE, "unknown option '-%c': see 'ebpfctl --help'", optopt);
	return unknown_option(given);
}

static int operand_add(struct options *options, const char *operand)
{
	if (options->operand_count == OPERANDS_MAX)
		return complain(CODE_USAGE, "too many arguments: '%s'", operand);
	options->operands[options->operand_count++] = operand;
	return CODE_OK;
}

int options_take_command(struct options *options)
{
	int code = CODE_OK;

	for (char **word = options->command; !code && word && *word; word++)
		code = operand_add(options, *word);
	options->command = NULL;
	return code;
}

static int option_take(struct options *options, int option, char *argv[])
{
	switch (option) {
	case 1:
		return operand_add(options, optarg);
	case '?':
	case ':':
		return refused_option(option, argv[optind - 1]);
	case 'j':
		options->values[OPTION_JSON] = "short";
		return CODE_OK;
	default:
		if (option < LONG_OPTION)
			option = LONG_OPTION + letter_find(option);
		options->values[option - LONG_OPTION] = optarg ? optarg : "";
		return CODE_OK;
	}
}

int options_parse(int argc, char *argv[], struct options *options)
{
	struct option rows[OPTION_COUNT + 1] = {};
	int option, code;

	for (int i = 0; i < OPTION_COUNT; i++)
		rows[i] = (struct option){ option_rows[i].name, option_rows[i].argument, NULL,
					   LONG_OPTION + i };
	*options = (struct options){};
	opterr = 0;
	/* "-": options may stand anywhere, whatever POSIXLY_CORRECT says. */
	while ((option = getopt_long(argc, argv, "-:jhbd:n:o:", rows, NULL)) != -1) {
		code = option_take(options, option, argv);
		if (code)
			return code;
	}
	/* It stops before the end only behind "--". */
	if (optind < argc || !strcmp(argv[argc - 1], "--"))
		options->command = argv + optind;
	options->socket = options->values[OPTION_SOCKET];
	if (!options->socket)
		options->socket = DEFAULT_SOCKET;
	return json_parse(options);
}
