/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Truth table of probe "fork", and its total against the kernel's own: "processes" in /proc/stat
 * is the number of processes and threads ever made, those of the kernel included. Others fork, too:
 * the numbers are read around a burst of forks, and some burst has to find the two in agreement.
 */
#include "harness.h"
#include "poller.h"
#include "truth.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum {
	FORKS = 101,
	BURSTS_MAX = 200,
};

/* All that was counted by the probe, and by the kernel. */
struct sums {
	uint64_t probe, kernel;
};

static int read_kernel(uint64_t *ret_processes)
{
	unsigned long long processes;
	FILE *file = fopen("/proc/stat", "re");
	char line[128];
	int r = -ENODATA;

	if (!file)
		return -errno;
	while (r < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "processes %llu", &processes) == 1) {
			*ret_processes = processes;
			r = 0;
		}
	fclose(file);
	return r;
}

static int read_probe(struct poller *poller, uint64_t *ret_made)
{
	struct json_object *totals, *forks, *threads;
	int r = poller_poll(poller);

	if (r < 0)
		return r;
	if (!json_object_object_get_ex(poller->stats, "totals", &totals) ||
	    !json_object_object_get_ex(totals, "forks", &forks) ||
	    !json_object_object_get_ex(totals, "threads", &threads))
		return -EBADMSG;
	*ret_made = json_object_get_uint64(forks) + json_object_get_uint64(threads);
	return 0;
}

/* What both grew by around a burst; the kernel's number is read first and last. */
static int burst(struct poller *poller, struct sums *ret_grown)
{
	struct sums before = { 0 }, after = { 0 };
	int r = read_kernel(&before.kernel);

	if (!r)
		r = read_probe(poller, &before.probe);
	for (int i = 0; !r && i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(EXIT_SUCCESS);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			r = -errno;
	}
	if (!r)
		r = read_probe(poller, &after.probe);
	if (!r)
		r = read_kernel(&after.kernel);
	if (!r)
		*ret_grown =
			(struct sums){ after.probe - before.probe, after.kernel - before.kernel };
	return r;
}

/* Never more than the kernel says, never less than our own; and once exactly the kernel's. */
static int compare(struct poller *poller)
{
	for (int i = 0; i < BURSTS_MAX; i++) {
		struct sums grown = { 0 };
		int r = burst(poller, &grown);

		if (r < 0) {
			fprintf(stderr, "forks: %s\n", strerror(-r));
			return 1;
		}
		if (grown.probe < FORKS || grown.probe > grown.kernel) {
			fprintf(stderr, "%d forks: counted %llu, in /proc/stat %llu\n", FORKS,
				(unsigned long long)grown.probe, (unsigned long long)grown.kernel);
			return 1;
		}
		if (grown.probe == grown.kernel) {
			printf("# forks equal /proc/stat: %llu, in burst %d\n",
			       (unsigned long long)grown.kernel, i + 1);
			return 0;
		}
	}
	fprintf(stderr, "forks did not equal those of /proc/stat in any of %d bursts\n",
		BURSTS_MAX);
	return 1;
}

static int compare_with_kernel(void)
{
	struct harness *harness = NULL;
	struct poller poller = { .fd = -1 };
	int failed = harness_start("", &harness) < 0 ||
		     poller_open(&poller, harness_socket(harness)) < 0 || compare(&poller);

	poller_close(&poller);
	return failed | (harness_stop(harness) < 0);
}

int main(void)
{
	static const char *const configurations[] = { "", NULL };
	static const struct truth_load loads[] = {
		{ "vfork", { 997, 1009 } },
		{ "clone-thread", { 997, 1009 } },
		{ 0 },
	};
	const struct truth truth = {
		.probe = "fork",
		.first_uid = 65000,
		.configurations = configurations,
		.loads = loads,
	};
	int r = truth_run(&truth);

	return r ? r : compare_with_kernel();
}
