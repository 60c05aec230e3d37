// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "open": files opened for a process that asked for it, and attempts that failed. What the
 * kernel opens on its own (to run a program, for its threads, below overlayfs) is not counted.
 */
#include "event.bpf.h"

EM_HEAP(open_file)
EM_HEAP(open_fh)
EM_HEAP(open_fh32)
EM_HEAP(open_sys)

static __always_inline void open_count(const struct em_subject *subject, u32 error)
{
	struct ledger ledger;

	if (!ledger_open(&ledger, subject))
		return;
	if (!error) {
		ledger_count(&ledger, EM_OPENS);
		return;
	}
	ledger_count(&ledger, EM_OPEN_FAILURES);
	if (error == EACCES || error == EPERM)
		ledger_count(&ledger, EM_OPEN_DENIALS);
}

/* What was asked for, from the registers and the memory of the process. */
struct request {
	unsigned long name; /* 0: there is none */
	u32 flags;
	u32 mode;
};

/* @ret is an open system call's result: a descriptor or -errno. */
static __always_inline int open_returned(struct event_memory memory, const struct request *request,
					 long ret)
{
	u32 flags, error = ret < 0 ? -ret : 0;
	struct em_subject subject;
	struct event_draft draft;

	current_subject(&subject, &flags);
	open_count(&subject, error);
	if (!event_begin(&draft, memory, EM_EVENT_OPEN, &subject, error))
		return 0;
	draft.heap->event.flags |= EM_EVENT_PROCESS_NAMES;
	draft.heap->event.numbers[0] = request->flags;
	draft.heap->event.numbers[1] = request->mode;
	if (!error && constants.events == EM_EVENTS_FULL)
		event_file(&draft, task_file(draft.task, ret));
	if (request->name)
		event_user_string(&draft, EM_STRING_ASKED, request->name);
	event_end(&draft);
	return 0;
}

/*
 * Opens that no process asked for. Programs and interpreters being run carry FMODE_EXEC; core
 * files are opened by the one that dies; a name that never was in user memory is the kernel's own
 * (7.x does not tell any more); io_uring first tries not to block and repeats the open in a worker
 * if that was not enough. On 7.x also comes here what could not even be read from the process: that
 * is left out as on all others. The names for swapon() and acct() are the process's, and stay in.
 */
static __always_inline bool open_internal(const struct filename *name, const struct open_flags *op,
					  u32 task_flags, unsigned long result)
{
	if (op->open_flag & FMODE_EXEC || task_flags & PF_DUMPCORE ||
	    flags_kernel_thread(task_flags) || (unsigned long)name >= (unsigned long)-MAX_ERRNO)
		return true;
	if (bpf_core_field_exists(name->uptr) && !name->uptr)
		return true;
	return result == (unsigned long)-EAGAIN && op->lookup_flags & LOOKUP_CACHED &&
	       op->open_flag & O_NONBLOCK && uses_io_uring();
}

/* How each of the system calls is asked. */
enum open_call {
	OPEN_NONE,
	OPEN_OPEN,   /* name, flags, mode */
	OPEN_CREAT,  /* name, mode */
	OPEN_OPENAT, /* directory, name, flags, mode */
	OPEN_OPENAT2,
	OPEN_HANDLE, /* directory, handle, flags */
};

/* Numbers from the kernel's syscall tables; those above 300 that both have mean the same. */
static __always_inline enum open_call open_call(u32 number, bool compat)
{
#if defined(__TARGET_ARCH_x86)
	switch (number) {
	case 2:
		return compat ? OPEN_NONE : OPEN_OPEN;
	case 85:
		return compat ? OPEN_NONE : OPEN_CREAT;
	case 257:
		return compat ? OPEN_NONE : OPEN_OPENAT;
	case 304:
		return compat ? OPEN_NONE : OPEN_HANDLE;
	case 5:
		return compat ? OPEN_OPEN : OPEN_NONE;
	case 8:
		return compat ? OPEN_CREAT : OPEN_NONE;
	case 295:
		return compat ? OPEN_OPENAT : OPEN_NONE;
	case 342:
		return compat ? OPEN_HANDLE : OPEN_NONE;
	case 437:
		return OPEN_OPENAT2;
	}
#else
	switch (number) {
	case 56:
		return compat ? OPEN_NONE : OPEN_OPENAT;
	case 265:
		return compat ? OPEN_NONE : OPEN_HANDLE;
	case 5:
		return compat ? OPEN_OPEN : OPEN_NONE;
	case 8:
		return compat ? OPEN_CREAT : OPEN_NONE;
	case 322:
		return compat ? OPEN_OPENAT : OPEN_NONE;
	case 371:
		return compat ? OPEN_HANDLE : OPEN_NONE;
	case 437:
		return OPEN_OPENAT2;
	}
#endif
	return OPEN_NONE;
}

/* The first fields of struct open_how, openat2(2). */
struct how {
	u64 flags;
	u64 mode;
};

static __always_inline void open_request(struct pt_regs *regs, enum open_call call, bool compat,
					 struct request *request)
{
	struct how how = {};

	switch (call) {
	case OPEN_OPEN:
		request->name = syscall_argument(regs, 0, compat);
		request->flags = syscall_argument(regs, 1, compat);
		request->mode = syscall_argument(regs, 2, compat);
		break;
	case OPEN_CREAT:
		request->name = syscall_argument(regs, 0, compat);
		request->flags = O_CREAT | O_WRONLY | O_TRUNC;
		request->mode = syscall_argument(regs, 1, compat);
		break;
	case OPEN_OPENAT:
		request->name = syscall_argument(regs, 1, compat);
		request->flags = syscall_argument(regs, 2, compat);
		request->mode = syscall_argument(regs, 3, compat);
		break;
	case OPEN_OPENAT2:
		request->name = syscall_argument(regs, 1, compat);
		if (constants.events == EM_EVENTS_FULL)
			bpf_probe_read_user(&how, sizeof(how),
					    (const void *)syscall_argument(regs, 2, compat));
		request->flags = how.flags;
		request->mode = how.mode;
		break;
	default:
		request->flags = syscall_argument(regs, 2, compat);
	}
}

/*
 * O_CLOEXEC, which is a matter of the descriptor and not known to do_filp_open() any more: from the
 * system call, if it is one that opens. io_uring's is not known.
 */
static __always_inline u32 open_cloexec(void)
{
	struct pt_regs *regs = current_registers();
	struct request request = {};
	enum open_call call;
	bool compat;

	if (!regs)
		return 0;
	compat = syscall_compat();
	call = open_call(syscall_number(regs), compat);
	if (call == OPEN_NONE || call == OPEN_HANDLE)
		return 0;
	open_request(regs, call, compat, &request);
	return request.flags & O_CLOEXEC;
}

/* io_uring in the caller's own context (see above), or one of its workers. */
static __always_inline bool open_io_uring(const struct open_flags *op, u32 task_flags)
{
	return task_flags & PF_IO_WORKER ||
	       (op->lookup_flags & LOOKUP_CACHED && op->open_flag & O_NONBLOCK && uses_io_uring());
}

static __always_inline void open_event(const struct em_subject *subject, struct filename *name,
				       const struct open_flags *op, const void *file, u32 error,
				       u32 task_flags)
{
	struct event_draft draft;
	struct em_event *event;

	if (!event_begin(&draft, EM_MEMORY(open_file), EM_EVENT_OPEN, subject, error))
		return;
	event = &draft.heap->event;
	event->numbers[0] = (u32)op->open_flag;
	event->numbers[1] = op->mode;
	if (open_io_uring(op, task_flags)) {
		event->flags |= EM_EVENT_IO_URING;
		if (!(task_flags & PF_IO_WORKER))
			event->numbers[0] &= ~(u64)O_NONBLOCK; /* io_uring's own */
	} else {
		event->numbers[0] |= open_cloexec();
	}
	if (constants.events == EM_EVENTS_FULL) {
		if (!error)
			event_file(&draft, file);
		event_kernel_string(&draft, EM_STRING_ASKED, BPF_CORE_READ(name, name));
	}
	event_end(&draft);
}

/*
 * do_filp_open(), from 7.0 on do_file_open(): every way to open by name ends there. The result is
 * a pointer to the verifier, which lets it be compared only.
 */
EM_HOOK(open_file, "fexit", int dfd, struct filename *name, const struct open_flags *op,
	struct file *file)
{
	unsigned long result = (unsigned long)file;
	struct em_subject subject;
	u32 flags, error = 0;

	current_subject(&subject, &flags);
	if (open_internal(name, op, flags, result))
		return 0;
	if (result >= (unsigned long)-MAX_ERRNO) {
		u64 low;

		/* To the verifier half a pointer is a number. */
		asm volatile("r1 = %1; w1 = w1; %0 = r1" : "=r"(low) : "r"(result) : "r1");
		error = -(u32)low;
	}
	open_count(&subject, error);
	open_event(&subject, name, op, file, error, flags);
	return 0;
}

/* open_by_handle_at() has no name and goes another way. */
EM_HOOK(open_fh, "fexit", struct pt_regs *regs, long ret)
{
	struct request request = { .flags = function_argument(ctx, 2, false) };

	return open_returned(EM_MEMORY(open_fh), &request, ret);
}

EM_HOOK(open_fh32, "fexit", struct pt_regs *regs, long ret)
{
	struct request request = { .flags = function_argument(ctx, 2, true) };

	return open_returned(EM_MEMORY(open_fh32), &request, ret);
}

/*
 * Where functions cannot be hooked: every system call of the machine passes here. ENOSYS: this
 * kernel has no such call (x32, a filter), so nothing was attempted; nor if a filter sent SIGSYS.
 */
EM_HOOK(open_sys, "tp_btf/sys_exit", struct pt_regs *regs, long ret)
{
	u32 number = syscall_number(regs);
	struct request request = {};
	enum open_call call;
	bool compat;

	/* By the number first: what else there is to know costs every system call. */
	if (ret == -ENOSYS || (!open_call(number, false) && !open_call(number, true)))
		return 0;
	compat = syscall_compat();
	call = open_call(number, compat);
	if (call == OPEN_NONE || syscall_trapped(regs, ret))
		return 0;
	if (event_wanted(EM_EVENT_OPEN))
		open_request(regs, call, compat, &request);
	return open_returned(EM_MEMORY(open_sys), &request, ret);
}
