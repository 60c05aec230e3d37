/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a program tells what happened, after it has counted it: event_begin(), any number of
 * event_*() in the order of enum em_event_string, event_end(). Owns the ring buffer, its budgets
 * and what was not written to it. Refuses to touch counts.
 *
 * A record is put together in memory of the program's own (EM_HEAP()) and then copied to the ring:
 * its size is not known before, and the ring of 5.10 reserves constant sizes only. That memory is
 * there once per processor. It needs no lock: the kernel runs no tracing program on a processor on
 * which the same one has been interrupted or preempted (up to 5.10 they cannot be preempted, then
 * the dispatcher is skipped and that is counted as a miss), and no hook here is reached from
 * interrupts. LSM programs have no such guard: they would need another way.
 */
#pragma once

#include "ebpfmon.bpf.h"

/* These belong to the running daemon: new and zero for each, nothing is written when it begins. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct em_event_control);
} event_control SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EM_SHARDS);
	__type(key, __u32);
	__type(value, struct em_event_losses);
} event_losses SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EM_BUDGETS);
	__type(key, __u32);
	__type(value, struct em_budget);
} event_budget SEC(".maps") __weak;

/* A place in the tree of mounts: addresses, read by probing, since it may be changing under us. */
struct place {
	const struct dentry *dentry;
	const struct vfsmount *mount;
	const struct dentry *mount_root;
};

/* Strings begin below EM_EVENT_BYTES and are at most EM_EVENT_PIECE long. */
struct event_heap {
	u64 used;		  /* bytes of strings */
	struct place place, root; /* of a path being followed */
	struct em_event event;
	char bytes[EM_EVENT_BYTES + EM_EVENT_PIECE];
};

/* What EM_HEAP() made for one program. */
struct event_memory {
	void *map;
	int (*who)(u32 ancestors);
	int (*follow)(u32 index);
};

/* A record under construction. */
struct event_draft {
	struct event_memory memory;
	struct em_event_control *control;
	struct event_heap *heap;
	struct task_struct *task;
};

#define EM_MEMORY(name) ((struct event_memory){ &heap_##name, who_##name, follow_##name })

/*
 * The memory of program @name; made only if that program is loaded. With it come functions that
 * take long to verify: the kernel does so once, and not for every way that leads to them.
 */
#define EM_HEAP(name)                                                               \
	struct {                                                                    \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                            \
		__uint(max_entries, 1);                                             \
		__type(key, __u32);                                                 \
		__type(value, struct event_heap);                                   \
	} heap_##name SEC(".maps");                                                 \
                                                                                    \
	__attribute__((noinline)) int who_##name(u32 ancestors)                     \
	{                                                                           \
		u32 zero = 0;                                                       \
		struct event_heap *heap = bpf_map_lookup_elem(&heap_##name, &zero); \
                                                                                    \
		return heap ? event_who(heap, ancestors) : 0;                       \
	}                                                                           \
                                                                                    \
	__attribute__((noinline)) int follow_##name(u32 index)                      \
	{                                                                           \
		u32 zero = 0;                                                       \
		struct event_heap *heap = bpf_map_lookup_elem(&heap_##name, &zero); \
                                                                                    \
		return heap ? event_follow(heap, index) : 0;                        \
	}

/* A field of the task, by plain loads where the kernel allows them (see current_subject()). */
#define TASK_READ(task, field)                                                       \
	({                                                                           \
		__typeof__(task) _task = (task);                                     \
		has_current_task_btf() ? _task->field : BPF_CORE_READ(_task, field); \
	})

/* Makes clang keep a bound that it thinks it can prove, for verifiers that cannot. */
#define KEEP(variable) asm volatile("" : "+r"(variable))

static __always_inline struct task_struct *event_task(void)
{
	return has_current_task_btf() ? bpf_get_current_task_btf()
				      : (struct task_struct *)bpf_get_current_task();
}

static __always_inline struct em_event_losses *event_shard(void)
{
	u32 shard = bpf_get_smp_processor_id() % EM_SHARDS;

	return bpf_map_lookup_elem(&event_losses, &shard);
}

static __always_inline void event_lost(u32 kind, bool budget)
{
	struct em_event_losses *losses = event_shard();

	if (!losses || kind >= EM_EVENT_KINDS)
		return;
	if (budget)
		__sync_fetch_and_add(&losses->budget[kind], 1);
	else
		__sync_fetch_and_add(&losses->full[kind], 1);
}

/*
 * Whether the task is of process @pid or descends from it. Where the tree cannot be read it may be.
 * A function of its own, verified once.
 */
__weak __attribute__((noinline)) int event_in_tree(u32 pid)
{
	struct task_struct *task = event_task();
	u32 i, at;

	if (constants.events != EM_EVENTS_FULL)
		return 1;
	for (i = 0; i <= EM_EVENT_ANCESTORS; i++) {
		at = BPF_CORE_READ(task, tgid);
		if (at == pid)
			return 1;
		if (at <= 1)
			return 0;
		task = BPF_CORE_READ(task, real_parent);
	}
	return 0;
}

/* Whether no listener can want it, by what all of them have in common. */
static __always_inline bool event_unwanted(const struct em_event_control *control, u32 kind,
					   u32 uid, u32 pid, u32 error)
{
	u32 bit = 1U << kind;

	return (control->failed_only & bit && !error) ||
	       (control->one_user & bit && control->uid[kind] != uid) ||
	       (control->one_process & bit && control->pid[kind] != pid) ||
	       (control->one_tree & bit && !event_in_tree(control->pid[kind]));
}

static __always_inline u32 start_of(u64 start_ns)
{
	return start_ns / 10000000;
}

/* The first of the strings, which are then aligned. By probing: plain loads of pointers cost the
 * verifier a search through all types of the kernel each. */
static __always_inline void event_ancestors(struct event_heap *heap, struct task_struct *task)
{
	struct em_ancestor *ancestors = (struct em_ancestor *)heap->bytes;
	u32 n;

	for (n = 0; n < EM_EVENT_ANCESTORS; n++) {
		task = BPF_CORE_READ(task, real_parent);
		ancestors[n].pid = BPF_CORE_READ(task, tgid);
		if (ancestors[n].pid <= 1)
			break;
		ancestors[n].start = 0;
		if (bpf_core_field_exists(task->start_boottime))
			ancestors[n].start =
				start_of(BPF_CORE_READ(task, group_leader, start_boottime));
	}
	heap->used = n * sizeof(*ancestors);
	heap->event.strings[EM_STRING_ANCESTORS].bytes = heap->used;
	heap->event.strings[EM_STRING_ANCESTORS].flags = EM_STRING_KNOWN;
}

/* The parent alone, where there is no probing. */
static __always_inline void event_parent(struct event_heap *heap, struct task_struct *task)
{
	struct em_ancestor *ancestor = (struct em_ancestor *)heap->bytes;

	ancestor->pid = heap->event.parent;
	ancestor->start = 0;
	if (bpf_core_field_exists(task->start_boottime))
		ancestor->start = start_of(task->real_parent->group_leader->start_boottime);
	heap->used = sizeof(*ancestor);
	heap->event.strings[EM_STRING_ANCESTORS].bytes = sizeof(*ancestor);
	heap->event.strings[EM_STRING_ANCESTORS].flags = EM_STRING_KNOWN;
}

static __always_inline int event_who(struct event_heap *heap, u32 ancestors)
{
	struct em_event *event = &heap->event;
	struct task_struct *task = event_task();

	event->pid = TASK_READ(task, tgid);
	event->tid = TASK_READ(task, pid);
	if (has_current_task_btf()) {
		event->parent = task->real_parent->tgid;
		event->euid = task->real_cred->euid.val;
		if (bpf_core_field_exists(task->start_boottime))
			event->start = start_of(task->group_leader->start_boottime);
	} else {
		event->parent = BPF_CORE_READ(task, real_parent, tgid);
		event->euid = BPF_CORE_READ(task, real_cred, euid.val);
		if (bpf_core_field_exists(task->start_boottime))
			event->start = start_of(BPF_CORE_READ(task, group_leader, start_boottime));
	}
	event->session = (u32)EM_SESSION_UNSET;
	if (bpf_core_field_exists(task->sessionid))
		event->session = TASK_READ(task, sessionid);
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	if (ancestors && constants.events == EM_EVENTS_FULL)
		event_ancestors(heap, task);
	else if (ancestors && has_current_task_btf())
		event_parent(heap, task);
	return 0;
}

/* Whether anybody listens to events of @kind: one load. */
static __always_inline struct em_event_control *event_wanted(u32 kind)
{
	struct em_event_control *control;
	u32 zero = 0;

	if (!constants.events)
		return NULL;
	control = bpf_map_lookup_elem(&event_control, &zero);
	return control && control->wanted & 1U << kind ? control : NULL;
}

/*
 * Begins the record of an event that was counted: false if nobody wants it, which is one load when
 * nobody listens at all. @memory is EM_MEMORY() of the program.
 */
static __always_inline bool event_begin(struct event_draft *draft, struct event_memory memory,
					u32 kind, const struct em_subject *subject, u32 error)
{
	u32 zero = 0;

	draft->control = event_wanted(kind);
	if (!draft->control)
		return false;
	draft->task = event_task();
	if (event_unwanted(draft->control, kind, subject->uid, TASK_READ(draft->task, tgid),
			   error)) {
		struct em_event_losses *losses = event_shard();

		if (losses)
			__sync_fetch_and_add(&losses->filtered[kind], 1);
		return false;
	}
	draft->memory = memory;
	draft->heap = bpf_map_lookup_elem(memory.map, &zero);
	if (!draft->heap) {
		event_lost(kind, false);
		return false;
	}
	draft->heap->used = 0;
	__builtin_memset(&draft->heap->event, 0, sizeof(draft->heap->event));
	draft->heap->event.kind = kind;
	draft->heap->event.error = error;
	draft->heap->event.flags = error ? EM_EVENT_FAILED : 0;
	draft->heap->event.time_ns = bpf_ktime_get_boot_ns();
	if (draft->heap->event.time_ns > draft->control->until_ns) {
		event_lost(kind, false);
		return false;
	}
	draft->heap->event.subject = *subject;
	memory.who(draft->control->ancestors);
	return true;
}

/* Where the next string goes; at most EM_EVENT_PIECE bytes. */
static __always_inline char *event_place(struct event_heap *heap)
{
	u64 at = heap->used;

	KEEP(at);
	return heap->bytes + (at & (EM_EVENT_BYTES - 1));
}

static __always_inline bool event_room(const struct event_heap *heap)
{
	return heap->used < EM_EVENT_BYTES;
}

/* Takes @read bytes, as a helper returned them, into the string @index. */
static __always_inline void event_add(struct event_heap *heap, enum em_event_string index,
				      long read, u32 flags)
{
	struct em_event_part *part = &heap->event.strings[index];

	if (read < 0 || read > EM_EVENT_PIECE)
		return;
	part->bytes += read;
	part->flags |= flags | EM_STRING_KNOWN;
	heap->used += read;
}

/* A NUL-terminated string: of the kernel, ... */
static __always_inline void event_kernel_string(struct event_draft *draft,
						enum em_event_string index, const void *text)
{
	long n;

	if (constants.events != EM_EVENTS_FULL || !event_room(draft->heap))
		return;
	n = bpf_probe_read_kernel_str(event_place(draft->heap), EM_EVENT_PIECE, text);
	event_add(draft->heap, index, n - 1, n == EM_EVENT_PIECE ? EM_STRING_TRUNCATED : 0);
}

/*
 * ... or of the process, which may change it. Lockdown does not forbid that, but where it forbids
 * the other libbpf takes both for unknown and calls bpf_probe_read(), which is forbidden as well.
 */
static __always_inline void event_user_string(struct event_draft *draft, enum em_event_string index,
					      unsigned long text)
{
	long n;

	draft->heap->event.flags |= EM_EVENT_PROCESS_NAMES;
	if (constants.events != EM_EVENTS_FULL || !event_room(draft->heap))
		return;
	n = bpf_probe_read_user_str(event_place(draft->heap), EM_EVENT_PIECE, (const void *)text);
	event_add(draft->heap, index, n - 1, n == EM_EVENT_PIECE ? EM_STRING_TRUNCATED : 0);
}

/* The beginning of [@from, @to) of the process. */
static __always_inline void event_user_bytes(struct event_draft *draft, enum em_event_string index,
					     unsigned long from, unsigned long to, u32 max)
{
	unsigned long bytes = to - from;

	if (constants.events != EM_EVENTS_FULL || from > to || !event_room(draft->heap))
		return;
	if (bytes > max)
		bytes = max;
	KEEP(bytes);
	bytes &= 2 * EM_EVENT_PIECE - 1;
	if (bytes > EM_EVENT_PIECE ||
	    bpf_probe_read_user(event_place(draft->heap), bytes, (const void *)from))
		return;
	event_add(draft->heap, index, bytes, to - from > bytes ? EM_STRING_TRUNCATED : 0);
}

/*
 * The user's argument @i, 0 to 2, at the end of a system call's own function. The registers are
 * read by probing: 5.10 has no full type of them at some of these functions and refuses plain loads.
 */
static __always_inline unsigned long function_argument(void *ctx, unsigned int i, bool compat)
{
	const struct pt_regs *regs = NULL;

	if (constants.events != EM_EVENTS_FULL)
		return 0;
	bpf_probe_read_kernel(&regs, sizeof(regs), ctx);
#if defined(__TARGET_ARCH_x86)
	if (i == 2)
		return BPF_CORE_READ(regs, dx);
	if (compat)
		return i ? (u32)BPF_CORE_READ(regs, cx) : (u32)BPF_CORE_READ(regs, bx);
	return i ? BPF_CORE_READ(regs, si) : BPF_CORE_READ(regs, di);
#else
	u64 value = i == 2 ? BPF_CORE_READ(regs, regs[2])
		    : i	   ? BPF_CORE_READ(regs, regs[1])
			   : BPF_CORE_READ(regs, orig_x0);

	return compat ? (u32)value : value;
#endif
}

/* --- paths ------------------------------------------------------------------------------------- */

static __always_inline void place_set(struct place *place, const struct path *path)
{
	const struct vfsmount *mount = BPF_CORE_READ(path, mnt);

	place->dentry = BPF_CORE_READ(path, dentry);
	place->mount = mount;
	place->mount_root = BPF_CORE_READ(mount, mnt_root);
}

/* From the root of a mount to where it is mounted; false: there is no way up. */
static __always_inline bool place_cross(struct place *place)
{
	const char *vfsmount = (const char *)place->mount;
	u64 offset = bpf_core_field_offset(struct mount, mnt);
	const struct mount *mount = (const void *)(vfsmount - offset);
	const struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

	if (!parent || parent == mount)
		return false;
	place->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
	place->mount = (const void *)((const char *)parent + offset);
	place->mount_root = BPF_CORE_READ(parent, mnt.mnt_root);
	return true;
}

/*
 * Adds the components from heap->place up to heap->root, the last first: the daemon turns them
 * round. Returns flags of the string.
 */
static __always_inline int event_follow(struct event_heap *heap, u32 index)
{
	struct place *place = &heap->place, *root = &heap->root;
	u32 i;

	/* A function of its own is verified even if nobody calls it. */
	if (constants.events != EM_EVENTS_FULL || index >= EM_EVENT_STRINGS)
		return 0;
	for (i = 0; i < EM_PATH_DEPTH; i++) {
		const struct dentry *dentry = place->dentry, *parent;

		if (dentry == root->dentry && place->mount == root->mount)
			return 0;
		if (dentry == place->mount_root && place_cross(place))
			continue;
		if (!event_room(heap))
			return EM_STRING_TRUNCATED;
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent != dentry || i == 0) {
			const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);

			event_add(heap, index,
				  bpf_probe_read_kernel_str(event_place(heap), EM_NAME_BYTES, name),
				  0);
		}
		if (parent == dentry || dentry == place->mount_root)
			return EM_STRING_UNREACHABLE;
		place->dentry = parent;
	}
	return EM_STRING_TRUNCATED;
}

/* The path of heap->place. */
static __always_inline void event_placed(struct event_draft *draft, enum em_event_string index,
					 bool deleted)
{
	struct em_event_part *part = &draft->heap->event.strings[index];
	const struct dentry *dentry = draft->heap->place.dentry;
	struct task_struct *task = draft->task;
	const struct fs_struct *fs;

	if (!dentry)
		return;
	fs = BPF_CORE_READ(task, fs);
	place_set(&draft->heap->root, &fs->root);
	part->flags = EM_STRING_KNOWN | EM_STRING_COMPONENTS;
	if (deleted || !BPF_CORE_READ(dentry, d_hash.pprev))
		part->flags |= EM_STRING_DELETED;
	part->flags |= draft->memory.follow(index);
}

static __always_inline void event_path(struct event_draft *draft, enum em_event_string index,
				       const struct path *path, bool deleted)
{
	if (constants.events != EM_EVENTS_FULL)
		return;
	place_set(&draft->heap->place, path);
	event_placed(draft, index, deleted);
}

/* The path of an open file; its device and inode as numbers 2 and 3. */
static __always_inline void event_file(struct event_draft *draft, const struct file *file)
{
	const struct inode *inode;

	if (constants.events != EM_EVENTS_FULL || !file)
		return;
	inode = BPF_CORE_READ(file, f_inode);
	draft->heap->event.numbers[2] = BPF_CORE_READ(inode, i_sb, s_dev);
	draft->heap->event.numbers[3] = BPF_CORE_READ(inode, i_ino);
	event_path(draft, EM_STRING_PATH, &file->f_path, !BPF_CORE_READ(inode, i_nlink));
}

/* --- writing ----------------------------------------------------------------------------------- */

/*
 * Whether user @uid may write @bytes more. While half of the ring is free everybody may; then each
 * has a share per window, so that one who floods leaves room for all others. Races between
 * processors make a share larger by what they write at that moment.
 */
static __always_inline bool event_affordable(const struct em_event_control *control, u32 uid,
					     u32 bytes, u64 waiting)
{
	u32 place = (uid * 0x9e3779b1U) >> 22 & (EM_BUDGETS - 1);
	struct em_budget *budget = bpf_map_lookup_elem(&event_budget, &place);

	if (!budget)
		return true;
	if (budget->window != control->window) {
		budget->window = control->window;
		budget->bytes = 0;
	}
	if (waiting > control->ring_bytes / 2 &&
	    budget->bytes + bytes > control->ring_bytes / EM_BUDGET_SHARE)
		return false;
	__sync_fetch_and_add(&budget->bytes, bytes);
	return true;
}

/* Waking the daemon costs more than the record: once per window is enough. */
static __always_inline u64 event_wakeup(struct em_event_control *control, u64 waiting)
{
	if (waiting < control->ring_bytes / EM_WAKEUP_SHARE || control->rung == control->window)
		return BPF_RB_NO_WAKEUP;
	control->rung = control->window;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void event_end(struct event_draft *draft)
{
	struct em_event_control *control = draft->control;
	struct em_event *event = &draft->heap->event;
	u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	u64 bytes = draft->heap->used;

	KEEP(bytes);
	if (bytes > EM_EVENT_BYTES + EM_EVENT_PIECE)
		return; /* it cannot be */
	bytes += sizeof(*event);
	if (!event_affordable(control, event->subject.uid, bytes, waiting))
		event_lost(event->kind, true);
	else if (bpf_ringbuf_output(&events, event, bytes, event_wakeup(control, waiting)))
		event_lost(event->kind, false);
}
