// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "fork": processes and threads that were made, for the one who made them. What the kernel
 * makes for its own purposes is not counted: kernel threads, the processes that they start, and
 * the threads it gives a process to work for it (io_uring, vhost).
 */
#include "event.bpf.h"

EM_HEAP(fork_done)

static __always_inline void fork_event(const struct em_subject *subject,
				       const struct task_struct *child, u64 clone_flags)
{
	struct event_draft draft;

	if (!event_begin(&draft, EM_MEMORY(fork_done), EM_EVENT_FORK, subject, 0))
		return;
	draft.heap->event.numbers[0] = clone_flags;
	draft.heap->event.numbers[1] = child->tgid;
	draft.heap->event.numbers[2] = child->pid;
	event_end(&draft);
}

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
	fork_event(&subject, task, clone_flags);
	return 0;
}
