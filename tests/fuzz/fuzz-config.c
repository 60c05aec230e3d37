/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as a configuration file: loading never fails, and what is printed afterwards loads
 * again without a problem and gives the same values.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const char *const levels[] = { "error", "warning", "notice", "info", "debug", NULL };

static const struct config_key keys[] = {
	{ .section = "Daemon", .name = "PinPath", .type = CONFIG_PATH, .fallback = "/sys/fs/bpf" },
	{ .section = "Daemon", .name = "User", .type = CONFIG_NAME, .fallback = "ebpfmon" },
	{ .section = "Daemon",
	  .name = "LogLevel",
	  .type = CONFIG_CHOICE,
	  .fallback = "info",
	  .choices = levels },
	{ .section = "Daemon",
	  .name = "SubjectsMax",
	  .type = CONFIG_UINT,
	  .fallback = "16384",
	  .min = 64,
	  .max = 262144 },
	{ .section = "Server", .name = "MessageSizeMax", .type = CONFIG_SIZE, .fallback = "64K" },
	{ .section = "Server", .name = "RequestTimeout", .type = CONFIG_TIME, .fallback = "10s" },
	{ .section = "exec", .name = "Enabled", .type = CONFIG_BOOL, .fallback = "yes" },
	{ .section = "exec", .name = "Failures", .type = CONFIG_SWITCH, .fallback = "auto" },
	{ .section = "Journal",
	  .name = "Events",
	  .type = CONFIG_SET,
	  .fallback = "",
	  .choices = levels },
	{ .section = "Journal",
	  .name = "Uid",
	  .type = CONFIG_UINT,
	  .fallback = "",
	  .max = 4294967294,
	  .optional = true },
	{ .section = "Journal", .name = "Command", .type = CONFIG_TEXT, .fallback = "" },
	{ .section = "Journal",
	  .name = "Path",
	  .type = CONFIG_PATH,
	  .fallback = "",
	  .optional = true },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A problem is one line for people: never empty, always with the file first. */
static void check_problem(const char *line, void *userdata)
{
	if (strncmp(line, userdata, strlen(userdata)) || strchr(line, '\n'))
		abort();
}

static void differs(const struct config_key *key, const char *was, const char *is, void *userdata)
{
	(void)userdata;
	fprintf(stderr, "[%s] %s: '%s' printed and read is '%s'\n", key->section, key->name, was,
		is);
	abort();
}

/* A new configuration from what @fd holds. */
static struct config *load(int fd, unsigned int *ret_problems)
{
	_cleanup_config_ struct config *config = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_new(keys, ARRAY_SIZE(keys), &config) < 0 ||
	    config_load(config, path, NULL, check_problem, path, ret_problems) < 0)
		abort();
	return TAKE_PTR(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_config_ struct config *first = NULL, *second = NULL;
	_cleanup_close_ int input = memfd_create("input", MFD_CLOEXEC);
	_cleanup_close_ int output = memfd_create("output", MFD_CLOEXEC);
	unsigned int problems;
	FILE *out;

	if (input < 0 || output < 0 || write(input, data, size) != (ssize_t)size)
		abort();
	first = load(input, &problems);
	out = fdopen(dup(output), "w");
	if (!out)
		abort();
	config_print(first, out);
	fclose(out);
	second = load(output, &problems);
	if (problems)
		abort();
	config_diff(first, second, differs, NULL);
	return 0;
}
