/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the Varlink server share: varlink.c (sockets, limits, time), connection.c
 * (bytes), call.c (requests and the tables) and output.c (answers on their way). Nobody else
 * includes this.
 */
#pragma once

#include "deferred.h"
#include "message.h"
#include "varlink.h"

/* --- answers not yet taken by the client ------------------------------------------------------ */

struct varlink_answer;

struct varlink_output {
	struct varlink_answer *first, *last;
	size_t bytes; /* of all, not yet sent */
	size_t sent;  /* of the first */
};

/*
 * Queues {"parameters": ...} or, with @error, {"error": ..., "parameters": ...}. Empties
 * @parameters (NULL: {}) in any case. -ENOMEM.
 */
int varlink_output_push(struct varlink_output *output, const char *error, struct json *parameters,
			bool continues);
/* Queues messages as they are. Empties @messages in any case. -ENOMEM. */
int varlink_output_push_messages(struct varlink_output *output, struct json *messages);
/* Sends what the socket takes: 1 some or all of it, 0 nothing, -errno the peer takes no more. */
int varlink_output_send(struct varlink_output *output, int fd);
void varlink_output_clear(struct varlink_output *output);

/* --- connections ------------------------------------------------------------------------------ */

/* The request that waits for its final answer; part of its connection. */
struct varlink_call {
	bool open;
	bool more, oneway;
	void (*gone)(void *);
	void *gone_userdata;
	void (*room)(void *); /* NULL: nobody waits for room */
	void *room_userdata;
};

enum varlink_wait {
	WAIT_NOTHING,
	WAIT_REQUEST, /* for the rest of a request */
	WAIT_SPACE,   /* for the client to take its answers */
};

struct varlink_connection {
	struct varlink_server *server; /* NULL: closed, kept until its call is answered */
	struct varlink_connection *previous, *next;
	int fd;
	sd_event_source *io;
	uint32_t events; /* what io waits for */
	struct varlink_peer peer;
	struct message_buffer input;
	struct varlink_output output;
	struct varlink_call call;
	enum varlink_wait wait;
	uint64_t deadline;  /* CLOCK_MONOTONIC, usec; end of @wait */
	uint64_t turn;	    /* number of its last one; 0: none yet */
	uint64_t user_turn; /* of the last one of all that are of its user */
	bool running;	    /* inside varlink_connection_run() */
	bool ready;	    /* waits for its turn; its socket is not looked at meanwhile */
	bool failed;	    /* to be closed: an answer was lost */
	bool deaf;	    /* the client takes no more */
};

static inline struct varlink_connection *varlink_call_connection(const struct varlink_call *call)
{
	const char *start = (const char *)call - offsetof(struct varlink_connection, call);

	return (struct varlink_connection *)(uintptr_t)start;
}

/* Takes ownership of @fd on success. */
int varlink_connection_new(struct varlink_server *server, int fd, const struct varlink_peer *peer);
/* Handles what has come, sends what can be sent; may close the connection. */
void varlink_connection_run(struct varlink_connection *connection);
void varlink_connection_close(struct varlink_connection *connection);

/* Handles one message: 0, or -errno when the connection must be closed (counted). */
int varlink_request(struct varlink_connection *connection, const char *text, size_t length);

/* --- the server ------------------------------------------------------------------------------- */

struct varlink_listener {
	struct varlink_listener *next;
	struct varlink_server *server;
	sd_event_source *io; /* owns the socket */
};

struct varlink_server {
	sd_event *event;
	const struct varlink_interface *const *interfaces;
	struct varlink_info info;
	struct varlink_limits limits;
	struct varlink_counters counters;
	void *userdata;
	struct varlink_listener *listeners;
	struct varlink_connection *connections;
	sd_event_source *timer;	 /* on while somebody waits; see varlink_server_wait() */
	struct deferred *runner; /* wanted while a connection is ready */
	uint64_t turns;		 /* so far */
	unsigned int waiting;	 /* connections that wait for something */
	uint64_t accept_again;	 /* CLOCK_MONOTONIC, usec; 0: accepting */
	bool accept_failed;	 /* logged, until an accept() succeeds */
};

/* What @connection waits for from now on; starts the clock if that changes. */
void varlink_server_wait(struct varlink_connection *connection, enum varlink_wait wait);
/* Whether it has waited too long, which is counted then; the caller closes it. */
bool varlink_server_gives_up(struct varlink_connection *connection);
/* @connection will be run from the event loop, when it is its user's turn and then its own. */
void varlink_server_schedule(struct varlink_connection *connection);
/* @connection is gone: it no longer counts, and there is room for another. */
void varlink_server_forget(struct varlink_connection *connection);

extern const struct varlink_interface varlink_service;
