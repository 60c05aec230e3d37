// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "unlink": names that were removed on request of a process, attempts that failed, and
 * files that lost their name to another by rename. Directories are not counted, nor what the
 * kernel removes on its own (its threads, an old core file, below overlayfs).
 */
#include "ebpfmon.bpf.h"

static __always_inline int unlink_returned(int ret)
{
	struct em_subject subject;
	u32 flags;

	current_subject(&subject, &flags);
	if (!flags_kernel_thread(flags) && !(flags & PF_DUMPCORE))
		count(&subject, ret ? EM_UNLINK_FAILURES : EM_UNLINKS);
	return 0;
}

/*
 * do_unlinkat(), from 7.0 on filename_unlinkat(): every way to unlink by name ends there. A name
 * that could not be read from the process is left out: io_uring does not get as far with it.
 */
EM_HOOK(unlink_fn, "fexit", int dfd, struct filename *name, int ret)
{
	if ((unsigned long)name >= (unsigned long)-MAX_ERRNO)
		return 0;
	return unlink_returned(ret);
}

/* Numbers from the kernel's syscall tables. */
static __always_inline bool is_unlink(u32 number, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	switch (number) {
	case 87: /* unlink */
		return !syscall_compat();
	case 263: /* unlinkat */
		return !(syscall_argument(regs, 2, false) & AT_REMOVEDIR) && !syscall_compat();
	case 10: /* unlink */
		return syscall_compat();
	case 301: /* unlinkat */
		return !(syscall_argument(regs, 2, true) & AT_REMOVEDIR) && syscall_compat();
	}
	return false;
#else
	switch (number) {
	case 35: /* unlinkat */
		return !(syscall_argument(regs, 2, false) & AT_REMOVEDIR) && !syscall_compat();
	case 10: /* unlink */
		return syscall_compat();
	case 328: /* unlinkat */
		return !(syscall_argument(regs, 2, true) & AT_REMOVEDIR) && syscall_compat();
	}
	return false;
#endif
}

/*
 * Where functions cannot be hooked: every system call of the machine passes here. ENOSYS: this
 * kernel has no such call (x32, a filter), so nothing was attempted.
 */
EM_HOOK(unlink_sys, "tp_btf/sys_exit", struct pt_regs *regs, long ret)
{
	if (ret == -ENOSYS || !is_unlink(syscall_number(regs), regs))
		return 0;
	return unlink_returned((int)ret);
}

/* Below overlayfs the task has borrowed the credentials of whoever mounted it. */
static __always_inline bool is_borrowed(void)
{
	struct task_struct *task;

	if (has_current_task_btf()) {
		task = bpf_get_current_task_btf();
		return task->cred != task->real_cred;
	}
	task = (struct task_struct *)bpf_get_current_task();
	return BPF_CORE_READ(task, cred) != BPF_CORE_READ(task, real_cred);
}

/* After a rename of @old to @new, both still have the files that they had before. */
static __always_inline bool is_replaced(struct dentry *old, struct dentry *new, u32 rename_flags)
{
	struct inode *target = new->d_inode;

	return target && target != old->d_inode && !(rename_flags & RENAME_EXCHANGE) &&
	       (target->i_mode & S_IFMT) != S_IFDIR;
}

/* vfs_rename(): see struct renamedata. */
EM_HOOK(rename_fn, "fexit")
{
	struct em_subject subject;
	bool replaced;
	u32 flags;

	if (bpf_core_type_exists(struct renamedata)) {
		struct renamedata *data = (struct renamedata *)ctx[0];

		replaced = !(int)ctx[1] &&
			   is_replaced(data->old_dentry, data->new_dentry, data->flags);
	} else {
		replaced = !(int)ctx[6] && is_replaced((struct dentry *)ctx[1],
						       (struct dentry *)ctx[3], (u32)ctx[5]);
	}
	if (!replaced || is_borrowed())
		return 0;
	current_subject(&subject, &flags);
	if (!flags_kernel_thread(flags))
		count(&subject, EM_RENAMES_OVER);
	return 0;
}
