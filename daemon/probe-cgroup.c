/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "cgroup": bpf/cgroup.bpf.c. */
#include "probe.h"

static const struct hook made_hooks[] = {
	{ "cgroup_new", HOOK_TP_BTF, { "cgroup_mkdir" } },
};

static const struct way ways[] = {
	{ made_hooks, ARRAY_SIZE(made_hooks) },
};

static const struct job jobs[] = {
	{
		.what = "names of units that are gone before anybody looks",
		.ways = ways,
		.n_ways = ARRAY_SIZE(ways),
	},
};

const struct probe probe_cgroup = {
	.name = "cgroup",
	.summary = "names of cgroups, for counts by unit",
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
};
