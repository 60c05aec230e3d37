/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One client: bytes in, one request at a time, answers out, hang-up. Owns the connection and the
 * order of answers; what a request means is varlink-call.c's.
 *
 * A connection is closed from the event loop only, never inside a handler, varlink_reply() or
 * varlink_notify(): what those find wrong is noted and dealt with by the next run.
 */
#include "varlink-internal.h"

#include "log.h"

#include <assert.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum {
	RECEIVES_PER_RUN = 16,
};

/* What one run may still do, so that one client cannot keep the others waiting. */
struct budget {
	unsigned int requests; /* and turns of streams */
	unsigned int receives;
};

static void connection_free(struct varlink_connection *connection)
{
	sd_event_source_disable_unref(connection->io);
	close_fd(connection->fd);
	message_buffer_done(&connection->input);
	varlink_output_clear(&connection->output);
	free(connection->peer.groups);
	free(connection);
}

/* Something changed outside of a run: the next one deals with it. */
static void wake(struct varlink_connection *connection)
{
	if (!connection->running)
		varlink_server_schedule(connection);
}

/* The call has ended: a connection that was only kept for it goes as well. */
static void call_end(struct varlink_connection *connection)
{
	connection->call = (struct varlink_call){ .open = false };
	if (connection->server)
		wake(connection);
	else
		connection_free(connection);
}

void varlink_connection_close(struct varlink_connection *connection)
{
	struct varlink_call *call = &connection->call;

	varlink_server_wait(connection, WAIT_NOTHING);
	varlink_server_forget(connection);
	connection->server = NULL;
	connection->io = sd_event_source_disable_unref(connection->io);
	connection->fd = close_fd(connection->fd);
	if (call->open && !call->gone)
		return; /* whoever has it will answer into the void */
	if (call->open)
		call->gone(call->gone_userdata);
	connection_free(connection);
}

/* --- out --------------------------------------------------------------------------------------- */

static void flush(struct varlink_connection *connection)
{
	int r = varlink_output_send(&connection->output, connection->fd);

	if (r > 0 && connection->wait == WAIT_SPACE) /* with any progress its time starts anew */
		varlink_server_wait(connection, WAIT_NOTHING);
	if (r < 0) {
		connection->deaf = true;
		varlink_output_clear(&connection->output);
	}
}

/* Nobody will read it: the client left, takes no more, or wanted no answer. */
static bool is_void(const struct varlink_connection *connection)
{
	return !connection->server || connection->deaf || connection->call.oneway;
}

/* What the clients of one user have not taken yet: many slow ones are as dear as one. */
static size_t user_pending(const struct varlink_connection *connection)
{
	size_t bytes = 0;

	for (const struct varlink_connection *c = connection->server->connections; c; c = c->next)
		if (c->peer.uid == connection->peer.uid)
			bytes += c->output.bytes;
	return bytes;
}

enum answer_form {
	ANSWER_FINAL,
	ANSWER_CONTINUES,
	ANSWER_MESSAGES, /* whole ones, any number */
};

/*
 * A user's first answer is always queued, however large; more only up to the limit, beyond which
 * the client is too slow and the connection is closed.
 */
static int answer(struct varlink_connection *connection, const char *error, struct json *parameters,
		  enum answer_form form)
{
	struct varlink_output *output = &connection->output;
	struct varlink_server *server = connection->server;
	size_t pending;
	int r;

	if (is_void(connection) || connection->failed) {
		if (parameters)
			json_done(parameters);
		return connection->failed ? -ECONNABORTED : 0;
	}
	pending = user_pending(connection);
	if (form == ANSWER_MESSAGES)
		r = varlink_output_push_messages(output, parameters);
	else
		r = varlink_output_push(output, error, parameters, form == ANSWER_CONTINUES);
	if (r == 0)
		flush(connection);
	if (r == 0 && pending > 0 && output->bytes > 0 &&
	    user_pending(connection) > server->limits.queue_bytes) {
		server->counters.closed_queue++;
		r = -ENOBUFS;
	}
	if (r == -ENOMEM)
		log_error("an answer to uid %u is lost: %s; its connection is closed",
			  connection->peer.uid, strerror(-r));
	if (r < 0) {
		connection->failed = true;
		wake(connection);
		return r;
	}
	if (error)
		server->counters.errors++;
	if (output->bytes > 0 || connection->deaf)
		wake(connection);
	return 0;
}

static int notify(struct varlink_call *call, struct json *text, enum answer_form form)
{
	assert(call->open);
	if (!call->more) {
		json_done(text);
		return -EINVAL;
	}
	return answer(varlink_call_connection(call), NULL, text, form);
}

int varlink_notify(struct varlink_call *call, struct json *parameters)
{
	return notify(call, parameters, ANSWER_CONTINUES);
}

int varlink_notify_messages(struct varlink_call *call, struct json *messages)
{
	return notify(call, messages, ANSWER_MESSAGES);
}

int varlink_reply(struct varlink_call *call, struct json *parameters)
{
	struct varlink_connection *connection = varlink_call_connection(call);
	int r;

	assert(call->open);
	r = answer(connection, NULL, parameters, ANSWER_FINAL);
	call_end(connection);
	return r;
}

int varlink_error(struct varlink_call *call, const char *error, struct json *parameters)
{
	struct varlink_connection *connection = varlink_call_connection(call);
	int r;

	assert(call->open);
	r = answer(connection, error, parameters, ANSWER_FINAL);
	call_end(connection);
	return r;
}

const struct varlink_peer *varlink_call_peer(const struct varlink_call *call)
{
	return &varlink_call_connection(call)->peer;
}

bool varlink_call_wants_more(const struct varlink_call *call)
{
	return call->more;
}

void varlink_call_on_disconnect(struct varlink_call *call, void (*gone)(void *), void *userdata)
{
	struct varlink_connection *connection = varlink_call_connection(call);

	assert(call->open);
	if (connection->server) {
		call->gone = gone;
		call->gone_userdata = userdata;
	} else if (gone) {
		gone(userdata);
		connection_free(connection);
	}
}

bool varlink_call_has_room(const struct varlink_call *call)
{
	return varlink_call_connection(call)->output.bytes == 0;
}

void varlink_call_on_room(struct varlink_call *call, void (*room)(void *), void *userdata)
{
	assert(call->open && call->gone);
	call->room = room;
	call->room_userdata = userdata;
	wake(varlink_call_connection(call));
}

/* --- in ---------------------------------------------------------------------------------------- */

/* 1 bytes came, 0 nothing is there, -errno, which is the end as well: all before it was handled. */
static int receive(struct varlink_connection *connection, struct budget *budget)
{
	size_t size;
	char *space;
	ssize_t n;
	int r;

	if (budget->receives == 0) /* epoll will say so again */
		return 0;
	budget->receives--;
	r = message_buffer_reserve(&connection->input, &space, &size);
	if (r == -EMSGSIZE)
		connection->server->counters.closed_size++;
	if (r < 0)
		return r;
	n = recv(connection->fd, space, size, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -ECONNRESET;
	message_buffer_commit(&connection->input, (size_t)n);
	if ((size_t)n < size)
		budget->receives = 0; /* likely all there is: spares a call that says so */
	return 1;
}

/* The stream may go on. */
static void tell_room(struct varlink_call *call)
{
	void (*room)(void *) = call->room;

	call->room = NULL;
	room(call->room_userdata);
}

/* The next complete request: as step(). */
static int take_request(struct varlink_connection *connection, struct budget *budget)
{
	size_t length;
	char *text;
	int r;

	r = message_buffer_next(&connection->input, &text, &length);
	if (r == -EMSGSIZE)
		connection->server->counters.closed_size++;
	if (r < 0)
		return r;
	if (r == 0)
		return receive(connection, budget);
	budget->requests--;
	varlink_server_wait(connection, WAIT_NOTHING);
	r = varlink_request(connection, text, length);
	return r < 0 ? r : 1;
}

/* One step: 1 there may be more to do, 0 wait, -errno close. */
static int step(struct varlink_connection *connection, struct budget *budget)
{
	struct varlink_call *call = &connection->call;

	flush(connection);
	if (connection->failed)
		return -ECONNABORTED;
	if (connection->output.bytes > 0 || (call->open && (!call->room || connection->deaf)))
		return 0;
	if (budget->requests == 0) {
		connection->ready = true;
		return 0;
	}
	if (!call->open)
		return take_request(connection, budget);
	budget->requests--;
	tell_room(call);
	return 1;
}

/*
 * EPOLLHUP is always waited for. While a call is open or an answer is on its way nothing is read,
 * so that a client cannot make the buffer grow.
 */
static int update(struct varlink_connection *connection)
{
	bool sending = connection->output.bytes > 0;
	bool reading = !sending && !connection->call.open;
	uint32_t events = (sending ? EPOLLOUT : 0) | (reading ? EPOLLIN : 0);
	int r = 0;

	if (connection->input.start == connection->input.end)
		message_buffer_done(&connection->input);
	if (sending)
		varlink_server_wait(connection, WAIT_SPACE);
	else if (reading && !connection->ready && message_buffer_partial(&connection->input))
		varlink_server_wait(connection, WAIT_REQUEST);
	else
		varlink_server_wait(connection, WAIT_NOTHING);
	if (events != connection->events)
		r = sd_event_source_set_io_events(connection->io, events);
	if (r >= 0)
		connection->events = events;
	if (connection->ready)
		varlink_server_schedule(connection);
	else if (r >= 0)
		r = sd_event_source_set_enabled(connection->io, SD_EVENT_ON);
	return r;
}

void varlink_connection_run(struct varlink_connection *connection)
{
	struct budget budget = {
		.requests = connection->server->limits.requests_queued,
		.receives = RECEIVES_PER_RUN,
	};
	int r;

	connection->ready = false;
	connection->running = true;
	do
		r = step(connection, &budget);
	while (r > 0);
	connection->running = false;
	if (r == 0 && connection->call.open && connection->deaf)
		r = -EPIPE; /* it could never hear the answer */
	if (r == 0)
		r = update(connection);
	/* Here as well: whose bytes come whenever the timer does would never be given up there. */
	if (r < 0 || varlink_server_gives_up(connection))
		varlink_connection_close(connection);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct varlink_connection *connection = userdata;

	(void)source;
	(void)fd;
	/* Both directions are shut: nobody waits for the answer. What was sent before still counts. */
	if ((events & (EPOLLHUP | EPOLLERR)) && connection->call.open)
		varlink_connection_close(connection);
	else
		varlink_server_schedule(connection);
	return 0;
}

int varlink_connection_new(struct varlink_server *server, int fd, const struct varlink_peer *peer)
{
	struct varlink_connection *connection = calloc(1, sizeof(*connection));
	int r;

	if (!connection)
		return -ENOMEM;
	connection->events = EPOLLIN;
	r = sd_event_add_io(server->event, &connection->io, fd, connection->events, on_io,
			    connection);
	if (r < 0) {
		free(connection);
		return r;
	}
	connection->server = server;
	connection->fd = fd;
	connection->peer = *peer;
	connection->input.max = server->limits.message_bytes;
	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	for (struct varlink_connection *c = connection->next; c; c = c->next)
		if (c->peer.uid == peer->uid)
			connection->user_turn = c->user_turn;
	server->connections = connection;
	server->counters.connections++;
	server->counters.accepted++;
	return 0;
}
