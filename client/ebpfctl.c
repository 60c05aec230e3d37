/* SPDX-License-Identifier: GPL-2.0-only */
/* main() and the table of verbs. Knows neither the daemon nor its answers. */
#include "complaint.h"
#include "subcommands.h"

#include <assert.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
	VERBS_MAX = 32,
};

const struct subcommand subcommands[] = {
	{ "stats", stats_main,
	  1u << OPTION_BY | 1u << OPTION_UID | 1u << OPTION_ALL | 1u << OPTION_WATCH |
		  1u << OPTION_SINCE | 1u << OPTION_RATE,
	  0, "", "execs and file opens per user; without a verb, this",
	  "Shows what each user, login user or systemd unit has run and opened since counting\n"
	  "began, and what was not counted. '-' is a number that the hook in use cannot know." },
	{ "top", top_main,
	  1u << OPTION_BY | 1u << OPTION_UID | 1u << OPTION_SORT | 1u << OPTION_DELAY |
		  1u << OPTION_NUMBER | 1u << OPTION_BATCH,
	  0, "", "who runs and opens most right now, live",
	  "Shows how much each user, login user, systemd unit or command runs and opens per second,\n"
	  "those with most first, and how that was lately. Keys: q ends, h shows the others." },
	{ "events", events_main,
	  1u << OPTION_UID | 1u << OPTION_LOGIN | 1u << OPTION_UNIT | 1u << OPTION_COMM |
		  1u << OPTION_PATH | 1u << OPTION_PID | 1u << OPTION_CHILDREN |
		  1u << OPTION_FAILED | 1u << OPTION_MIN_DURATION | 1u << OPTION_NUMBER |
		  1u << OPTION_SINCE_START | 1u << OPTION_OUTPUT,
	  OPERANDS_MAX - 1, " [PROBE...] [-- COMMAND...]",
	  "what is run, opened, ended ..., as it happens",
	  "Shows events as they happen, until interrupted: of all probes that tell them, or of those\n"
	  "named. All filters must pass. What was lost on the way is said, and summed up at the end.\n"
	  "With a command, runs it, shows what it and all that it starts does, and ends as it does.",
	  .runs_command = true },
	{ "probes", probes_main, 0, 0, "", "what is counted, by which hooks, and what they miss",
	  "Shows every probe of the daemon: its state, the kernel hooks it is attached to, what\n"
	  "they see, how many runs the kernel skipped, and why it is not in the best state." },
	{ "status", status_main, 0, 0, "", "the daemon: version, memory, limits, losses",
	  "Shows how the daemon is: since when it runs and counts, how full its table is, how\n"
	  "much memory it takes, which limits were hit and what was lost." },
	{ "reload", reload_main, 0, 0, "", "let the daemon read its configuration again",
	  "Lets the daemon read its configuration again and waits until it has. Prints what is\n"
	  "wrong in the files, and the settings that count only after a restart." },
	{ "help", help_main, 0, 1, " [VERB]", "this help, or help on a verb",
	  "Shows all verbs and options, or those of one verb." },
	{},
};

const struct subcommand *subcommand_find(const char *name)
{
	const char *names[VERBS_MAX] = {}, *meant;

	static_assert(ARRAY_SIZE(subcommands) <= VERBS_MAX, "names[] has room for every verb");
	for (size_t i = 0; subcommands[i].name; i++) {
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
		names[i] = subcommands[i].name;
	}
	meant = nearest(name, names);
	if (meant)
		complain(CODE_USAGE, "unknown verb '%s': did you mean '%s'?", name, meant);
	else
		complain(CODE_USAGE, "unknown verb '%s': see 'ebpfctl --help'", name);
	return NULL;
}

static int check_usage(const struct options *options, const struct subcommand *subcommand)
{
	for (int i = 0; i < OPTIONS_GLOBAL; i++)
		if (options->values[i] && !(subcommand->options & 1u << i))
			return complain(CODE_USAGE, "'%s' takes no --%s: see 'ebpfctl help %s'",
					subcommand->name, option_rows[i].name, subcommand->name);
	if (options->operand_count > 1 + subcommand->operands)
		return complain(CODE_USAGE, "'%s' does not take the argument '%s'",
				subcommand->name, options->operands[1 + subcommand->operands]);
	return CODE_OK;
}

/* Verbs are words like all others behind "--", unless a command is meant there. */
static int command_check(struct options *options)
{
	const struct subcommand *subcommand = subcommands;

	if (!options->command)
		return CODE_OK;
	while (options->operand_count && subcommand->name &&
	       strcmp(subcommand->name, options->operands[0]) != 0)
		subcommand++;
	return options->operand_count && subcommand->runs_command ? CODE_OK
								  : options_take_command(options);
}

static int run(struct options *options)
{
	const char *verb = options->operand_count ? options->operands[0] : "stats";
	const struct subcommand *subcommand = subcommand_find(verb);
	int code;

	if (!subcommand)
		return CODE_USAGE;
	code = check_usage(options, subcommand);
	if (code)
		return code;
	if (options->values[OPTION_HELP])
		return options->operand_count ? help_subcommand(options, subcommand)
					      : help_main(options);
	return subcommand->function(options);
}

/* Or the socket would become stdout where that is closed. Writing to these fails, as it should. */
static void standard_descriptors_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close_fd(fd);
}

int main(int argc, char *argv[])
{
	struct options options;
	int code;

	standard_descriptors_open();
	code = options_parse(argc, argv, &options);
	if (!code)
		code = command_check(&options);
	if (code)
		return code;
	if (options.values[OPTION_VERSION]) {
		puts("ebpfctl " EBPFMON_VERSION);
		return fflush(stdout) ? CODE_FAILURE : CODE_OK;
	}
	/* A reader that has enough (head, a pager) is no reason to die half-way: see output.h. */
	signal(SIGPIPE, SIG_IGN);
	setlocale(LC_CTYPE, "");
	return run(&options);
}
