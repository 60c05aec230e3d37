// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "unlink": names that were removed on request of a process, attempts that failed, and
 * files that lost their name to another by rename. Directories are not counted, nor what the
 * kernel removes on its own (its threads, an old core file, below overlayfs).
 */
#include "event.bpf.h"

EM_HEAP(unlink_fn)
EM_HEAP(unlink_sys)
EM_HEAP(rename_fn)

/* false: no process asked for it. */
static __always_inline bool unlink_count(struct em_subject *subject, u32 *task_flags, bool failed)
{
	current_subject(subject, task_flags);
	if (flags_kernel_thread(*task_flags) || *task_flags & PF_DUMPCORE)
		return false;
	count(subject, failed ? EM_UNLINK_FAILURES : EM_UNLINKS);
	return true;
}

/* The directory @fd, where a name begins that does not begin at the root. */
static __always_inline void unlink_directory(struct event_draft *draft, int fd)
{
	struct task_struct *task = draft->task;
	const struct fs_struct *fs;
	const struct path *path;

	if (constants.events != EM_EVENTS_FULL)
		return;
	draft->heap->event.flags |= EM_EVENT_DIRECTORY;
	fs = BPF_CORE_READ(task, fs);
	path = &fs->pwd;
	if (fd != AT_FDCWD) {
		const struct file *file = task_file(task, fd);

		if (!file)
			return;
		path = &file->f_path;
	}
	event_path(draft, EM_STRING_FOLDER, path, false);
}

/*
 * Numbers from the kernel's syscall tables: x86 64-bit, 32-bit; arm64 and 32-bit ARM. Which argument
 * is the name; -1: it unlinks nothing.
 */
static __always_inline int unlink_argument(u32 number)
{
#if defined(__TARGET_ARCH_x86)
	switch (number) {
	case 87: /* unlink */
		return syscall_compat() ? -1 : 0;
	case 263: /* unlinkat */
		return syscall_compat() ? -1 : 1;
	case 10: /* unlink */
		return syscall_compat() ? 0 : -1;
	case 301: /* unlinkat */
		return syscall_compat() ? 1 : -1;
	}
#else
	switch (number) {
	case 35: /* unlinkat */
		return syscall_compat() ? -1 : 1;
	case 10: /* unlink */
		return syscall_compat() ? 0 : -1;
	case 328: /* unlinkat */
		return syscall_compat() ? 1 : -1;
	}
#endif
	return -1;
}

/* Where in its memory the process has the name; 0: it is not known, or io_uring unlinks. */
static __always_inline unsigned long unlink_name(void)
{
	const struct pt_regs *regs = task_registers();
	u64 names[2];
	int argument;

	if (!regs)
		return 0;
#if defined(__TARGET_ARCH_x86)
	argument = unlink_argument((u32)BPF_CORE_READ(regs, orig_ax) & ~X32_BIT);
	names[0] = syscall_compat() ? BPF_CORE_READ(regs, bx) : BPF_CORE_READ(regs, di);
	names[1] = syscall_compat() ? BPF_CORE_READ(regs, cx) : BPF_CORE_READ(regs, si);
#else
	argument = unlink_argument((u32)BPF_CORE_READ(regs, syscallno));
	names[0] = BPF_CORE_READ(regs, orig_x0);
	names[1] = BPF_CORE_READ(regs, regs[1]);
#endif
	if (argument < 0)
		return 0;
	names[0] = argument ? names[1] : names[0];
	return syscall_compat() ? (u32)names[0] : names[0];
}

/*
 * do_unlinkat() has given up @name when it returns; filename_unlinkat(), from 7.0 on, leaves it to
 * its caller. A file name has no uptr any more there.
 */
static __always_inline void unlink_names(struct event_draft *draft, struct filename *name,
					 u32 task_flags)
{
	unsigned long asked = 0;

	if (constants.events == EM_EVENTS_FULL && !(task_flags & PF_IO_WORKER))
		asked = unlink_name();
	if (!asked && constants.events == EM_EVENTS_FULL)
		draft->heap->event.flags |= EM_EVENT_IO_URING;
	if (!bpf_core_field_exists(name->uptr))
		event_kernel_string(draft, EM_STRING_ASKED, BPF_CORE_READ(name, name));
	else if (asked)
		event_user_string(draft, EM_STRING_ASKED, asked);
}

/*
 * do_unlinkat(), from 7.0 on filename_unlinkat(): every way to unlink by name ends there. A name
 * that could not be read from the process is left out: io_uring does not get as far with it.
 */
EM_HOOK(unlink_fn, "fexit", int dfd, struct filename *name, int ret)
{
	struct em_subject subject;
	struct event_draft draft;
	u32 flags;

	if ((unsigned long)name >= (unsigned long)-MAX_ERRNO)
		return 0;
	if (!unlink_count(&subject, &flags, ret) ||
	    !event_begin(&draft, EM_MEMORY(unlink_fn), EM_EVENT_UNLINK, &subject, -ret))
		return 0;
	unlink_names(&draft, name, flags);
	unlink_directory(&draft, dfd);
	event_end(&draft);
	return 0;
}

/*
 * Where functions cannot be hooked: every system call of the machine passes here. ENOSYS: this
 * kernel has no such call (x32, a filter), so nothing was attempted; nor if a filter sent SIGSYS.
 */
EM_HOOK(unlink_sys, "tp_btf/sys_exit", struct pt_regs *regs, long ret)
{
	int argument = unlink_argument(syscall_number(regs)), fd = AT_FDCWD;
	struct em_subject subject;
	struct event_draft draft;
	unsigned long name;
	bool compat;
	u32 flags;

	if (argument < 0 || ret == -ENOSYS || syscall_trapped(regs, ret))
		return 0;
	compat = syscall_compat();
	name = syscall_argument(regs, 0, compat);
	if (argument) {
		if (syscall_argument(regs, 2, compat) & AT_REMOVEDIR)
			return 0;
		fd = name;
		name = syscall_argument(regs, 1, compat);
	}
	if (!unlink_count(&subject, &flags, ret) ||
	    !event_begin(&draft, EM_MEMORY(unlink_sys), EM_EVENT_UNLINK, &subject, -ret))
		return 0;
	event_user_string(&draft, EM_STRING_ASKED, name);
	unlink_directory(&draft, fd);
	event_end(&draft);
	return 0;
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

/*
 * @old has the name that @new had. Under which mount it was done is not known here: one of the same
 * file system that the process uses will do, else the path is the one within the file system.
 */
static __always_inline void rename_path(struct event_draft *draft, struct dentry *old)
{
	const struct super_block *super = BPF_CORE_READ(old, d_inode, i_sb);
	struct place *place = &draft->heap->place;
	struct task_struct *task = draft->task;
	const struct fs_struct *fs = BPF_CORE_READ(task, fs);
	const struct vfsmount *mount;

	place_set(place, &fs->pwd);
	mount = place->mount;
	if (BPF_CORE_READ(mount, mnt_sb) != super) {
		place_set(place, &fs->root);
		mount = place->mount;
		if (BPF_CORE_READ(mount, mnt_sb) != super)
			place->mount_root = NULL;
	}
	place->dentry = old;
	event_placed(draft, EM_STRING_PATH, false);
}

/* Tells of the name, and of the file that had it. */
static __always_inline void rename_event(const struct em_subject *subject, struct dentry *old,
					 struct dentry *new)
{
	struct event_draft draft;
	struct em_event *event;

	if (!event_begin(&draft, EM_MEMORY(rename_fn), EM_EVENT_UNLINK, subject, 0))
		return;
	event = &draft.heap->event;
	event->flags |= EM_EVENT_RENAME;
	if (constants.events == EM_EVENTS_FULL) {
		event->numbers[2] = BPF_CORE_READ(new, d_inode, i_sb, s_dev);
		event->numbers[3] = BPF_CORE_READ(new, d_inode, i_ino);
		rename_path(&draft, old);
	}
	event_end(&draft);
}

/* Keeps clang from choosing a place in the context first, which verifiers do not allow. */
static __always_inline u64 context_word(const unsigned long long *ctx, unsigned int i)
{
	u64 word = ctx[i];

	KEEP(word);
	return word;
}

/* vfs_rename(): see struct renamedata. */
EM_HOOK(rename_fn, "fexit")
{
	struct dentry *old, *new;
	struct em_subject subject;
	u32 flags, rename_flags;
	int ret;

	if (bpf_core_type_exists(struct renamedata)) {
		struct renamedata *data = (struct renamedata *)context_word(ctx, 0);

		ret = (int)context_word(ctx, 1);
		old = data->old_dentry;
		new = data->new_dentry;
		rename_flags = data->flags;
	} else {
		ret = (int)context_word(ctx, 6);
		old = (struct dentry *)context_word(ctx, 1);
		new = (struct dentry *)context_word(ctx, 3);
		rename_flags = (u32)context_word(ctx, 5);
	}
	if (ret || !is_replaced(old, new, rename_flags) || is_borrowed())
		return 0;
	current_subject(&subject, &flags);
	if (flags_kernel_thread(flags))
		return 0;
	count(&subject, EM_RENAMES_OVER);
	rename_event(&subject, old, new);
	return 0;
}
