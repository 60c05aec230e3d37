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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum {
	PATIENCE_MSEC = 20000, /* for what should happen and does not */
	FLOOD_BYTES = 1 << 30,
	CONNECTIONS_MAX = 10000,
	DRIBBLE_BYTES_MAX = 4096,
	PIPELINE_DEPTH = 16,
	ASK_EVERY_MSEC = 10,
	SAMPLES_MAX = 100000,
};

static const char *path;

static const char question[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
/* What costs the daemon most. */
static const char costly[] =
	"{\"method\":\"io.ebpfmon.Monitor.GetStats\",\"parameters\":{\"by\":\"unit\"}}";
/* Whose answer is long, and cheap. */
static const char bulky[] = "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
			    "\"parameters\":{\"interface\":\"io.ebpfmon.Monitor\"}}";

static long now_usec(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static long now_msec(void)
{
	return now_usec() / 1000;
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

/* @n connections; the caller frees. */
static int *connections(unsigned int n)
{
	struct rlimit limit;
	int *fds = calloc(n, sizeof(*fds));

	if (!fds || n > CONNECTIONS_MAX)
		errx(1, "%u connections are too many", n);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* or socket() says so */
	for (unsigned int i = 0; i < n; i++)
		fds[i] = connected();
	return fds;
}

/* Half a request on each of @n: how many milliseconds until the daemon has closed them all. */
static void halve(const int *fds, unsigned int n)
{
	long begin = now_msec();

	for (unsigned int i = 0; i < n; i++)
		sent(fds[i], question, sizeof(question) / 2);
	for (unsigned int i = 0; i < n; i++)
		await_end(fds[i]);
	printf("%ld\n", now_msec() - begin);
	fflush(stdout);
}

/*
 * N connections, one question on each: how many were answered and how many closed. Those that
 * were answered stay until the end of stdin; a byte there halves them.
 */
static void crowd(const char *const *arguments)
{
	unsigned int n = (unsigned int)atoi(arguments[0]), stay = 0;
	int *fds _cleanup_free_ = connections(n);
	char byte;

	for (unsigned int i = 0; i < n; i++) {
		bool closed;

		sent(fds[i], question, sizeof(question));
		if (answers(fds[i], 1, &closed) == 1)
			fds[stay++] = fds[i];
	}
	printf("%u stay, %u closed\n", stay, n - stay);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		halve(fds, stay);
}

/* N connections, a byte a second on each, until all are closed: after how many milliseconds. */
static void trickle(const char *const *arguments)
{
	unsigned int n = (unsigned int)atoi(arguments[0]);
	int *fds _cleanup_free_ = connections(n);
	long begin = now_msec();

	for (unsigned int second = 0; n; second++) {
		struct pollfd wait = { .events = POLLRDHUP };
		unsigned int open = 0;

		if (second == PATIENCE_MSEC / 1000)
			errx(1, "%u are not closed", n);
		for (unsigned int i = 0; i < n; i++)
			if (sent(fds[i], question + second, 1))
				fds[open++] = fds[i];
		n = open;
		wait.fd = fds[0];
		if (n && poll(&wait, 1, 1000) > 0)
			second--; /* the first one was closed: on with the others */
	}
	printf("%ld\n", now_msec() - begin);
}

/* @n times @request in one piece; the caller frees. */
static char *pipeline(const char *request, size_t n)
{
	size_t size = strlen(request) + 1;
	char *requests = malloc(n * size);

	if (!requests)
		err(1, "malloc");
	for (size_t i = 0; i < n; i++)
		memcpy(requests + i * size, request, size);
	return requests;
}

/*
 * N requests at once on each of M connections, and nothing is read before the daemon closes: how
 * many whole answers it had sent by then, and after how many milliseconds it had closed all.
 */
static void hoard(const char *const *arguments)
{
	size_t n = (size_t)atoi(arguments[0]);
	unsigned int m = (unsigned int)atoi(arguments[1]), total = 0;
	char *requests _cleanup_free_ = pipeline(bulky, n);
	int *fds _cleanup_free_ = connections(m);
	long begin = now_msec(), end;
	bool closed;

	for (unsigned int i = 0; i < m; i++)
		if (!sent(fds[i], requests, n * sizeof(bulky)))
			errx(1, "closed before all requests were sent");
	for (unsigned int i = 0; i < m; i++)
		await_end(fds[i]);
	end = now_msec();
	for (unsigned int i = 0; i < m; i++)
		total += answers(fds[i], -1U, &closed);
	printf("%u %ld\n", total, end - begin);
}

/* Answers that have come on @fd, without waiting for more. */
static unsigned int answers_now(int fd)
{
	unsigned int n_answers = 0;
	char bytes[65536];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		for (ssize_t i = 0; i < n; i++)
			n_answers += bytes[i] == '\0';
	if (n == 0)
		errx(1, "closed");
	return n_answers;
}

/* N connections for S seconds, each with a full pipeline all the time: how many answers. */
static void gulp(const char *const *arguments)
{
	unsigned int n = (unsigned int)atoi(arguments[0]), busy = 0;
	long total = 0, end = now_msec() + atol(arguments[1]) * 1000;
	char *requests _cleanup_free_ = pipeline(costly, PIPELINE_DEPTH);
	unsigned int *pending _cleanup_free_ = calloc(n, sizeof(*pending));
	struct pollfd *waits _cleanup_free_ = calloc(n, sizeof(*waits));
	int *fds _cleanup_free_ = connections(n);

	for (unsigned int i = 0; i < n; i++)
		waits[i] = (struct pollfd){ fds[i], POLLIN, 0 };
	do {
		busy = 0;
		for (unsigned int i = 0; i < n; i++) {
			unsigned int more = pending[i] ? answers_now(fds[i]) : 0;

			total += more;
			pending[i] -= more;
			if (!pending[i] && now_msec() < end) {
				if (!sent(fds[i], requests, PIPELINE_DEPTH * sizeof(costly)))
					errx(1, "closed");
				pending[i] = PIPELINE_DEPTH;
			}
			busy += pending[i] > 0;
		}
		if (busy && poll(waits, n, PATIENCE_MSEC) <= 0)
			errx(1, "no answer within %d ms", PATIENCE_MSEC);
	} while (busy);
	printf("%ld\n", total);
}

static int sample_compare(const void *a, const void *b)
{
	const long *one = a, *two = b;

	return (*one > *two) - (*one < *two);
}

/*
 * Behaves: a question on a connection of its own, again and again, until the end of stdin: how
 * many, how many of them without an answer, 99th percentile and maximum in microseconds.
 */
static void behave(const char *const *arguments)
{
	long *samples _cleanup_free_ = calloc(SAMPLES_MAX, sizeof(*samples));
	struct pollfd end = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned int n = 0, lost = 0;

	(void)arguments;
	if (!samples)
		err(1, "calloc");
	while (n < SAMPLES_MAX && poll(&end, 1, ASK_EVERY_MSEC) == 0) {
		long begin = now_usec();
		int fd = connected();
		bool closed;

		sent(fd, costly, sizeof(costly));
		lost += answers(fd, 1, &closed) != 1;
		close(fd);
		samples[n++] = now_usec() - begin;
	}
	qsort(samples, n, sizeof(*samples), sample_compare);
	printf("%u %u %ld %ld\n", n, lost, n ? samples[n * 99 / 100] : 0, n ? samples[n - 1] : 0);
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
	{ "say", 1, say },	   { "half", 0, half },	      { "flood", 0, flood },
	{ "crowd", 1, crowd },	   { "hoard", 2, hoard },     { "come-and-go", 1, come_and_go },
	{ "dribble", 1, dribble }, { "trickle", 1, trickle }, { "gulp", 2, gulp },
	{ "behave", 0, behave },
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
