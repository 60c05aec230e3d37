/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types in use, just their fields in use, and accessors for what differs between
 * kernels; each names the change that forced it. Owns all kernel drift, counts nothing.
 * Relocated against the running kernel's BTF (CO-RE), so order and offsets here mean nothing.
 */
#pragma once

#include "ebpfmon.h"

#include <stdbool.h>

typedef __u64 u64;
typedef __u32 u32;
/* For libbpf's list of helpers. */
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* From linux/bpf.h, which cannot be included next to the kernel's own types below. */
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_MMAPABLE = 1024,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
};

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpadded"

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
	kuid_t euid;
};

struct kernfs_node {
	u64 id;
	const char *name;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	unsigned long flags; /* arm64 */
	u32 status;	     /* x86 */
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;	/* threads that have not begun to exit */
	int nr_threads; /* threads that have not been released */
	u32 flags;
	int group_exit_code;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct qstr {
	const unsigned char *name;
};

struct super_block {
	u32 s_dev;
};

struct inode {
	unsigned short i_mode;
	unsigned int i_nlink;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct dentry {
	struct hlist_bl_node d_hash;
	struct inode *d_inode;
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct fs_struct {
	struct path root;
	struct path pwd;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

struct linux_binprm {
	struct file *file;
	unsigned int secureexec : 1;
	const char *filename;
};

typedef struct {
	unsigned long sig[1]; /* 64 signals */
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct task_struct {
	struct thread_info thread_info;
	u32 flags;
	int exit_code;
	struct signal_struct *signal;
	const struct cred *real_cred;
	const struct cred *cred;
	kuid_t loginuid;
	int pid, tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	u64 start_boottime; /* real_start_time up to 5.4 */
	unsigned int sessionid;
	char comm[16];
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct css_set *cgroups;
	void *io_uring; /* struct io_uring_task */
	void *stack;
	sigset_t blocked;
	struct sigpending pending;
};

struct filename {
	const char *name;
	const char *uptr;
};

struct open_flags {
	int open_flag;
	unsigned short mode;
	int lookup_flags;
};

struct pt_regs {
	unsigned long orig_ax; /* x86 */
	unsigned long bx, cx, dx, si, di, r10;
	int syscallno; /* arm64 */
	u64 regs[31];
	u64 orig_x0;
};

/* 5.12 on (9fe61450972d); before, its members were the arguments of vfs_rename(). */
struct renamedata {
	struct dentry *old_dentry;
	struct dentry *new_dentry;
	u32 flags;
};

/* 6.4 on: PF_USER_WORKER means what it says. */
struct kernel_clone_args {
	u32 user_worker;
};

enum bpf_func_id___em {
	BPF_FUNC_get_current_task_btf___em = 158,
	BPF_FUNC_task_pt_regs___em = 175,
};

#pragma clang diagnostic pop
#pragma clang attribute pop

enum {
	PF_IO_WORKER = 0x00000010,
	PF_USER_WORKER = 0x00004000,
	PF_KTHREAD = 0x00200000,
	SIGNAL_GROUP_EXIT = 0x00000004,
	CLONE_THREAD = 0x00010000,
	AT_REMOVEDIR = 0x200,
	AT_FDCWD = -100,
	THREAD_SIZE = 16384, /* x86 */
	SIGSYS = 31,
	X32_BIT = 0x40000000, /* of the number of a system call */
	RENAME_EXCHANGE = 1 << 1,
	S_IFMT = 0170000,
	S_IFDIR = 0040000,
	TS_COMPAT = 0x0002, /* x86: inside a 32-bit system call */
	TIF_32BIT = 22,	    /* arm64: likewise, a bit of thread_info.flags */
	PF_DUMPCORE = 0x00000200,
	FMODE_EXEC = 0x20, /* include/linux/fs.h __FMODE_EXEC: opened by exec */
	O_NONBLOCK = 04000,
	O_CREAT = 0100,
	O_TRUNC = 01000,
	O_CLOEXEC = 02000000,
	O_WRONLY = 01,
	S_ISUID = 04000,
	S_ISGID = 02000,
	/* 5.12 on: -EAGAIN rather than to block. Bit 21, then bit 9; either means nothing else there. */
	LOOKUP_CACHED = 1 << 21 | 1 << 9,
	EPERM = 1,
	E2BIG = 7,
	EAGAIN = 11,
	ENOMEM = 12,
	EACCES = 13,
	EBUSY = 16,
	EEXIST = 17,
	ENOSYS = 38,
	MAX_ERRNO = 4095,
};

static __always_inline bool has_current_task_btf(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id___em,
					  BPF_FUNC_get_current_task_btf___em);
}

/*
 * Enters @key unless it is there. Before 6.4 (d7ba4cc900bf) what maps do returns int, and the
 * verifier makes it a direct call: the upper half of what comes back is not the sign.
 */
static __always_inline int map_insert(void *map, const void *key, const void *value)
{
	return (int)bpf_map_update_elem(map, key, value, BPF_NOEXIST);
}

/* A kernel thread, unless it works for a process: up to 5.11 io_uring's workers were such. */
static __always_inline bool flags_kernel_thread(u32 flags)
{
	return (flags & (PF_KTHREAD | PF_IO_WORKER)) == PF_KTHREAD;
}

/* A thread that the kernel made in a process for itself: io_uring (from 5.12), vhost (from 6.4). */
static __always_inline bool flags_user_worker(u32 flags)
{
	if (bpf_core_field_exists(struct kernel_clone_args, user_worker) && flags & PF_USER_WORKER)
		return true;
	return flags & PF_IO_WORKER;
}

/*
 * Who is running, taken from the task. Without bpf_get_current_task_btf (5.11, 3ca1032ab7ab) the
 * task is a plain address, read by probing. real_cred is the task's own; cred may be borrowed for
 * an operation (overlayfs). The worker threads of 5.10 have only what they borrowed.
 */
static __always_inline void current_subject(struct em_subject *subject, u32 *flags)
{
	if (has_current_task_btf()) {
		struct task_struct *task = bpf_get_current_task_btf();

		*flags = task->flags;
		subject->uid = task->real_cred->uid.val;
		subject->login = bpf_core_field_exists(task->loginuid) ? task->loginuid.val
								       : (u32)EM_LOGIN_UNSET;
		subject->cgroup = task->cgroups->dfl_cgrp->kn->id;
	} else {
		struct task_struct *task = (struct task_struct *)bpf_get_current_task();

		*flags = BPF_CORE_READ(task, flags);
		if (*flags & PF_KTHREAD)
			subject->uid = BPF_CORE_READ(task, cred, uid.val);
		else
			subject->uid = BPF_CORE_READ(task, real_cred, uid.val);
		subject->login = bpf_core_field_exists(task->loginuid)
					 ? BPF_CORE_READ(task, loginuid.val)
					 : (u32)EM_LOGIN_UNSET;
		subject->cgroup = bpf_get_current_cgroup_id();
	}
}

/*
 * What the current task entered the kernel with, to be read by probing; NULL: not known. Before
 * bpf_task_pt_regs (5.15, dd6e10fbd9fb) it is at the end of the stack, whose size x86 does not vary.
 */
static __always_inline const struct pt_regs *task_registers(void)
{
	const char *stack;

	if (bpf_core_enum_value_exists(enum bpf_func_id___em, BPF_FUNC_task_pt_regs___em))
		return (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
#if defined(__TARGET_ARCH_x86)
	stack = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), stack);
	return (const void *)(stack + THREAD_SIZE - bpf_core_type_size(struct pt_regs));
#else
	(void)stack;
	return NULL;
#endif
}

/* Whether the system call under way is a 32-bit one: on x86 whatever the program, int $0x80. */
static __always_inline bool syscall_compat(void)
{
#if defined(__TARGET_ARCH_x86)
	if (has_current_task_btf())
		return bpf_get_current_task_btf()->thread_info.status & TS_COMPAT;
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), thread_info.status) &
	       TS_COMPAT;
#else
	if (has_current_task_btf())
		return bpf_get_current_task_btf()->thread_info.flags & 1UL << TIF_32BIT;
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), thread_info.flags) &
	       1UL << TIF_32BIT;
#endif
}

/* The file behind descriptor @fd of @task. It may have been closed by another thread. */
static __always_inline struct file *task_file(struct task_struct *task, u32 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file *file = NULL;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	return file;
}

/* Whether the current task has an io_uring. */
static __always_inline bool uses_io_uring(void)
{
	if (has_current_task_btf())
		return bpf_get_current_task_btf()->io_uring;
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), io_uring);
}

/* The number of the system call that @regs entered with; x32's mark is taken off. */
static __always_inline u32 syscall_number(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (u32)regs->orig_ax & ~X32_BIT;
#else
	return (u32)regs->syscallno;
#endif
}

/*
 * Whether a seccomp filter ended the call by SIGSYS (trap, kill): the kernel did nothing, and @ret is
 * the register as it was at the start. Such a SIGSYS is pending and not blocked, which nobody else's
 * can have been when the call began.
 */
static __always_inline bool syscall_trapped(struct pt_regs *regs, long ret)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	const u64 signal = 1ULL << (SIGSYS - 1);

#if defined(__TARGET_ARCH_x86)
	if ((u32)ret != (u32)regs->orig_ax)
		return false;
#else
	if ((u32)ret != (u32)regs->orig_x0)
		return false;
#endif
	return BPF_CORE_READ(task, pending.signal.sig[0]) & ~BPF_CORE_READ(task, blocked.sig[0]) &
	       signal;
}

/* What the task entered the kernel with; NULL before 5.15 (dd6e10fbd9fb). */
static __always_inline struct pt_regs *current_registers(void)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id___em, BPF_FUNC_task_pt_regs___em))
		return NULL;
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/* The user's argument @i of the system call that @regs entered with. */
static __always_inline unsigned long syscall_argument(struct pt_regs *regs, unsigned int i,
						      bool compat)
{
#if defined(__TARGET_ARCH_x86)
	switch (i) {
	case 0:
		return compat ? (u32)regs->bx : regs->di;
	case 1:
		return compat ? (u32)regs->cx : regs->si;
	case 2:
		return compat ? (u32)regs->dx : regs->dx;
	default:
		return compat ? (u32)regs->si : regs->r10;
	}
#else
	u64 value = i ? regs->regs[i] : regs->orig_x0; /* the result is in regs[0] by now */

	return compat ? (u32)value : value;
#endif
}
