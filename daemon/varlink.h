/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Varlink server over AF_UNIX on sd-event: accepts, knows who the peer is, frames, limits,
 * validates parameters against a table and dispatches. Serves org.varlink.service itself. Knows
 * nothing of what the methods do.
 *
 * Behaves as sd-varlink does; docs/ARCHITECTURE.md has the table of odd inputs.
 */
#pragma once

#include "json.h"
#include "util.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

/* Who is at the other end, as the kernel said when the connection was made (unix(7)). */
struct varlink_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t *groups; /* supplementary, SO_PEERGROUPS */
	size_t n_groups;
};

bool varlink_peer_in_group(const struct varlink_peer *peer, gid_t gid);

enum varlink_type {
	VARLINK_BOOL,
	VARLINK_INT, /* any int64 or uint64; 1.0, 1e3 and "1000" are made one before the handler */
	VARLINK_FLOAT, /* any number; 1 is made 1.0 before the handler */
	VARLINK_STRING,
	VARLINK_ENUM,	      /* a string out of @choices */
	VARLINK_STRING_ARRAY, /* []string */
	VARLINK_OBJECT,	      /* a struct, a map, object; what is in it is the handler's to check */
};

/* One parameter; the server answers InvalidParameter itself, before the handler is called. */
struct varlink_parameter {
	const char *name;
	enum varlink_type type;
	bool nullable;		    /* may be absent or null */
	const char *const *choices; /* VARLINK_ENUM: NULL-terminated */
};

struct varlink_call;

/*
 * Answers @call, now or later, exactly once with varlink_reply() or varlink_error() (any number
 * of varlink_notify() may come before when the caller asked for more). @parameters is an object,
 * validated, never NULL, valid until the handler returns. A negative return means the handler did
 * not answer: the server logs it and closes the connection, without what was asked for with
 * varlink_call_on_disconnect().
 */
typedef int (*varlink_handler)(struct varlink_call *call, struct json_object *parameters,
			       void *userdata);

struct varlink_method {
	const char *name;			    /* without the interface */
	const struct varlink_parameter *parameters; /* ends with a NULL name; NULL: none */
	varlink_handler handler;
	bool streams; /* answers only calls with "more": ExpectedMore otherwise */
};

struct varlink_interface {
	const char *name;
	const char *description;	      /* its .varlink text */
	const struct varlink_method *methods; /* ends with a NULL name */
};

/* What GetInfo answers. */
struct varlink_info {
	const char *vendor, *product, *version, *url;
};

/* Everything a peer controls has one of these. All must be set. */
struct varlink_limits {
	size_t message_bytes;	  /* longest request; beyond it the connection is closed */
	unsigned int depth;	  /* nesting of a request */
	unsigned int connections; /* in all; root's and the daemon's own user may use the last 4 */
	unsigned int connections_per_uid; /* of others than root */
	/* answers that a user's clients have not taken, if more than one; then the last is closed */
	size_t queue_bytes;
	uint64_t request_usec; /* from a request's first byte to its NUL */
	/* pipelined requests, and turns of a stream, handled in one turn of the loop: fairness */
	unsigned int requests_queued;
};

/* Since start; refused and closed say why, for GetStatus. */
struct varlink_counters {
	uint64_t connections; /* now */
	uint64_t accepted;
	uint64_t refused_total;	  /* limit connections */
	uint64_t refused_per_uid; /* limit connections_per_uid */
	uint64_t accept_errors;	  /* accept() failed: EMFILE and the like */
	uint64_t closed_protocol; /* bad JSON, unknown header, too deep */
	uint64_t closed_size;	  /* limit message_bytes */
	uint64_t closed_queue;	  /* limit queue_bytes */
	uint64_t closed_timeout;  /* limit request_usec */
	uint64_t calls;
	uint64_t errors; /* error replies */
};

struct varlink_server;

/*
 * @interfaces ends with NULL; it, @info's strings and @userdata (for handlers) must outlive the
 * server. Returns 0 or -errno.
 */
int varlink_server_new(sd_event *event, const struct varlink_interface *const *interfaces,
		       const struct varlink_info *info, const struct varlink_limits *limits,
		       void *userdata, struct varlink_server **ret_server);
/* Closes every connection and listening socket. NULL is fine. */
struct varlink_server *varlink_server_free(struct varlink_server *server);
static inline void varlink_server_freep(struct varlink_server **server)
{
	varlink_server_free(*server);
}

/* Serves @fd, a listening non-blocking AF_UNIX stream socket; takes ownership on success. */
int varlink_server_listen_fd(struct varlink_server *server, int fd);
/* Serves @fd, one connected socket; takes ownership on success. For tests and fuzzing too. */
int varlink_server_add_connection(struct varlink_server *server, int fd);

/* New limits count from now on; connections over them stay until they end. */
void varlink_server_set_limits(struct varlink_server *server, const struct varlink_limits *limits);
const struct varlink_counters *varlink_server_counters(const struct varlink_server *server);

const struct varlink_peer *varlink_call_peer(const struct varlink_call *call);
bool varlink_call_wants_more(const struct varlink_call *call);

/*
 * Final answer with @parameters (an object written with json.h; NULL: {}), which is emptied.
 * After it the call is gone, whatever is returned. Safe after the client left. A connection that
 * lost an answer (-ENOMEM; -ENOBUFS: limit queue_bytes) is closed, later, from the event loop.
 */
int varlink_reply(struct varlink_call *call, struct json *parameters);
/*
 * One answer of several ("continues": true); -EINVAL for a call that does not want more. Errors
 * as above; then the call is still there and ends with its on_disconnect, never inside of this.
 */
int varlink_notify(struct varlink_call *call, struct json *parameters);
/*
 * Answers of a stream that were written before: one or more whole messages with "continues", each
 * with its NUL. Otherwise as varlink_notify().
 */
int varlink_notify_messages(struct varlink_call *call, struct json *messages);
/* Final answer with an error: full name, and its parameters (NULL: none). */
int varlink_error(struct varlink_call *call, const char *error, struct json *parameters);
int varlink_error_invalid_parameter(struct varlink_call *call, const char *parameter);
int varlink_error_permission_denied(struct varlink_call *call);

/*
 * For answers that come later: called once when @call ends without its final answer because the
 * client went away or the server is freed; the call is gone afterwards.
 */
void varlink_call_on_disconnect(struct varlink_call *call, void (*gone)(void *), void *userdata);

/*
 * For streams. A call with "more" holds its connection until the final answer: requests behind it
 * wait, unread. What the method has to say is the method's to keep or to drop while the client is
 * slow: there is room when the socket has taken every answer so far. One varlink_notify(), however
 * large, then never meets the limit queue_bytes, so that a client costs one answer at most. One
 * that takes nothing for the time request_usec is closed.
 *
 * @room is called once, from the event loop, never inside of this, as soon as there is room, which
 * may be now. It may answer, end the call and ask again. A second request replaces the first;
 * NULL withdraws it. Needs varlink_call_on_disconnect() first, which ends the waiting as well.
 */
bool varlink_call_has_room(const struct varlink_call *call);
void varlink_call_on_room(struct varlink_call *call, void (*room)(void *), void *userdata);
