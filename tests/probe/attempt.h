/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ground truth of the probe tests: what one attempt of every case does and what has to be
 * counted for it. Knows system calls; knows no daemon and no hook.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * What a hook must be able to see for a case to be counted: a probe's "coverage" by its name.
 * EARLY failures are refused before the kernel's common open or exec function does anything: bad
 * pointer to the path, too long or empty path, bad flags, no free descriptor, seccomp.
 */
#define ATTEMPT_NEEDS_LIST(NEED)       \
	NEED(IO_URING, 0, "ioUring")   \
	NEED(COMPAT, 1, "compat")      \
	NEED(BY_HANDLE, 2, "byHandle") \
	NEED(FAILED, 3, "failed")      \
	NEED(O_PATH, 4, "oPath")       \
	NEED(EARLY, 5, "earlyFailures")

enum attempt_needs {
#define NEED(name, bit, json) NEEDS_##name = 1U << (bit),
	ATTEMPT_NEEDS_LIST(NEED)
#undef NEED
};

struct attempt;

/* One case: a row. Everything but @name and @attempt (or @program) can be left out. */
struct attempt_case {
	const char *name;   /* unique among all probes */
	const char *path;   /* in the room: see attempt.c */
	__u64 flags;	    /* of open or execveat */
	__u64 resolve;	    /* of openat2 */
	int number;	    /* 32-bit system call */
	bool set_uid;	    /* the program that is run has to find another effective user */
	bool other_user;    /* the real user, whom all is counted for, is another than asked for */
	unsigned int needs; /* enum attempt_needs */
	int error;	    /* how each attempt has to end: 0 or an errno */
	unsigned char counted[EM_SLOTS_USED]; /* what each attempt is counted as */

	/* As root, in the room. */
	void (*prepare)(struct attempt *attempt);
	/* Default: become_user(). */
	void (*become)(uid_t uid);
	/* As the user, once before the first attempt. */
	void (*start)(struct attempt *attempt);
	/* Makes attempt number @i: 0 or -errno. Opens and runs nothing else. */
	long (*attempt)(struct attempt *attempt, unsigned long i);
	/* What spawn() does in the child: -errno if it returns. */
	long (*exec)(struct attempt *attempt);
	/* Instead of all attempts: runs another program, as root. */
	void (*program)(struct attempt *attempt);
};

/* What each attempt of a row is counted as. */
#define OPENED	      .counted = { [EM_OPENS] = 1 }
#define FAILED(e)     .error = (e), .counted = { [EM_OPEN_FAILURES] = 1 }
#define DENIED(e)     .error = (e), .counted = { [EM_OPEN_FAILURES] = 1, [EM_OPEN_DENIALS] = 1 }
#define SPAWNED	      [EM_FORKS] = 1, [EM_EXITS] = 1 /* by a child that ends well */
#define EXECUTED      .counted = { [EM_EXECS] = 1, SPAWNED }
#define UNEXECUTED(e) .error = (e), .counted = { [EM_EXEC_FAILURES] = 1, SPAWNED }
#define UNLINKED      .counted = { [EM_UNLINKS] = 1 }
#define LINKED(e)     .error = (e), .counted = { [EM_UNLINK_FAILURES] = 1 }

/* The run under way. What prepare() and start() leave for attempt() is released by exiting. */
struct attempt {
	const struct attempt_case *test;
	uid_t uid;
	unsigned long count;
	bool wait;    /* for the end of standard input */
	int helpers;  /* directory with the helper programs */
	int fd;	      /* the case's own */
	void *data;   /* the case's own */
	long *result; /* shared with the children of an attempt: 0 or -errno */
};

/* Each ends with a NULL name. */
extern const struct attempt_case exec_cases[];
extern const struct attempt_case exec_failure_cases[];
extern const struct attempt_case exec_compat_cases[];
extern const struct attempt_case exit_cases[];
extern const struct attempt_case fork_cases[];
extern const struct attempt_case open_cases[];
extern const struct attempt_case open_failure_cases[];
extern const struct attempt_case open_mount_cases[];
extern const struct attempt_case open_uring_cases[];
extern const struct attempt_case open_compat_cases[];
extern const struct attempt_case open_not_cases[];
extern const struct attempt_case unlink_cases[];
extern const struct attempt_case unlink_mount_cases[];
extern const struct attempt_case unlink_uring_cases[];
extern const struct attempt_case unlink_compat_cases[];

/* Say why in one line and exit: 77 when this machine cannot do it, 1 when anything else is wrong. */
void skip(const struct attempt *attempt, const char *reason) __attribute__((noreturn));
void fail(const struct attempt *attempt, const char *what, long result) __attribute__((noreturn));

/* Exits with fail() unless @result >= 0; takes what system calls return through libc. */
long must(const struct attempt *attempt, const char *what, long result);

/* A system call's result as 0 or -errno; opened() also closes the descriptor. */
long outcome(long result);
long opened(long result);

/* Without any capability, without other groups; see the cases for what the others are for. */
void become_user(uid_t uid);
void become_reader(uid_t uid);	  /* with CAP_DAC_READ_SEARCH: open_by_handle_at(2) asks for it */
void become_real_only(uid_t uid); /* the effective user stays root, as in a set-uid program */
void become_effective_only(uid_t uid);

/* From now on a seccomp filter answers system call @number with @action; SIGSYS does nothing. */
void start_filter(const struct attempt *attempt, int number, unsigned int action);

/* Root's ways to fill the room. Helpers that were not built make the case a skip. */
void write_file(const struct attempt *attempt, const char *path, const char *text, mode_t mode);
void copy_helper(const struct attempt *attempt, const char *helper, const char *path, mode_t mode);
int memory_file(const struct attempt *attempt, const char *helper);

/* Runs @test->exec in a child (fork, vfork, second thread of a child): 0 if a program ran. */
long spawn(struct attempt *attempt, unsigned long i);
long spawn_vfork(struct attempt *attempt, unsigned long i);
long spawn_thread(struct attempt *attempt, unsigned long i);

/* The ways to exec that several cases share; @path, @flags, @fd and @data are the case's. */
#define ARGUMENTS   ((char *const[]){ (char[]){ "nothing" }, NULL })
#define ENVIRONMENT ((char *const[]){ NULL })
#define NO_POINTER  ((const char *)8) /* in the first page, where nothing may be mapped */
long exec_execve(struct attempt *attempt);
long exec_execve_arguments(struct attempt *attempt); /* @data: char *[] */
long exec_execveat(struct attempt *attempt);
long exec_fexecve(struct attempt *attempt);

/* The ways to open that several cases share; @path and @flags are the case's. */
long open_open(struct attempt *attempt, unsigned long i);
long open_openat(struct attempt *attempt, unsigned long i);
long open_openat2(struct attempt *attempt, unsigned long i);

/* One more thread, on @stack of STACK_BYTES; nobody is told when it ends. */
enum { STACK_BYTES = 64 * 1024 };
void start_thread(const struct attempt *attempt, char *stack, int (*function)(void *),
		  void *argument);

/* Calls @function in a new thread and, unless it executes something, waits for its end. */
void run_thread(const struct attempt *attempt, int (*function)(void *), void *argument);

/* Makes all attempts from a user namespace of the user's own; counted for the same user. */
void start_user_namespace(struct attempt *attempt);
