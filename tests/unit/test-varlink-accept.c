/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may connect, how many, and who they are; a server that runs out of descriptors.
 */
#include "varlink-fixture.h"
#include "varlink-internal.h"

#include <grp.h>
#include <sys/resource.h>
#include <sys/un.h>

enum {
	OTHER_UID = 65534,
	CLIENTS_MAX = 32,
};

/* --- connections ------------------------------------------------------------------------------- */

struct clients {
	struct sockaddr_un address;
	socklen_t address_size;
	int fds[CLIENTS_MAX];
	unsigned int n;
};

static int listen_on(struct clients *clients)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*clients = (struct clients){ .address = { .sun_family = AF_UNIX } };
	/* The kernel chooses an abstract name (unix(7), autobind). */
	assert_int_equal(bind(fd, (struct sockaddr *)&clients->address, sizeof(sa_family_t)), 0);
	clients->address_size = sizeof(clients->address);
	assert_int_equal(
		getsockname(fd, (struct sockaddr *)&clients->address, &clients->address_size), 0);
	assert_int_equal(listen(fd, 128), 0);
	return fd;
}

static void serve(struct fixture *f, struct clients *clients)
{
	int fd = listen_on(clients);

	assert_int_equal(varlink_server_listen_fd(f->server, fd), 0);
	drop_client(f);
}

static int connect_one(struct clients *clients)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0 && clients->n < CLIENTS_MAX);
	assert_int_equal(connect(fd, (struct sockaddr *)&clients->address, clients->address_size),
			 0);
	clients->fds[clients->n++] = fd;
	return fd;
}

/* As another user, which the kernel takes from the effective uid. */
static int connect_other(struct clients *clients)
{
	int fd;

	assert_int_equal(seteuid(OTHER_UID), 0);
	fd = connect_one(clients);
	assert_int_equal(seteuid(0), 0);
	return fd;
}

static void close_all(struct clients *clients)
{
	while (clients->n > 0)
		close_fd(clients->fds[--clients->n]);
}

/* The server closed it; otherwise it is open and silent. */
static bool is_refused(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	assert_true(n == 0 || (n < 0 && errno == EAGAIN));
	return n == 0;
}

static void too_many_connections(void **state)
{
	struct varlink_limits limits = test_limits;
	struct fixture *f = *state;
	struct clients clients;

	limits.connections_per_uid = 100;
	varlink_server_set_limits(f->server, &limits);
	serve(f, &clients);
	for (int i = 0; i < 23; i++)
		connect_one(&clients);
	pump(f);
	for (int i = 0; i < 23; i++)
		assert_int_equal(is_refused(clients.fds[i]), i >= 20);
	assert_int_equal(counters(f)->connections, 20);
	assert_int_equal(counters(f)->accepted, 21); /* with the fixture's */
	assert_int_equal(counters(f)->refused_total, 3);
	close_all(&clients);
	pump(f);
	assert_int_equal(counters(f)->connections, 0);
	connect_one(&clients);
	pump(f);
	assert_int_equal(counters(f)->connections, 1);
	close_all(&clients);
}

static void too_many_of_one_user(void **state)
{
	struct varlink_limits limits = test_limits;
	struct fixture *f = *state;
	struct clients clients;

	if (geteuid() != 0) {
		print_message("not root: cannot connect as somebody else\n");
		skip();
	}
	limits.connections_per_uid = 5;
	varlink_server_set_limits(f->server, &limits);
	serve(f, &clients);
	for (int i = 0; i < 7; i++)
		connect_other(&clients);
	for (int i = 0; i < 7; i++)
		connect_one(&clients);
	pump(f);
	for (int i = 0; i < 14; i++)
		assert_int_equal(is_refused(clients.fds[i]), i == 5 || i == 6);
	assert_int_equal(counters(f)->refused_per_uid, 2);
	assert_int_equal(counters(f)->refused_total, 0);
	assert_int_equal(counters(f)->connections, 12);
	close_all(&clients);
	pump(f);
	assert_int_equal(counters(f)->connections, 0);
}

/* The last four of the twenty are for root. */
static void some_are_reserved(void **state)
{
	struct varlink_limits limits = test_limits;
	struct fixture *f = *state;
	struct clients clients;

	if (geteuid() != 0) {
		print_message("not root: cannot connect as somebody else\n");
		skip();
	}
	limits.connections_per_uid = 100;
	varlink_server_set_limits(f->server, &limits);
	serve(f, &clients);
	for (int i = 0; i < 18; i++)
		connect_other(&clients);
	for (int i = 0; i < 5; i++)
		connect_one(&clients);
	connect_other(&clients);
	pump(f);
	for (int i = 0; i < 24; i++)
		assert_int_equal(is_refused(clients.fds[i]),
				 i == 16 || i == 17 || i == 22 || i == 23);
	assert_int_equal(counters(f)->refused_total, 4);
	assert_int_equal(counters(f)->refused_per_uid, 0);
	close_all(&clients);
}

/* Descriptors that the process may have, and has. */
static rlim_t limit_descriptors(void)
{
	struct rlimit limit;
	rlim_t before;
	int fd = dup(STDERR_FILENO);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)fd; /* the lowest free one: none is left */
	close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

static void restore_descriptors(rlim_t before)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = before;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Without descriptors the loop must not spin on the socket that stays readable. */
static void no_descriptor_until_one_is_closed(void **state)
{
	struct fixture *f = *state;
	struct clients clients;
	rlim_t before;
	int rounds = 0;

	serve(f, &clients);
	connect_one(&clients);
	pump(f);
	connect_one(&clients);
	before = limit_descriptors();
	while (sd_event_run(f->event, 0) > 0 && rounds < 100)
		rounds++;
	assert_in_range(rounds, 1, 5);
	assert_int_equal(counters(f)->accept_errors, 1);
	assert_int_equal(counters(f)->connections, 1);
	assert_true(is_armed(f->server->timer));
	/* The first client goes, and with it its descriptor: the second one is let in. */
	clients.fds[0] = close_fd(clients.fds[0]);
	pump(f);
	assert_int_equal(counters(f)->accepted, 3);
	assert_int_equal(counters(f)->connections, 1);
	assert_false(is_refused(clients.fds[1]));
	assert_false(is_armed(f->server->timer));
	restore_descriptors(before);
	close_all(&clients);
}

static void no_descriptor_until_later(void **state)
{
	struct fixture *f = *state;
	struct clients clients;
	rlim_t before;

	serve(f, &clients);
	connect_one(&clients);
	before = limit_descriptors();
	pump(f);
	assert_int_equal(counters(f)->accept_errors, 1);
	restore_descriptors(before);
	assert_int_equal(counters(f)->connections, 0);
	f->closed = true; /* nothing to receive */
	assert_true(WAIT_UNTIL(f, counters(f)->connections == 1));
	assert_false(is_armed(f->server->timer));
	close_all(&clients);
}

static void only_what_can_be_served(void **state)
{
	struct fixture *f = *state;
	struct clients clients;
	int fd, pair[2];

	assert_int_equal(varlink_server_listen_fd(f->server, f->client), -EINVAL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(varlink_server_add_connection(f->server, pair[0]), -EINVAL);
	close_fd(pair[0]);
	close_fd(pair[1]);
	fd = listen_on(&clients);
	assert_int_equal(varlink_server_add_connection(f->server, fd), -EINVAL);
	close_fd(fd);
	assert_true(varlink_server_listen_fd(f->server, -1) < 0);
	assert_true(varlink_server_add_connection(f->server, -1) < 0);
	assert_int_equal(counters(f)->connections, 1);
}

/* --- who is there ------------------------------------------------------------------------------ */

/* Groups of the peer, not of the server: one that is not ours is among them. */
static void peers(void **state)
{
	struct fixture *f = *state;
	gid_t groups[100], before[256];
	char expected[2048];
	int n = getgroups(256, before), size;

	assert_true(n >= 0);
	if (geteuid() != 0) {
		print_message("not root: cannot change groups\n");
		skip();
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i] = 5000 + i;
	for (unsigned int used = 0; used <= ARRAY_SIZE(groups); used += 50) {
		assert_int_equal(setgroups(used, groups), 0);
		close_fd(f->client);
		new_client(f);
		assert_int_equal(setgroups((size_t)n, before), 0);
		size = snprintf(expected, sizeof(expected), "{\"parameters\":{\"peer\":[%u,%u,%d",
				getuid(), getgid(), getpid());
		for (unsigned int i = 0; i < used; i++)
			size += snprintf(expected + size, sizeof(expected) - (size_t)size, ",%u",
					 groups[i]);
		size += snprintf(expected + size, sizeof(expected) - (size_t)size, "]}}");
		SEND(f, CALL("Peer"));
		assert_output(f, expected, (size_t)size + 1);
	}
}

static void members(void **state)
{
	gid_t groups[] = { 10, 20 };
	struct varlink_peer peer = { .gid = 5, .groups = groups, .n_groups = 2 };

	(void)state;
	assert_true(varlink_peer_in_group(&peer, 5));
	assert_true(varlink_peer_in_group(&peer, 10));
	assert_true(varlink_peer_in_group(&peer, 20));
	assert_false(varlink_peer_in_group(&peer, 0));
	assert_false(varlink_peer_in_group(&peer, 30));
	peer.n_groups = 1;
	assert_false(varlink_peer_in_group(&peer, 20));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(too_many_connections),
		TEST(too_many_of_one_user),
		TEST(some_are_reserved),
		TEST(no_descriptor_until_one_is_closed),
		TEST(no_descriptor_until_later),
		TEST(only_what_can_be_served),
		TEST(peers),
		cmocka_unit_test(members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
