// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "fork": processes and threads that were made, for the one who made them. What the kernel
 * makes for its own purposes is not counted: kernel threads, the processes that they start, and
 * the threads it gives a process to work for it (io_uring, vhost).
 */
#include "ebpfmon.bpf.h"

EM_HOOK(fork_done, "tp_btf/task_newtask", struct task_struct *task, u64 clone_flags)
{
	struct em_subject subject;
	u32 flags;

	if (flags_user_worker(task->flags))
		return 0;
	current_subject(&subject, &flags);
	if (flags_kernel_thread(flags))
		return 0;
	count(&subject, clone_flags & CLONE_THREAD ? EM_THREADS : EM_FORKS);
	return 0;
}
