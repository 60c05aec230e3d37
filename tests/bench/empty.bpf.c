// SPDX-License-Identifier: GPL-2.0-only
/* A program that does nothing, on the hooks that probe "open" can use: the floor of any cost. */
#include "compat.bpf.h"

SEC("tp_btf/sys_exit") int BPF_PROG(empty_sys, struct pt_regs *regs, long ret)
{
	return 0;
}

SEC("fexit") int BPF_PROG(empty_file, int dfd, struct filename *name, const struct open_flags *op)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
