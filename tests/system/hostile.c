/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client that misbehaves: hostile SOCKET UID DEED [ARGUMENT...]. Becomes user UID, does one deed
 * of the table below, and prints what came of it as one line. Owns no judgement: exits 0 whatever
 * the daemon did, 1 only if the deed itself could not be done.
 */
#include "util.h"

#include <err.h>
#include <grp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum {
	PATIENCE_MSEC = 20000, /* for what should happen and does not */
	FLOOD_BYTES = 64 << 20,
	CONNECTIONS_MAX = 1000,
	DRIBBLE_BYTES_MAX = 4096,
};

static const char *path;

static const char question[] = "{\"method\":\"org.varlink.service.GetInfo\"}";

static long now_msec(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int connected(void)
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

/* All of it, or false: the daemon has closed. */
static bool sent(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

/* Whole answers until the daemon closes or @most are there; @ret_closed says which it was. */
static unsigned int answers(int fd, unsigned int most, bool *ret_closed)
{
	unsigned int n_answers = 0;
	char bytes[65536];

	*ret_closed = false;
	while (n_answers < most) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&wait, 1, PATIENCE_MSEC) <= 0)
			errx(1, "no answer and no end within %d ms", PATIENCE_MSEC);
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n <= 0) {
			*ret_closed = true;
			break;
		}
		for (ssize_t i = 0; i < n; i++)
			n_answers += bytes[i] == '\0';
	}
	return n_answers;
}

static void await_end(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLRDHUP };

	if (poll(&wait, 1, PATIENCE_MSEC) <= 0)
		errx(1, "the daemon did not close within %d ms", PATIENCE_MSEC);
}

/* --- deeds ------------------------------------------------------------------------------------- */

/* A message: "N answers", after the daemon closed. */
static void say(const char *const *arguments)
{
	bool closed;
	int fd = connected();

	sent(fd, arguments[0], strlen(arguments[0]) + 1);
	printf("%u answers\n", answers(fd, -1U, &closed));
}

/* Half a message: how many milliseconds until the daemon closed. */
static void half(const char *const *arguments)
{
	long begin = now_msec();
	int fd = connected();

	(void)arguments;
	sent(fd, question, sizeof(question) / 2);
	await_end(fd);
	printf("%ld\n", now_msec() - begin);
}

/* One message without an end: whether the daemon closed before it had all. */
static void flood(const char *const *arguments)
{
	static char bytes[65536];
	size_t size = 0;
	int fd = connected();

	(void)arguments;
	memset(bytes, ' ', sizeof(bytes));
	while (size < FLOOD_BYTES && sent(fd, bytes, sizeof(bytes)))
		size += sizeof(bytes);
	printf("%s\n", size < FLOOD_BYTES ? "closed" : "took it");
}

/*
 * N connections, one question on each: how many were answered and how many closed. Those that
 * were answered stay until the end of stdin.
 */
static void crowd(const char *const *arguments)
{
	unsigned int n = (unsigned int)atoi(arguments[0]), stay = 0;
	int fds[CONNECTIONS_MAX];
	char byte;

	for (unsigned int i = 0; i < n && i < CONNECTIONS_MAX; i++)
		fds[i] = connected();
	for (unsigned int i = 0; i < n && i < CONNECTIONS_MAX; i++) {
		bool closed;

		sent(fds[i], question, sizeof(question));
		stay += answers(fds[i], 1, &closed);
	}
	printf("%u stay, %u closed\n", stay, n - stay);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

/*
 * N requests at once, and nothing is read before the daemon closes: how many whole answers it had
 * sent by then, and after how many milliseconds it closed.
 */
static void hoard(const char *const *arguments)
{
	static const char request[] = "{\"method\":\"io.ebpfmon.Monitor.GetStats\"}";
	size_t n = (size_t)atoi(arguments[0]);
	char *requests _cleanup_free_ = malloc(n * sizeof(request));
	long begin = now_msec(), end;
	bool closed;
	int fd = connected();

	if (!requests)
		err(1, "malloc");
	for (size_t i = 0; i < n; i++)
		memcpy(requests + i * sizeof(request), request, sizeof(request));
	if (!sent(fd, requests, n * sizeof(request)))
		errx(1, "closed before all requests were sent");
	await_end(fd);
	end = now_msec();
	printf("%u %ld\n", answers(fd, -1U, &closed), end - begin);
}

/* Connects and closes N times. */
static void come_and_go(const char *const *arguments)
{
	for (int i = 0; i < atoi(arguments[0]); i++)
		close(connected());
	printf("done\n");
}

/* A request of N bytes, one each 5 ms: the answers it gets, and after how many milliseconds. */
static void dribble(const char *const *arguments)
{
	struct timespec pause = { .tv_nsec = 5000000 };
	size_t size = (size_t)atoi(arguments[0]);
	char bytes[DRIBBLE_BYTES_MAX];
	long begin = now_msec();
	unsigned int n;
	bool closed;
	int fd = connected();

	if (size < sizeof(question) || size > sizeof(bytes))
		errx(1, "%zu is no length", size);
	memset(bytes, ' ', size);
	memcpy(bytes + size - sizeof(question), question, sizeof(question));
	for (size_t i = 0; i < size && sent(fd, bytes + i, 1); i++)
		nanosleep(&pause, NULL);
	n = answers(fd, 1, &closed);
	printf("%u %ld\n", n, now_msec() - begin);
}

static const struct {
	const char *name;
	int arguments;
	void (*act)(const char *const *arguments);
} deeds[] = {
	{ "say", 1, say },	   { "half", 0, half },	  { "flood", 0, flood },
	{ "crowd", 1, crowd },	   { "hoard", 1, hoard }, { "come-and-go", 1, come_and_go },
	{ "dribble", 1, dribble },
};

int main(int argc, char **argv)
{
	uid_t uid;

	if (argc < 4)
		errx(1, "usage: hostile SOCKET UID DEED [ARGUMENT]");
	path = argv[1];
	uid = (uid_t)atoi(argv[2]);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		err(1, "cannot become user %u", uid);
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		if (strcmp(deeds[i].name, argv[3]) || argc - 4 != deeds[i].arguments)
			continue;
		deeds[i].act((const char *const *)argv + 4);
		return 0;
	}
	errx(1, "no such deed: %s", argv[3]);
}
