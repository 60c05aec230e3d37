/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ready [--kill-after USEC] COMMAND...: runs a daemon and prints after how many microseconds it said
 * READY=1 (sd_notify(3)), ends it with SIGTERM, and exits 0 if it ended well. With --kill-after it is
 * ended with SIGKILL after that time, ready or not ("-" is printed), and may not have ended before.
 * Knows no daemon.
 */
#include <err.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PATIENCE_MSEC = 30000,
};

static long now_usec(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* A socket with a name that the kernel chooses (unix(7), autobind), in NOTIFY_SOCKET. */
static int notify_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[sizeof(address.sun_path) + 1] = "@";

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(sa_family_t)) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		err(1, "notify socket");
	memcpy(name + 1, address.sun_path + 1, size - offsetof(struct sockaddr_un, sun_path) - 1);
	if (setenv("NOTIFY_SOCKET", name, 1))
		err(1, "setenv");
	return fd;
}

/* False: not until @deadline_usec. */
static bool await_ready(int fd, long deadline_usec)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[1024];

	do {
		long left_usec = deadline_usec - now_usec();
		const struct timespec left = { left_usec / 1000000, left_usec % 1000000 * 1000 };
		ssize_t size;

		if (left_usec <= 0 || ppoll(&wait, 1, &left, NULL) <= 0)
			return false;
		size = recv(fd, text, sizeof(text) - 1, 0);
		text[size < 0 ? 0 : size] = '\0';
	} while (strncmp(text, "READY=1", 7) && !strstr(text, "\nREADY=1"));
	return true;
}

static int end_well(pid_t pid, bool ready)
{
	int status;

	if (!ready)
		errx(1, "not ready within %d ms", PATIENCE_MSEC);
	kill(pid, SIGTERM);
	return waitpid(pid, &status, 0) != pid || status;
}

static int end_by_force(pid_t pid, long deadline_usec)
{
	const struct timespec end = { deadline_usec / 1000000, deadline_usec % 1000000 * 1000 };
	int status;

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL))
		continue;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		errx(1, "it had ended by itself, status %#x", (unsigned int)status);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kill-after", required_argument, NULL, 'k' },
		{ NULL },
	};
	int option, fd = notify_socket();
	long begin, deadline, kill_after = 0;
	bool ready;
	pid_t pid;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0)
		kill_after = option == 'k' ? strtol(optarg, NULL, 10) : -1;
	if (optind == argc || kill_after < 0)
		errx(2, "usage: ready [--kill-after USEC] COMMAND...");
	begin = now_usec();
	deadline = begin + (kill_after ? kill_after : PATIENCE_MSEC * 1000L);
	pid = fork();
	if (pid == 0) {
		execv(argv[optind], argv + optind);
		err(127, "%s", argv[optind]);
	}
	ready = await_ready(fd, deadline);
	if (ready)
		printf("%ld\n", now_usec() - begin);
	else
		puts("-");
	return kill_after ? end_by_force(pid, deadline) : end_well(pid, ready);
}
