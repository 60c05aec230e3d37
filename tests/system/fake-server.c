/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A daemon for testing the client: answers each request with the next canned text, whoever asks.
 * Owns no protocol but the NUL that ends a message.
 *
 *   fake-server SOCKET LOG ANSWER...
 *
 * Listens on SOCKET, prints the pid of the process that serves there, and returns: from then on
 * clients can connect. Each request is appended to LOG as a line. Each ANSWER is a file, whose
 * text is sent with a NUL; split:FILE, the same byte by byte; or one of the words below. After the
 * last it removes SOCKET and exits.
 *   close     closes the connection instead of answering
 *   garbage   sends what is no JSON
 *   half      sends half a message and closes
 *   silence   waits until the client goes away
 */
#include "util.h"

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	LIFETIME_SECONDS = 60, /* a test that failed leaves nothing behind for longer */
};

struct server {
	int listener;
	int client; /* -1: none */
	FILE *log;
};

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(1, "the path is too long: %s", path);
	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) || listen(fd, 8))
		err(1, "%s", path);
	return fd;
}

/* One request into the log; false: the client is gone. */
static bool request_take(struct server *server)
{
	char byte;
	ssize_t size;

	while ((size = read(server->client, &byte, 1)) == 1 && byte)
		fputc(byte, server->log);
	if (size != 1)
		return false;
	fputc('\n', server->log);
	fflush(server->log);
	return true;
}

static void request_wait(struct server *server)
{
	for (;;) {
		if (server->client < 0)
			server->client = accept(server->listener, NULL, NULL);
		if (server->client < 0)
			err(1, "accept");
		if (request_take(server))
			return;
		server->client = close_fd(server->client);
	}
}

static void send_all(const struct server *server, const char *text, size_t length, size_t piece)
{
	for (size_t done = 0; done < length;) {
		size_t size = length - done < piece ? length - done : piece;
		ssize_t sent = send(server->client, text + done, size, MSG_NOSIGNAL);

		if (sent < 0)
			return; /* the client is gone, which is its right */
		done += (size_t)sent;
	}
}

static void send_file(const struct server *server, const char *path, size_t piece)
{
	FILE *file = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	size_t capacity = 0;
	ssize_t length;

	/* Up to the end of the file: the delimiter, NUL, is in none. */
	length = file ? getdelim(&text, &capacity, '\0', file) : -1;
	if (length < 0)
		err(1, "%s", path);
	fclose(file);
	send_all(server, text, (size_t)length + 1, piece);
}

static void answer(struct server *server, const char *what)
{
	char byte;

	if (!strcmp(what, "silence")) {
		while (read(server->client, &byte, 1) > 0)
			;
	} else if (!strcmp(what, "garbage")) {
		send_all(server, "{\"parameters\":{'rows':NaN}}",
			 sizeof("{\"parameters\":{'rows':NaN}}"), SIZE_MAX);
	} else if (!strcmp(what, "half")) {
		send_all(server, "{\"parameters\":", strlen("{\"parameters\":"), SIZE_MAX);
	} else if (!strncmp(what, "split:", strlen("split:"))) {
		send_file(server, what + strlen("split:"), 1);
		return;
	} else if (strcmp(what, "close") != 0) {
		send_file(server, what, SIZE_MAX);
		return;
	}
	server->client = close_fd(server->client);
}

int main(int argc, char *argv[])
{
	struct server server = { .client = -1 };
	pid_t child;
	int null;

	if (argc < 4)
		errx(2, "usage: fake-server SOCKET LOG ANSWER...");
	server.listener = listen_on(argv[1]);
	server.log = fopen(argv[2], "ae");
	if (!server.log)
		err(1, "%s", argv[2]);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (child) {
		printf("%d\n", (int)child);
		return 0;
	}
	/* Whoever reads our stdout is not to wait for the server. */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
		err(1, "/dev/null");
	alarm(LIFETIME_SECONDS);
	for (int i = 3; i < argc; i++) {
		request_wait(&server);
		answer(&server, argv[i]);
	}
	unlink(argv[1]);
	return 0;
}
