/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load [--opens N] [--execs N] [--failures N] FIRST COUNT PROGRAM: as each of COUNT users from FIRST
 * on, until SIGTERM, opens, executes PROGRAM, and opens what is not there, so often a second for all
 * users together. Then prints what succeeded, as JSON: {"seconds":S,"users":[{"uid":U,"opens":N,
 * "execs":N,"openFailures":N},...]}. Owns the ground truth; knows nothing of what is counted.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SLOT_NSEC = 1000000, /* between two rounds of any user, if they are evenly spread */
	NSEC = 1000000000,
	SLOTS_PER_ROUND = 10,
};

enum kind { OPENS, EXECS, FAILURES, KINDS };

/* One user's; in memory that all share. */
struct work {
	unsigned long done[KINDS];
	bool failed;
};

struct load {
	uid_t first;
	unsigned long count;
	unsigned long rates[KINDS]; /* of one user, a second */
	char *program;
	struct work *work;
	volatile sig_atomic_t *stop;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	if (number == SIGTERM)
		stopped = 1; /* SIGCHLD just wakes */
}

static long now_nsec(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NSEC + time.tv_nsec;
}

static long slot_nsec(const struct load *load)
{
	return (long)load->count * SLOT_NSEC;
}

/* /dev/null: on every file system the same way. */
static bool open_one(const struct load *load)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)load;
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool fail_one(const struct load *load)
{
	int fd = open("/dev/null/missing", O_RDONLY | O_CLOEXEC);

	(void)load;
	if (fd < 0)
		return errno == ENOTDIR;
	close(fd);
	return false;
}

/* In the memory of the parent until it executes: what failed is told by its status. */
static bool exec_one(const struct load *load)
{
	char *const arguments[] = { load->program, NULL };
	volatile bool executed = true;
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execve(load->program, arguments, arguments + 1);
		executed = false;
		_exit(EXIT_FAILURE);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && executed;
}

static bool (*const actions[KINDS])(const struct load *load) = {
	[OPENS] = open_one,
	[EXECS] = exec_one,
	[FAILURES] = fail_one,
};

/*
 * What is due by now. On a machine that cannot do as much, what is left is made up for in later
 * rounds; a share at a time, so that no kind keeps the others from their turn.
 */
static void make_round(const struct load *load, struct work *work, long elapsed_nsec)
{
	for (int kind = 0; kind < KINDS; kind++) {
		double rate = (double)load->rates[kind];
		unsigned long due = (unsigned long)(rate * (double)elapsed_nsec / NSEC);
		unsigned long share = (unsigned long)(rate * (double)slot_nsec(load) / NSEC);
		unsigned long most = work->done[kind] + SLOTS_PER_ROUND * share + 1;

		while (work->done[kind] < due && work->done[kind] < most && !*load->stop) {
			if (!actions[kind](load)) {
				work->failed = true;
				return;
			}
			work->done[kind]++;
		}
	}
}

static void work_as(const struct load *load, unsigned long index)
{
	struct work *work = &load->work[index];
	uid_t uid = load->first + (uid_t)index;
	const struct timespec slot = { slot_nsec(load) / NSEC, slot_nsec(load) % NSEC };
	long begin = now_nsec();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	work->failed = setresgid(uid, uid, uid) || setresuid(uid, uid, uid);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* the other one was that of root */
	while (!*load->stop && !work->failed) {
		make_round(load, work, now_nsec() - begin);
		nanosleep(&slot, NULL);
	}
	_exit(work->failed ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void start(struct load *load)
{
	size_t size = load->count * sizeof(*load->work);

	load->work = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	load->stop = mmap(NULL, sizeof(*load->stop), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load->work == MAP_FAILED || load->stop == MAP_FAILED || setgroups(0, NULL))
		err(1, "cannot prepare");
	for (unsigned long i = 0; i < load->count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0)
			work_as(load, i);
	}
}

/* Until SIGTERM, or until a user could not do something, which ends all of it. */
static void await_end(const struct load *load, const sigset_t *unblocked)
{
	while (!stopped) {
		sigsuspend(unblocked);
		for (unsigned long i = 0; i < load->count; i++)
			if (load->work[i].failed)
				stopped = 1;
	}
	*load->stop = 1;
	while (wait(NULL) > 0 || errno == EINTR)
		continue;
}

static int print_result(const struct load *load, long elapsed_nsec)
{
	printf("{\"seconds\":%.3f,\"users\":[", (double)elapsed_nsec / NSEC);
	for (unsigned long i = 0; i < load->count; i++) {
		const struct work *work = &load->work[i];

		if (work->failed)
			errx(1, "user %lu could not do its work", load->first + i);
		printf("%s{\"uid\":%lu,\"opens\":%lu,\"execs\":%lu,\"openFailures\":%lu}",
		       i ? "," : "", load->first + i, work->done[OPENS], work->done[EXECS],
		       work->done[FAILURES]);
	}
	printf("]}\n");
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static sigset_t prepare_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked, before;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGCHLD, &action, NULL);
	return before;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "opens", required_argument, NULL, OPENS },
		{ "execs", required_argument, NULL, EXECS },
		{ "failures", required_argument, NULL, FAILURES },
		{ NULL },
	};
	struct load load = { 0 };
	sigset_t unblocked;
	long begin;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option >= KINDS)
			return 2;
		load.rates[option] = strtoul(optarg, NULL, 10);
	}
	if (argc - optind != 3)
		errx(2, "usage: load [--opens N] [--execs N] [--failures N] FIRST COUNT PROGRAM");
	load.first = (uid_t)strtoul(argv[optind], NULL, 10);
	load.count = strtoul(argv[optind + 1], NULL, 10);
	load.program = argv[optind + 2];
	for (int kind = 0; kind < KINDS; kind++)
		load.rates[kind] /= load.count ? load.count : 1;
	unblocked = prepare_signals();
	begin = now_nsec();
	start(&load);
	await_end(&load, &unblocked);
	return print_result(&load, now_nsec() - begin);
}
