/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * interop-server SOCKET: the daemon's Varlink server with interfaces for tests instead of its
 * own, for clients that others wrote and for the oracle. Everybody may connect. Until SIGTERM.
 */
#include "certification.h"
#include "socket.h"
#include "twin.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct varlink_interface *const interfaces[] = {
	&certification_interface, &twin_database_interface,  &twin_oom_interface,
	&twin_service_interface,  &twin_extension_interface, NULL,
};

static const struct varlink_info info = {
	.vendor = "ebpfmon",
	.product = "tests/interop",
	.version = "1",
	.url = "https://example.org/",
};

/* The daemon's defaults. */
static const struct varlink_limits limits = {
	.message_bytes = 64 << 10,
	.depth = 32,
	.connections = 128,
	.connections_per_uid = 32,
	.queue_bytes = 16 << 20,
	.request_usec = 10 * UINT64_C(1000000),
	.requests_queued = 16,
};

static void event_freep(sd_event **event)
{
	sd_event_unref(*event);
}

/* Ends the loop on SIGTERM; it must be blocked for that. */
static int end_on_signal(sd_event *event)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	return sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
}

static int serve(const char *path, struct problem *problem)
{
	struct varlink_server *server CLEANUP(varlink_server_freep) = NULL;
	struct certification certification = { .started = 0 };
	sd_event *event CLEANUP(event_freep) = NULL;
	int fd _cleanup_close_ = -1;
	int r;

	r = sd_event_new(&event);
	if (r >= 0)
		r = end_on_signal(event);
	if (r >= 0)
		r = varlink_server_new(event, interfaces, &info, &limits, &certification, &server);
	if (r < 0)
		return problem_set(problem, -r, "cannot serve: %s", strerror(-r));
	fd = socket_listen(path, problem);
	if (fd < 0)
		return fd;
	r = varlink_server_listen_fd(server, fd);
	if (r < 0)
		return problem_set(problem, -r, "cannot serve %s: %s", path, strerror(-r));
	TAKE_FD(fd);
	return sd_event_loop(event);
}

int main(int argc, char *argv[])
{
	struct problem problem = { .error = 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: interop-server SOCKET\n");
		return 2;
	}
	if (serve(argv[1], &problem) < 0) {
		fprintf(stderr, "%s\n", problem.text);
		return 1;
	}
	return 0;
}
