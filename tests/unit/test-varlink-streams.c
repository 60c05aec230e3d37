/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams that send when there is room: all of it arrives, in order, whatever the client's pace;
 * one answer is all that is kept for it; nobody else waits for it.
 */
#include "varlink-fixture.h"
#include "varlink-internal.h"

#include <inttypes.h>

#define COUNTED(n) "{\"parameters\":{\"n\":" #n "}}"

/* Sends, and lets the server do what it can, but reads nothing. */
#define SEND_ONLY(f, literal)                                                               \
	({                                                                                  \
		assert_int_equal(send((f)->client, literal, sizeof(literal), MSG_NOSIGNAL), \
				 sizeof(literal));                                          \
		pump(f);                                                                    \
	})

/* No answer of Stream is longer. */
static size_t answer_max(const struct fixture *f)
{
	return f->padding +
	       sizeof("{\"parameters\":{\"event\":999,\"x\":\"\"},\"continues\":true}");
}

static size_t pending(const struct fixture *f)
{
	return f->server->connections->output.bytes;
}

/* What came are answers 1 to @n of Stream, its last one, and Count's. */
static void assert_events(struct fixture *f, uint64_t n)
{
	const char *at = f->output;

	for (uint64_t i = 1; i <= n; i++) {
		char expected[64];
		int length = sprintf(expected, "{\"parameters\":{\"event\":%" PRIu64, i);

		assert_memory_equal(at, expected, (size_t)length);
		assert_true(at[length] == ',' || at[length] == '}');
		assert_non_null(strstr(at, "},\"continues\":true}"));
		at += strlen(at) + 1;
		assert_true(at < f->output + f->length);
	}
	assert_int_equal(f->output + f->length - at, sizeof(EMPTY_ANSWER "\0" COUNTED(1)));
	assert_memory_equal(at, EMPTY_ANSWER "\0" COUNTED(1), sizeof(EMPTY_ANSWER "\0" COUNTED(1)));
}

/* --- pace -------------------------------------------------------------------------------------- */

static void a_client_that_reads(void **state)
{
	struct fixture *f = *state;

	f->turns = 997;
	SEND(f, CALL_MORE("Stream") "\0" CALL("Count"));
	assert_events(f, 997);
	assert_int_equal(f->turn, 998);
	assert_int_equal(f->gone, 0);
}

/* No more turns than it takes answers; it gets all of them in the end. */
static void a_client_that_reads_slowly(void **state)
{
	struct fixture *f = *state;
	uint64_t turn;

	f->turns = 307;
	f->padding = 10007;
	SEND_ONLY(f, CALL_MORE("Stream") "\0" CALL("Count"));
	turn = f->turn;
	assert_true(turn > 1 && turn < 100);
	assert_false(varlink_call_has_room(f->call));
	pump(f);
	assert_int_equal(f->turn, turn);
	while (f->handled == 0 || pending(f) > 0) {
		ssize_t n = recv(f->client, f->output + f->length, 5003, 0);

		assert_true(n > 0);
		f->length += (size_t)n;
		pump(f);
		assert_true(pending(f) <= answer_max(f));
		assert_int_equal(f->handled, f->turn == 308 && pending(f) == 0);
	}
	receive(f);
	assert_events(f, 307);
	assert_int_equal(counters(f)->closed_queue, 0);
}

/* Each answer beyond the limit of the queue, which is for those that do not ask for room. */
static void answers_larger_than_the_queue(void **state)
{
	struct fixture *f = *state;

	f->turns = 7;
	f->padding = test_limits.queue_bytes + 50000;
	SEND_ONLY(f, CALL_MORE("Stream") "\0" CALL("Count"));
	assert_false(varlink_call_has_room(f->call));
	assert_true(pending(f) <= answer_max(f));
	exchange(f);
	assert_events(f, 7);
	assert_int_equal(counters(f)->closed_queue, 0);
}

static void a_client_that_never_reads(void **state)
{
	struct varlink_limits limits = test_limits;
	struct fixture *f = *state;

	limits.request_usec = 1000000; /* longer than a busy machine takes to look */
	varlink_server_set_limits(f->server, &limits);
	f->turns = UINT64_MAX;
	f->padding = 10007;
	SEND_ONLY(f, CALL_MORE("Stream"));
	assert_int_equal(f->gone, 0);
	f->closed = true; /* keeps WAIT_UNTIL from reading */
	assert_true(WAIT_UNTIL(f, f->gone == 1));
	assert_int_equal(counters(f)->connections, 0);
	assert_int_equal(counters(f)->closed_queue, 1);
}

/* --- turns ------------------------------------------------------------------------------------- */

static void next_turn(void *userdata)
{
	struct fixture *f = userdata;

	f->turn++;
	varlink_call_on_room(f->call, next_turn, f);
}

/* There is always room where nothing is sent; others are served all the same. */
static void a_stream_that_never_pauses(void **state)
{
	struct fixture *f = *state;
	int busy = f->client;
	uint64_t before;

	SEND(f, CALL("Later"));
	varlink_call_on_room(f->call, next_turn, f);
	assert_int_equal(f->turn, 0); /* never inside of it */
	for (int i = 0; i < 20; i++) {
		before = f->turn;
		assert_true(sd_event_run(f->event, 0) > 0);
		assert_true(f->turn - before <= test_limits.requests_queued);
	}
	assert_true(f->turn > 0);
	new_client(f);
	assert_int_equal(send(f->client, GET_INFO, sizeof(GET_INFO), 0), sizeof(GET_INFO));
	for (int i = 0; i < 10; i++)
		sd_event_run(f->event, 0);
	receive(f);
	EXPECT(f, GET_INFO_ANSWER);
	close_fd(busy);
	pump(f);
	assert_int_equal(f->gone, 1);
}

static void a_turn_withdrawn(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL("Later"));
	varlink_call_on_room(f->call, next_turn, f);
	varlink_call_on_room(f->call, NULL, NULL);
	pump(f);
	assert_int_equal(f->turn, 0);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	EXPECT(f, EMPTY_ANSWER);
}

/* Who waits for room does not wait in the next call. */
static void answered_before_its_turn(void **state)
{
	struct fixture *f = *state;

	SEND(f, CALL("Later") "\0" CALL("Later"));
	varlink_call_on_room(f->call, next_turn, f);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	EXPECT(f, EMPTY_ANSWER);
	assert_int_equal(f->turn, 0);
	assert_int_equal(varlink_error_permission_denied(f->call), 0);
}

/* --- the end ----------------------------------------------------------------------------------- */

static void the_client_leaves_while_there_is_no_room(void **state)
{
	struct fixture *f = *state;
	uint64_t turn;

	f->turns = UINT64_MAX;
	f->padding = 10007;
	SEND_ONLY(f, CALL_MORE("Stream"));
	turn = f->turn;
	drop_client(f);
	assert_int_equal(f->gone, 1);
	assert_int_equal(f->turn, turn);
	assert_int_equal(counters(f)->connections, 0);
	assert_int_equal(f->server->waiting, 0);
}

/* It still sends, but takes nothing any more. */
static void the_client_shuts_its_ears(void **state)
{
	struct fixture *f = *state;

	f->turns = UINT64_MAX;
	shutdown(f->client, SHUT_RD);
	SEND_ONLY(f, CALL_MORE("Stream"));
	assert_int_equal(f->gone, 1);
	assert_int_equal(f->turn, 1);
	assert_int_equal(counters(f)->connections, 0);
}

static void the_server_goes_while_there_is_no_room(void **state)
{
	struct fixture *f = *state;

	f->turns = UINT64_MAX;
	f->padding = 10007;
	SEND_ONLY(f, CALL_MORE("Stream"));
	f->server = varlink_server_free(f->server);
	assert_int_equal(f->gone, 1);
}

/* Several at once, written elsewhere, go out as they are and before what comes after. */
static void whole_messages(void **state)
{
	static const char two[] = "{\"parameters\":{},\"continues\":true}\0"
				  "{\"parameters\":{\"n\":7},\"continues\":true}";
	_cleanup_json_ struct json messages = { 0 };
	struct fixture *f = *state;

	SEND(f, CALL_MORE("Later"));
	json_append(&messages, two, sizeof(two));
	assert_int_equal(varlink_notify_messages(f->call, &messages), 0);
	assert_null(messages.text);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	assert_int_equal(f->length, sizeof(two) + sizeof(EMPTY_ANSWER));
	assert_memory_equal(f->output, two, sizeof(two));
	assert_memory_equal(f->output + sizeof(two), EMPTY_ANSWER, sizeof(EMPTY_ANSWER));
}

static void messages_need_more(void **state)
{
	_cleanup_json_ struct json messages = { 0 };
	struct fixture *f = *state;

	SEND(f, CALL("Later"));
	json_append(&messages, "{}", 3);
	assert_int_equal(varlink_notify_messages(f->call, &messages), -EINVAL);
	assert_null(messages.text);
	assert_int_equal(varlink_reply(f->call, NULL), 0);
	exchange(f);
	assert_memory_equal(f->output, EMPTY_ANSWER, sizeof(EMPTY_ANSWER));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_client_that_reads),
		TEST(a_client_that_reads_slowly),
		TEST(answers_larger_than_the_queue),
		TEST(a_client_that_never_reads),
		TEST(a_stream_that_never_pauses),
		TEST(a_turn_withdrawn),
		TEST(answered_before_its_turn),
		TEST(the_client_leaves_while_there_is_no_room),
		TEST(whole_messages),
		TEST(messages_need_more),
		TEST(the_client_shuts_its_ears),
		TEST(the_server_goes_while_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
