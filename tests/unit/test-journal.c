/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries byte by byte, and every way in which journald does not take one. */
#include "journal.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

/* A journald that reads when the test does. */
struct fixture {
	char folder[32], path[64];
	int fd;
};

static void fixture_listen(struct fixture *fixture)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	fixture->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fixture->fd >= 0);
	strcpy(address.sun_path, fixture->path);
	assert_int_equal(bind(fixture->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void fixture_leave(struct fixture *fixture)
{
	fixture->fd = close_fd(fixture->fd);
	unlink(fixture->path);
}

static struct fixture fixture_new(void)
{
	struct fixture fixture = { .folder = "/tmp/ebpfmon-journal-XXXXXX", .fd = -1 };

	assert_non_null(mkdtemp(fixture.folder));
	snprintf(fixture.path, sizeof(fixture.path), "%s/socket", fixture.folder);
	return fixture;
}

static void fixture_done(struct fixture *fixture)
{
	fixture_leave(fixture);
	rmdir(fixture->folder);
}

/* Length of the next datagram, or -1. */
static ssize_t receive(const struct fixture *fixture, char *bytes, size_t size)
{
	return recv(fixture->fd, bytes, size, 0);
}

static int send_text(struct journal *journal, const char *text)
{
	_cleanup_json_ struct json entry = { 0 };

	journal_field_text(&entry, "MESSAGE", text);
	return journal_send(journal, &entry);
}

static void fields_are_framed(void **state)
{
	static const char wanted[] = "MESSAGE=a=b \xff\n"
				     "EMPTY=\n"
				     "NUMBER=18446744073709551615\n"
				     "TWO\n\x04\0\0\0\0\0\0\0a\n\0b\n"
				     "NUL=\0\n";
	_cleanup_json_ struct json entry = { 0 };

	(void)state;
	journal_field_text(&entry, "MESSAGE", "a=b \xff");
	journal_field_text(&entry, "EMPTY", "");
	journal_field_number(&entry, "NUMBER", UINT64_MAX);
	journal_field(&entry, "TWO", "a\n\0b", 4);
	journal_field(&entry, "NUL", "\0", 1);
	assert_int_equal(entry.error, 0);
	assert_int_equal(entry.length, sizeof(wanted) - 1);
	assert_memory_equal(entry.text, wanted, sizeof(wanted) - 1);
}

static void an_entry_is_a_datagram(void **state)
{
	struct fixture fixture = fixture_new();
	struct journal journal = { fixture.path, -1 };
	char bytes[64];

	(void)state;
	fixture_listen(&fixture);
	assert_int_equal(send_text(&journal, "a"), 0);
	assert_int_equal(send_text(&journal, "b"), 0);
	assert_int_equal(receive(&fixture, bytes, sizeof(bytes)), 10);
	assert_memory_equal(bytes, "MESSAGE=a\n", 10);
	assert_int_equal(receive(&fixture, bytes, sizeof(bytes)), 10);
	assert_memory_equal(bytes, "MESSAGE=b\n", 10);
	assert_int_equal(receive(&fixture, bytes, sizeof(bytes)), -1);
	journal_close(&journal);
	fixture_done(&fixture);
}

/* It does not wait; what was taken is all there, and the descriptor says when to go on. */
static void a_full_queue_is_told(void **state)
{
	struct fixture fixture = fixture_new();
	struct journal journal = { fixture.path, -1 };
	struct pollfd poll_fd = { .events = POLLOUT };
	unsigned int sent = 0, received = 0;
	char bytes[64];
	int r;

	(void)state;
	fixture_listen(&fixture);
	while ((r = send_text(&journal, "a")) == 0)
		sent++;
	assert_int_equal(r, -EAGAIN);
	assert_true(sent > 0);
	poll_fd.fd = journal.fd;
	assert_int_equal(poll(&poll_fd, 1, 0), 0);
	while (receive(&fixture, bytes, sizeof(bytes)) > 0)
		received++;
	assert_int_equal(received, sent);
	assert_int_equal(poll(&poll_fd, 1, 0), 1);
	assert_int_equal(send_text(&journal, "a"), 0);
	journal_close(&journal);
	fixture_done(&fixture);
}

static void none_and_another_one(void **state)
{
	struct fixture fixture = fixture_new();
	struct journal journal = { fixture.path, -1 };
	char bytes[64];

	(void)state;
	assert_int_equal(send_text(&journal, "a"), -ENOENT);
	fixture_listen(&fixture);
	assert_int_equal(send_text(&journal, "b"), 0);
	fixture.fd = close_fd(fixture.fd);
	assert_int_equal(send_text(&journal, "c"), -ECONNREFUSED);
	fixture_leave(&fixture);
	assert_int_equal(send_text(&journal, "d"), -ENOENT);
	fixture_listen(&fixture);
	assert_int_equal(send_text(&journal, "e"), 0);
	assert_int_equal(receive(&fixture, bytes, sizeof(bytes)), 10);
	assert_memory_equal(bytes, "MESSAGE=e\n", 10);
	fixture_leave(&fixture);
	fixture_listen(&fixture);
	assert_int_equal(send_text(&journal, "f"), 0);
	assert_int_equal(receive(&fixture, bytes, sizeof(bytes)), 10);
	journal_close(&journal);
	fixture_done(&fixture);
}

/* The connection stays. */
static void too_long_is_refused(void **state)
{
	struct fixture fixture = fixture_new();
	struct journal journal = { fixture.path, -1 };
	_cleanup_json_ struct json entry = { 0 };
	size_t size = 64 << 20;
	_cleanup_free_ char *bytes = calloc(1, size);

	(void)state;
	assert_non_null(bytes);
	fixture_listen(&fixture);
	journal_field(&entry, "LONG", bytes, size);
	assert_int_equal(journal_send(&journal, &entry), -EMSGSIZE);
	assert_true(journal.fd >= 0);
	assert_int_equal(send_text(&journal, "a"), 0);
	journal_close(&journal);
	fixture_done(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_framed),	cmocka_unit_test(an_entry_is_a_datagram),
		cmocka_unit_test(a_full_queue_is_told), cmocka_unit_test(none_and_another_one),
		cmocka_unit_test(too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
