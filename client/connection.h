/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One Varlink connection to the daemon: call, wait, answer. Owns the socket, its time limit and
 * what is said about its failures; knows no method.
 */
#pragma once

#include "message.h"
#include "text.h"

#include <stdbool.h>

struct connection {
	const char *path;
	int fd;		  /* -1: not connected, the next call connects */
	int interrupt_fd; /* becomes readable when waiting is to end with -EINTR; -1: none */
	struct message_buffer buffer;
};

/* Valid until the next call on the same connection. */
struct reply {
	struct slice error;	 /* name of a Varlink error, .text NULL without one */
	struct slice parameters; /* an object that has passed message_check() */
};

struct connection connection_to(const char *path);
void connection_close(struct connection *connection);
#define _cleanup_connection_ CLEANUP(connection_close)

/*
 * Calls a method of io.ebpfmon.Monitor; @parameters is JSON text or NULL. 0, or -errno with the
 * connection closed: of connecting, -ETIMEDOUT, -ECONNRESET (closed by the daemon), -EBADMSG,
 * -EMSGSIZE (a longer answer than anybody wants), -EINTR. An error that the daemon answers is 0.
 */
int connection_call(struct connection *connection, const char *method, const char *parameters,
		    struct reply *ret_reply);

/* Whether a daemon that answered before may answer again after this. */
bool connection_passing(int error);

/* What connection_call() returned, as one line on stderr and an exit code. */
int connection_complain(const struct connection *connection, int error);

/* The same for an error that the daemon answered to @method. */
int reply_complain(const struct reply *reply, const char *method);

/*
 * A stream: connects and calls @method with "more". Its answers are what connection_next() returns:
 * 1 one message, without its NUL, valid until the next call, to be read with reply_read(); 0 none
 * is there within @timeout_ms (-1: for ever; 0: already received or in the socket); -errno.
 */
int connection_stream(struct connection *connection, const char *method, const char *parameters);
int connection_next(struct connection *connection, int timeout_ms, struct slice *ret_message);
/* 0, or -EBADMSG: it is no answer. */
int reply_read(struct slice message, struct reply *ret_reply);

/* All of it: an exit code, and the answer if that is 0. */
int connection_ask(struct connection *connection, const char *method, const char *parameters,
		   struct reply *ret_reply);
