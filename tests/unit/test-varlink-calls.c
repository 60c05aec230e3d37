/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls over time: answers that come later, in order, streams, and clients that leave or close
 * one direction while a call is open.
 */
#include "varlink-fixture.h"

#include <sys/ioctl.h>

#define EVENT(n)   "{\"parameters\":{\"event\":" #n "},\"continues\":true}"
#define COUNTED(n) "{\"parameters\":{\"n\":" #n "}}"

/* --- deferred answers -------------------------------------------------------------------------- */

static void the_next_call_waits_for_the_answer(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL("Count") "\0" CALL("Later") "\0" CALL("Count") "\0" CALL("Count"));
	EXPECT(f, COUNTED(1));
	assert_int_equal(f->handled, 1);
	assert_non_null(f->call);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	EXPECT(f, EMPTY_ANSWER "\0" COUNTED(2) "\0" COUNTED(3));
	assert_int_equal(f->gone, 0);
}

static void an_error_can_come_later_too(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL("Later") "\0" CALL("Count"));
	assert_int_equal(varlink_error_permission_denied(f->call), 0);
	exchange(f);
	EXPECT(f,
	       "{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}\0" COUNTED(
		       1));
	SEND(f, CALL("Later"));
	assert_int_equal(varlink_error(f->call, "a.b.C", NULL), 0);
	exchange(f);
	EXPECT(f, "{\"error\":\"a.b.C\",\"parameters\":{}}");
	drop_client(f);
	assert_int_equal(f->gone, 0); /* it was answered before */
}

static void the_client_leaves_before_the_answer(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL("Later"));
	assert_int_equal(f->gone, 0);
	drop_client(f);
	assert_int_equal(f->gone, 1);
	assert_int_equal(counters(f)->connections, 0);
	pump(f);
	assert_int_equal(f->gone, 1);
}

static void an_answer_to_nobody(void **state)
{
	struct fixture *f = *state;
	struct json json _cleanup_json_ = { .text = NULL };

	SEND(f, CALL("Careless"));
	drop_client(f);
	assert_int_equal(counters(f)->connections, 0);
	assert_int_equal(varlink_call_peer(f->call)->uid, getuid());
	json_object_begin(&json, NULL);
	json_object_end(&json);
	assert_int_equal(varlink_reply(f->call, &json), 0);
	assert_null(json.text);

	new_client(f);
	SEND(f, CALL("Careless"));
	drop_client(f);
	/* It asks too late and is told at once; the call is gone then. */
	varlink_call_on_disconnect(f->call, on_gone, f);
	assert_int_equal(f->gone, 1);
}

static void an_answer_after_the_server(void **state)
{
	struct fixture *f = *state;
	struct varlink_call *call;

	SEND(f, CALL("Careless"));
	call = f->call;
	f->server = varlink_server_free(f->server);
	assert_int_equal(varlink_error(call, "a.b.C", NULL), 0);
}

static void the_server_goes_before_the_answer(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL("Later"));
	f->server = varlink_server_free(f->server);
	assert_int_equal(f->gone, 1);
	receive(f);
	assert_true(f->closed);
	assert_int_equal(f->length, 0);
}

static void a_half_closed_client_gets_its_answer(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL("Count") "\0" CALL("Later") "\0" CALL("Count"));
	shutdown(f->client, SHUT_WR);
	exchange(f);
	EXPECT(f, COUNTED(1));
	assert_false(f->closed);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	EXPECT(f, EMPTY_ANSWER "\0" COUNTED(2));
	assert_true(f->closed);
	assert_int_equal(f->gone, 0);
}

/* Half a request and then the end is no request. */
static void half_a_request_and_the_end(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL("Count"));
	send_split(f, "{\"met", 5, 5);
	shutdown(f->client, SHUT_WR);
	exchange(f);
	EXPECT(f, COUNTED(1));
	assert_true(f->closed);
	assert_int_equal(counters(f)->closed_protocol, 0);
}

/* What a client sent before it closed everything was sent: oneway calls count. */
static void sent_and_gone(void **state)
{
	static const char calls[] = CALL(
		"Count") "\0"
			 "{\"method\":\"org.example.Test.Count\",\"oneway\":true}\0" CALL("Count");
	struct fixture *f = *state;

	assert_int_equal(send(f->client, calls, sizeof(calls), 0), sizeof(calls));
	drop_client(f);
	assert_int_equal(f->handled, 3);
	assert_int_equal(counters(f)->connections, 0);
}

/* A client that will not read may still tell; a call that stays open for it is pointless. */
static void a_client_that_shut_its_ears(void **state)
{
	struct fixture *f = *state;

	shutdown(f->client, SHUT_RD);
	SEND(f, CALL("Count") "\0{\"method\":\"org.example.Test.Count\",\"oneway\":true}");
	assert_int_equal(f->handled, 2);
	assert_int_equal(counters(f)->connections, 1);
	SEND(f, CALL("Later"));
	assert_int_equal(f->gone, 1);
	assert_int_equal(counters(f)->connections, 0);
}

static void a_oneway_call_can_take_its_time(void **state)
{
	struct fixture *f = *state;

	SEND(f, "{\"method\":\"org.example.Test.Later\",\"oneway\":true}\0" CALL("Count"));
	assert_int_equal(f->length, 0);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	EXPECT(f, COUNTED(1));
}

/* --- streams ----------------------------------------------------------------------------------- */

static void a_stream_until_the_client_leaves(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL_MORE("Watch"));
	assert_int_equal(f->result, 0);
	EXPECT(f, EVENT(1) "\0" EVENT(2));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(notify_number(f->call, 3), 0);
		exchange(f);
		EXPECT(f, EVENT(3));
	}
	drop_client(f);
	assert_int_equal(f->gone, 1);
	assert_int_equal(counters(f)->connections, 0);
}

static void a_stream_that_ends(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL_MORE("Watch") "\0" CALL("Count"));
	EXPECT(f, EVENT(1) "\0" EVENT(2));
	assert_int_equal(notify_number(f->call, 3), 0);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	EXPECT(f, EVENT(3) "\0" EMPTY_ANSWER "\0" COUNTED(1));
	drop_client(f);
	assert_int_equal(f->gone, 0);
}

static void a_stream_to_a_half_closed_client(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL_MORE("Watch"));
	shutdown(f->client, SHUT_WR);
	exchange(f);
	EXPECT(f, EVENT(1) "\0" EVENT(2));
	assert_int_equal(notify_number(f->call, 3), 0);
	exchange(f);
	EXPECT(f, EVENT(3));
	assert_false(f->closed);
	drop_client(f);
	assert_int_equal(f->gone, 1);
}

/* The client is gone, the server does not know yet: nothing breaks, and it is told afterwards. */
static void an_event_for_a_client_that_just_left(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL_MORE("Watch"));
	f->client = close_fd(f->client);
	assert_int_equal(notify_number(f->call, 3), 0);
	assert_int_equal(notify_number(f->call, 4), 0);
	assert_int_equal(f->gone, 0);
	pump(f);
	assert_int_equal(f->gone, 1);
}

static void an_answer_for_a_client_that_just_left(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL_MORE("Watch"));
	f->client = close_fd(f->client);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	pump(f);
	assert_int_equal(f->gone, 0);
	assert_int_equal(counters(f)->connections, 0);
}

static void no_events_without_more(void **state)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct fixture *f = *state;

	SEND(f, CALL("Later"));
	json_object_begin(&json, NULL);
	json_object_end(&json);
	assert_int_equal(varlink_notify(f->call, &json), -EINVAL);
	assert_null(json.text);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	EXPECT(f, EMPTY_ANSWER);
}

/* --- bytes in both directions ------------------------------------------------------------------ */

/* While a call is open nothing is read: what a client can send is what its socket buffer holds. */
static void an_open_call_stops_reading(void **state)
{
	static char filler[65536];
	struct fixture *f = *state;
	int before, after;
	ssize_t n;

	SEND(f, CALL("Later"));
	do {
		n = send(f->client, filler, sizeof(filler), 0);
		pump(f);
	} while (n > 0);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ioctl(f->client, TIOCOUTQ, &before), 0);
	pump(f);
	assert_int_equal(ioctl(f->client, TIOCOUTQ, &after), 0);
	assert_int_equal(before, after);
	assert_true(before > 0);
	assert_int_equal(counters(f)->connections, 1);
	/* The zeros are empty messages, so now it ends. */
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	assert_true(f->closed);
	assert_int_equal(counters(f)->closed_protocol, 1);
}

/* Far larger than the socket buffer and than the limit of the queue: sent piece by piece. */
static void a_large_answer(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL_WITH("Large", "\"size\":3000000") "\0" CALL("Count"));
	assert_int_equal(f->length, strlen("{\"parameters\":{\"x\":\"\"}}") + 3000000 + 1 +
					    sizeof(COUNTED(1)));
	assert_memory_equal(f->output, "{\"parameters\":{\"x\":\"xxx", 22);
	assert_string_equal(f->output + f->length - sizeof(COUNTED(1)), COUNTED(1));
	assert_string_equal(f->output + f->length - sizeof(COUNTED(1)) - 6, "xx\"}}");
	assert_int_equal(strlen(f->output), f->length - sizeof(COUNTED(1)) - 1);
}

static void a_large_answer_to_a_half_closed_client(void **state)
{
	static const char call[] = CALL_WITH("Large", "\"size\":3000000");
	struct fixture *f = *state;

	assert_int_equal(send(f->client, call, sizeof(call), 0), sizeof(call));
	shutdown(f->client, SHUT_WR);
	pump(f);
	assert_int_equal(counters(f)->connections, 1);
	exchange(f);
	assert_int_equal(f->length, strlen("{\"parameters\":{\"x\":\"\"}}") + 3000000 + 1);
	assert_true(f->closed);
}

/* An answer on its way keeps the next request waiting, so answers do not pile up. */
static void one_answer_at_a_time(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		assert_true(send(f->client, CALL_WITH("Large", "\"size\":1000000"),
				 sizeof(CALL_WITH("Large", "\"size\":1000000")), 0) > 0);
	assert_true(send(f->client, CALL("Count"), sizeof(CALL("Count")), 0) > 0);
	pump(f);
	assert_int_equal(counters(f)->calls, 1);
	assert_int_equal(f->handled, 0);
	exchange(f);
	assert_int_equal(counters(f)->calls, 4);
	assert_int_equal(f->handled, 1);
	assert_int_equal(f->length, 3 * (strlen("{\"parameters\":{\"x\":\"\"}}") + 1000000 + 1) +
					    sizeof(COUNTED(1)));
	assert_false(f->closed);
}

/* A hundred thousand events to a client that reads slowly enough to leave some queued. */
static void many_events(void **state)
{
	struct fixture *f = *state;
	unsigned int expected = 1;
	char event[64];

	SEND(f, CALL_MORE("Watch"));
	EXPECT(f, EVENT(1) "\0" EVENT(2));
	for (unsigned int sent = 1; sent <= 100000; sent++) {
		assert_int_equal(notify_number(f->call, sent), 0);
		if (sent % 1000 != 0)
			continue;
		exchange(f);
		for (char *at = f->output; at < f->output + f->length; at += strlen(at) + 1) {
			snprintf(event, sizeof(event),
				 "{\"parameters\":{\"event\":%u},\"continues\":true}", expected++);
			if (strcmp(at, event) != 0)
				fail_msg("%s is not %s", at, event);
		}
		f->length = 0;
	}
	assert_int_equal(expected, 100001);
}

/* Sending stops in the middle of one event, with others behind it. */
static void events_behind_a_large_one(void **state)
{
	struct json json _cleanup_json_ = { .text = NULL };
	struct varlink_limits limits = test_limits;
	static char large[300000];
	struct fixture *f = *state;
	const char *at;

	limits.queue_bytes = 2000000;
	varlink_server_set_limits(f->server, &limits);
	SEND(f, CALL_MORE("Watch"));
	EXPECT(f, EVENT(1) "\0" EVENT(2));
	memset(large, 'x', sizeof(large));
	json_object_begin(&json, NULL);
	json_string_n(&json, "large", large, sizeof(large));
	json_object_end(&json);
	assert_int_equal(varlink_notify(f->call, &json), 0);
	for (uint64_t i = 0; i < 6000; i++)
		assert_int_equal(notify_number(f->call, i), 0);
	exchange(f);
	at = f->output + strlen(f->output) + 1;
	for (unsigned int i = 0; i < 6000; i++, at += strlen(at) + 1) {
		char event[64];

		snprintf(event, sizeof(event), "{\"parameters\":{\"event\":%u},\"continues\":true}",
			 i);
		assert_string_equal(at, event);
	}
	assert_ptr_equal(at, f->output + f->length);
	assert_int_equal(strlen(f->output),
			 sizeof(large) + strlen("{\"parameters\":{\"large\":\"\"},"
						"\"continues\":true}"));
}

/* Pipelined calls of one client do not keep another one waiting. */
static void fair_turns(void **state)
{
	struct fixture *f = *state, other = *f;
	char calls[200 * sizeof(CALL("Count"))];
	int rounds = 0;

	for (int i = 0; i < 200; i++)
		memcpy(calls + (size_t)i * sizeof(CALL("Count")), CALL("Count"),
		       sizeof(CALL("Count")));
	other.output = calloc(1, OUTPUT_MAX + 1);
	other.length = 0;
	new_client(&other);
	assert_int_equal(send(f->client, calls, sizeof(calls), 0), sizeof(calls));
	assert_int_equal(send(other.client, GET_INFO, sizeof(GET_INFO), 0), sizeof(GET_INFO));
	while (other.length == 0 && rounds++ < 100) {
		assert_int_equal(sd_event_run(f->event, 0), 1);
		receive(&other);
	}
	EXPECT(&other, GET_INFO_ANSWER);
	assert_in_range(f->handled, 1, 3 * test_limits.requests_queued);
	exchange(f);
	assert_int_equal(f->handled, 200);
	close_fd(other.client);
	free(other.output);
}

/* Nor do all connections of one user together keep another user waiting. */
static void users_take_turns(void **state)
{
	struct fixture *f = *state, others[5];
	char calls[200 * sizeof(CALL("Count"))];
	char room[1024] = "";

	if (geteuid() != 0) /* who alone can be somebody else */
		skip();
	for (int i = 0; i < 200; i++)
		memcpy(calls + (size_t)i * sizeof(CALL("Count")), CALL("Count"),
		       sizeof(CALL("Count")));
	for (int i = 0; i < 5; i++) {
		others[i] = *f;
		others[i].output = room;
		others[i].length = 0;
		assert_int_equal(seteuid(i < 4 ? 65533 : 65534), 0);
		new_client(&others[i]);
		assert_int_equal(seteuid(0), 0);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(send(others[i].client, calls, sizeof(calls), 0), sizeof(calls));
	while (f->handled < 3) /* they are at it */
		assert_int_equal(sd_event_run(f->event, UINT64_MAX), 1);
	assert_int_equal(send(others[4].client, GET_INFO, sizeof(GET_INFO), 0), sizeof(GET_INFO));
	while (f->handled < 800 && !others[4].length) {
		assert_int_equal(sd_event_run(f->event, UINT64_MAX), 1);
		receive(&others[4]);
	}
	EXPECT(&others[4], GET_INFO_ANSWER);
	/* Three rounds: they had begun, were about to, and it was read. */
	assert_in_range(f->handled, 3, 3 * 4 * test_limits.requests_queued);
	for (int i = 0; i < 5; i++)
		close_fd(others[i].client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_next_call_waits_for_the_answer),
		TEST(an_error_can_come_later_too),
		TEST(the_client_leaves_before_the_answer),
		TEST(an_answer_to_nobody),
		TEST(an_answer_after_the_server),
		TEST(the_server_goes_before_the_answer),
		TEST(a_half_closed_client_gets_its_answer),
		TEST(half_a_request_and_the_end),
		TEST(sent_and_gone),
		TEST(a_client_that_shut_its_ears),
		TEST(a_oneway_call_can_take_its_time),
		TEST(a_stream_until_the_client_leaves),
		TEST(a_stream_that_ends),
		TEST(a_stream_to_a_half_closed_client),
		TEST(an_event_for_a_client_that_just_left),
		TEST(an_answer_for_a_client_that_just_left),
		TEST(no_events_without_more),
		TEST(an_open_call_stops_reading),
		TEST(a_large_answer),
		TEST(a_large_answer_to_a_half_closed_client),
		TEST(one_answer_at_a_time),
		TEST(many_events),
		TEST(events_behind_a_large_one),
		TEST(fair_turns),
		TEST(users_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
