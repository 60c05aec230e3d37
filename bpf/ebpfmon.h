/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel/user ABI: what lies in the pinned maps, and the list of counters. Everything here
 * outlives a daemon; a change of any shape needs a new EM_LAYOUT. Included by both sides.
 */
#pragma once

#ifdef __bpf__
typedef unsigned char __u8;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;
#else
#include <linux/types.h>
#endif

/*
 * Version of the sizes below; part of the pin path ("v1"). A start that finds counts of another
 * layout takes them over. Tests build a second layout, which differs in all sizes that may.
 */
#ifndef EM_LAYOUT
#define EM_LAYOUT 1
#endif
/* How things are composed, given the sizes that "state" tells: what a takeover understands. */
#define EM_FORMAT 1

/*
 * The counters: append only, a number is never given to another meaning. To add one: a line here,
 * and its slot in the descriptor of the probe that counts it (daemon/probe-NAME.c).
 *   SLOT(enumerator, number, name in JSON and, in upper case, in tables)
 */
#define EM_SLOT_LIST(SLOT)                            \
	SLOT(EXECS, 0, "execs")                       \
	SLOT(EXEC_FAILURES, 1, "execFailures")        \
	SLOT(OPENS, 2, "opens")                       \
	SLOT(OPEN_FAILURES, 3, "openFailures")        \
	SLOT(OPEN_DENIALS, 4, "openDenials")          \
	SLOT(EXITS, 5, "exits")                       \
	SLOT(ABNORMAL_EXITS, 6, "abnormalExits")      \
	SLOT(EXITS_UNDER_1MS, 7, "exitsUnder1ms")     \
	SLOT(EXITS_UNDER_10MS, 8, "exitsUnder10ms")   \
	SLOT(EXITS_UNDER_100MS, 9, "exitsUnder100ms") \
	SLOT(EXITS_UNDER_1S, 10, "exitsUnder1s")      \
	SLOT(EXITS_UNDER_10S, 11, "exitsUnder10s")    \
	SLOT(EXITS_UNDER_1MIN, 12, "exitsUnder1min")  \
	SLOT(EXITS_UNDER_1H, 13, "exitsUnder1h")      \
	SLOT(EXITS_FROM_1H, 14, "exitsFrom1h")        \
	SLOT(FORKS, 15, "forks")                      \
	SLOT(THREADS, 16, "threads")                  \
	SLOT(UNLINKS, 17, "unlinks")                  \
	SLOT(UNLINK_FAILURES, 18, "unlinkFailures")   \
	SLOT(RENAMES_OVER, 19, "renamesOver")

enum em_slot {
#define EM_SLOT(name, number, json) EM_##name = number,
	EM_SLOT_LIST(EM_SLOT)
#undef EM_SLOT
};

enum {
#define EM_SLOT(name, number, json) +1
	EM_SLOTS_USED = 0 EM_SLOT_LIST(EM_SLOT), /* of EM_SLOTS */
#undef EM_SLOT
	EM_SLOTS = EM_LAYOUT == 1 ? 29 : 61,  /* a row is then four cache lines, or eight */
	EM_SHARDS = EM_LAYOUT == 1 ? 64 : 32, /* totals are spread over these by processor; a
					       * power of two */
	EM_SLOTS_LIMIT = 64,		      /* of any layout */
	EM_ROW_PROBES = 32, /* places looked at for a subject; with at most half of the rows in use
			      * all are taken with probability 2^-32 */
	EM_ERAS = 2,	    /* tables there can be: one counts, one is being settled */
	EM_GAPS = 16,	    /* remembered; the last one absorbs what comes after */
	EM_HOOKS = 32,	    /* attached at a time, over all probes */
	EM_NAME = 16,	    /* bytes of a probe's or a program's name, with NUL */
	EM_CGROUPS = 4096,  /* names of cgroups remembered; the least recently used go first */
	EM_CGROUPS_BELL =
		EM_CGROUPS / 4, /* so many new ones, and the daemon is to read the names */
	EM_CGROUP_NAME = 256,	/* NAME_MAX and NUL */
	EM_ENDED = 4096,	/* ends of processes remembered, for as long as two threads end */
	EM_UPDATE_ERRORS = 5,
	EM_LOGIN_UNSET = -1, /* audit's "no login", as __u32 */
};

/* Whom an event is counted for. */
struct em_subject {
	__u32 uid;    /* real user id, in the initial user namespace */
	__u32 login;  /* audit login uid; (__u32)EM_LOGIN_UNSET without one */
	__u64 cgroup; /* id in the unified hierarchy: inode number of its directory */
};

/*
 * One subject and its counts. A row is claimed once, filled, published by its tag, and never
 * given to another subject; the same subject can have several rows, and readers add them up.
 */
struct em_row {
	struct em_subject subject;
	__u64 tag; /* em_subject_tag(); 0: the row is free */
	__u64 counters[EM_SLOTS];
};

/* Why an event found no row, by errno of the claim. */
enum em_update_error {
	EM_ERROR_E2BIG,	 /* the subject table is full */
	EM_ERROR_ENOSPC, /* all EM_ROW_PROBES places were taken */
	EM_ERROR_EBUSY,
	EM_ERROR_ENOMEM,
	EM_ERROR_OTHER,
};

/* A cgroup as it was made: value of the map "cgroups", whose key is its id. */
struct em_cgroup {
	__u64 parent; /* id */
	char name[EM_CGROUP_NAME];
};

/* A process for all time: key of the map "ended". */
struct em_process {
	__u64 start_nsec; /* CLOCK_BOOTTIME, of its first thread */
	__u64 tgid;
};

/* One shard of the sums over everything; the sum of all shards is the truth. */
struct em_totals {
	__u64 seen[EM_SLOTS];	  /* == sum of the rows + overflow */
	__u64 overflow[EM_SLOTS]; /* counted for nobody */
	__u64 update_errors[EM_UPDATE_ERRORS];
	__u64 zero; /* whole cache lines */
};

/* A time without counting, kept for as long as the counts. Strings end with NUL. */
struct em_gap {
	__u64 from_usec; /* CLOCK_REALTIME */
	__u64 to_usec;	 /* 0: not counting now either */
	char probe[EM_NAME];
	char hook[EM_NAME]; /* name of its program */
	char reason[80];
};

/* Identity and control of one set of counts. Written by the daemon, read by programs. */
struct em_state {
	__u32 format;	     /* EM_FORMAT */
	__u32 layout;	     /* EM_LAYOUT */
	__u32 slots;	     /* EM_SLOTS */
	__u32 shards;	     /* EM_SHARDS */
	__u8 tree[16];	     /* random, new for every layout's tree */
	__u8 epoch[16];	     /* random, new for every new set of counts */
	__u64 seed;	     /* of em_subject_tag(): nobody outside can choose colliding subjects */
	__u64 since_usec;    /* CLOCK_REALTIME when counting began */
	__u64 verified_usec; /* CLOCK_REALTIME when the hooks below were last seen attached */
	__u64 generation;    /* starts of the daemon, the first is 1 */
	__u32 subjects_max;  /* rows that may be claimed: at most half of those there are */
	__u32 settle_at;     /* rows claimed at which the bell is rung */
	__u32 era;	     /* counts up; table era % EM_ERAS counts */
	__u32 gap_count;
	/* These are the programs' to write. */
	__u64 claimed[EM_ERAS]; /* rows in use, by table */
	__u64 cgroups_made;
	__u32 rung; /* not 0: the daemon knows that settle_at is reached */
	/* The daemon's again. */
	__u32 totals_id; /* of the map: who exchanges it would lose counts unseen */
	char attached[EM_HOOKS][EM_NAME]; /* names of programs; unused ones are empty */
	struct em_gap gaps[EM_GAPS];
};

/*
 * Begins the map "settled": what was counted in tables that are no more, by user, login and unit.
 * An array of 8-byte words in which follow: seen[slots] and overflow[slots] of other layouts'
 * totals; rows of struct em_settled_row; names of units, each with its NUL.
 */
struct em_settled {
	__u32 format;	/* EM_FORMAT */
	__u32 era;	/* the tables of all eras before this one are in here */
	__u8 taken[16]; /* the tree of another layout that is in here last; zeros: none */
	__u64 rows;
	__u32 slots; /* of each row; at most EM_SLOTS_LIMIT */
	__u32 units; /* names */
	__u64 names_bytes;
	__u64 update_errors[EM_UPDATE_ERRORS]; /* of other layouts */
};

/* Followed by its counters. */
struct em_settled_row {
	__u32 uid;
	__u32 login;
	__u32 unit; /* number of its name, the first is 1; 0: not known */
	__u32 zero;
};

/* What a record in the ring buffer "events" is. */
enum em_event_kind {
	EM_EVENT_BELL, /* the daemon has something to do: settle, or read names of cgroups */
};

/* Every record begins so. */
struct em_event {
	__u32 kind;
	__u32 zero;
};

/*
 * Spreads subjects over the table: multiply and fold, seeded. The low bits choose the first
 * place, the high bits the stride. Never 0.
 */
static inline __u64 em_subject_tag(const struct em_subject *subject, __u64 seed)
{
	__u64 h = seed ^ ((__u64)subject->uid << 32 | subject->login);

	h *= 0x9e3779b97f4a7c15ULL; /* 2^64 / golden ratio */
	h ^= h >> 32;
	h += subject->cgroup;
	h *= 0xd6e8feb86659fd93ULL; /* any odd constant with well spread bits */
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	h ^= h >> 29;
	return h ? h : 1;
}

_Static_assert(sizeof(struct em_subject) == 16, "ABI");
_Static_assert(sizeof(struct em_row) == 24 + EM_SLOTS * 8 && sizeof(struct em_row) % 64 == 0,
	       "ABI");
_Static_assert(sizeof(struct em_totals) % 64 == 0, "ABI: whole cache lines");
_Static_assert(sizeof(struct em_gap) == 128, "ABI");
_Static_assert(sizeof(struct em_state) == 128 + EM_HOOKS * EM_NAME + EM_GAPS * 128, "ABI");
_Static_assert(sizeof(struct em_settled) == 88 && sizeof(struct em_settled_row) == 16, "ABI");
_Static_assert(EM_SLOTS_USED <= EM_SLOTS, "no slot left: a new layout is needed");
