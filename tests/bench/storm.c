/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loads of the bench: what is done, how often, and how long it took; knows nothing of who watches.
 *   storm FOLDER UID KIND COUNT PROCESSES  as fast as it goes, each process on a processor of its own;
 *                                          KIND: open, missing, exec, getppid, mixed
 *   storm FOLDER UID rate RATE SECONDS     execs at a steady rate
 * FOLDER has a file "target", a program "nothing" and no file "missing". Prints one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PROCESSES_MAX = 64,
	SECOND_NS = 1000000000,
};

/* Shared by all processes of a storm. */
struct result {
	long waiting;
	double elapsed_ns[PROCESSES_MAX];
	double cpu_ns[PROCESSES_MAX]; /* with children */
	long opens, missing, execs;   /* of one process */
};

static char target[4096], missing[4096], nothing[4096];
static long processors; /* asking the C library opens a file */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * SECOND_NS + (double)now.tv_nsec;
}

/* Of this process and of its children that ended. */
static double cpu_ns(void)
{
	double sum = 0;

	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		struct rusage usage;

		getrusage(who, &usage);
		sum += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND_NS +
		       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
	}
	return sum;
}

static void do_open(void)
{
	int fd = open(target, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(target);
	close(fd);
}

static void do_missing(void)
{
	int fd = open(missing, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		die(missing);
}

static void do_exec(void)
{
	char *const words[] = { nothing, NULL };
	int status;
	pid_t pid = vfork();

	if (!pid) {
		execv(nothing, words);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 127)
		die(nothing);
}

static void storm_open(long count, struct result *result)
{
	for (long i = 0; i < count; i++)
		do_open();
	result->opens = count;
}

static void storm_missing(long count, struct result *result)
{
	for (long i = 0; i < count; i++)
		do_missing();
	result->missing = count;
}

static void storm_exec(long count, struct result *result)
{
	for (long i = 0; i < count; i++)
		do_exec();
	result->execs = count;
}

static void storm_getppid(long count, struct result *result)
{
	(void)result;
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
}

/* Of 100: 1 exec, 39 opens, 10 that fail, 50 other system calls. */
static void storm_mixed(long count, struct result *result)
{
	long opens = 0, failures = 0, execs = 0;

	for (long i = 0; i < count; i++) {
		if (i % 100 == 0) {
			do_exec();
			execs++;
		} else if (i % 10 < 4) {
			do_open();
			opens++;
		} else if (i % 10 == 4) {
			do_missing();
			failures++;
		} else {
			syscall(SYS_getppid);
		}
	}
	result->opens = opens;
	result->missing = failures;
	result->execs = execs;
}

/* Begins when all are there, so that they are in each other's way all the time. */
static void storm_process(void (*storm)(long count, struct result *result), long count, int number,
			  long processes, struct result *result)
{
	cpu_set_t processor;
	double begin, cpu;

	CPU_ZERO(&processor);
	CPU_SET((size_t)(number % processors), &processor);
	sched_setaffinity(0, sizeof(processor), &processor);
	__atomic_add_fetch(&result->waiting, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&result->waiting, __ATOMIC_SEQ_CST) < processes)
		sched_yield();
	cpu = cpu_ns();
	begin = now_ns();
	storm(count, result);
	result->elapsed_ns[number] = now_ns() - begin;
	result->cpu_ns[number] = cpu_ns() - cpu;
}

static void run_storm(void (*storm)(long count, struct result *result), long count, long processes)
{
	struct result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double elapsed = 0, cpu = 0;
	int status;

	if (result == MAP_FAILED || processes < 1 || processes > PROCESSES_MAX || count < 1)
		die("storm");
	for (int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			storm_process(storm, count, i, processes, result);
			_exit(0);
		}
	}
	for (int i = 0; i < processes; i++)
		if (wait(&status) < 0 || status)
			die("wait");
	for (int i = 0; i < processes; i++) {
		elapsed += result->elapsed_ns[i];
		cpu += result->cpu_ns[i];
	}
	printf("{\"ns\":%.1f,\"cpu_ns\":%.1f,\"opens\":%ld,\"missing\":%ld,\"execs\":%ld}\n",
	       elapsed / (double)processes / (double)count, cpu / (double)processes / (double)count,
	       result->opens * processes, result->missing * processes, result->execs * processes);
}

/* What is late is made up for, so that the number of execs is exact. */
static void run_rate(long rate, double seconds)
{
	long count = (long)((double)rate * seconds);
	double begin = now_ns();

	for (long i = 0; i < count; i++) {
		double due = begin + (double)i * SECOND_NS / (double)rate;
		struct timespec at = { .tv_sec = (time_t)(due / SECOND_NS) };

		at.tv_nsec = (long)(due - (double)at.tv_sec * SECOND_NS);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		do_exec();
	}
	printf("{\"seconds\":%.3f,\"cpu\":%.6f,\"opens\":0,\"missing\":0,\"execs\":%ld}\n",
	       (now_ns() - begin) / SECOND_NS, cpu_ns() / SECOND_NS, count);
}

/* Real and effective, without supplementary groups. */
static void become(const char *user)
{
	uid_t uid = (uid_t)strtoul(user, NULL, 10);

	if (syscall(SYS_setgroups, 0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		die("setresuid");
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		void (*storm)(long count, struct result *result);
	} kinds[] = {
		{ "open", storm_open },	      { "missing", storm_missing }, { "exec", storm_exec },
		{ "getppid", storm_getppid }, { "mixed", storm_mixed },
	};

	if (argc != 6)
		return 2;
	snprintf(target, sizeof(target), "%s/target", argv[1]);
	snprintf(missing, sizeof(missing), "%s/missing", argv[1]);
	snprintf(nothing, sizeof(nothing), "%s/nothing", argv[1]);
	processors = sysconf(_SC_NPROCESSORS_ONLN);
	become(argv[2]);
	if (!strcmp(argv[3], "rate")) {
		run_rate(strtol(argv[4], NULL, 10), strtod(argv[5], NULL));
		return 0;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[3], kinds[i].name)) {
			run_storm(kinds[i].storm, strtol(argv[4], NULL, 10),
				  strtol(argv[5], NULL, 10));
			return 0;
		}
	return 2;
}
