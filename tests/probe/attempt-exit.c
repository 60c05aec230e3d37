/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exit cases: each attempt is the life of one process, however many threads it had and
 * whichever of them was the last.
 */
#include "attempt.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	THREADS = 5,
	STATUS_FAILED = 99,
};

/* What the threads of one child share. */
struct crowd {
	const struct attempt *attempt;
	int present;  /* threads that have come to where they wait */
	int may_go;   /* futex */
	pid_t leader; /* futex: 0 when the first thread has ended */
};

static char stacks[THREADS][STACK_BYTES] __attribute__((aligned(16)));

/* Threads share the C library's state of their process: nothing but system calls. */
static void end_thread(void)
{
	syscall(SYS_exit, 0);
	__builtin_unreachable();
}

static void wait_while(const int *word, int value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
		syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static int wait_forever(void *argument)
{
	struct crowd *crowd = argument;

	__atomic_fetch_add(&crowd->present, 1, __ATOMIC_ACQ_REL);
	wait_while(&crowd->may_go, 0);
	return 0;
}

/* Spins, so that they go as much at the same time as processors allow. */
static int wait_and_end(void *argument)
{
	struct crowd *crowd = argument;

	__atomic_fetch_add(&crowd->present, 1, __ATOMIC_ACQ_REL);
	while (!__atomic_load_n(&crowd->may_go, __ATOMIC_ACQUIRE))
		sched_yield();
	end_thread();
	return 0;
}

static void gather(struct crowd *crowd, int (*function)(void *))
{
	for (int i = 0; i < THREADS; i++)
		start_thread(crowd->attempt, stacks[i], function, crowd);
	while (__atomic_load_n(&crowd->present, __ATOMIC_ACQUIRE) < THREADS)
		sched_yield();
}

/* --- lives of a child -------------------------------------------------------------------------- */

static long end_well(struct attempt *attempt)
{
	(void)attempt;
	_exit(EXIT_SUCCESS);
}

static long end_badly(struct attempt *attempt)
{
	(void)attempt;
	_exit(EXIT_FAILURE);
}

static long kill_self(struct attempt *attempt)
{
	(void)attempt;
	return outcome(kill(getpid(), SIGKILL));
}

static long crash(struct attempt *attempt)
{
	(void)attempt;
	return outcome(kill(getpid(), SIGSEGV));
}

static long end_all(struct attempt *attempt)
{
	struct crowd crowd = { .attempt = attempt };

	gather(&crowd, wait_forever);
	_exit(EXIT_SUCCESS);
}

static long end_together(struct attempt *attempt)
{
	struct crowd crowd = { .attempt = attempt };

	gather(&crowd, wait_and_end);
	__atomic_store_n(&crowd.may_go, 1, __ATOMIC_RELEASE);
	end_thread();
	return 0;
}

static long kill_all(struct attempt *attempt)
{
	struct crowd crowd = { .attempt = attempt };

	gather(&crowd, wait_forever);
	return kill_self(attempt);
}

static int crash_in_thread(void *argument)
{
	(void)argument;
	syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), SIGSEGV);
	return 0;
}

static long crash_one(struct attempt *attempt)
{
	struct crowd crowd = { .attempt = attempt };

	start_thread(attempt, stacks[0], crash_in_thread, NULL);
	wait_while(&crowd.may_go, 0);
	return 0;
}

/* The kernel clears the word as it takes the memory of the first thread, amid its end. */
static void lead_and_end(struct crowd *crowd, int (*function)(void *))
{
	crowd->leader = getpid();
	must(crowd->attempt, "set_tid_address", syscall(SYS_set_tid_address, &crowd->leader));
	start_thread(crowd->attempt, stacks[0], function, crowd);
	end_thread();
}

static int outlive_leader(void *argument)
{
	struct crowd *crowd = argument;

	wait_while(&crowd->leader, (pid_t)syscall(SYS_getpid));
	end_thread();
	return 0;
}

static long end_leader_first(struct attempt *attempt)
{
	static struct crowd crowd;

	crowd.attempt = attempt;
	lead_and_end(&crowd, outlive_leader);
	return 0;
}

static int outlive_and_die(void *argument)
{
	struct crowd *crowd = argument;

	wait_while(&crowd->leader, (pid_t)syscall(SYS_getpid));
	syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
	return 0;
}

static long kill_after_leader(struct attempt *attempt)
{
	static struct crowd crowd;

	crowd.attempt = attempt;
	lead_and_end(&crowd, outlive_and_die);
	return 0;
}

static int outlive_and_execute(void *argument)
{
	struct crowd *crowd = argument;

	wait_while(&crowd->leader, (pid_t)syscall(SYS_getpid));
	syscall(SYS_execve, crowd->attempt->test->path, ARGUMENTS, ENVIRONMENT);
	syscall(SYS_exit_group, STATUS_FAILED);
	return 0;
}

static long execute_after_leader(struct attempt *attempt)
{
	static struct crowd crowd;

	crowd.attempt = attempt;
	lead_and_end(&crowd, outlive_and_execute);
	return 0;
}

static int execute_amid(void *argument)
{
	const struct attempt *attempt = argument;

	syscall(SYS_execve, attempt->test->path, ARGUMENTS, ENVIRONMENT);
	syscall(SYS_exit_group, STATUS_FAILED);
	return 0;
}

/* Exec by one of many: it ends all others, the first one too, and goes on as the process. */
static long execute_with_threads(struct attempt *attempt)
{
	struct crowd crowd = { .attempt = attempt };
	static char stack[STACK_BYTES] __attribute__((aligned(16)));

	gather(&crowd, wait_forever);
	start_thread(attempt, stack, execute_amid, attempt);
	wait_while(&crowd.may_go, 0);
	return 0;
}

/* --- attempts ---------------------------------------------------------------------------------- */

static long finish(const struct attempt *attempt, pid_t pid)
{
	int status;

	if (pid < 0)
		return -errno;
	must(attempt, "waitpid", waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		return -EOWNERDEAD;
	return WEXITSTATUS(status) == STATUS_FAILED ? -ECHILD : 0;
}

/* One life: 0 if it ended by itself, -EOWNERDEAD by a signal. */
static long live(struct attempt *attempt, unsigned long i)
{
	pid_t pid = fork();

	(void)i;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		attempt->test->exec(attempt);
		_exit(STATUS_FAILED);
	}
	return finish(attempt, pid);
}

static long live_vfork(struct attempt *attempt, unsigned long i)
{
	pid_t pid = vfork();

	(void)i;
	if (pid == 0)
		_exit(EXIT_SUCCESS);
	return finish(attempt, pid);
}

static int end_here(void *argument)
{
	(void)argument;
	return 0;
}

/* A process of its own in the memory of its parent. */
static long live_in_our_memory(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return finish(attempt, clone(end_here, stacks[0] + STACK_BYTES, CLONE_VM | SIGCHLD, NULL));
}

static long run_only_thread(struct attempt *attempt, unsigned long i)
{
	(void)i;
	run_thread(attempt, end_here, NULL);
	return 0;
}

#define LIVED	    .attempt = live, .counted = { SPAWNED }
#define DIED	    .attempt = live, .error = EOWNERDEAD, .counted = { [EM_ABNORMAL_EXITS] = 1, SPAWNED }
#define LIVED_AS(n) .attempt = live, .counted = { [EM_THREADS] = (n), SPAWNED }
#define DIED_AS(n)                            \
	.attempt = live, .error = EOWNERDEAD, \
	.counted = { [EM_ABNORMAL_EXITS] = 1, [EM_THREADS] = (n), SPAWNED }
#define EXECUTED_AS(n) .attempt = live, .counted = { [EM_EXECS] = 1, [EM_THREADS] = (n), SPAWNED }

const struct attempt_case exit_cases[] = {
	{ "exit", .exec = end_well, LIVED },
	{ "exit-status", .exec = end_badly, LIVED },
	{ "exit-SIGKILL", .exec = kill_self, DIED },
	{ "exit-SIGSEGV", .exec = crash, DIED },
	{ "exit-vfork", .attempt = live_vfork, .counted = { SPAWNED } },
	{ "exit-shared-memory", .attempt = live_in_our_memory, .counted = { SPAWNED } },
	{ "exit-user-namespace", .start = start_user_namespace, .exec = end_well, LIVED },
	{ "exit-thread", .attempt = run_only_thread, .counted = { [EM_THREADS] = 1 } },
	{ "exit-group", .exec = end_all, LIVED_AS(THREADS) },
	{ "exit-together", .exec = end_together, LIVED_AS(THREADS) },
	{ "exit-group-SIGKILL", .exec = kill_all, DIED_AS(THREADS) },
	{ "exit-group-SIGSEGV", .exec = crash_one, DIED_AS(1) },
	{ "exit-leader-first", .exec = end_leader_first, LIVED_AS(1) },
	{ "exit-leader-first-SIGKILL", .exec = kill_after_leader, DIED_AS(1) },
	{ "exit-leader-first-execve", "nothing", .exec = execute_after_leader, EXECUTED_AS(1) },
	{ "exit-execve-threads", "nothing", .exec = execute_with_threads,
	  EXECUTED_AS(THREADS + 1) },
	{ 0 },
};
