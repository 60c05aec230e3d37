// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "exec": programs that were started, and attempts that failed. A success is seen where the
 * kernel has passed the point of no return, once per exec whatever interpreters it went through.
 */
#include "ebpfmon.bpf.h"

EM_HOOK(exec_done, "tp_btf/sched_process_exec")
{
	struct em_subject subject;
	u32 flags;

	current_subject(&subject, &flags);
	count(&subject, EM_EXECS);
	return 0;
}

static __always_inline int exec_returned(long ret)
{
	struct em_subject subject;
	u32 flags;

	if (ret >= 0)
		return 0;
	current_subject(&subject, &flags);
	count(&subject, EM_EXEC_FAILURES);
	return 0;
}

/* The system calls' own functions: only an exec pays. */
EM_HOOK(execve, "fexit", const struct pt_regs *regs, long ret)
{
	return exec_returned(ret);
}

EM_HOOK(execveat, "fexit", const struct pt_regs *regs, long ret)
{
	return exec_returned(ret);
}

EM_HOOK(execve32, "fexit", const struct pt_regs *regs, long ret)
{
	return exec_returned(ret);
}

EM_HOOK(execveat32, "fexit", const struct pt_regs *regs, long ret)
{
	return exec_returned(ret);
}

/* Numbers from the kernel's syscall tables: x86 64-bit, x32, 32-bit; arm64 and 32-bit ARM. */
static __always_inline bool is_exec(u32 number)
{
#if defined(__TARGET_ARCH_x86)
	switch (number) {
	case 59:  /* execve */
	case 322: /* execveat */
	case 520: /* x32 execve */
	case 545: /* x32 execveat */
		return !syscall_compat();
	case 11:  /* execve */
	case 358: /* execveat */
		return syscall_compat();
	}
	return false;
#else
	switch (number) {
	case 221: /* execve */
	case 281: /* execveat */
		return !syscall_compat();
	case 11:  /* execve */
	case 387: /* execveat */
		return syscall_compat();
	}
	return false;
#endif
}

/*
 * Where functions cannot be hooked: every system call of the machine passes here. ENOSYS: this
 * kernel has no such call (x32, a filter), so nothing was attempted.
 */
EM_HOOK(exec_sys, "tp_btf/sys_exit", struct pt_regs *regs, long ret)
{
	if (ret >= 0 || ret == -ENOSYS || !is_exec(syscall_number(regs)))
		return 0;
	return exec_returned(ret);
}
