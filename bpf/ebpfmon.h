/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel/user ABI: what lies in the pinned maps, and the list of counters. Everything here
 * outlives a daemon; a change of any shape needs a new EM_LAYOUT. Included by both sides.
 */
#pragma once

#ifdef __bpf__
typedef unsigned char __u8;
typedef unsigned short __u16;
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

/* --- events: maps that live as long as one daemon ---------------------------------------------- */

/* What an event tells of: one kind per probe that has events. Bit numbers in em_event_control. */
enum em_event_kind {
	EM_EVENT_EXEC,
	EM_EVENT_OPEN,
	EM_EVENT_EXIT,
	EM_EVENT_FORK,
	EM_EVENT_UNLINK,
	EM_EVENT_KINDS = 8, /* there is room for */
};

enum {
	EM_EVENT_NUMBERS = 4,
	EM_EVENT_BYTES = 8192, /* of all strings; a power of two */
	EM_EVENT_PIECE = 4096, /* the longest string, PATH_MAX: may begin just before that end */
	EM_EVENT_ANCESTORS = 16,
	EM_NAME_BYTES = 256,  /* of a component, with NUL */
	EM_PATH_DEPTH = 64,   /* components and mounts of a path that are followed */
	EM_BUDGETS = 1024,    /* places for users who write events; a power of two */
	EM_BUDGET_SHARE = 8,  /* a user has 1/8 of the ring per window, and all up to its half */
	EM_WAKEUP_SHARE = 16, /* the daemon is woken when 1/16 of the ring is full */
	EM_SESSION_UNSET = -1,
};

/* Bits of em_event.flags. */
enum {
	EM_EVENT_PROCESS_NAMES = 1 << 0, /* names come from memory that the process can change */
	EM_EVENT_IO_URING = 1 << 1,
	EM_EVENT_SET_ID = 1 << 2, /* the set-user-ID or set-group-ID bit had an effect */
	EM_EVENT_FAILED = 1 << 3,
	EM_EVENT_DURATION = 1 << 4,  /* numbers[0] is how long it took, in nanoseconds */
	EM_EVENT_DIRECTORY = 1 << 5, /* the folder is where the name asked for begins */
	EM_EVENT_RENAME = 1 << 6,    /* the name was not unlinked but given to another file */
};

/* Strings of an event, in the order of their bytes. */
enum em_event_string {
	EM_STRING_ANCESTORS, /* struct em_ancestor, the parent first */
	EM_STRING_PATH,
	EM_STRING_ASKED,     /* the name that the process gave */
	EM_STRING_ARGUMENTS, /* each with its NUL */
	EM_STRING_FOLDER,    /* the current working directory, or see EM_EVENT_DIRECTORY */
	EM_STRING_PARENT,    /* command name of the parent */
	EM_EVENT_STRINGS,
};

enum {
	EM_STRING_KNOWN = 1 << 0,	/* the others are null */
	EM_STRING_TRUNCATED = 1 << 1,	/* only a part is there: of a path the last components */
	EM_STRING_COMPONENTS = 1 << 2,	/* of a path, the last first, each with its NUL */
	EM_STRING_UNREACHABLE = 1 << 3, /* the path does not begin at the root of the process */
	EM_STRING_DELETED = 1 << 4,	/* the path has no file any more */
};

struct em_event_part {
	__u16 bytes;
	__u16 flags;
};

struct em_ancestor {
	__u32 pid;
	__u32 start; /* as em_event.start */
};

/* A record of the ring buffer "events"; the bytes of its strings follow. */
struct em_event {
	__u32 kind;
	__u32 flags;
	__u64 time_ns; /* CLOCK_BOOTTIME */
	struct em_subject subject;
	__u32 pid; /* of the process; tid is the thread's */
	__u32 tid;
	__u32 parent; /* pid */
	__u32 euid;
	__u32 session; /* audit session; (__u32)EM_SESSION_UNSET without one */
	__u32 error;   /* errno; 0: it succeeded */
	__u32 start;   /* of the process: CLOCK_BOOTTIME in 10 ms; tells users of a pid apart */
	__u32 zero;
	char comm[16];
	__u64 numbers[EM_EVENT_NUMBERS]; /* what they are is said by the probe's descriptor */
	struct em_event_part strings[EM_EVENT_STRINGS];
};

/* What programs are to write, by kind a bit or a number. Written by the daemon, zeros at first. */
struct em_event_control {
	__u64 until_ns; /* CLOCK_BOOTTIME after which nobody listens: the daemon died or hangs */
	__u32 wanted;
	__u32 failed_only;
	__u32 one_user; /* only of uid[kind] */
	__u32 one_process;
	__u32 one_tree; /* only of pid[kind] and what descends from it now */
	__u32 uid[EM_EVENT_KINDS];
	__u32 pid[EM_EVENT_KINDS];
	__u32 ancestors; /* not by kind: not 0: they are to be told */
	__u32 zero;
	__u32 window; /* counts up when what was in the ring when it last did has been read */
	__u32 ring_bytes;
	__u32 rung; /* the programs': the window that the daemon was woken in */
};

/* Events that were counted and not written, by the programs; one shard as of the totals. */
struct em_event_losses {
	__u64 full[EM_EVENT_KINDS];	/* the ring had no room */
	__u64 budget[EM_EVENT_KINDS];	/* its user had no room in it */
	__u64 filtered[EM_EVENT_KINDS]; /* one_user and the like: no loss */
};

/* What a user has written in a window. Several users can share one. */
struct em_budget {
	__u32 window;
	__u32 bytes;
};

/* Set before programs are loaded; constants to the verifier, which leaves out what they exclude. */
struct em_constants {
	__u32 row_mask; /* rows there are, minus 1: a power of two minus 1: a place is found by
			 * masking */
	__u32 events;	/* enum em_events */
	__u32 arguments_bytes;
	__u32 zero;
};

enum em_events {
	EM_EVENTS_NONE,
	EM_EVENTS_NAMELESS, /* this kernel forbids bpf_probe_read_kernel(): who, but not what */
	EM_EVENTS_FULL,
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
_Static_assert(sizeof(struct em_event) == 136, "ABI");
_Static_assert(sizeof(struct em_event_losses) % 64 == 0, "ABI: whole cache lines");
_Static_assert(EM_SLOTS_USED <= EM_SLOTS, "no slot left: a new layout is needed");
