/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "exit": bpf/exit.bpf.c. */
#include "event-json.h"
#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static const struct hook group_hooks[] = {
	{ "exit_group", HOOK_TP_BTF, { "sched_process_exit" } },
};

static const struct hook task_hooks[] = {
	{ "exit_task", HOOK_TP_BTF, { "sched_process_exit" } },
};

/* Before 6.16 the first cannot be loaded. */
static const struct way ways[] = {
	{ group_hooks, ARRAY_SIZE(group_hooks) },
	{ task_hooks, ARRAY_SIZE(task_hooks) },
};

static const enum em_slot slots[] = {
	EM_EXITS,
	EM_ABNORMAL_EXITS,
	EM_EXITS_UNDER_1MS,
	EM_EXITS_UNDER_10MS,
	EM_EXITS_UNDER_100MS,
	EM_EXITS_UNDER_1S,
	EM_EXITS_UNDER_10S,
	EM_EXITS_UNDER_1MIN,
	EM_EXITS_UNDER_1H,
	EM_EXITS_FROM_1H,
};

static const struct job jobs[] = {
	{
		.what = "exits",
		.slots = slots,
		.n_slots = ARRAY_SIZE(slots),
		.ways = ways,
		.n_ways = ARRAY_SIZE(ways),
	},
};

/* As kill(1) takes it. */
static void write_signal(int signal, struct json *json)
{
	const char *name = sigabbrev_np(signal);
	char text[16];

	if (name)
		snprintf(text, sizeof(text), "SIG%s", name);
	else
		snprintf(text, sizeof(text), "%d", signal);
	json_string(json, "signal", text);
}

static void write_event(const struct event *event, struct json *json)
{
	int status = (int)event->record->numbers[1];

	if (WIFSIGNALED(status)) {
		json_null(json, "exitCode");
		write_signal(WTERMSIG(status), json);
	} else {
		json_u64(json, "exitCode", (uint64_t)WEXITSTATUS(status));
		json_null(json, "signal");
	}
	json_boolean(json, "coreDumped", WCOREDUMP(status));
	json_u64(json, "duration", event->record->numbers[0] / 1000);
}

static const struct probe_event event = {
	.kind = EM_EVENT_EXIT,
	.write = write_event,
};

const struct probe probe_exit = {
	.name = "exit",
	.summary = "processes ended, and how long they lived",
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
	.event = &event,
};
