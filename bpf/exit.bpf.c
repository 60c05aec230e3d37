// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "exit": processes that ended, how, and how long they had lived. A process ends once, with
 * the last of its threads; one that is replaced by exec does not end. Kernel threads are no
 * processes.
 */
#include "event.bpf.h"

EM_HEAP(exit_group)
EM_HEAP(exit_task)

enum {
	SIGNAL_MASK = 0x7f, /* of a wait status */
};

#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC  (1000 * NSEC_PER_MSEC)

static __always_inline struct em_process process_of(struct task_struct *task)
{
	return (struct em_process){
		.start_nsec = task->group_leader->start_boottime,
		.tgid = (u32)task->tgid,
	};
}

/*
 * Whether the process ends with @task. Each thread has taken itself off signal->live when it comes
 * here, and several that end together may all find nobody left: the first one counts, and claims
 * the end unless all others are gone for good.
 */
static __always_inline bool is_end(struct task_struct *task)
{
	struct em_process process;

	if (task->signal->live.counter)
		return false;
	process = process_of(task);
	return end_claim(&process, task->signal->nr_threads == 1);
}

/* The wait status that the parent will see. */
static __always_inline int wait_status(struct task_struct *task)
{
	if (task->signal->flags & SIGNAL_GROUP_EXIT)
		return task->signal->group_exit_code;
	return task->group_leader->exit_code;
}

static __always_inline enum em_slot lifetime_slot(u64 nsec)
{
	if (nsec < NSEC_PER_MSEC)
		return EM_EXITS_UNDER_1MS;
	if (nsec < 10 * NSEC_PER_MSEC)
		return EM_EXITS_UNDER_10MS;
	if (nsec < 100 * NSEC_PER_MSEC)
		return EM_EXITS_UNDER_100MS;
	if (nsec < NSEC_PER_SEC)
		return EM_EXITS_UNDER_1S;
	if (nsec < 10 * NSEC_PER_SEC)
		return EM_EXITS_UNDER_10S;
	if (nsec < 60 * NSEC_PER_SEC)
		return EM_EXITS_UNDER_1MIN;
	if (nsec < 3600 * NSEC_PER_SEC)
		return EM_EXITS_UNDER_1H;
	return EM_EXITS_FROM_1H;
}

/* A status other than 0 counts as a failure, but it is no errno. */
static __always_inline void exit_event(struct event_memory memory, const struct em_subject *subject,
				       int status, u64 lifetime)
{
	struct event_draft draft;

	if (!event_begin(&draft, memory, EM_EVENT_EXIT, subject, status))
		return;
	draft.heap->event.error = 0;
	draft.heap->event.flags |= EM_EVENT_DURATION;
	draft.heap->event.numbers[0] = lifetime;
	draft.heap->event.numbers[1] = (u32)status;
	event_end(&draft);
}

static __always_inline int process_ended(struct event_memory memory, struct task_struct *task)
{
	u64 lifetime = bpf_ktime_get_boot_ns() - task->group_leader->start_boottime;
	int status = wait_status(task);
	struct em_subject subject;
	struct ledger ledger;
	u32 flags;

	current_subject(&subject, &flags);
	if (!ledger_open(&ledger, &subject))
		return 0;
	ledger_count(&ledger, EM_EXITS);
	if (status & SIGNAL_MASK)
		ledger_count(&ledger, EM_ABNORMAL_EXITS);
	ledger_count(&ledger, lifetime_slot(lifetime));
	exit_event(memory, &subject, status, lifetime);
	return 0;
}

/* From 6.16 on the kernel says which thread is the last. */
EM_HOOK(exit_group, "tp_btf/sched_process_exit", struct task_struct *task, bool group_dead)
{
	if (!group_dead || flags_kernel_thread(task->flags))
		return 0;
	return process_ended(EM_MEMORY(exit_group), task);
}

/* Before: such a tracepoint has no second argument, and the program above cannot be loaded. */
EM_HOOK(exit_task, "tp_btf/sched_process_exit", struct task_struct *task)
{
	if (flags_kernel_thread(task->flags) || !is_end(task))
		return 0;
	return process_ended(EM_MEMORY(exit_task), task);
}
