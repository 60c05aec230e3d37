/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ready COMMAND...: runs a daemon and prints after how many microseconds it said READY=1
 * (sd_notify(3)), ends it with SIGTERM, and exits 0 if it ended well. Knows no daemon.
 */
#include <err.h>
#include <poll.h>
#include <signal.h>
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

static void await_ready(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[1024];

	do {
		ssize_t size;

		if (poll(&wait, 1, PATIENCE_MSEC) <= 0)
			errx(1, "not ready within %d ms", PATIENCE_MSEC);
		size = recv(fd, text, sizeof(text) - 1, 0);
		text[size < 0 ? 0 : size] = '\0';
	} while (strncmp(text, "READY=1", 7) && !strstr(text, "\nREADY=1"));
}

int main(int argc, char **argv)
{
	int fd = notify_socket(), status;
	long begin = now_usec();
	pid_t pid;

	if (argc < 2)
		errx(1, "usage: ready COMMAND...");
	pid = fork();
	if (pid == 0) {
		execv(argv[1], argv + 1);
		err(127, "%s", argv[1]);
	}
	await_ready(fd);
	printf("%ld\n", now_usec() - begin);
	kill(pid, SIGTERM);
	return waitpid(pid, &status, 0) != pid || status;
}
