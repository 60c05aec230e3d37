/* SPDX-License-Identifier: GPL-2.0-only */
/* Connects, calls, waits with a limit, tells failures apart. */
#include "connection.h"
#include "complaint.h"
#include "reader.h"

#include <assert.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define INTERFACE "io.ebpfmon.Monitor"
#define JOURNAL	  "see 'journalctl -u ebpfmond'"
#define START	  "start it: 'systemctl start ebpfmond', or 'ebpfmond' as root; if it fails, " JOURNAL
#define PRIVILEGE "be root or a member of the group 'ebpfmon'"

enum {
	ANSWER_SECONDS_MAX = 10,
	ANSWER_BYTES_MAX = 64 << 20, /* about 190,000 rows */
	ANSWER_DEPTH_MAX = 32,
	ERROR_NAME_MAX = 200, /* bytes shown of an error that we do not know */
};

struct connection connection_to(const char *path)
{
	return (struct connection){
		.path = path,
		.fd = -1,
		.interrupt_fd = -1,
		.buffer = { .max = ANSWER_BYTES_MAX },
	};
}

void connection_close(struct connection *connection)
{
	connection->fd = close_fd(connection->fd);
	message_buffer_done(&connection->buffer);
	connection->buffer = (struct message_buffer){ .max = ANSWER_BYTES_MAX };
}

static int connection_open(struct connection *connection)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	/* For a connect() to a daemon that accepts nobody, and for sending. */
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS_MAX };
	_cleanup_close_ int fd = -1;

	if (strlen(connection->path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, connection->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		if (errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
	connection->fd = TAKE_FD(fd);
	return 0;
}

/* @request with the NUL that ends it. */
static int connection_send(const struct connection *connection, const struct text *request)
{
	size_t done = 0, length = request->length + 1;

	if (request->error)
		return request->error;
	while (done < length) {
		ssize_t size =
			send(connection->fd, request->data + done, length - done, MSG_NOSIGNAL);

		if (size >= 0)
			done += (size_t)size;
		else if (errno == EPIPE)
			return -ECONNRESET;
		else if (errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	return 0;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connection_wait(const struct connection *connection, int64_t deadline_ms)
{
	struct pollfd fds[] = {
		{ .fd = connection->fd, .events = POLLIN },
		{ .fd = connection->interrupt_fd, .events = POLLIN },
	};
	int64_t left;

	while ((left = deadline_ms - monotonic_ms()) > 0) {
		int ready = poll(fds, ARRAY_SIZE(fds), (int)left);

		if (ready > 0)
			return fds[1].revents ? -EINTR : 0;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
	return -ETIMEDOUT;
}

/* 1 something is there, 0 not within @timeout_ms (-1: for ever), -EINTR. */
static int stream_wait(const struct connection *connection, int timeout_ms)
{
	struct pollfd fds[] = {
		{ .fd = connection->fd, .events = POLLIN },
		{ .fd = connection->interrupt_fd, .events = POLLIN },
	};
	int ready;

	do
		ready = poll(fds, ARRAY_SIZE(fds), timeout_ms);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -errno;
	return fds[1].revents ? -EINTR : ready;
}

/* One message within the time limit, however small the pieces that it comes in. */
static int connection_receive(struct connection *connection, struct slice *ret_message)
{
	int64_t deadline_ms = monotonic_ms() + INT64_C(1000) * ANSWER_SECONDS_MAX;
	char *room;
	size_t length;
	ssize_t size;
	int result;

	while (!(result = message_buffer_next(&connection->buffer, &room, &length))) {
		result = connection_wait(connection, deadline_ms);
		if (result)
			return result;
		result = message_buffer_reserve(&connection->buffer, &room, &length);
		if (result)
			return result;
		size = recv(connection->fd, room, length, MSG_DONTWAIT);
		if (!size)
			return -ECONNRESET;
		if (size > 0)
			message_buffer_commit(&connection->buffer, (size_t)size);
		else if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	if (result < 0)
		return result;
	*ret_message = (struct slice){ room, length };
	return 0;
}

int reply_read(struct slice message, struct reply *ret_reply)
{
	struct reply reply = { .parameters = { "{}", 2 } };
	struct reader reader = reader_of(message);
	struct slice key;

	if (message_check(message.text, message.length, ANSWER_DEPTH_MAX))
		return -EBADMSG;
	reader_object(&reader);
	while (reader_member(&reader, &key)) {
		struct slice value = reader_value(&reader);

		if (slice_is(key, "parameters") && !slice_is(value, "null"))
			reply.parameters = value;
		else if (slice_is(key, "error") && !slice_is(value, "null"))
			reply.error = value;
	}
	if (reader.error || reply.parameters.text[0] != '{' ||
	    (reply.error.text && reply.error.text[0] != '"'))
		return -EBADMSG;
	if (reply.error.text)
		reply.error = (struct slice){ reply.error.text + 1, reply.error.length - 2 };
	*ret_reply = reply;
	return 0;
}

static int connection_try(struct connection *connection, const struct text *request,
			  struct reply *ret_reply)
{
	struct slice message = {};
	int error = 0;

	if (connection->fd < 0)
		error = connection_open(connection);
	if (!error)
		error = connection_send(connection, request);
	if (!error)
		error = connection_receive(connection, &message);
	if (!error)
		error = reply_read(message, ret_reply);
	if (error)
		connection_close(connection);
	return error;
}

int connection_call(struct connection *connection, const char *method, const char *parameters,
		    struct reply *ret_reply)
{
	_cleanup_text_ struct text request = {};
	bool used = connection->fd >= 0;
	int error;

	text_printf(&request, "{\"method\":\"" INTERFACE ".%s\"%s%s}", method,
		    parameters ? ",\"parameters\":" : "", parameters ? parameters : "");
	error = connection_try(connection, &request, ret_reply);
	/* The daemon was restarted between two calls: nothing is wrong with this one. */
	if (error == -ECONNRESET && used)
		error = connection_try(connection, &request, ret_reply);
	return error;
}

bool connection_passing(int error)
{
	return error == -ENOENT || error == -ECONNREFUSED || error == -ECONNRESET ||
	       error == -ETIMEDOUT || error == -EACCES;
}

int connection_stream(struct connection *connection, const char *method, const char *parameters)
{
	_cleanup_text_ struct text request = {};
	int error;

	text_printf(&request, "{\"method\":\"" INTERFACE ".%s\",\"parameters\":%s,\"more\":true}",
		    method, parameters);
	error = connection_open(connection);
	if (!error)
		error = connection_send(connection, &request);
	if (error)
		connection_close(connection);
	return error;
}

int connection_next(struct connection *connection, int timeout_ms, struct slice *ret_message)
{
	char *room;
	size_t length;
	ssize_t size;
	int result;

	while (!(result = message_buffer_next(&connection->buffer, &room, &length))) {
		result = message_buffer_reserve(&connection->buffer, &room, &length);
		if (result)
			return result;
		size = recv(connection->fd, room, length, MSG_DONTWAIT);
		if (!size)
			return -ECONNRESET;
		if (size > 0) {
			message_buffer_commit(&connection->buffer, (size_t)size);
			continue;
		}
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
		result = timeout_ms ? stream_wait(connection, timeout_ms) : 0;
		if (result <= 0)
			return result;
	}
	if (result > 0)
		*ret_message = (struct slice){ room, length };
	return result;
}

int connection_complain(const struct connection *connection, int error)
{
	static const struct {
		int error;
		int code;
		const char *before; /* the path of the socket */
		const char *after;
	} failures[] = {
		{ ENOENT, CODE_NOT_RUNNING, "ebpfmond is not running (no socket at ", "): " START },
		{ ECONNREFUSED, CODE_NOT_RUNNING, "ebpfmond is not running (nobody listens on ",
		  "): " START },
		{ EACCES, CODE_NO_PERMISSION, "no permission to connect to ", ": " PRIVILEGE },
		{ EPERM, CODE_NO_PERMISSION, "no permission to connect to ", ": " PRIVILEGE },
		{ ENAMETOOLONG, CODE_USAGE, "the path of the socket is too long: ", "" },
		{ ENOTDIR, CODE_USAGE, "part of the path is not a folder: ", "" },
		{ EPROTOTYPE, CODE_FAILURE, "not a socket of ebpfmond: ", "" },
		{ ETIMEDOUT, CODE_FAILURE, "ebpfmond did not answer within 10 seconds (",
		  "): " JOURNAL },
		{ ECONNRESET, CODE_FAILURE, "ebpfmond closed the connection without an answer (",
		  "): " JOURNAL },
		{ EBADMSG, CODE_FAILURE, "the answer is not understood (",
		  "): is it ebpfmond that listens there?" },
		{ EMSGSIZE, CODE_FAILURE, "the answer is longer than 64 MiB (",
		  "): ask for one user, with --uid" },
	};

	static_assert(ANSWER_SECONDS_MAX == 10 && ANSWER_BYTES_MAX == 64 << 20, "as told above");
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (failures[i].error == -error)
			return complain(failures[i].code, "%s%s%s", failures[i].before,
					connection->path, failures[i].after);
	return complain(CODE_FAILURE, "cannot talk to ebpfmond (%s): %s", connection->path,
			strerror(-error));
}

/* The member @name of the parameters, safe; "" without one. */
static void reply_detail(const struct reply *reply, const char *name, struct text *text)
{
	struct reader reader = reader_of(reply->parameters);
	struct slice key;

	text_puts(text, "");
	reader_object(&reader);
	while (reader_member(&reader, &key)) {
		struct slice value = reader_value(&reader);
		struct reader inside = reader_of(value);

		if (slice_is(key, name) && value.text[0] == '"')
			reader_string(&inside, text);
	}
}

int reply_complain(const struct reply *reply, const char *method)
{
	_cleanup_text_ struct text parameter = {};
	size_t length = reply->error.length;

	if (slice_is(reply->error, "org.varlink.service.PermissionDenied"))
		return complain(CODE_NO_PERMISSION, "ebpfmond does not permit %s: " PRIVILEGE,
				method);
	if (slice_is(reply->error, "org.varlink.service.InvalidParameter")) {
		reply_detail(reply, "parameter", &parameter);
		return complain(CODE_USAGE, "ebpfmond does not accept the parameter '%s' of %s%s",
				parameter.data, method,
				parameter.data && !strcmp(parameter.data, "probes")
					? ": 'ebpfctl probes' lists the names that there are"
					: "");
	}
	if (slice_is(reply->error, "io.ebpfmon.Monitor.TooManySubscribers"))
		return complain(CODE_FAILURE, "ebpfmond has no room for another subscriber: see "
					      "[Events] in ebpfmond.conf(5)");
	if (slice_is(reply->error, "io.ebpfmon.Monitor.NoEvents"))
		return complain(CODE_FAILURE, "ebpfmond has no events: " JOURNAL);
	if (slice_is(reply->error, "org.varlink.service.MethodNotFound") ||
	    slice_is(reply->error, "org.varlink.service.InterfaceNotFound") ||
	    slice_is(reply->error, "org.varlink.service.MethodNotImplemented"))
		return complain(CODE_FAILURE,
				"the running ebpfmond does not know %s, it is older than ebpfctl "
				"%s: restart it with 'systemctl restart ebpfmond'",
				method, EBPFMON_VERSION);
	if (slice_is(reply->error, INTERFACE ".HistoryDisabled"))
		return complain(
			CODE_FAILURE,
			"ebpfmond keeps no history: set Enabled=yes in section [History] of "
			"/etc/ebpfmon/ebpfmond.conf and run 'ebpfctl reload', or use "
			"'ebpfctl stats --watch'");
	return complain(CODE_FAILURE, "ebpfmond answered %s with the error '%.*s'", method,
			(int)(length < ERROR_NAME_MAX ? length : ERROR_NAME_MAX),
			reply->error.text);
}

int connection_ask(struct connection *connection, const char *method, const char *parameters,
		   struct reply *ret_reply)
{
	int error = connection_call(connection, method, parameters, ret_reply);

	if (error)
		return connection_complain(connection, error);
	return ret_reply->error.text ? reply_complain(ret_reply, method) : CODE_OK;
}
