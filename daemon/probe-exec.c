/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "exec": bpf/exec.bpf.c. */
#include "probe.h"

#include "exec.skel.h"

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

const struct probe probe_exec = {
	.name = "exec",
	.summary = "programs started",
	.elf = exec_bpf__elf_bytes,
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
};
