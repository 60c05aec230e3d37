/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "exit": bpf/exit.bpf.c. */
#include "probe.h"

#include "exit.skel.h"

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

const struct probe probe_exit = {
	.name = "exit",
	.summary = "processes ended, and how long they lived",
	.elf = exit_bpf__elf_bytes,
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
};
