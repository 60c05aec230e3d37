/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What counting adds to an open+close and to an unrelated system call, against nothing attached and
 * against an empty program on the same hook: interleaved rounds of one run, medians. Fails when
 * a limit is passed in every one of several tries, since other work on the machine only adds.
 */
#include "harness.h"

#include "empty.skel.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

enum {
	ROUNDS = 9,
	LOOPS = 100000,
	TRIES = 4,
	LIMIT_OVER_NOTHING = 127, /* per cent, of an open+close: times differ between machines */
	LIMIT_OVER_EMPTY = 115,
};

enum setting {
	NOTHING,
	EMPTY,
	COUNTING,
	SETTINGS,
};

static const char *const setting_names[SETTINGS] = { "nothing attached", "empty program",
						     "ebpfmond counting" };

/* Nanoseconds per operation, one for each round. */
struct series {
	double open_close[ROUNDS];
	double getppid[ROUNDS];
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int measure(struct series *series, int round)
{
	double start = now_ns(), middle;

	for (int i = 0; i < LOOPS; i++) {
		int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			perror("/etc/hostname");
			return -1;
		}
		close(fd);
	}
	middle = now_ns();
	for (int i = 0; i < LOOPS; i++)
		syscall(SYS_getppid);
	series->open_close[round] = (middle - start) / LOOPS;
	series->getppid[round] = (now_ns() - middle) / LOOPS;
	return 0;
}

static int measure_empty(struct series *series, int round)
{
	struct empty_bpf *empty = empty_bpf__open();
	struct bpf_program *used;
	int r = -1;

	if (!empty)
		return -1;
	/* The better hook first, as ebpfmond does. */
	used = empty->progs.empty_file;
	bpf_program__set_autoload(empty->progs.empty_sys, false);
	if (bpf_program__set_attach_target(used, 0, "do_filp_open") < 0 || empty_bpf__load(empty)) {
		empty_bpf__destroy(empty);
		empty = empty_bpf__open();
		if (!empty)
			return -1;
		used = empty->progs.empty_sys;
		bpf_program__set_autoload(empty->progs.empty_file, false);
		if (empty_bpf__load(empty))
			goto out;
	}
	if (empty_bpf__attach(empty) == 0)
		r = measure(series, round);
out:
	empty_bpf__destroy(empty);
	return r;
}

static int measure_counting(struct series *series, int round)
{
	struct harness *harness = NULL;
	int r;

	if (harness_start("[Daemon]\nLogLevel=error\n", &harness) < 0)
		return -1;
	r = measure(series, round);
	if (harness_stop(harness) < 0)
		r = -1;
	return r;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values)
{
	double sorted[ROUNDS];

	memcpy(sorted, values, sizeof(sorted));
	qsort(sorted, ROUNDS, sizeof(sorted[0]), by_size);
	return sorted[ROUNDS / 2];
}

/* 0: within the limits; 1: not; -1: could not be measured. */
static int try_once(void)
{
	struct series series[SETTINGS] = { 0 };
	double open_close[SETTINGS], getppid[SETTINGS], over_nothing, over_empty;

	for (int round = 0; round < ROUNDS; round++)
		if (measure(&series[NOTHING], round) < 0 ||
		    measure_empty(&series[EMPTY], round) < 0 ||
		    measure_counting(&series[COUNTING], round) < 0)
			return -1;
	printf("%-18s %12s %10s %12s %10s\n", "ns, medians", "open+close", "ratio", "getppid",
	       "ratio");
	for (int i = 0; i < SETTINGS; i++) {
		open_close[i] = median(series[i].open_close);
		getppid[i] = median(series[i].getppid);
		printf("%-18s %12.0f %10.3f %12.0f %10.3f\n", setting_names[i], open_close[i],
		       open_close[i] / open_close[NOTHING], getppid[i],
		       getppid[i] / getppid[NOTHING]);
	}
	over_nothing = 100 * open_close[COUNTING] / open_close[NOTHING];
	over_empty = 100 * open_close[COUNTING] / open_close[EMPTY];
	printf("open+close, counting: %.1f %% of nothing (at most %d), %.1f %% of an empty program "
	       "(at most %d)\n",
	       over_nothing, LIMIT_OVER_NOTHING, over_empty, LIMIT_OVER_EMPTY);
	return over_nothing > LIMIT_OVER_NOTHING || over_empty > LIMIT_OVER_EMPTY;
}

int main(void)
{
	cpu_set_t first;
	int r = harness_unable();

	if (r)
		return r;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	libbpf_set_print(NULL);
	for (int i = 0; i < TRIES; i++) {
		r = try_once();
		if (r <= 0)
			break;
	}
	return r != 0;
}
