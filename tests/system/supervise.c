/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * supervise [--listen PATH] [--watchdog USEC] COMMAND...: what a service manager does for a daemon:
 * hears what it says (sd_notify(3)), wants to hear it again and again, passes it a socket
 * (sd_listen_fds(3)). Prints each notification as a line "notify: ..."; passes SIGTERM and SIGHUP
 * on; ends as the daemon does. Knows no daemon.
 */
#include <err.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PASSED_FD = 3, /* the first, by convention */
};

static volatile pid_t daemon_pid;

static void pass_on(int number)
{
	kill(daemon_pid, number);
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

static int listening_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(1, "the path is too long: %s", path);
	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    chmod(path, 0666) || listen(fd, SOMAXCONN))
		err(1, "%s", path);
	return fd;
}

static void set_number(const char *name, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", number);
	if (setenv(name, text, 1))
		err(1, "setenv");
}

static void become_daemon(char **command, int listening, const char *watchdog)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (listening >= 0) {
		if (dup2(listening, PASSED_FD) < 0)
			err(1, "dup2");
		set_number("LISTEN_FDS", 1);
		set_number("LISTEN_PID", getpid());
	}
	if (watchdog) {
		setenv("WATCHDOG_USEC", watchdog, 1);
		set_number("WATCHDOG_PID", getpid());
	}
	execv(command[0], command);
	err(127, "%s", command[0]);
}

/* All that has come. */
static void print_notes(int notify_fd)
{
	char text[4096];
	ssize_t size;

	while ((size = recv(notify_fd, text, sizeof(text), MSG_DONTWAIT)) >= 0) {
		for (ssize_t i = 0; i < size; i++)
			if (text[i] == '\n')
				text[i] = ' ';
		printf("notify: %.*s\n", (int)size, text);
	}
	fflush(stdout);
}

static int listen_until_end(int notify_fd)
{
	struct pollfd fds[] = {
		{ .fd = notify_fd, .events = POLLIN },
		{ .fd = (int)syscall(SYS_pidfd_open, daemon_pid, 0), .events = POLLIN },
	};
	int status;

	if (fds[1].fd < 0)
		err(1, "pidfd_open");
	while (!fds[1].revents) {
		poll(fds, 2, -1); /* interrupted by each signal that is passed on */
		print_notes(notify_fd);
	}
	if (waitpid(daemon_pid, &status, 0) != daemon_pid)
		err(1, "waitpid");
	print_notes(notify_fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "watchdog", required_argument, NULL, 'w' },
		{ NULL },
	};
	struct sigaction action = { .sa_handler = pass_on };
	const char *watchdog = NULL;
	int option, listening = -1, notify_fd = notify_socket();
	pid_t pid;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		if (option == 'l')
			listening = listening_socket(optarg);
		else if (option == 'w')
			watchdog = optarg;
		else
			return 2;
	}
	if (optind == argc)
		errx(2, "no command");
	pid = fork();
	if (pid == 0)
		become_daemon(argv + optind, listening, watchdog);
	if (pid < 0)
		err(1, "fork");
	daemon_pid = pid;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	return listen_until_end(notify_fd);
}
