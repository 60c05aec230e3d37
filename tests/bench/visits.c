/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * visits FIRST USERS MORE [STATE]: each of USERS users from FIRST on opens and closes a file, and then
 * again, all in turn, until there were MORE visits or a few more. Prints the nanoseconds of a user's
 * first visit and of a later one, medians, and how many visits each user made. Between two visits, which
 * is not measured, it becomes the next user, and with the pinned map STATE waits for room in the table.
 */
#include "room.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	STRIDE = 7919, /* a prime: neighbours in time are none in the table */
	PATIENCE = 64, /* visits without a look for room */
};

struct visits {
	const struct em_state *state;
	uid_t first;
	unsigned long users;
	unsigned int *nsec; /* of each visit of a round */
};

static long now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

static unsigned int visit(uid_t uid)
{
	long begin;
	int fd;

	/* The saved user id is the way back. */
	if (setresuid(uid, uid, 0))
		err(1, "setresuid");
	begin = now_nsec();
	fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "/etc/hostname");
	close(fd);
	begin = now_nsec() - begin;
	if (setresuid((uid_t)-1, 0, (uid_t)-1))
		err(1, "setresuid");
	return (unsigned int)begin;
}

static int by_size(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return (x > y) - (x < y);
}

/* The median, which others on the processor do not change. */
static unsigned int visit_all(const struct visits *visits, unsigned long rounds)
{
	unsigned long n = rounds * visits->users;

	for (unsigned long i = 0; i < n; i++) {
		if (visits->state && i % PATIENCE == 0)
			room_wait(visits->state);
		visits->nsec[i] = visit(visits->first + (uid_t)(i * STRIDE % visits->users));
	}
	qsort(visits->nsec, n, sizeof(*visits->nsec), by_size);
	return n ? visits->nsec[n / 2] : 0;
}

int main(int argc, char **argv)
{
	struct visits visits = { NULL };
	unsigned long rounds;
	unsigned int first;

	if (argc != 4 && argc != 5)
		errx(1, "usage: visits FIRST USERS MORE [STATE]");
	visits.first = (uid_t)strtoul(argv[1], NULL, 10);
	visits.users = strtoul(argv[2], NULL, 10);
	if (visits.users % STRIDE == 0)
		errx(1, "%s users would not all be visited", argv[2]);
	rounds = (strtoul(argv[3], NULL, 10) + visits.users - 1) / visits.users;
	visits.nsec = calloc((rounds + 1) * visits.users, sizeof(*visits.nsec));
	if (!visits.nsec)
		err(1, "%lu rounds of %lu users", rounds, visits.users);
	if (argc == 5)
		visits.state = room_map(argv[4]);
	first = visit_all(&visits, 1);
	printf("%u %u %lu\n", first, visit_all(&visits, rounds), 1 + rounds);
	free(visits.nsec);
	return 0;
}
