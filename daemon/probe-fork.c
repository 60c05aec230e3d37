/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "fork": bpf/fork.bpf.c. */
#include "probe.h"

#include "fork.skel.h"

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

const struct probe probe_fork = {
	.name = "fork",
	.summary = "processes and threads made",
	.elf = fork_bpf__elf_bytes,
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
};
