/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Truth table of probe "exit", and lifetimes: processes of a known age have to be counted as that
 * old. What is known are two ages between which the true one lies.
 */
#include "harness.h"
#include "poller.h"
#include "truth.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum {
	LIFE_UID = 64900,
	LIVES_MAX = 50, /* until one of an age is surely that old */
};

#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC  (1000 * NSEC_PER_MSEC)

/* From which age on a process belongs to a counter. Older ones than these are not waited for. */
static const struct {
	enum em_slot slot;
	uint64_t from_nsec;
} ages[] = {
	{ EM_EXITS_UNDER_1MS, 0 },
	{ EM_EXITS_UNDER_10MS, NSEC_PER_MSEC },
	{ EM_EXITS_UNDER_100MS, 10 * NSEC_PER_MSEC },
	{ EM_EXITS_UNDER_1S, 100 * NSEC_PER_MSEC },
	{ EM_EXITS_UNDER_10S, NSEC_PER_SEC },
	{ EM_EXITS_UNDER_1MIN, 10 * NSEC_PER_SEC },
};

/* One process: it lived for at least and at most so long. */
struct life {
	uint64_t least_nsec, most_nsec;
};

static uint64_t now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

static size_t age_index(uint64_t nsec)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(ages) && nsec >= ages[i + 1].from_nsec)
		i++;
	return i;
}

/* The child: stays until it is @nsec old, and leaves behind how old it surely is. */
static void grow_old(uint64_t nsec, uint64_t *age_nsec)
{
	uint64_t born = now_nsec();
	struct timespec rest = { .tv_nsec = NSEC_PER_MSEC / 10 };

	if (setresuid(LIFE_UID, LIFE_UID, LIFE_UID))
		_exit(EXIT_FAILURE);
	while (now_nsec() - born < nsec)
		nanosleep(&rest, NULL);
	*age_nsec = now_nsec() - born;
	_exit(EXIT_SUCCESS);
}

static int live(uint64_t nsec, uint64_t *shared, struct life *ret_life)
{
	uint64_t before = now_nsec();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		grow_old(nsec, shared);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	*ret_life = (struct life){ *shared, now_nsec() - before };
	return status ? -ECHILD : 0;
}

/* 1: the life was counted, and as surely of age @i; 0: as one it may have had; -EBADMSG: neither. */
static int check_life(struct poller *poller, size_t i, uint64_t *shared)
{
	struct counts before, after;
	struct life life = { 0 };
	size_t least, most, sum = 0;
	int r = counts_of(poller->stats, LIFE_UID, &before);

	if (!r)
		r = live(ages[i].from_nsec, shared, &life);
	if (!r)
		r = poller_poll(poller);
	if (!r)
		r = counts_of(poller->stats, LIFE_UID, &after);
	if (r < 0)
		return r;
	least = age_index(life.least_nsec);
	most = age_index(life.most_nsec);
	for (size_t age = least; age <= most; age++)
		sum += after.value[ages[age].slot] - before.value[ages[age].slot];
	if (sum == 1 && after.value[EM_EXITS] - before.value[EM_EXITS] == 1)
		return least == i && most == i;
	fprintf(stderr, "a life of %llu to %llu ns: %zu in the counters from %s to %s\n",
		(unsigned long long)life.least_nsec, (unsigned long long)life.most_nsec, sum,
		slot_names[ages[least].slot], slot_names[ages[most].slot]);
	return -EBADMSG;
}

static int check_ages(struct poller *poller, uint64_t *shared)
{
	/* An emulated processor is too slow for the first two; the last is where others end. */
	for (size_t i = getenv("EBPFMON_SMALL") ? 2 : 0; i + 1 < ARRAY_SIZE(ages); i++) {
		int r = 0;

		for (int n = 0; r == 0 && n < LIVES_MAX; n++)
			r = check_life(poller, i, shared);
		if (r <= 0) {
			fprintf(stderr, "lifetimes: %s: %s\n", slot_names[ages[i].slot],
				r ? strerror(-r) : "no process was surely that old");
			return 1;
		}
	}
	return 0;
}

static int check_lifetimes(void)
{
	uint64_t *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct harness *harness = NULL;
	struct poller poller = { .fd = -1 };
	int failed = shared == MAP_FAILED || harness_start("", &harness) < 0 ||
		     poller_open(&poller, harness_socket(harness)) < 0 ||
		     poller_poll(&poller) < 0 || check_ages(&poller, shared);

	poller_close(&poller);
	return failed | (harness_stop(harness) < 0);
}

int main(void)
{
	static const char *const configurations[] = { "", NULL };
	static const struct truth_load loads[] = {
		{ "exit-together", { 307, 311 } },
		{ "exit-leader-first", { 997, 1009 } },
		{ 0 },
	};
	const struct truth truth = {
		.probe = "exit",
		.first_uid = 64000,
		.configurations = configurations,
		.loads = loads,
	};
	int r = truth_run(&truth);

	return r ? r : check_lifetimes();
}
