/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * population STATE FILE FIRST UIDS LOGINS COUNT [FOLDER NAMES]: COUNT subjects, each of which tries
 * once to open FILE, which it may not. Subject i is user FIRST + i % UIDS and logged in as
 * FIRST + i % LOGINS (LOGINS 0: as nobody). With FOLDER, a cgroup, it runs in a cgroup of its own,
 * FOLDER/(i % NAMES), that is made and removed; without it all run where this program does.
 *
 * It begins no more before the pinned map STATE says that a quarter of the table is free: what is
 * to be tested is settling, not how much can overflow in the meantime. STATE "-": it does not look.
 * Prints how many subjects a second there were.
 */
#include "room.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	JOBS = 2,   /* parts at a time, which have their names of cgroups to themselves */
	BATCH = 16, /* subjects that each of them begins without looking for room */
	NAME_BYTES = 32,
};

struct population {
	const struct em_state *state;
	const char *path;
	uid_t first;
	unsigned long uids, logins, count, names;
	int folder; /* -1: no cgroups */
};

/* The saved user id is the way back. */
static void act_as(uid_t uid, const char *path)
{
	int fd;

	if (setresuid(uid, uid, 0))
		err(1, "setresuid");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 || errno != EACCES)
		errx(1, "user %u: is not kept from opening %s", uid, path);
	if (setresuid((uid_t)-1, 0, (uid_t)-1))
		err(1, "setresuid");
}

static pid_t clone_into(int cgroup)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (__u64)cgroup,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void make_cgroup(int folder, unsigned long number, char name[static NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "%lu", number);
	if (mkdirat(folder, name, 0755))
		err(1, "cannot make cgroup %s", name);
}

static void remove_cgroup(int folder, const char *name)
{
	while (unlinkat(folder, name, AT_REMOVEDIR))
		if (errno != EBUSY) /* who ran in it is not quite gone */
			err(1, "cannot remove cgroup %s", name);
}

/*
 * A cgroup that was used is in a list of its parent's until somebody reads the statistics, and the
 * kernel walks that list for each cgroup that it frees, under a lock: with 400,000 of them, minutes
 * become hours.
 */
static void read_statistics(int folder)
{
	char byte;
	int fd = openat(folder, "cpu.stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &byte, 1) != 1)
		err(1, "cannot read cpu.stat");
	close(fd);
}

static void run_in_cgroup(int folder, const char *name, uid_t uid, const char *path)
{
	int cgroup = openat(folder, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = cgroup < 0 ? -1 : clone_into(cgroup);

	if (pid == 0) {
		act_as(uid, path);
		_exit(0);
	}
	if (pid < 0)
		err(1, "cannot run in cgroup %s", name);
	close(cgroup);
}

static void wait_for_one(void)
{
	int status;

	if (wait(&status) < 0 || status)
		errx(1, "a part of the population failed");
}

/* Up to BATCH subjects from @i on: those who wait for a processor wait together. */
static unsigned long act_in_cgroups(const struct population *population, unsigned long i,
				    unsigned long step)
{
	char names[BATCH][NAME_BYTES];
	int n = 0;

	for (; n < BATCH && i < population->count; n++, i += step) {
		make_cgroup(population->folder, i % population->names, names[n]);
		run_in_cgroup(population->folder, names[n],
			      population->first + (uid_t)(i % population->uids), population->path);
	}
	for (int done = 0; done < n; done++)
		wait_for_one();
	for (int done = 0; done < n; done++)
		remove_cgroup(population->folder, names[done]);
	read_statistics(population->folder);
	return i;
}

static void log_in(uid_t uid)
{
	char text[16];
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	int length = snprintf(text, sizeof(text), "%u", uid);

	if (fd < 0 || write(fd, text, (size_t)length) != length)
		err(1, "cannot log in as %u", uid);
	close(fd);
}

/* The subjects from @from on, every @step-th. */
static void act(const struct population *population, unsigned long from, unsigned long step)
{
	unsigned long i = from;

	if (population->logins)
		log_in(population->first + (uid_t)(from % population->logins));
	while (i < population->count) {
		if (population->state)
			room_wait(population->state);
		if (population->folder >= 0) {
			i = act_in_cgroups(population, i, step);
			continue;
		}
		act_as(population->first + (uid_t)(i % population->uids), population->path);
		i += step;
	}
}

/* A login is for good, so each has its process. */
static void act_in_parts(const struct population *population)
{
	unsigned long parts = population->logins ? population->logins : JOBS;

	if (population->folder >= 0 &&
	    (population->names % parts || population->names / parts < BATCH))
		errx(1, "%lu names are not %d or more for each of %lu parts", population->names,
		     BATCH, parts);
	for (unsigned long part = 0; part < parts; part++) {
		pid_t pid;

		if (part >= JOBS)
			wait_for_one();
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			act(population, part, parts);
			_exit(0);
		}
	}
	for (unsigned long part = 0; part < parts && part < JOBS; part++)
		wait_for_one();
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	struct population population = { .folder = -1 };
	double begun = now();

	if (argc != 7 && argc != 9)
		errx(1, "usage: population STATE FILE FIRST UIDS LOGINS COUNT [FOLDER NAMES]");
	population.state = strcmp(argv[1], "-") ? room_map(argv[1]) : NULL;
	population.path = argv[2];
	population.first = (uid_t)strtoul(argv[3], NULL, 10);
	population.uids = strtoul(argv[4], NULL, 10);
	population.logins = strtoul(argv[5], NULL, 10);
	population.count = strtoul(argv[6], NULL, 10);
	if (argc == 9) {
		population.folder = open(argv[7], O_PATH | O_DIRECTORY | O_CLOEXEC);
		population.names = strtoul(argv[8], NULL, 10);
		if (population.folder < 0)
			err(1, "%s", argv[7]);
	}
	act_in_parts(&population);
	printf("%lu subjects, %.0f a second\n", population.count,
	       (double)population.count / (now() - begun));
	return 0;
}
