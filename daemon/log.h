/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log messages: structured entries to the journal when stderr is connected to it, plain lines on
 * stderr otherwise. One message per failure, naming the object and the consequence, written by the
 * layer that decides what the failure means; lower layers only return -errno. Never waits for
 * journald: what it does not take is lost, and told how much in the next message that it takes.
 */
#pragma once

#include "util.h"

#include <syslog.h>

/* What an entry is about. Everything is optional; a NULL or 0 field is left out of the entry. */
struct log_context {
	const char *message_id; /* 32 hexadecimal digits, one of LOG_ID_*: has a catalog entry */
	const char *probe;	/* EBPFMON_PROBE= */
	int error;		/* errno (positive): ERRNO= */
};

/* Chooses journal or stderr, once, and the highest priority (LOG_ERR ... LOG_DEBUG) written. */
void log_open(int max_priority);
void log_set_priority(int max_priority);

/*
 * What could steer a terminal or forge a line is spelt out: all but printable ASCII, as \xNN. At
 * most @size bytes with the NUL, whole escapes only.
 */
void log_escape(const char *bytes, size_t length, char *out, size_t size);

/* Bytes of @fmt's result that are not printable ASCII are written as \xNN in both outputs. */
void log_write(int priority, const struct log_context *context, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#define log_error(...)	 log_write(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, NULL, __VA_ARGS__)
#define log_notice(...)	 log_write(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_DEBUG, NULL, __VA_ARGS__)
