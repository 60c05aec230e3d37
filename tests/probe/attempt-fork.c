/* SPDX-License-Identifier: GPL-2.0-only */
/* The fork cases: every way to make a process or a thread, and ways to fail at it. */
#include "attempt.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static char stack[STACK_BYTES] __attribute__((aligned(16)));

static long reap(const struct attempt *attempt, long pid)
{
	int status;

	if (pid < 0)
		return -errno;
	must(attempt, "waitpid", waitpid((pid_t)pid, &status, 0));
	return status ? -ECHILD : 0;
}

static long make_fork(struct attempt *attempt, unsigned long i)
{
	pid_t pid = fork();

	(void)i;
	if (pid == 0)
		_exit(EXIT_SUCCESS);
	return reap(attempt, pid);
}

static long make_vfork(struct attempt *attempt, unsigned long i)
{
	pid_t pid = vfork();

	(void)i;
	if (pid == 0)
		_exit(EXIT_SUCCESS);
	return reap(attempt, pid);
}

static int end_here(void *argument)
{
	(void)argument;
	return 0;
}

/* As posix_spawn(3) does it. */
static long make_clone(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return reap(attempt,
		    clone(end_here, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
}

static long make_clone3(struct attempt *attempt, unsigned long i)
{
	struct clone_args arguments = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	(void)i;
	if (pid == 0)
		_exit(EXIT_SUCCESS);
	if (pid < 0 && errno == ENOSYS)
		skip(attempt, "this kernel has no clone3");
	return reap(attempt, pid);
}

static long make_namespace(struct attempt *attempt, unsigned long i)
{
	long pid = clone(end_here, stack + STACK_BYTES, CLONE_NEWUSER | SIGCHLD, NULL);

	(void)i;
	if (pid < 0 && (errno == EPERM || errno == ENOSPC))
		skip(attempt, "users may not create user namespaces here");
	return reap(attempt, pid);
}

static long make_thread(struct attempt *attempt, unsigned long i)
{
	(void)i;
	run_thread(attempt, end_here, NULL);
	return 0;
}

struct second {
	struct attempt *attempt;
	long result;
};

static int fork_in_thread(void *argument)
{
	struct second *second = argument;

	second->result = make_clone(second->attempt, 0);
	return 0;
}

static long make_fork_in_thread(struct attempt *attempt, unsigned long i)
{
	struct second second = { .attempt = attempt, .result = -ECHILD };

	(void)i;
	run_thread(attempt, fork_in_thread, &second);
	return second.result;
}

static void start_limited(struct attempt *attempt)
{
	const struct rlimit limit = { 0, 0 };

	must(attempt, "RLIMIT_NPROC", setrlimit(RLIMIT_NPROC, &limit));
}

/* A thread without a common table of signals. */
static long make_nonsense(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	return outcome(clone(end_here, stack + STACK_BYTES, CLONE_THREAD, NULL));
}

const struct attempt_case fork_cases[] = {
	{ "fork", .attempt = make_fork, .counted = { SPAWNED } },
	{ "vfork", .attempt = make_vfork, .counted = { SPAWNED } },
	{ "clone", .attempt = make_clone, .counted = { SPAWNED } },
	{ "clone3", .attempt = make_clone3, .counted = { SPAWNED } },
	{ "clone-user-namespace", .attempt = make_namespace, .counted = { SPAWNED } },
	{ "clone-thread", .attempt = make_thread, .counted = { [EM_THREADS] = 1 } },
	{ "clone-in-thread", .attempt = make_fork_in_thread,
	  .counted = { [EM_THREADS] = 1, SPAWNED } },
	{ "fork-EAGAIN", .start = start_limited, .attempt = make_fork, .error = EAGAIN },
	{ "clone-EINVAL", .attempt = make_nonsense, .error = EINVAL },
	/* Rows are by the real user. */
	{ "fork-real-uid", .become = become_real_only, .attempt = make_fork,
	  .counted = { SPAWNED } },
	{ "fork-effective-uid", .other_user = true, .become = become_effective_only,
	  .attempt = make_fork },
	{ 0 },
};
