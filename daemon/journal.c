/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries of the journal: journal.h. The protocol: systemd.io/JOURNAL_NATIVE_PROTOCOL. */
#include "journal.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	SEND_BUFFER_BYTES = 1 << 20, /* the longest entry, and those that journald has not read */
};

void journal_close(struct journal *journal)
{
	journal->fd = close_fd(journal->fd);
}

/* Bytes that could end the value early have their number written first. */
void journal_field(struct json *entry, const char *name, const char *bytes, size_t length)
{
	uint64_t size = htole64(length);

	json_append(entry, name, strlen(name));
	if (memchr(bytes, '\n', length)) {
		json_append(entry, "\n", 1);
		json_append(entry, (const char *)&size, sizeof(size));
	} else {
		json_append(entry, "=", 1);
	}
	json_append(entry, bytes, length);
	json_append(entry, "\n", 1);
}

void journal_field_text(struct json *entry, const char *name, const char *text)
{
	journal_field(entry, name, text, strlen(text));
}

void journal_field_number(struct json *entry, const char *name, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	journal_field_text(entry, name, text);
}

static int open_socket(struct journal *journal)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int bytes = SEND_BUFFER_BYTES;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)); /* or what it is anyway */
	strncpy(address.sun_path, journal->path, sizeof(address.sun_path) - 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	journal->fd = TAKE_FD(fd);
	return 0;
}

static int try_send(const struct journal *journal, const struct json *entry)
{
	return send(journal->fd, entry->text, entry->length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Of a journald that is gone the socket is of no use any more: there may be a new one. */
int journal_send(struct journal *journal, const struct json *entry)
{
	bool fresh = journal->fd < 0;
	int r = fresh ? open_socket(journal) : 0;

	if (!r)
		r = try_send(journal, entry);
	if (!r || r == -EAGAIN || r == -EMSGSIZE || r == -ENOBUFS)
		return r;
	journal_close(journal);
	if (fresh)
		return r;
	r = open_socket(journal);
	return r < 0 ? r : try_send(journal, entry);
}
