/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes and threads for the cases: each runs one case's exec and tells how it ended. By raw
 * system calls where the C library would look at the machine first (its threads open /sys/...).
 */
#include "attempt.h"
#include "nothing.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

long exec_execve(struct attempt *attempt)
{
	return outcome(syscall(SYS_execve, attempt->test->path, ARGUMENTS, ENVIRONMENT));
}

long exec_execve_arguments(struct attempt *attempt)
{
	return outcome(syscall(SYS_execve, attempt->test->path, attempt->data, ENVIRONMENT));
}

long exec_execveat(struct attempt *attempt)
{
	return outcome(syscall(SYS_execveat, AT_FDCWD, attempt->test->path, ARGUMENTS, ENVIRONMENT,
			       attempt->test->flags));
}

long exec_fexecve(struct attempt *attempt)
{
	return outcome(
		syscall(SYS_execveat, attempt->fd, "", ARGUMENTS, ENVIRONMENT, AT_EMPTY_PATH));
}

/*
 * 0: the program ran. Otherwise what exec returned; -EOWNERDEAD: it did not return because the
 * kernel killed the process.
 */
static long reap(struct attempt *attempt, pid_t pid)
{
	int wanted = attempt->test->set_uid ? NOTHING_RAN_SET_UID : NOTHING_RAN;
	int status;

	if (pid < 0)
		return -errno;
	must(attempt, "waitpid", waitpid(pid, &status, 0));
	if (*attempt->result < 0)
		return *attempt->result;
	if (WIFSIGNALED(status))
		return -EOWNERDEAD;
	return WEXITSTATUS(status) == wanted ? 0 : WEXITSTATUS(status) + 1;
}

long spawn(struct attempt *attempt, unsigned long i)
{
	pid_t pid;

	(void)i;
	*attempt->result = 0;
	pid = fork();
	if (pid == 0) {
		*attempt->result = attempt->test->exec(attempt);
		_exit(EXIT_FAILURE);
	}
	return reap(attempt, pid);
}

long spawn_vfork(struct attempt *attempt, unsigned long i)
{
	pid_t pid;

	(void)i;
	*attempt->result = 0;
	pid = vfork();
	if (pid == 0) {
		*attempt->result = attempt->test->exec(attempt);
		_exit(EXIT_FAILURE);
	}
	return reap(attempt, pid);
}

static int exec_in_thread(void *argument)
{
	struct attempt *attempt = argument;

	*attempt->result = attempt->test->exec(attempt);
	_exit(EXIT_FAILURE);
}

/* The thread that executes takes over the identity of the process; the first one just ends. */
long spawn_thread(struct attempt *attempt, unsigned long i)
{
	pid_t pid;

	(void)i;
	*attempt->result = 0;
	pid = fork();
	if (pid == 0) {
		run_thread(attempt, exec_in_thread, attempt);
		_exit(EXIT_FAILURE);
	}
	return reap(attempt, pid);
}

enum {
	THREAD_FLAGS =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
};

void start_thread(const struct attempt *attempt, char *stack, int (*function)(void *),
		  void *argument)
{
	must(attempt, "clone", clone(function, stack + STACK_BYTES, THREAD_FLAGS, argument));
}

void run_thread(const struct attempt *attempt, int (*function)(void *), void *argument)
{
	static char stack[STACK_BYTES] __attribute__((aligned(16)));
	pid_t thread = 1, now;

	must(attempt, "clone",
	     clone(function, stack + sizeof(stack),
		   THREAD_FLAGS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, argument, NULL, NULL,
		   &thread));
	/* The kernel writes 0 and wakes when the thread ends; until it starts, 1 stands there. */
	while ((now = __atomic_load_n(&thread, __ATOMIC_ACQUIRE)) != 0)
		syscall(SYS_futex, &thread, FUTEX_WAIT, now, NULL, NULL, 0);
}
