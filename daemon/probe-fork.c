/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "fork": bpf/fork.bpf.c. */
#include "event-json.h"
#include "probe.h"

#include <linux/sched.h>
#include <stdio.h>

static const struct hook hooks[] = {
	{ "fork_done", HOOK_TP_BTF, { "task_newtask" } },
};

static const struct way ways[] = {
	{ hooks, ARRAY_SIZE(hooks) },
};

static const enum em_slot slots[] = { EM_FORKS, EM_THREADS };

static const struct job jobs[] = {
	{
		.what = "forks",
		.slots = slots,
		.n_slots = ARRAY_SIZE(slots),
		.ways = ways,
		.n_ways = ARRAY_SIZE(ways),
	},
};

/* Names of clone(2). */
static const struct event_bits flags[] = {
	{ CLONE_VM, "CLONE_VM" },
	{ CLONE_FS, "CLONE_FS" },
	{ CLONE_FILES, "CLONE_FILES" },
	{ CLONE_SIGHAND, "CLONE_SIGHAND" },
	{ CLONE_PIDFD, "CLONE_PIDFD" },
	{ CLONE_PTRACE, "CLONE_PTRACE" },
	{ CLONE_VFORK, "CLONE_VFORK" },
	{ CLONE_PARENT, "CLONE_PARENT" },
	{ CLONE_THREAD, "CLONE_THREAD" },
	{ CLONE_NEWNS, "CLONE_NEWNS" },
	{ CLONE_SYSVSEM, "CLONE_SYSVSEM" },
	{ CLONE_SETTLS, "CLONE_SETTLS" },
	{ CLONE_PARENT_SETTID, "CLONE_PARENT_SETTID" },
	{ CLONE_CHILD_CLEARTID, "CLONE_CHILD_CLEARTID" },
	{ CLONE_DETACHED, "CLONE_DETACHED" },
	{ CLONE_UNTRACED, "CLONE_UNTRACED" },
	{ CLONE_CHILD_SETTID, "CLONE_CHILD_SETTID" },
	{ CLONE_NEWCGROUP, "CLONE_NEWCGROUP" },
	{ CLONE_NEWUTS, "CLONE_NEWUTS" },
	{ CLONE_NEWIPC, "CLONE_NEWIPC" },
	{ CLONE_NEWUSER, "CLONE_NEWUSER" },
	{ CLONE_NEWPID, "CLONE_NEWPID" },
	{ CLONE_NEWNET, "CLONE_NEWNET" },
	{ CLONE_IO, "CLONE_IO" },
	{ CLONE_NEWTIME, "CLONE_NEWTIME" },
	{ CLONE_CLEAR_SIGHAND, "CLONE_CLEAR_SIGHAND" },
	{ CLONE_INTO_CGROUP, "CLONE_INTO_CGROUP" },
	{ 0 },
};

static void write_event(const struct event *event, struct json *json)
{
	const __u64 *numbers = event->record->numbers;

	json_u64(json, "childPid", numbers[1]);
	json_u64(json, "childTid", numbers[2]);
	json_boolean(json, "thread", numbers[0] & CLONE_THREAD);
	json_array_begin(json, "flags");
	event_write_bits(flags, numbers[0], json);
	json_array_end(json);
}

static void describe(const struct event *event, char *text, size_t size)
{
	const __u64 *numbers = event->record->numbers;
	bool is_thread = numbers[0] & CLONE_THREAD;

	snprintf(text, size, "%s %llu", is_thread ? "thread" : "process",
		 (unsigned long long)numbers[is_thread ? 2 : 1]);
}

static const struct probe_event event = {
	.kind = EM_EVENT_FORK,
	.write = write_event,
	.describe = describe,
};

const struct probe probe_fork = {
	.name = "fork",
	.summary = "processes and threads made",
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
	.event = &event,
};
