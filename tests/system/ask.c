/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ask SOCKET CONNECT USE REQUEST: one process connects as CONNECT and passes the connection to
 * another, which as USE sends REQUEST and prints the answer. Both are UID:GID[:GROUP], with "ns:"
 * before it as root of a user namespace of its own. Judges nothing.
 */
#include "util.h"

#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum {
	EXIT_NO_NAMESPACE = 77,
	PATIENCE_SECONDS = 20,
};

static void write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s", path);
}

/* As unshare -Ur does it. */
static void become_namespace_root(uid_t uid, gid_t gid)
{
	char map[64];

	/* Who changed the user id does not own the files in its /proc. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		err(1, "PR_SET_DUMPABLE");
	if (unshare(CLONE_NEWUSER))
		err(EXIT_NO_NAMESPACE, "unshare");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
	if (geteuid() != 0 || getegid() != 0)
		errx(1, "not root in the namespace");
}

static void become(const char *who)
{
	const char *ids = strncmp(who, "ns:", 3) ? who : who + 3;
	unsigned int uid, gid, group;
	int n = sscanf(ids, "%u:%u:%u", &uid, &gid, &group);
	gid_t groups[] = { group };

	if (n < 2)
		errx(1, "nobody: %s", who);
	if (setgroups(n == 3, groups) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		err(1, "cannot become %s", who);
	if (ids != who)
		become_namespace_root(uid, gid);
}

static int connected(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(1, "the path is too long: %s", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", path);
	return fd;
}

/* One descriptor over @channel (unix(7), SCM_RIGHTS): sends *@fd, or receives into it if it is -1. */
static void pass(int channel, int *fd)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n;

	if (*fd >= 0)
		memcpy(CMSG_DATA(&control.header), fd, sizeof(*fd));
	n = *fd >= 0 ? sendmsg(channel, &message, 0) : recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	if (n != 1 || message.msg_controllen < sizeof(struct cmsghdr))
		errx(1, "the connection was not passed");
	if (*fd < 0)
		memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
}

/* Prints the first answer; who subscribes gets more. */
static void ask(int fd, const char *request)
{
	char bytes[65536];
	size_t length;
	ssize_t n;

	if (send(fd, request, strlen(request) + 1, MSG_NOSIGNAL) < 0)
		err(1, "send");
	do {
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n <= 0)
			errx(1, "no answer");
		length = strnlen(bytes, (size_t)n);
		fwrite(bytes, 1, length, stdout);
	} while (length == (size_t)n);
	printf("\n");
}

int main(int argc, char **argv)
{
	int channel[2], fd = -1, status;
	pid_t pid;

	if (argc != 5)
		errx(1, "usage: ask SOCKET CONNECT USE REQUEST");
	alarm(PATIENCE_SECONDS);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		err(1, "socketpair");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		become(argv[2]);
		fd = connected(argv[1]);
		pass(channel[1], &fd);
		return 0;
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		errx(1, "who connects was killed");
	if (WEXITSTATUS(status))
		return WEXITSTATUS(status);
	pass(channel[0], &fd);
	become(argv[3]);
	ask(fd, argv[4]);
	return 0;
}
