/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor of probe "open": bpf/open.bpf.c. */
#include "probe.h"

#include "open.skel.h"

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

const struct probe probe_open = {
	.name = "open",
	.summary = "files opened on request of a process",
	.elf = open_bpf__elf_bytes,
	.jobs = jobs,
	.n_jobs = ARRAY_SIZE(jobs),
};
