/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Varlink server as a whole: listening sockets, who may connect, the one timer, and whose turn
 * it is. Owns all connections; refuses to know what goes over them.
 */
#include "varlink-internal.h"

#include "log.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

enum {
	ACCEPTS_PER_WAKEUP = 32,
	RESERVED = 4, /* connections for root and the daemon's own user */
	ACCEPT_PAUSE_USEC = 1000000,
	TIMER_ACCURACY_USEC = 10000,
	TURN_WAIT_USEC = 100000,
	TURNS_USEC = 2000, /* for connections that are ready, in each turn of the loop */
};

/* --- who is there ------------------------------------------------------------------------------ */

/*
 * Supplementary groups are as many as whoever started the peer gave it, NGROUPS_MAX at most; they
 * never change for a connection, so the size the kernel names is right at the second try.
 */
static int read_groups(int fd, struct varlink_peer *peer)
{
	socklen_t size = 0;
	gid_t *groups;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0)
		return 0;
	if (errno == ENOPROTOOPT || errno == ENODATA) /* before Linux 4.13 */
		return 0;
	if (errno != ERANGE)
		return -errno;
	if (size > NGROUPS_MAX * sizeof(gid_t))
		return -E2BIG;
	groups = malloc(size);
	if (!groups)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) {
		free(groups);
		return -errno;
	}
	peer->groups = groups;
	peer->n_groups = size / sizeof(gid_t);
	return 0;
}

static int read_peer(int fd, struct varlink_peer *peer)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return -errno;
	*peer = (struct varlink_peer){
		.uid = credentials.uid,
		.gid = credentials.gid,
		.pid = credentials.pid,
	};
	return 0;
}

bool varlink_peer_in_group(const struct varlink_peer *peer, gid_t gid)
{
	if (peer->gid == gid)
		return true;
	for (size_t i = 0; i < peer->n_groups; i++) {
		if (peer->groups[i] == gid)
			return true;
	}
	return false;
}

static unsigned int count_uid(const struct varlink_server *server, uid_t uid)
{
	unsigned int n = 0;

	for (struct varlink_connection *c = server->connections; c; c = c->next)
		n += c->peer.uid == uid;
	return n;
}

/* The counter of the limit that keeps a peer of @uid out; NULL: welcome. */
static uint64_t *refusal(struct varlink_server *server, uid_t uid)
{
	const struct varlink_limits *limits = &server->limits;
	unsigned int max = limits->connections;

	if (uid != 0 && uid != geteuid())
		max = max > RESERVED ? max - RESERVED : 0;
	if (server->counters.connections >= max)
		return &server->counters.refused_total;
	if (uid != 0 && count_uid(server, uid) >= limits->connections_per_uid)
		return &server->counters.refused_per_uid;
	return NULL;
}

/* --- time -------------------------------------------------------------------------------------- */

/* Wakes up at @usec at the latest. Firing too early is harmless: it then looks again. */
static void arm(struct varlink_server *server, uint64_t usec)
{
	uint64_t armed;
	int enabled = SD_EVENT_OFF;

	if (sd_event_source_get_enabled(server->timer, &enabled) >= 0 && enabled != SD_EVENT_OFF &&
	    sd_event_source_get_time(server->timer, &armed) >= 0 && armed <= usec)
		return;
	sd_event_source_set_time(server->timer, usec);
	sd_event_source_set_enabled(server->timer, SD_EVENT_ONESHOT);
}

static void disarm_if_idle(struct varlink_server *server)
{
	if (server->waiting == 0 && server->accept_again == 0)
		sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
}

static uint64_t now(const struct varlink_server *server)
{
	uint64_t usec = 0;

	sd_event_now(server->event, CLOCK_MONOTONIC, &usec);
	return usec;
}

void varlink_server_wait(struct varlink_connection *connection, enum varlink_wait wait)
{
	struct varlink_server *server = connection->server;

	if (connection->wait == wait)
		return;
	if (connection->wait == WAIT_NOTHING)
		server->waiting++;
	connection->wait = wait;
	if (wait == WAIT_NOTHING) {
		server->waiting--;
		disarm_if_idle(server);
		return;
	}
	if (__builtin_add_overflow(now(server), server->limits.request_usec, &connection->deadline))
		connection->deadline = UINT64_MAX; /* never */
	arm(server, connection->deadline);
}

static void accept_resume(struct varlink_server *server)
{
	if (server->accept_again == 0)
		return;
	server->accept_again = 0;
	for (struct varlink_listener *l = server->listeners; l; l = l->next)
		sd_event_source_set_enabled(l->io, SD_EVENT_ON);
	disarm_if_idle(server);
}

bool varlink_server_gives_up(struct varlink_connection *connection)
{
	struct varlink_counters *counters = &connection->server->counters;

	if (connection->wait == WAIT_NOTHING || connection->deadline > now(connection->server))
		return false;
	if (connection->wait == WAIT_REQUEST)
		counters->closed_timeout++;
	else
		counters->closed_queue++;
	return true;
}

static int on_timer(sd_event_source *source, uint64_t due, void *userdata)
{
	struct varlink_server *server = userdata;
	struct varlink_connection *next;
	uint64_t usec = now(server);

	(void)source;
	(void)due;
	if (server->accept_again != 0 && server->accept_again <= usec)
		accept_resume(server);
	if (server->accept_again != 0)
		arm(server, server->accept_again);
	for (struct varlink_connection *c = server->connections; c; c = next) {
		next = c->next;
		if (c->wait == WAIT_NOTHING)
			continue;
		if (c->deadline > usec)
			arm(server, c->deadline);
		else if (c->ready) /* it may be us who are slow: decided at the end of its turn */
			arm(server, usec + TURN_WAIT_USEC);
		else if (varlink_server_gives_up(c))
			varlink_connection_close(c);
	}
	return 0;
}

/* --- turns ------------------------------------------------------------------------------------- */

void varlink_server_schedule(struct varlink_connection *connection)
{
	connection->ready = true;
	/* A client that leaves is still noticed while a call is open: nothing is read then. */
	sd_event_source_set_enabled(connection->io,
				    connection->call.open ? SD_EVENT_ON : SD_EVENT_OFF);
	deferred_want(connection->server->runner, true);
}

static bool is_before(const struct varlink_connection *a, const struct varlink_connection *b)
{
	if (a->user_turn != b->user_turn)
		return a->user_turn < b->user_turn;
	return a->turn < b->turn;
}

static void take_turn(struct varlink_server *server, struct varlink_connection *connection)
{
	connection->turn = ++server->turns;
	for (struct varlink_connection *c = server->connections; c; c = c->next)
		if (c->peer.uid == connection->peer.uid)
			c->user_turn = connection->turn;
}

/* Of those that are ready the one whose user, then itself, has waited longest; NULL: nobody is. */
static struct varlink_connection *whose_turn(const struct varlink_server *server)
{
	struct varlink_connection *next = NULL;

	for (struct varlink_connection *c = server->connections; c; c = c->next)
		if (c->ready && (!next || !is_before(next, c))) /* of equals who is here longest */
			next = c;
	return next;
}

/*
 * Until it is somebody's turn again, or for a moment; then the sockets are looked at again. Users
 * take turns, and so do the connections of each: how many of them somebody has and how much he asks
 * delays only himself.
 */
static void take_turns(void *userdata)
{
	struct varlink_server *server = userdata;
	uint64_t before = server->turns, end = now_monotonic_usec() + TURNS_USEC;
	struct varlink_connection *next;

	while ((next = whose_turn(server)) && next->turn <= before && now_monotonic_usec() < end) {
		take_turn(server, next);
		varlink_connection_run(next);
	}
	deferred_want(server->runner, next != NULL);
}

/* --- connections come and go ------------------------------------------------------------------- */

void varlink_server_forget(struct varlink_connection *connection)
{
	struct varlink_server *server = connection->server;

	if (connection->next)
		connection->next->previous = connection->previous;
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	server->counters.connections--;
	accept_resume(server);
}

static int add(struct varlink_server *server, int fd, struct varlink_peer *peer)
{
	int r;

	r = read_groups(fd, peer);
	if (r < 0)
		return r;
	r = varlink_connection_new(server, fd, peer);
	if (r < 0)
		free(peer->groups);
	return r;
}

int varlink_server_add_connection(struct varlink_server *server, int fd)
{
	struct varlink_peer peer = { 0 };
	int r;

	r = sd_is_socket_unix(fd, SOCK_STREAM, 0, NULL, 0);
	if (r <= 0)
		return r < 0 ? r : -EINVAL;
	r = read_peer(fd, &peer);
	if (r < 0)
		return r;
	return add(server, fd, &peer);
}

/*
 * No descriptor or no memory for another connection: the socket would stay readable and the loop
 * would spin. Not accepting until a connection ends, or a second later if that was not ours to
 * cause.
 */
static void accept_pause(struct varlink_server *server, int error)
{
	if (!server->accept_failed)
		log_warning("cannot accept connections: %s; new clients have to wait",
			    strerror(error));
	server->accept_failed = true;
	server->counters.accept_errors++;
	for (struct varlink_listener *l = server->listeners; l; l = l->next)
		sd_event_source_set_enabled(l->io, SD_EVENT_OFF);
	server->accept_again = now(server) + ACCEPT_PAUSE_USEC;
	arm(server, server->accept_again);
}

/* 1 go on, 0 that was all. A client that is refused is accepted first: the backlog must drain. */
static int accept_one(struct varlink_server *server, int listening)
{
	int fd _cleanup_close_ = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct varlink_peer peer = { 0 };
	uint64_t *counter;

	if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
		return 1;
	if (fd < 0) {
		if (errno != EAGAIN)
			accept_pause(server, errno);
		return 0;
	}
	server->accept_failed = false;
	if (read_peer(fd, &peer) < 0) {
		server->counters.accept_errors++;
		return 1;
	}
	counter = refusal(server, peer.uid);
	if (!counter && add(server, fd, &peer) < 0)
		counter = &server->counters.accept_errors;
	if (counter)
		(*counter)++;
	else
		TAKE_FD(fd);
	return 1;
}

static int on_listener(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct varlink_listener *listener = userdata;

	(void)source;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_WAKEUP; i++) {
		if (accept_one(listener->server, fd) == 0)
			break;
	}
	return 0;
}

int varlink_server_listen_fd(struct varlink_server *server, int fd)
{
	struct varlink_listener *listener _cleanup_free_ = NULL;
	int r;

	r = sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0);
	if (r <= 0)
		return r < 0 ? r : -EINVAL;
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	r = sd_event_add_io(server->event, &listener->io, fd, EPOLLIN, on_listener, listener);
	if (r < 0)
		return r;
	sd_event_source_set_io_fd_own(listener->io, 1);
	listener->server = server;
	listener->next = server->listeners;
	server->listeners = TAKE_PTR(listener);
	return 0;
}

/* --- the server -------------------------------------------------------------------------------- */

static bool limits_are_set(const struct varlink_limits *limits)
{
	return limits->message_bytes > 0 && limits->depth > 0 && limits->connections > 0 &&
	       limits->connections_per_uid > 0 && limits->queue_bytes > 0 &&
	       limits->request_usec > 0 && limits->requests_queued > 0;
}

static int add_sources(struct varlink_server *server)
{
	int r;

	r = sd_event_add_time(server->event, &server->timer, CLOCK_MONOTONIC, 0,
			      TIMER_ACCURACY_USEC, on_timer, server);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
	if (r < 0)
		return r;
	return deferred_new(server->event, take_turns, server, &server->runner);
}

int varlink_server_new(sd_event *event, const struct varlink_interface *const *interfaces,
		       const struct varlink_info *info, const struct varlink_limits *limits,
		       void *userdata, struct varlink_server **ret_server)
{
	struct varlink_server *server CLEANUP(varlink_server_freep) = NULL;
	int r;

	if (!limits_are_set(limits))
		return -EINVAL;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->event = sd_event_ref(event);
	server->interfaces = interfaces;
	server->info = *info;
	server->limits = *limits;
	server->userdata = userdata;
	r = add_sources(server);
	if (r < 0)
		return r;
	*ret_server = TAKE_PTR(server);
	return 0;
}

struct varlink_server *varlink_server_free(struct varlink_server *server)
{
	struct varlink_listener *listener;

	if (!server)
		return NULL;
	while ((listener = server->listeners)) {
		server->listeners = listener->next;
		sd_event_source_disable_unref(listener->io);
		free(listener);
	}
	while (server->connections)
		varlink_connection_close(server->connections);
	sd_event_source_disable_unref(server->timer);
	deferred_free(server->runner);
	sd_event_unref(server->event);
	free(server);
	return NULL;
}

void varlink_server_set_limits(struct varlink_server *server, const struct varlink_limits *limits)
{
	assert(limits_are_set(limits));
	server->limits = *limits;
	for (struct varlink_connection *c = server->connections; c; c = c->next)
		c->input.max = limits->message_bytes;
}

const struct varlink_counters *varlink_server_counters(const struct varlink_server *server)
{
	return &server->counters;
}
