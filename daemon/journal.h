/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of the journal: journald's native protocol, and a socket that never waits. Not
 * sd_journal_sendv(), which waits while journald does not read, and takes it for a success when
 * there is none. Knows nothing of what entries say.
 */
#pragma once

#include "json.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Begins as { path, -1 }. */
struct journal {
	const char *path;
	int fd; /* connected, or -1 */
};

void journal_close(struct journal *journal);

/* Appends a field of any bytes. @entry is no JSON: just the memory. */
void journal_field(struct json *entry, const char *name, const char *bytes, size_t length);
void journal_field_text(struct json *entry, const char *name, const char *text);
void journal_field_number(struct json *entry, const char *name, uint64_t number);

/*
 * Hands @entry to journald. 0; -EAGAIN: it does not read, @journal->fd becomes writable when it
 * does; -errno: there is none, or it cannot have this one (-EMSGSIZE).
 */
int journal_send(struct journal *journal, const struct json *entry);
