/* SPDX-License-Identifier: GPL-2.0-only */
/* main(): options -> configuration -> what was asked for. */
#include "check.h"
#include "log-ids.h"
#include "log.h"
#include "manager.h"
#include "privileges.h"

#include <bpf/libbpf.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

enum action {
	ACTION_RUN,
	ACTION_CHECK,
	ACTION_CHECK_CONFIG,
	ACTION_PRINT_CONFIG,
	ACTION_UNPIN,
	ACTION_HELP,
	ACTION_VERSION,
};

enum {
	OPTION_CONFIG = 256,
	OPTION_FOREGROUND,
	OPTION_SET, /* + index into overrides[] */
};

enum {
	EXIT_USAGE = 2,
};

/* Options that stand for a key of the configuration. */
static const struct {
	const char *option, *section, *name;
} overrides[] = {
	{ "pins", "Daemon", "PinPath" },
	{ "user", "Daemon", "User" },
	{ "socket", "Server", "Socket" },
	{ "log-level", "Daemon", "LogLevel" },
};

struct arguments {
	enum action action;
	const char *config_file;
	const char *values[ARRAY_SIZE(overrides)];
};

static const char help[] =
	"Usage: ebpfmond [OPTION...]\n"
	"\n"
	"Counts execs and file opens per user in the kernel and serves the counts to\n"
	"ebpfctl(1). Stays in the foreground; stopping it does not stop the counting.\n"
	"\n"
	"  --check            try every probe on this kernel, print what works and why\n"
	"                     not, and leave nothing behind\n"
	"  --check-config     read the configuration; exit with 1 if anything is wrong\n"
	"  --print-config     print every key, its value and where it comes from\n"
	"  --unpin            end the counting: remove all pins and with them all counts\n"
	"\n"
	"  --config FILE      read this file instead of the standard places\n"
	"  --pins DIRECTORY   PinPath=\n"
	"  --socket PATH      Socket=\n"
	"  --user USER        User= to run as when started as root\n"
	"  --log-level LEVEL  LogLevel=: error, warning, notice, info, debug\n"
	"  --foreground       do not fork: it never does\n"
	"  -h, --help         this\n"
	"  --version          version\n"
	"\n"
	"See ebpfmond(8) and ebpfmond.conf(5).\n";

static const struct option options[] = {
	{ "check", no_argument, NULL, ACTION_CHECK },
	{ "check-config", no_argument, NULL, ACTION_CHECK_CONFIG },
	{ "print-config", no_argument, NULL, ACTION_PRINT_CONFIG },
	{ "unpin", no_argument, NULL, ACTION_UNPIN },
	{ "help", no_argument, NULL, ACTION_HELP },
	{ "version", no_argument, NULL, ACTION_VERSION },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "foreground", no_argument, NULL, OPTION_FOREGROUND },
	{ "pins", required_argument, NULL, OPTION_SET + 0 },
	{ "user", required_argument, NULL, OPTION_SET + 1 },
	{ "socket", required_argument, NULL, OPTION_SET + 2 },
	{ "log-level", required_argument, NULL, OPTION_SET + 3 },
	{ NULL },
};

static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (option == 'h')
			arguments->action = ACTION_HELP;
		else if (option == '?')
			return -EINVAL; /* getopt has named it */
		else if (option < OPTION_CONFIG)
			arguments->action = (enum action)option;
		else if (option == OPTION_CONFIG)
			arguments->config_file = optarg;
		else if (option >= OPTION_SET)
			arguments->values[option - OPTION_SET] = optarg;
	}
	if (optind < argc) {
		fprintf(stderr, "ebpfmond: unexpected argument '%s'\n", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

static int apply_overrides(const struct arguments *arguments, struct config *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(overrides); i++) {
		if (!arguments->values[i])
			continue;
		if (config_set(config, overrides[i].section, overrides[i].name,
			       arguments->values[i], SETTINGS_COMMAND_LINE) < 0) {
			fprintf(stderr, "ebpfmond: '%s' is not valid for --%s\n",
				arguments->values[i], overrides[i].option);
			return -EINVAL;
		}
	}
	return 0;
}

static void log_config_problem(const char *line, void *userdata)
{
	(void)userdata;
	log_write(LOG_WARNING, &(struct log_context){ .message_id = LOG_ID_CONFIG }, "%s", line);
}

/* The way out of what can fail anywhere. */
static const char *way_out(int error)
{
	switch (error) {
	case EMFILE:
		return "; raise LimitNOFILE= (ulimit -n)";
	case ENFILE:
		return "; raise the sysctl fs.file-max";
	default:
		return "";
	}
}

/* Logs the one line that says why, tells systemd, and is the exit status. */
static int fail(const struct problem *problem)
{
	const char *hint = way_out(problem->error);

	log_write(LOG_ERR,
		  &(struct log_context){ .message_id = LOG_ID_REFUSED, .error = problem->error },
		  "%s%s", problem->text, hint);
	sd_notifyf(0, "STATUS=%s%s\nERRNO=%d", problem->text, hint, problem->error);
	return EXIT_FAILURE;
}

static int run(struct config *config, const char *file)
{
	CLEANUP(manager_freep) struct manager *manager = NULL;
	struct problem problem = { 0 };
	int r;

	if (manager_new(config, file, &manager, &problem) < 0)
		return fail(&problem);
	r = manager_run(manager);
	if (r >= 0)
		return EXIT_SUCCESS;
	problem_set(&problem, -r, "cannot go on waiting for events: %s; counting goes on",
		    strerror(-r));
	return fail(&problem);
}

static int check(const struct config *config)
{
	struct problem problem = { 0 };
	struct settings settings;
	int r;

	settings_read(config, &settings);
	r = check_run(&settings, &problem);
	if (r < 0)
		return fail(&problem);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int tell_of_stranger(const char *name, void *userdata)
{
	const struct settings *settings = userdata;

	log_warning("%s/%s is not ebpfmond's: left untouched", settings->pin_path, name);
	return 0;
}

static int unpin(const struct config *config)
{
	CLEANUP(pins_freep) struct pins *pins = NULL;
	struct problem problem = { 0 };
	struct identity_ids ids;
	struct settings settings;
	int r;

	settings_read(config, &settings);
	r = privileges_target(settings.user, &ids, &problem);
	if (!r)
		r = pins_open_existing(settings.pin_path, ids.uid, &pins, &problem);
	if (r == -ENOENT) {
		log_info("nothing is pinned: %s", problem.text);
		return EXIT_SUCCESS;
	}
	if (!r)
		r = pins_remove_all(pins, &problem);
	if (r < 0)
		return fail(&problem);
	pins_each_stranger(pins, tell_of_stranger, &settings);
	log_info("removed all that is ebpfmond's below %s: counting has ended", settings.pin_path);
	return EXIT_SUCCESS;
}

static int act(enum action action, struct config *config, const char *file, unsigned int n_problems)
{
	_cleanup_config_ struct config *owned = config;

	switch (action) {
	case ACTION_CHECK:
		return check(config);
	case ACTION_CHECK_CONFIG:
		return n_problems ? EXIT_FAILURE : EXIT_SUCCESS;
	case ACTION_PRINT_CONFIG:
		config_print(config, stdout);
		return EXIT_SUCCESS;
	case ACTION_UNPIN:
		return unpin(config);
	default:
		return run(TAKE_PTR(owned), file);
	}
}

/* libbpf tells every step of a failed load, of which we try several; our own line says it once. */
static int PRINTF_LIKE(2, 0)
	print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[512];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	log_debug("%.*s", (int)strcspn(line, "\n"), line);
	return 0;
}

static int configured(const struct arguments *arguments)
{
	_cleanup_config_ struct config *config = NULL;
	unsigned int n_problems = 0;
	struct settings settings;
	int r;

	if (arguments->config_file && access(arguments->config_file, R_OK) < 0) {
		log_error("cannot read the configuration %s: %m", arguments->config_file);
		return EXIT_FAILURE;
	}
	r = settings_config_new(&config);
	if (!r)
		r = config_load(config, arguments->config_file, NULL, log_config_problem, NULL,
				&n_problems);
	if (r < 0) {
		log_error("cannot read the configuration: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	if (apply_overrides(arguments, config) < 0)
		return EXIT_USAGE;
	settings_read(config, &settings);
	log_set_priority(settings.log_priority);
	return act(arguments->action, TAKE_PTR(config), arguments->config_file, n_problems);
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };

	umask(0077); /* pins get all the bits they are given, and nobody else any */
	log_open(LOG_INFO);
	libbpf_set_print(print_libbpf);
	if (parse_arguments(argc, argv, &arguments) < 0) {
		fprintf(stderr, "Try 'ebpfmond --help'.\n");
		return EXIT_USAGE;
	}
	if (arguments.action == ACTION_HELP)
		return fputs(help, stdout) < 0;
	if (arguments.action == ACTION_VERSION)
		return puts("ebpfmond " EBPFMON_VERSION) < 0;
	return configured(&arguments);
}
