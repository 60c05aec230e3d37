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
static void name_signal(int signal, char *text, size_t size)
{
	const char *name = sigabbrev_np(signal);

	if (name)
		snprintf(text, size, "SIG%s", name);
	else
		snprintf(text, size, "%d", signal);
}

static void write_event(const struct event *event, struct json *json)
{
	int status = (int)event->record->numbers[1];
	char signal[16];

	if (WIFSIGNALED(status)) {
		json_null(json, "exitCode");
		name_signal(WTERMSIG(status), signal, sizeof(signal));
		json_string(json, "signal", signal);
	} else {
		json_u64(json, "exitCode", (uint64_t)WEXITSTATUS(status));
		json_null(json, "signal");
	}
	json_boolean(json, "coreDumped", WCOREDUMP(status));
	json_u64(json, "duration", event->record->numbers[0] / 1000);
}

static void describe(const struct event *event, char *text, size_t size)
{
	int status = (int)event->record->numbers[1];
	double seconds = (double)event->record->numbers[0] / 1e9;
	char signal[16];

	if (WIFSIGNALED(status)) {
		name_signal(WTERMSIG(status), signal, sizeof(signal));
		snprintf(text, size, "%s%s after %.3f s", signal,
			 WCOREDUMP(status) ? ", core dumped," : "", seconds);
	} else {
		snprintf(text, size, "code %d after %.3f s", WEXITSTATUS(status), seconds);
	}
}

static const struct probe_event event = {
	.kind = EM_EVENT_EXIT,
	.write = write_event,
	.describe = describe,
};

const struct probe probe_exit = {
	.name = "exit",
	.summary = "processes ended, and how long they lived",
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
	.event = &event,
};
