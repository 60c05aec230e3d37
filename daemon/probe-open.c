/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "open": bpf/open.bpf.c. */
#include "event-json.h"
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>

#define COVERAGE_FILE (COVERAGE_IO_URING | COVERAGE_COMPAT | COVERAGE_FAILED | COVERAGE_O_PATH)
#define COVERAGE_SYS \
	(COVERAGE_COMPAT | COVERAGE_BY_HANDLE | COVERAGE_FAILED | COVERAGE_O_PATH | COVERAGE_EARLY)

/* do_filp_open became do_file_open in 7.0. */
static const struct hook function_hooks[] = {
	{ "open_file", HOOK_FEXIT, { "do_filp_open", "do_file_open" }, COVERAGE_FILE },
	{ "open_fh",
	  HOOK_FEXIT,
	  { "__x64_sys_open_by_handle_at", "__arm64_sys_open_by_handle_at" },
	  COVERAGE_BY_HANDLE,
	  .optional = true },
	{ "open_fh32",
	  HOOK_FEXIT,
	  { "__ia32_compat_sys_open_by_handle_at", "__arm64_compat_sys_open_by_handle_at" },
	  .optional = true },
};

static const struct hook syscall_hooks[] = {
	{ "open_sys", HOOK_TP_BTF, { "sys_exit" }, COVERAGE_SYS },
};

static const struct way ways[] = {
	{ function_hooks, ARRAY_SIZE(function_hooks) },
	{ syscall_hooks, ARRAY_SIZE(syscall_hooks), .every_syscall = true,
	  .lacks = "opens through io_uring are not counted" },
};

static const enum em_slot slots[] = { EM_OPENS, EM_OPEN_FAILURES, EM_OPEN_DENIALS };

static const struct job jobs[] = {
	{
		.what = "opens",
		.slots = slots,
		.n_slots = ARRAY_SIZE(slots),
		.ways = ways,
		.n_ways = ARRAY_SIZE(ways),
		.coverage = COVERAGE_FILE | COVERAGE_SYS, /* NOLINT(misc-redundant-expression) */
		.syscalls_by_default = true,
	},
};

/* Names of open(2); those with several bits come before their parts. */
static const struct event_bits flags[] = {
	{ O_SYNC, "O_SYNC" },
	{ O_TMPFILE, "O_TMPFILE" },
	{ O_APPEND, "O_APPEND" },
	{ O_ASYNC, "O_ASYNC" },
	{ O_CLOEXEC, "O_CLOEXEC" },
	{ O_CREAT, "O_CREAT" },
	{ O_DIRECT, "O_DIRECT" },
	{ O_DIRECTORY, "O_DIRECTORY" },
	{ O_DSYNC, "O_DSYNC" },
	{ O_EXCL, "O_EXCL" },
	{ O_NOATIME, "O_NOATIME" },
	{ O_NOCTTY, "O_NOCTTY" },
	{ O_NOFOLLOW, "O_NOFOLLOW" },
	{ O_NONBLOCK, "O_NONBLOCK" },
	{ O_PATH, "O_PATH" },
	{ O_TRUNC, "O_TRUNC" },
	{ 0 },
};

/* O_LARGEFILE as the kernel has it: the C library's is 0 on 64 bits. It says nothing there. */
#if defined(__aarch64__) || defined(__arm__)
#define LARGE_FILE 0400000
#else
#define LARGE_FILE 0100000
#endif

static void write_flags(uint32_t value, struct json *json)
{
	static const char *const modes[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };

	json_array_begin(json, "flags");
	json_string(json, NULL, modes[value & O_ACCMODE]);
	event_write_bits(flags, value & ~(uint32_t)(O_ACCMODE | LARGE_FILE), json);
	json_array_end(json);
}

static void write_event(const struct event *event, struct json *json)
{
	uint32_t value = (uint32_t)event->record->numbers[0];
	char mode[16];

	event_write_names(event, json);
	write_flags(value, json);
	if (value & O_CREAT || (value & O_TMPFILE) == O_TMPFILE) {
		snprintf(mode, sizeof(mode), "%04o",
			 (unsigned int)event->record->numbers[1] & 07777);
		json_string(json, "mode", mode);
	} else {
		json_null(json, "mode");
	}
	event_write_inode(event, json);
	json_boolean(json, "ioUring", event->record->flags & EM_EVENT_IO_URING);
}

static const struct probe_event event = {
	.kind = EM_EVENT_OPEN,
	.write = write_event,
};

const struct probe probe_open = {
	.name = "open",
	.summary = "files opened on request of a process",
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
	.event = &event,
};
