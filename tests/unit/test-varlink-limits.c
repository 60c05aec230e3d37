/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a client may not do, and that nothing goes on when nobody does anything: sizes, depth,
 * time, queues.
 */
#include "varlink-fixture.h"
#include "varlink-internal.h"

static void set_request_usec(struct fixture *f, uint64_t usec)
{
	struct varlink_limits limits = test_limits;

	limits.request_usec = usec;
	varlink_server_set_limits(f->server, &limits);
}

/* --- one request ------------------------------------------------------------------------------- */

/* An Echo of exactly @size bytes without its NUL. */
static char *echo_of(size_t size)
{
	static const char head[] =
		"{\"method\":\"org.example.Test.Echo\",\"parameters\":{\"text\":\"";
	char *text = malloc(size + 1);

	memset(text, 'x', size);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + size - 3, "\"}}", 4);
	return text;
}

static void the_longest_request(void **state)
{
	struct fixture *f = *state;
	char *text = echo_of(test_limits.message_bytes);

	for (int i = 0; i < 3; i++) {
		send_split(f, text, test_limits.message_bytes + 1, 1000);
		assert_false(f->closed);
		assert_true(f->length > test_limits.message_bytes - 60);
		f->length = 0;
	}
	free(text);
	text = echo_of(test_limits.message_bytes + 1);
	send_split(f, text, test_limits.message_bytes + 2, 1000);
	assert_true(f->closed);
	assert_int_equal(f->length, 0);
	assert_int_equal(counters(f)->closed_size, 1);
	free(text);
}

static void a_request_without_end(void **state)
{
	static char endless[1 << 20];
	struct fixture *f = *state;

	memset(endless, ' ', sizeof(endless));
	send_split(f, endless, sizeof(endless), 10000);
	assert_true(f->closed);
	assert_int_equal(counters(f)->closed_size, 1);
	assert_int_equal(counters(f)->closed_protocol, 0);
}

static void depth(void **state)
{
	struct fixture *f = *state;

	/* 2 levels are the request's own. */
	SEND(f, CALL_WITH("Count", "\"a\":[[[[[[]]]]]]"));
	assert_false(f->closed);
	SEND(f, CALL_WITH("Count", "\"a\":[[[[[[[]]]]]]]"));
	assert_true(f->closed);
	assert_int_equal(counters(f)->closed_protocol, 1);
}

static void new_limits(void **state)
{
	struct varlink_limits limits = test_limits;
	struct fixture *f = *state;

	send_split(f, "          ", 10, 10);
	limits.message_bytes = 100;
	varlink_server_set_limits(f->server, &limits);
	SEND(f, GET_INFO);
	EXPECT(f, GET_INFO_ANSWER);
	send_split(f, "          ", 10, 10);
	limits.message_bytes = 9;
	varlink_server_set_limits(f->server, &limits);
	send_split(f, " ", 1, 1);
	assert_true(f->closed);
	assert_int_equal(counters(f)->closed_size, 1);
}

static void limits_must_be_set(void **state)
{
	struct varlink_limits limits = test_limits;
	struct fixture *f = *state;
	struct varlink_server *server = NULL;

	limits.queue_bytes = 0;
	assert_int_equal(
		varlink_server_new(f->event, test_interfaces, &test_info, &limits, NULL, &server),
		-EINVAL);
	assert_null(server);
}

/* --- time -------------------------------------------------------------------------------------- */

/* No timer but for half a request or an answer that is not taken: no wake-ups when idle. */
static void quiet_when_idle(void **state)
{
	struct fixture *f = *state;

	assert_false(is_armed(f->server->timer));
	SEND(f, GET_INFO "\0" GET_INFO);
	assert_false(is_armed(f->server->timer));
	send_split(f, "{", 1, 1);
	assert_true(is_armed(f->server->timer));
	SEND(f, "}");
	assert_true(f->closed);
	assert_false(is_armed(f->server->timer));
	close_fd(f->client);
	new_client(f);
	/* What comes behind an open call waits for us, not for the client. */
	send_split(f, CALL("Later") "\0{", sizeof(CALL("Later")) + 1, 4096);
	assert_int_equal(f->server->connections->input.end - f->server->connections->input.start,
			 1);
	assert_false(is_armed(f->server->timer));
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	assert_true(is_armed(f->server->timer));
	drop_client(f);
	assert_false(is_armed(f->server->timer));
	assert_int_equal(sd_event_run(f->event, 0), 0);
	assert_int_equal(f->server->waiting, 0);
}

static void half_a_request_for_ever(void **state)
{
	struct fixture *f = *state;
	uint64_t start;
	int idle;

	set_request_usec(f, 50000);
	/* Another client, that says nothing, stays. */
	idle = f->client;
	new_client(f);
	SEND(f, GET_INFO);
	EXPECT(f, GET_INFO_ANSWER);
	start = now_usec();
	send_split(f, "{\"me", 4, 4);
	assert_true(WAIT_UNTIL(f, f->closed));
	assert_true(now_usec() - start >= 50000);
	assert_int_equal(counters(f)->closed_timeout, 1);
	assert_int_equal(counters(f)->connections, 1);
	assert_int_equal(f->length, 0);
	close_fd(f->client);
	f->client = idle;
	f->closed = false;
	SEND(f, GET_INFO);
	EXPECT(f, GET_INFO_ANSWER);
	assert_false(is_armed(f->server->timer));
}

/* One byte every two milliseconds does not buy time. */
static void a_trickle(void **state)
{
	struct fixture *f = *state;
	uint64_t start = now_usec(), next = start;
	unsigned int sent = 0;

	set_request_usec(f, 200000);
	while (!f->closed && now_usec() - start < 10000000) {
		if (now_usec() >= next) {
			sent += send(f->client, " ", 1, MSG_NOSIGNAL) == 1;
			next += 2000;
		}
		sd_event_run(f->event, 1000);
		receive(f);
	}
	assert_true(f->closed);
	assert_true(now_usec() - start >= 200000);
	assert_true(sent > 10);
	assert_int_equal(counters(f)->closed_timeout, 1);
}

/* The time for a request starts anew with each; complete requests may go on for ever. */
static void many_requests_in_time(void **state)
{
	struct fixture *f = *state;
	uint64_t start = now_usec();

	set_request_usec(f, 1000000);
	send_split(f, "{\"method\":\"", 11, 11);
	while (now_usec() - start < 2200000) {
		/* The end of one and the beginning of the next: one is always under way. */
		send_split(f, "a.b\"}\0{\"method\":\"", 17, 17);
		sd_event_run(f->event, 10000);
	}
	assert_false(f->closed);
	assert_true(f->length > 0);
	assert_int_equal(counters(f)->closed_timeout, 0);
	f->length = 0;
}

/* The timer that was set for one is not the end of another. */
static void each_has_its_own_time(void **state)
{
	static const char rest[] = "\"method\":\"a.b\",\"oneway\":true}";
	struct fixture *f = *state;
	uint64_t start;
	int first;

	set_request_usec(f, 1000000);
	send_split(f, "{", 1, 1);
	start = now_usec();
	first = f->client;
	new_client(f);
	while (now_usec() - start < 500000)
		sd_event_run(f->event, 10000);
	send_split(f, "{", 1, 1);
	start = now_usec();
	assert_int_equal(send(first, rest, sizeof(rest), MSG_NOSIGNAL), sizeof(rest));
	assert_true(WAIT_UNTIL(f, f->closed));
	assert_true(now_usec() - start >= 1000000);
	assert_int_equal(counters(f)->closed_timeout, 1);
	assert_int_equal(counters(f)->connections, 1);
	close_fd(first);
}

static void an_answer_that_nobody_reads(void **state)
{
	struct fixture *f = *state;

	set_request_usec(f, 1000000); /* longer than a busy machine takes to look */
	assert_true(send(f->client, CALL_WITH("Large", "\"size\":1000000"),
			 sizeof(CALL_WITH("Large", "\"size\":1000000")), MSG_NOSIGNAL) > 0);
	pump(f);
	assert_int_equal(counters(f)->connections, 1);
	assert_true(is_armed(f->server->timer));
	f->closed = true; /* keeps WAIT_UNTIL from reading */
	assert_true(WAIT_UNTIL(f, counters(f)->connections == 0));
	assert_int_equal(counters(f)->closed_queue, 1);
	assert_int_equal(counters(f)->closed_timeout, 0);
	assert_false(is_armed(f->server->timer));
}

/* Whoever takes some of it now and then has its time again. */
static void an_answer_read_slowly(void **state)
{
	size_t expected = strlen("{\"parameters\":{\"x\":\"\"}}") + 2000000 + 1;
	static const char call[] = CALL_WITH("Large", "\"size\":2000000");
	struct fixture *f = *state;
	uint64_t start = now_usec(), next = start;

	set_request_usec(f, 1000000);
	assert_int_equal(send(f->client, call, sizeof(call), MSG_NOSIGNAL), sizeof(call));
	while (f->length < expected && now_usec() - start < 20000000) {
		ssize_t n;

		sd_event_run(f->event, 1000);
		if (now_usec() < next)
			continue;
		n = recv(f->client, f->output + f->length, 100000, 0);
		assert_true(n > 0 || errno == EAGAIN);
		f->length += n > 0 ? (size_t)n : 0;
		next += 75000;
	}
	assert_int_equal(f->length, expected);
	assert_true(now_usec() - start > 1400000);
	assert_int_equal(counters(f)->closed_queue, 0);
	f->length = 0;
}

/* Nor do many clients of one user get more room than one. */
static void answers_that_a_user_does_not_read(void **state)
{
	static const char call[] = CALL_WITH("Large", "\"size\":2000000");
	struct fixture *f = *state;
	int first = f->client;

	assert_int_equal(send(f->client, call, sizeof(call), MSG_NOSIGNAL), sizeof(call));
	pump(f);
	new_client(f);
	SEND(f, GET_INFO); /* the socket takes it */
	EXPECT(f, GET_INFO_ANSWER);
	assert_int_equal(send(f->client, call, sizeof(call), MSG_NOSIGNAL), sizeof(call));
	pump(f);
	assert_int_equal(counters(f)->closed_queue, 1);
	assert_int_equal(counters(f)->connections, 1);
	close_fd(f->client);
	f->client = first;
	f->length = 0;
}

static void a_stream_that_nobody_reads(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;
	int r;

	SEND(f, CALL_MORE("Watch"));
	while ((r = notify_number(f->call, n)) == 0 && n < 1000000)
		n++;
	assert_int_equal(r, -ENOBUFS);
	assert_true(n > 1000);	      /* the socket's buffer and the queue's */
	assert_int_equal(f->gone, 0); /* never inside of varlink_notify() */
	assert_int_equal(counters(f)->closed_queue, 1);
	assert_int_equal(notify_number(f->call, n), -ECONNABORTED);
	pump(f);
	assert_int_equal(f->gone, 1);
	assert_int_equal(counters(f)->closed_queue, 1);
	assert_int_equal(counters(f)->connections, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_longest_request),
		TEST(a_request_without_end),
		TEST(depth),
		TEST(new_limits),
		TEST(limits_must_be_set),
		TEST(quiet_when_idle),
		TEST(half_a_request_for_ever),
		TEST(a_trickle),
		TEST(many_requests_in_time),
		TEST(each_has_its_own_time),
		TEST(an_answer_that_nobody_reads),
		TEST(an_answer_read_slowly),
		TEST(answers_that_a_user_does_not_read),
		TEST(a_stream_that_nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
