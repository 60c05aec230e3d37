// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "exec": programs that were started, and attempts that failed. A success is seen where the
 * kernel has passed the point of no return, once per exec whatever interpreters it went through.
 */
#include "event.bpf.h"

EM_HEAP(exec_done)
EM_HEAP(execve)
EM_HEAP(execveat)
EM_HEAP(execve32)
EM_HEAP(execveat32)
EM_HEAP(exec_sys)

/* Whether a bit of the file's mode gave the program other privileges than its caller has. */
static __always_inline bool exec_set_id(struct linux_binprm *bprm)
{
	return BPF_CORE_READ(bprm, file, f_inode, i_mode) & (S_ISUID | S_ISGID) &&
	       BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec);
}

/* What else there is to say of whoever calls exec. */
static __always_inline void exec_who(struct event_draft *draft)
{
	struct task_struct *task = draft->task;
	const struct fs_struct *fs;

	if (constants.events != EM_EVENTS_FULL)
		return;
	fs = BPF_CORE_READ(task, fs);
	event_path(draft, EM_STRING_FOLDER, &fs->pwd, false);
	event_kernel_string(draft, EM_STRING_PARENT, BPF_CORE_READ(task, real_parent)->comm);
}

static __always_inline void exec_event(const struct em_subject *subject, struct linux_binprm *bprm)
{
	struct event_draft draft;
	struct mm_struct *mm;

	if (!event_begin(&draft, EM_MEMORY(exec_done), EM_EVENT_EXEC, subject, 0))
		return;
	if (constants.events == EM_EVENTS_FULL) {
		if (exec_set_id(bprm))
			draft.heap->event.flags |= EM_EVENT_SET_ID;
		event_file(&draft, BPF_CORE_READ(bprm, file));
		event_kernel_string(&draft, EM_STRING_ASKED, BPF_CORE_READ(bprm, filename));
	}
	mm = TASK_READ(draft.task, mm);
	if (constants.arguments_bytes && mm)
		event_user_bytes(&draft, EM_STRING_ARGUMENTS, TASK_READ(mm, arg_start),
				 TASK_READ(mm, arg_end), constants.arguments_bytes);
	exec_who(&draft);
	event_end(&draft);
}

/*
 * The arguments are read from the new program's stack: they lie where the kernel has just copied
 * them, and the program has not run yet.
 */
EM_HOOK(exec_done, "tp_btf/sched_process_exec", struct task_struct *task, int old_pid,
	struct linux_binprm *bprm)
{
	struct em_subject subject;
	u32 flags;

	current_subject(&subject, &flags);
	count(&subject, EM_EXECS);
	exec_event(&subject, bprm);
	return 0;
}

/* @asked is still in the memory of the process: the kernel has freed its copy. */
static __always_inline int exec_returned(struct event_memory memory, unsigned long asked, long ret)
{
	struct em_subject subject;
	struct event_draft draft;
	u32 flags;

	if (ret >= 0)
		return 0;
	current_subject(&subject, &flags);
	count(&subject, EM_EXEC_FAILURES);
	if (!event_begin(&draft, memory, EM_EVENT_EXEC, &subject, -ret))
		return 0;
	event_user_string(&draft, EM_STRING_ASKED, asked);
	exec_who(&draft);
	event_end(&draft);
	return 0;
}

/* The system calls' own functions: only an exec pays. */
EM_HOOK(execve, "fexit", const void *regs, long ret)
{
	return exec_returned(EM_MEMORY(execve), function_argument(ctx, 0, false), ret);
}

EM_HOOK(execveat, "fexit", const void *regs, long ret)
{
	return exec_returned(EM_MEMORY(execveat), function_argument(ctx, 1, false), ret);
}

EM_HOOK(execve32, "fexit", const void *regs, long ret)
{
	return exec_returned(EM_MEMORY(execve32), function_argument(ctx, 0, true), ret);
}

EM_HOOK(execveat32, "fexit", const void *regs, long ret)
{
	return exec_returned(EM_MEMORY(execveat32), function_argument(ctx, 1, true), ret);
}

/*
 * Numbers from the kernel's syscall tables: x86 64-bit, x32, 32-bit; arm64 and 32-bit ARM. Which
 * argument is the name; -1: no exec.
 */
static __always_inline int exec_argument(u32 number, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	switch (number) {
	case 59:  /* execve */
	case 520: /* x32 execve */
		return compat ? -1 : 0;
	case 322: /* execveat */
	case 545: /* x32 execveat */
		return compat ? -1 : 1;
	case 11: /* execve */
		return compat ? 0 : -1;
	case 358: /* execveat */
		return compat ? 1 : -1;
	}
#else
	switch (number) {
	case 221: /* execve */
		return compat ? -1 : 0;
	case 281: /* execveat */
		return compat ? -1 : 1;
	case 11: /* execve */
		return compat ? 0 : -1;
	case 387: /* execveat */
		return compat ? 1 : -1;
	}
#endif
	return -1;
}

/*
 * Where functions cannot be hooked: every system call of the machine passes here. ENOSYS: this
 * kernel has no such call (x32, a filter), so nothing was attempted; nor if a filter sent SIGSYS.
 */
EM_HOOK(exec_sys, "tp_btf/sys_exit", struct pt_regs *regs, long ret)
{
	u32 number = syscall_number(regs);
	bool compat;
	int argument;

	if (ret >= 0 || ret == -ENOSYS ||
	    (exec_argument(number, false) < 0 && exec_argument(number, true) < 0))
		return 0;
	compat = syscall_compat();
	argument = exec_argument(number, compat);
	if (argument < 0 || syscall_trapped(regs, ret))
		return 0;
	return exec_returned(EM_MEMORY(exec_sys),
			     argument ? syscall_argument(regs, 1, compat)
				      : syscall_argument(regs, 0, compat),
			     ret);
}
