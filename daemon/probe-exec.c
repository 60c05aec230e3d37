/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "exec": bpf/exec.bpf.c. */
#include "event-json.h"
#include "probe.h"

#include <string.h>

static const struct hook done_hooks[] = {
	{ "exec_done", HOOK_TP_BTF, { "sched_process_exec" }, .coverage = COVERAGE_COMPAT },
};

static const struct hook function_hooks[] = {
	{ "execve", HOOK_FEXIT, { "__x64_sys_execve", "__arm64_sys_execve" }, COVERAGE_FAILED },
	{ "execveat", HOOK_FEXIT, { "__x64_sys_execveat", "__arm64_sys_execveat" } },
	{ "execve32",
	  HOOK_FEXIT,
	  { "__ia32_compat_sys_execve", "__arm64_compat_sys_execve" },
	  .optional = true },
	{ "execveat32",
	  HOOK_FEXIT,
	  { "__ia32_compat_sys_execveat", "__arm64_compat_sys_execveat" },
	  .optional = true },
};

static const struct hook syscall_hooks[] = {
	{ "exec_sys", HOOK_TP_BTF, { "sys_exit" }, .coverage = COVERAGE_FAILED },
};

static const struct way success_ways[] = {
	{ done_hooks, ARRAY_SIZE(done_hooks) },
};

static const struct way failure_ways[] = {
	{ function_hooks, ARRAY_SIZE(function_hooks) },
	{ syscall_hooks, ARRAY_SIZE(syscall_hooks), .every_syscall = true },
};

static const enum em_slot success_slots[] = { EM_EXECS };
static const enum em_slot failure_slots[] = { EM_EXEC_FAILURES };

static const struct job jobs[] = {
	{
		.what = "execs",
		.slots = success_slots,
		.n_slots = ARRAY_SIZE(success_slots),
		.ways = success_ways,
		.n_ways = ARRAY_SIZE(success_ways),
		.coverage = COVERAGE_COMPAT,
	},
	{
		.setting = "Failures",
		.what = "failed execs",
		.slots = failure_slots,
		.n_slots = ARRAY_SIZE(failure_slots),
		.ways = failure_ways,
		.n_ways = ARRAY_SIZE(failure_ways),
		.coverage = COVERAGE_FAILED,
	},
};

/* Each ends with NUL; the last one's may be cut off. */
static void write_list(const struct event_string *list, const char *key,
		       void (*write)(struct json *json, const char *key, const char *text,
				     size_t length),
		       struct json *json)
{
	const char *at = list->text, *end = at + list->length;

	json_array_begin(json, key);
	while (at < end) {
		size_t length = strnlen(at, (size_t)(end - at));

		write(json, NULL, at, length);
		at += length + 1;
	}
	json_array_end(json);
}

static bool list_is_text(const struct event_string *list)
{
	const char *at = list->text, *end = at + list->length;

	while (at < end) {
		size_t length = strnlen(at, (size_t)(end - at));

		if (!json_is_text(at, length))
			return false;
		at += length + 1;
	}
	return true;
}

static void write_arguments(const struct event *event, struct json *json)
{
	const struct event_string *arguments = &event->strings[EM_STRING_ARGUMENTS];

	if (!arguments->text) {
		json_null(json, "arguments");
		return;
	}
	write_list(arguments, "arguments", json_string_n, json);
	if (!list_is_text(arguments))
		write_list(arguments, "argumentsBytes", json_base64, json);
}

/* What memfd_create(2) made has this name, and no place in the tree. */
static bool is_memfd(const struct event_string *path)
{
	static const char prefix[] = "/memfd:";

	return path->text && path->flags & EM_STRING_UNREACHABLE &&
	       path->length >= sizeof(prefix) - 1 &&
	       !memcmp(path->text, prefix, sizeof(prefix) - 1);
}

static void write_event(const struct event *event, struct json *json)
{
	event_write_names(event, json);
	write_arguments(event, json);
	event_write_string(event, EM_STRING_FOLDER, "cwd", "cwdBytes", json);
	event_write_string(event, EM_STRING_PARENT, "parentComm", "parentCommBytes", json);
	if (event->record->flags & EM_EVENT_SET_ID)
		json_boolean(json, "setId", true);
	if (is_memfd(&event->strings[EM_STRING_PATH]))
		json_boolean(json, "memfd", true);
	event_write_inode(event, json);
}

static const struct probe_event event = {
	.kind = EM_EVENT_EXEC,
	.write = write_event,
};

static const struct probe_constant constants[] = {
	{ "ArgumentsMax", "2K", 0, EM_EVENT_PIECE, offsetof(struct em_constants, arguments_bytes) },
};

const struct probe probe_exec = {
	.name = "exec",
	.summary = "programs started",
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
	.event = &event,
	.constants = constants,
	.n_constants = ARRAY_SIZE(constants),
};
