// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "open": files opened for a process that asked for it, and attempts that failed. What the
 * kernel opens on its own (to run a program, for its threads, below overlayfs) is not counted.
 */
#include "ebpfmon.bpf.h"

static __always_inline void open_succeeded(const struct em_subject *subject)
{
	count(subject, EM_OPENS);
}

static __always_inline void open_failed(const struct em_subject *subject, bool denied)
{
	struct ledger ledger;

	if (!ledger_open(&ledger, subject))
		return;
	ledger_count(&ledger, EM_OPEN_FAILURES);
	if (denied)
		ledger_count(&ledger, EM_OPEN_DENIALS);
}

/* @ret is an open system call's result: a descriptor or -errno. */
static __always_inline int open_returned(long ret)
{
	struct em_subject subject;
	u32 flags;

	current_subject(&subject, &flags);
	if (ret >= 0)
		open_succeeded(&subject);
	else
		open_failed(&subject, ret == -EACCES || ret == -EPERM);
	return 0;
}

/*
 * Opens that no process asked for. Programs and interpreters being run carry FMODE_EXEC; core
 * files are opened by the one that dies; a name that never was in user memory is the kernel's own
 * (swap, accounting; 7.x does not tell any more); io_uring first tries not to block and repeats
 * the open in a worker if that was not enough. On 7.x also comes here what could not even be read
 * from the process: that is left out as on all others.
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

/*
 * do_filp_open(), from 7.0 on do_file_open(): every way to open by name ends there. The result is
 * a pointer to the verifier, which lets it be compared only.
 */
EM_HOOK(open_file, "fexit", int dfd, struct filename *name, const struct open_flags *op,
	struct file *file)
{
	unsigned long result = (unsigned long)file;
	struct em_subject subject;
	u32 flags;

	current_subject(&subject, &flags);
	if (open_internal(name, op, flags, result))
		return 0;
	if (result < (unsigned long)-MAX_ERRNO)
		open_succeeded(&subject);
	else
		open_failed(&subject,
			    result == (unsigned long)-EACCES || result == (unsigned long)-EPERM);
	return 0;
}

/* open_by_handle_at() has no name and goes another way. */
EM_HOOK(open_fh, "fexit", const struct pt_regs *regs, long ret)
{
	return open_returned(ret);
}

EM_HOOK(open_fh32, "fexit", const struct pt_regs *regs, long ret)
{
	return open_returned(ret);
}

/* Numbers from the kernel's syscall tables; those above 300 that both have mean the same. */
static __always_inline bool is_open(u32 number)
{
#if defined(__TARGET_ARCH_x86)
	switch (number) {
	case 2:	  /* open */
	case 85:  /* creat */
	case 257: /* openat */
	case 304: /* open_by_handle_at */
		return !syscall_compat();
	case 437: /* openat2, in both */
		return true;
	case 5:	  /* open */
	case 8:	  /* creat */
	case 295: /* openat */
	case 342: /* open_by_handle_at */
		return syscall_compat();
	}
	return false;
#else
	switch (number) {
	case 56:  /* openat */
	case 265: /* open_by_handle_at */
		return !syscall_compat();
	case 437: /* openat2, in both */
		return true;
	case 5:	  /* open */
	case 8:	  /* creat */
	case 322: /* openat */
	case 371: /* open_by_handle_at */
		return syscall_compat();
	}
	return false;
#endif
}

/*
 * Where functions cannot be hooked: every system call of the machine passes here. ENOSYS: this
 * kernel has no such call (x32, a filter), so nothing was attempted.
 */
EM_HOOK(open_sys, "tp_btf/sys_exit", struct pt_regs *regs, long ret)
{
	if (ret == -ENOSYS || !is_open(syscall_number(regs)))
		return 0;
	return open_returned(ret);
}
