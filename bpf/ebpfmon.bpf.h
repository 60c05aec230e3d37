/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a probe's program may use: EM_HOOK() to be called, ledger_open() and ledger_count() to
 * count. Nothing else touches a map. Owns the shared maps and the way an event finds its row.
 */
#pragma once

#include "compat.bpf.h"

/* The shapes of the inner tables: sizes only. core.bpf.c has them with their types. */
struct rows_shape {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct em_row));
};

struct claims_shape {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
};

/*
 * The daemon creates these once, from core.bpf.c, and puts them in the place of ours. Weak, because
 * all programs are linked to one object, in which each is there once.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, EM_ERAS);
	__type(key, __u32);
	__array(values, struct rows_shape);
} rows SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, EM_ERAS);
	__type(key, __u32);
	__array(values, struct claims_shape);
} claims SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EM_SHARDS);
	__type(key, __u32);
	__type(value, struct em_totals);
} totals SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct em_state);
} state SEC(".maps") __weak;

/* Of the dispatchers, in all layouts: events for which there was no program to jump to. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} misses SEC(".maps") __weak;

/* Wakes the running daemon, which looks for itself what there is to do; a new one for each. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} bells SEC(".maps") __weak;

/* Only names are lost here when it is full, never counts: so the oldest may go. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EM_CGROUPS);
	__type(key, __u64);
	__type(value, struct em_cgroup);
} cgroups SEC(".maps") __weak;

/* Processes whose end was seen by one of several threads: only the first one may count it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EM_ENDED);
	__type(key, struct em_process);
	__type(value, __u32);
} ended SEC(".maps") __weak;

/* Of all programs: constants.bpf.c. */
extern const volatile struct em_constants constants;

/* Where one event is entered: always in the totals, and in the row of its subject if it has one. */
struct ledger {
	struct em_totals *totals;
	struct em_row *row; /* NULL: overflow */
};

static __always_inline struct em_totals *totals_shard(void)
{
	u32 shard = bpf_get_smp_processor_id() % EM_SHARDS;

	return bpf_map_lookup_elem(&totals, &shard);
}

static __always_inline enum em_update_error update_error(int error)
{
	switch (error) {
	case -E2BIG:
		return EM_ERROR_E2BIG;
	case -EBUSY:
		return EM_ERROR_EBUSY;
	case -ENOMEM:
		return EM_ERROR_ENOMEM;
	default:
		return EM_ERROR_OTHER;
	}
}

/* A full ring needs no bell: the daemon has been woken and looks for itself. */
static __always_inline void bell(void)
{
	u64 nothing = 0;

	bpf_ringbuf_output(&bells, &nothing, sizeof(nothing), BPF_RB_FORCE_WAKEUP);
}

/* Notes that a row of table @slot is in use. The bell may be rung twice, but not forgotten. */
static __always_inline void row_claimed(struct em_state *control, u32 slot)
{
	if (slot >= EM_ERAS)
		return;
	__sync_fetch_and_add(&control->claimed[slot], 1);
	if (control->claimed[slot] < control->settle_at || control->rung)
		return;
	control->rung = 1;
	bell();
}

/*
 * Makes free row @place the row of @subject. Several processors may want the same place: the
 * claims map, where a key can be inserted just once, decides (an atomic compare-and-swap would
 * need 5.12, on arm64 5.18), and its size is the limit on rows in use. 0: it is ours; -EEXIST:
 * somebody else's.
 */
static __always_inline int row_claim(u32 slot, u32 place, struct em_row *row,
				     const struct em_subject *subject, u64 tag)
{
	void *claimed = bpf_map_lookup_elem(&claims, &slot);
	u32 one = 1;
	int error;

	if (!claimed)
		return -ENOMEM;
	error = map_insert(claimed, &place, &one);
	if (error)
		return error;
	row->subject = *subject;
	barrier();
	row->tag = tag; /* whoever sees the tag may use the row */
	return 0;
}

/* The row of @subject, claimed if it has none yet; NULL and the reason counted if there is none. */
static __always_inline struct em_row *row_find(const struct em_subject *subject,
					       struct em_totals *shard)
{
	enum em_update_error reason = EM_ERROR_ENOSPC;
	u32 zero = 0, slot, place, stride, i;
	struct em_state *control;
	void *table;
	u64 tag;

	control = bpf_map_lookup_elem(&state, &zero);
	if (!control)
		return NULL;
	slot = control->era % EM_ERAS;
	table = bpf_map_lookup_elem(&rows, &slot);
	if (!table)
		return NULL;
	tag = em_subject_tag(subject, control->seed);
	place = (u32)tag;
	stride = (u32)(tag >> 32) | 1;
	for (i = 0; i < EM_ROW_PROBES; i++, place += stride) {
		u32 at = place & constants.row_mask;
		struct em_row *row = bpf_map_lookup_elem(table, &at);
		int error;

		if (!row)
			return NULL;
		if (row->tag == tag && row->subject.uid == subject->uid &&
		    row->subject.login == subject->login && row->subject.cgroup == subject->cgroup)
			return row;
		if (row->tag)
			continue;
		error = row_claim(slot, at, row, subject, tag);
		if (!error) {
			row_claimed(control, slot);
			return row;
		}
		if (error != -EEXIST) {
			reason = update_error(error);
			break;
		}
	}
	__sync_fetch_and_add(&shard->update_errors[reason], 1);
	return NULL;
}

static __always_inline bool ledger_open(struct ledger *ledger, const struct em_subject *subject)
{
	ledger->totals = totals_shard();
	if (!ledger->totals)
		return false;
	ledger->row = row_find(subject, ledger->totals);
	return true;
}

/* The total first, so that at no moment the rows hold more than it. */
static __always_inline void ledger_count(struct ledger *ledger, enum em_slot slot)
{
	__sync_fetch_and_add(&ledger->totals->seen[slot], 1);
	if (ledger->row)
		__sync_fetch_and_add(&ledger->row->counters[slot], 1);
	else
		__sync_fetch_and_add(&ledger->totals->overflow[slot], 1);
}

/* Counts one event of the current task in one counter. */
static __always_inline void count(const struct em_subject *subject, enum em_slot slot)
{
	struct ledger ledger;

	if (ledger_open(&ledger, subject))
		ledger_count(&ledger, slot);
}

static __always_inline void cgroup_remember(u64 id, const struct em_cgroup *cgroup)
{
	u32 zero = 0;
	struct em_state *control = bpf_map_lookup_elem(&state, &zero);

	bpf_map_update_elem(&cgroups, &id, cgroup, BPF_ANY);
	if (!control)
		return;
	__sync_fetch_and_add(&control->cgroups_made, 1);
	if (control->cgroups_made % EM_CGROUPS_BELL == 0)
		bell();
}

/*
 * Whether nobody has claimed the end of @process before. @last: nobody will after us, either, and a
 * look is enough. Without memory: better twice than never.
 */
static __always_inline bool end_claim(const struct em_process *process, bool last)
{
	u32 one = 1;

	if (last)
		return !bpf_map_lookup_elem(&ended, process);
	return map_insert(&ended, process, &one) != -EEXIST;
}

static __always_inline void dispatch_missed(void)
{
	u32 zero = 0;
	u64 *missed = bpf_map_lookup_elem(&misses, &zero);

	if (missed)
		__sync_fetch_and_add(missed, 1);
}

/*
 * Defines hook @name on @section. What is attached, and stays attached for as long as the counts
 * live, is the dispatcher @name_hook: it jumps through the pinned map jump_@name to the body,
 * which every start of the daemon replaces by its own without missing or repeating an event.
 * Names have at most 10 characters: the kernel keeps 15 of a name.
 */
#define EM_HOOK(name, section, args...)                \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, 1);                \
		__uint(key_size, sizeof(__u32));       \
		__uint(value_size, sizeof(__u32));     \
	} jump_##name SEC(".maps");                    \
                                                       \
	SEC(section) int name##_hook(void *ctx)        \
	{                                              \
		bpf_tail_call(ctx, &jump_##name, 0);   \
		dispatch_missed();                     \
		return 0;                              \
	}                                              \
                                                       \
	SEC(section) int BPF_PROG(name, ##args)

char LICENSE[] SEC("license") = "GPL";
