/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a probe is: a const descriptor that names its programs, the hooks they can use in order of
 * preference, its counters and what each hook can see. Everything else (configuration section,
 * table columns, coverage in replies) derives from it. Run-time state is in object.h.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

#include <stdbool.h>

enum {
	PROBE_TARGETS_MAX = 3,
	PROBE_WAYS_MAX = 3,
	PROBE_JOBS_MAX = 4,
	PROBE_HOOKS_MAX = 8, /* of one way */
};

/* Odd ways to do a thing, which not every hook sees. In replies by the names of probe_coverage(). */
enum probe_coverage {
	COVERAGE_IO_URING = 1 << 0,
	COVERAGE_COMPAT = 1 << 1,    /* 32-bit system calls */
	COVERAGE_BY_HANDLE = 1 << 2, /* open_by_handle_at(2) */
	COVERAGE_FAILED = 1 << 3,    /* attempts that failed */
	COVERAGE_O_PATH = 1 << 4,    /* open(2) with O_PATH */
	COVERAGE_EARLY = 1 << 5,     /* failures before the kernel looks for the file: bad
				       * pointers and flags, no free descriptor */
};

enum hook_kind {
	HOOK_TP_BTF, /* tracepoint with typed arguments; the target is its name */
	HOOK_FEXIT,  /* return of a kernel function */
};

/* One program, and where it can be attached. */
struct hook {
	const char *
		program; /* body; its dispatcher is called PROGRAM_hook, its jump map jump_PROGRAM */
	enum hook_kind kind;
	const char *targets[PROBE_TARGETS_MAX]; /* the first that this kernel has is taken */
	unsigned int coverage; /* what it adds; only valid if it could be attached */
	bool optional;	       /* without it the way still counts, with less coverage */
};

/* Hooks that together do a job. */
struct way {
	const struct hook *hooks;
	size_t n_hooks;
	bool every_syscall; /* its cost is paid by every system call of the machine */
	const char *lacks;  /* what it does not count, for the reason when it is second best */
};

/* Something to count, by the first way that works. */
struct job {
	const char *setting; /* key in the probe's section (auto, yes, no); NULL: always done */
	const char *what;    /* "failed execs": for messages */
	const enum em_slot *slots; /* may be none: it serves something else */
	size_t n_slots;
	const struct way *ways;
	size_t n_ways;
	unsigned int
		coverage; /* bits this job can have at all: shown as false when it is not done */
	bool syscalls_by_default; /* "auto" includes ways with every_syscall */
};

/* A number that programs are compiled with room for, as a key of the probe's section. */
struct probe_constant {
	const char *setting;
	const char *fallback; /* a size, as in a file */
	uint64_t min, max;
	size_t offset; /* in struct em_constants: a __u32 */
};

struct event;
struct json;

/* What a probe tells beside counting: one kind of event. */
struct probe_event {
	enum em_event_kind kind;
	/* Writes the members that only this kind has; the common ones are there already. */
	void (*write)(const struct event *event, struct json *json);
	/* The same for people, in few printable words; NULL: the file says it. */
	void (*describe)(const struct event *event, char *text, size_t size);
};

struct probe {
	const char *name;    /* section, file names, JSON; at most 15 bytes */
	const char *summary; /* one line */
	const struct job *jobs;
	size_t n_jobs;
	const struct probe_event *event; /* NULL: it has none */
	const struct probe_constant *constants;
	size_t n_constants;
};

/* All probes, by name, NULL at the end: one line each of the generated probe-list.h. */
extern const struct probe *const probes[];

/* The probe that tells events of @kind, or NULL. */
const struct probe *probe_of_kind(uint32_t kind);

/* JSON name of counter @slot. */
const char *probe_slot_name(enum em_slot slot);

/* JSON name of coverage bit number @bit; NULL beyond the last. */
const char *probe_coverage_name(unsigned int bit);

/* Of all its jobs. */
unsigned int probe_coverage_possible(const struct probe *probe);
