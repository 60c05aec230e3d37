/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "unlink": bpf/unlink.bpf.c. */
#include "event-json.h"
#include "probe.h"

#define COVERAGE_FUNCTION (COVERAGE_IO_URING | COVERAGE_COMPAT | COVERAGE_FAILED)
#define COVERAGE_SYS	  (COVERAGE_COMPAT | COVERAGE_FAILED | COVERAGE_EARLY)

/* do_unlinkat became filename_unlinkat in 7.0. */
static const struct hook function_hooks[] = {
	{ "unlink_fn", HOOK_FEXIT, { "do_unlinkat", "filename_unlinkat" }, COVERAGE_FUNCTION },
};

static const struct hook syscall_hooks[] = {
	{ "unlink_sys", HOOK_TP_BTF, { "sys_exit" }, COVERAGE_SYS },
};

static const struct hook rename_hooks[] = {
	{ "rename_fn", HOOK_FEXIT, { "vfs_rename" } },
};

static const struct way unlink_ways[] = {
	{ function_hooks, ARRAY_SIZE(function_hooks) },
	{ syscall_hooks, ARRAY_SIZE(syscall_hooks), .every_syscall = true,
	  .lacks = "unlinks through io_uring are not counted" },
};

static const struct way rename_ways[] = {
	{ rename_hooks, ARRAY_SIZE(rename_hooks) },
};

static const enum em_slot unlink_slots[] = { EM_UNLINKS, EM_UNLINK_FAILURES };
static const enum em_slot rename_slots[] = { EM_RENAMES_OVER };

static const struct job jobs[] = {
	{
		.setting = "Unlinks",
		.what = "unlinks",
		.slots = unlink_slots,
		.n_slots = ARRAY_SIZE(unlink_slots),
		.ways = unlink_ways,
		.n_ways = ARRAY_SIZE(unlink_ways),
		.coverage =
			COVERAGE_FUNCTION | COVERAGE_SYS, /* NOLINT(misc-redundant-expression) */
	},
	{
		.what = "renames over a file",
		.slots = rename_slots,
		.n_slots = ARRAY_SIZE(rename_slots),
		.ways = rename_ways,
		.n_ways = ARRAY_SIZE(rename_ways),
	},
};

/* The directory says something only of a name that begins there. */
static void write_event(const struct event *event, struct json *json)
{
	const struct event_string *asked = &event->strings[EM_STRING_ASKED];
	bool is_rename = event->record->flags & EM_EVENT_RENAME;

	event_write_names(event, json);
	if (asked->text && asked->length && asked->text[0] == '/')
		json_null(json, "directory");
	else
		event_write_string(event, EM_STRING_FOLDER, "directory", "directoryBytes", json);
	json_boolean(json, "rename", is_rename);
	if (is_rename)
		event_write_inode(event, json);
	else
		json_boolean(json, "ioUring", event->record->flags & EM_EVENT_IO_URING);
}

static const struct probe_event event = {
	.kind = EM_EVENT_UNLINK,
	.write = write_event,
};

const struct probe probe_unlink = {
	.name = "unlink",
	.summary = "files unlinked, or replaced by a rename",
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
	.event = &event,
};
