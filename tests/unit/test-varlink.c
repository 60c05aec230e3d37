/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the Varlink server answers to what, byte for byte, compared with sd-varlink 262: every row
 * of that comparison is here, with what it does where the table of odd inputs says nothing. Where
 * the two differ a comment says so.
 */
#include "varlink-fixture.h"

#define S(literal) literal, sizeof(literal)
#define NOTHING	   "", 0

#define SERVICE_ERROR(name, key, value) \
	"{\"error\":\"org.varlink.service." name "\",\"parameters\":{\"" key "\":\"" value "\"}}"
#define INVALID(name)	     SERVICE_ERROR("InvalidParameter", "parameter", name)
#define METHOD_UNKNOWN(name) SERVICE_ERROR("MethodNotFound", "method", name)
#define HEADER(members)	     "{\"method\":\"org.varlink.service.GetInfo\"," members "}"
#define DESCRIBE(members) \
	"{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{" members "}}"

struct row {
	const char *input; /* ends with the literal's NUL */
	size_t input_size;
	const char *output;
	size_t output_size;
	bool closed;
};

static const struct row rows[] = {
	/* --- answered normally --- */
	{ S(GET_INFO), S(GET_INFO_ANSWER), false },
	{ S(" \t\r\n" GET_INFO "\n "), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"parameters\":null")), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"parameters\":{}")), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"more\":false")), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"more\":true")), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"oneway\":false")), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"oneway\":false,\"more\":true")), S(GET_INFO_ANSWER), false },
	/* sd-varlink closes the connection when the true one comes first. */
	{ S(HEADER("\"more\":true,\"oneway\":false")), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"upgrade\":false")), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"upgrade\":true")), S(GET_INFO_ANSWER), false },
	{ S("{\"\\u006dethod\":\"org.varlink.service.Get\\u0049nfo\"}"), S(GET_INFO_ANSWER),
	  false },
	/* pipelined */
	{ S(GET_INFO "\0" GET_INFO "\0" CALL_WITH("Echo", "\"text\":\"x\"")),
	  S(GET_INFO_ANSWER "\0" GET_INFO_ANSWER "\0{\"parameters\":{\"text\":\"x\"}}"), false },
	{ S(CALL("None") "\0" GET_INFO),
	  S(METHOD_UNKNOWN("org.example.Test.None") "\0" GET_INFO_ANSWER), false },

	/* --- a newline is no end --- */
	{ GET_INFO "\n", sizeof(GET_INFO), NOTHING, false },
	{ "x", 1, NOTHING, false }, /* nobody looks before the NUL */

	/* --- closed without an answer --- */
	{ S("x"), NOTHING, true },
	{ S(GET_INFO "x"), NOTHING, true },
	{ S(GET_INFO GET_INFO), NOTHING, true },
	{ S("{\"method\":\"org.varlink.service.GetInfo\",}"), NOTHING, true },
	{ S("{'method':'org.varlink.service.GetInfo'}"), NOTHING, true },
	{ S("/**/" GET_INFO), NOTHING, true },
	{ S("[]"), NOTHING, true },
	{ S("[" GET_INFO "]"), NOTHING, true },
	{ S("null"), NOTHING, true },
	{ S("\"x\""), NOTHING, true },
	{ S(""), NOTHING, true },
	{ S("{}"), NOTHING, true },
	{ S("{\"parameters\":{}}"), NOTHING, true },
	{ S("{\"method\":null}"), NOTHING, true },
	{ S("{\"method\":1}"), NOTHING, true },
	{ S("{\"method\":\"\\ud800\"}"), NOTHING, true },
	{ S("{\"method\":\"\xff\"}"), NOTHING, true },
	{ S("{\"method\":\"a\\u0000b\"}"), NOTHING, true },
	{ S(HEADER("\"parameters\":[]")), NOTHING, true },
	{ S(HEADER("\"parameters\":\"x\"")), NOTHING, true },
	{ S(HEADER("\"more\":null")), NOTHING, true },
	{ S(HEADER("\"more\":1")), NOTHING, true },
	{ S(HEADER("\"oneway\":null")), NOTHING, true },
	{ S(HEADER("\"oneway\":\"true\"")), NOTHING, true },
	{ S(HEADER("\"upgrade\":null")), NOTHING, true },
	{ S(HEADER("\"foo\":1")), NOTHING, true },
	{ S(HEADER("\"More\":true")), NOTHING, true },
	{ S(HEADER("\"org.example\":{}")), NOTHING, true },
	{ S(HEADER("\"method\":\"org.varlink.service.GetInfo\"")), NOTHING, true },
	{ S(HEADER("\"parameters\":{},\"parameters\":{}")), NOTHING, true },
	{ S(HEADER("\"parameters\":{},\"\\u0070arameters\":{}")), NOTHING, true },
	{ S(HEADER("\"oneway\":true,\"more\":true")), NOTHING, true },
	{ S(HEADER("\"more\":true,\"oneway\":true")), NOTHING, true },
	{ S(HEADER("\"upgrade\":true,\"more\":true")), NOTHING, true },
	{ S(HEADER("\"upgrade\":true,\"oneway\":true")), NOTHING, true },
	/* sd-varlink answers these two with an error; both are a mistake of the sender. */
	{ S(CALL_WITH("Echo", "\"text\":\"a\",\"text\":\"a\"")), NOTHING, true },
	{ S(CALL_WITH("Echo", "\"text\":\"a\",\"number\":18446744073709551616")), NOTHING, true },
	/* What came before is answered, what comes after is not. */
	{ S(GET_INFO "\0x\0" GET_INFO), S(GET_INFO_ANSWER), true },

	/* --- parameters --- */
	{ S(HEADER("\"parameters\":{\"a\":1}")), S(INVALID("a")), false },
	{ S(HEADER("\"parameters\":{\"b\":1,\"a\":2}")), S(INVALID("b")), false },
	{ S(HEADER("\"parameters\":{\"\":1}")), S(INVALID("")), false },
	{ S(HEADER("\"parameters\":{\"\\n\\u0001\":1}")), S(INVALID("\\n\\u0001")), false },
	{ S(CALL("Echo")), S(INVALID("text")), false },
	{ S(CALL_WITH("Echo", "")), S(INVALID("text")), false },
	{ S(CALL_WITH("Echo", "\"text\":null")), S(INVALID("text")), false },
	{ S(CALL_WITH("Echo", "\"text\":1")), S(INVALID("text")), false },
	{ S(CALL_WITH("Echo", "\"text\":{\"text\":\"x\"}")), S(INVALID("text")), false },
	{ S(CALL_WITH("Echo", "\"Text\":\"x\"")), S(INVALID("text")), false },
	{ S(CALL_WITH("Echo", "\"text\":\"x\",\"y\":1")), S(INVALID("y")), false },
	{ S(CALL_WITH("Echo", "\"y\":1,\"text\":\"x\",\"number\":true")), S(INVALID("number")),
	  false },
	{ S(CALL_WITH("Echo", "\"text\":\"x\",\"flag\":1")), S(INVALID("flag")), false },
	{ S(CALL_WITH("Echo", "\"text\":\"x\",\"flag\":\"true\"")), S(INVALID("flag")), false },
	{ S(CALL_WITH("Echo", "\"text\":\"x\",\"color\":\"blue\"")), S(INVALID("color")), false },
	{ S(CALL_WITH("Echo", "\"text\":\"x\",\"color\":1")), S(INVALID("color")), false },
	{ S(CALL_WITH("Echo", "\"text\":\"x\",\"list\":\"a\"")), S(INVALID("list")), false },
	{ S(CALL_WITH("Echo", "\"text\":\"x\",\"list\":[\"a\",1]")), S(INVALID("list")), false },
	{ S(CALL_WITH("Echo", "\"text\":\"x\",\"list\":[null]")), S(INVALID("list")), false },
	{ S(CALL_WITH(
		  "Echo",
		  "\"text\":\"x\",\"number\":1,\"flag\":false,\"color\":\"green\",\"list\":[\"a\",\"\"]")),
	  S("{\"parameters\":{\"text\":\"x\",\"number\":1,\"flag\":false,\"color\":\"green\","
	    "\"list\":[\"a\",\"\"]}}"),
	  false },
	{ S(CALL_WITH("Echo",
		      "\"text\":\"\",\"number\":null,\"flag\":null,\"color\":null,\"list\":null")),
	  S("{\"parameters\":{\"text\":\"\",\"number\":null,\"flag\":null,\"color\":null,"
	    "\"list\":null}}"),
	  false },
	{ S(CALL_WITH("Echo", "\"text\":\"\",\"list\":[]")),
	  S("{\"parameters\":{\"text\":\"\",\"list\":[]}}"), false },

	{ S(CALL_WITH("Echo", "\"text\":\"\",\"real\":1.5")),
	  S("{\"parameters\":{\"text\":\"\",\"real\":1.5}}"), false },
	{ S(CALL_WITH("Echo", "\"text\":\"\",\"real\":-3")),
	  S("{\"parameters\":{\"text\":\"\",\"real\":-3.0}}"), false },
	{ S(CALL_WITH("Echo", "\"text\":\"\",\"real\":\"1.5\"")), S(INVALID("real")), false },
	{ S(CALL_WITH("Echo", "\"text\":\"\",\"object\":{\"a\":[1]}")),
	  S("{\"parameters\":{\"text\":\"\",\"object\":{\"a\":[1]}}}"), false },
	{ S(CALL_WITH("Echo", "\"text\":\"\",\"object\":[]")), S(INVALID("object")), false },

	/* --- streams, unknown methods --- */
	{ S(CALL("Watch")), S("{\"error\":\"org.varlink.service.ExpectedMore\",\"parameters\":{}}"),
	  false },
	{ S(CALL_WITH("Watch", "\"x\":1")),
	  S("{\"error\":\"org.varlink.service.ExpectedMore\",\"parameters\":{}}"), false },
	{ S(CALL_MORE("Watch")),
	  S("{\"parameters\":{\"event\":1},\"continues\":true}\0"
	    "{\"parameters\":{\"event\":2},\"continues\":true}"),
	  false },
	{ S(CALL("None")), S(METHOD_UNKNOWN("org.example.Test.None")), false },
	{ S(CALL("")), S(METHOD_UNKNOWN("org.example.Test.")), false },
	{ S(CALL("Echo.x")), S(METHOD_UNKNOWN("org.example.Test.Echo.x")), false },
	{ S("{\"method\":\"org.example.Other.Echo\"}"), S(METHOD_UNKNOWN("org.example.Other.Echo")),
	  false },
	{ S("{\"method\":\"org.example.Test\"}"), S(METHOD_UNKNOWN("org.example.Test")), false },
	{ S("{\"method\":\"org.example.TestEcho\"}"), S(METHOD_UNKNOWN("org.example.TestEcho")),
	  false },
	{ S("{\"method\":\"org.example.Second.Echo\"}"),
	  S(METHOD_UNKNOWN("org.example.Second.Echo")), false },
	{ S("{\"method\":\"org.varlink.service.Foo\"}"),
	  S(METHOD_UNKNOWN("org.varlink.service.Foo")), false },
	{ S("{\"method\":\"\"}"), S(METHOD_UNKNOWN("")), false },
	{ S("{\"method\":\"foo\"}"), S(METHOD_UNKNOWN("foo")), false },
	{ S("{\"method\":\"\xc3\xa4\\n\\ud83d\\ude00\"}"),
	  S(METHOD_UNKNOWN("\xc3\xa4\\n\xf0\x9f\x98\x80")), false },
	/* sd-varlink would close the connection; what it cannot read is not sent to it either. */
	{ S("{\"method\":\"\\uffff\"}"), S(METHOD_UNKNOWN("\xef\xbf\xbd")), false },
	{ S("{\"method\":\"\x7f\"}"), S(METHOD_UNKNOWN("\\u007f")), false },
	{ S(CALL("Missing")),
	  S(SERVICE_ERROR("MethodNotImplemented", "method", "org.example.Test.Missing")), false },

	/* --- oneway: never answered, whatever happens --- */
	{ S(HEADER("\"oneway\":true")), NOTHING, false },
	{ S(HEADER("\"oneway\":true,\"more\":false")), NOTHING, false },
	{ S(HEADER("\"more\":false,\"oneway\":true") "\0" GET_INFO), S(GET_INFO_ANSWER), false },
	{ S("{\"method\":\"a.b.C\",\"oneway\":true}\0" GET_INFO), S(GET_INFO_ANSWER), false },
	{ S(HEADER("\"oneway\":true,\"parameters\":{\"x\":1}") "\0" GET_INFO), S(GET_INFO_ANSWER),
	  false },
	{ S("{\"method\":\"org.example.Test.Watch\",\"oneway\":true}\0" GET_INFO),
	  S(GET_INFO_ANSWER), false },
	{ S("{\"method\":\"org.example.Test.Count\",\"oneway\":true}\0" CALL("Count")),
	  S("{\"parameters\":{\"n\":2}}"), false },

	/* --- errors of handlers --- */
	{ S(CALL("Denied") "\0" GET_INFO),
	  S("{\"error\":\"org.varlink.service.PermissionDenied\",\"parameters\":{}}\0" GET_INFO_ANSWER),
	  false },
	{ S(CALL("Error")),
	  S("{\"error\":\"org.example.Test.Wrong\",\"parameters\":{\"more\":false}}"), false },
	{ S(CALL_MORE("Error")),
	  S("{\"error\":\"org.example.Test.Wrong\",\"parameters\":{\"more\":true}}"), false },
	{ S(CALL("Fail") "\0" GET_INFO), NOTHING, true },
	{ S(CALL("NoMemory") "\0" GET_INFO), NOTHING, true },

	/* --- org.varlink.service --- */
	{ S("{\"method\":\"org.varlink.service.GetInterfaceDescription\"}"),
	  S(INVALID("interface")), false },
	{ S(DESCRIBE("\"interface\":null")), S(INVALID("interface")), false },
	{ S(DESCRIBE("\"interface\":1")), S(INVALID("interface")), false },
	{ S(DESCRIBE("\"x\":1")), S(INVALID("interface")), false },
	{ S(DESCRIBE("\"interface\":\"org.varlink.service\",\"x\":1")), S(INVALID("x")), false },
	{ S(DESCRIBE("\"interface\":\"a.b\"")),
	  S(SERVICE_ERROR("InterfaceNotFound", "interface", "a.b")), false },
	{ S(DESCRIBE("\"interface\":\"\"")), S(SERVICE_ERROR("InterfaceNotFound", "interface", "")),
	  false },
	{ S(DESCRIBE("\"interface\":\"org.example.Test\"")),
	  S("{\"parameters\":{\"description\":"
	    "\"# For tests: \\\"x\\\".\\ninterface org.example.Test\\n\"}}"),
	  false },
};

static void run_row(const struct row *row, size_t chunk, bool half_close)
{
	struct fixture *f = fixture_new(&test_limits);
	void *state = f;

	send_split(f, row->input, row->input_size, chunk);
	if (half_close)
		shutdown(f->client, SHUT_WR);
	exchange(f);
	assert_output(f, row->output, row->output_size);
	/* A half-closed client gets its answers and is closed then, unless a stream is open. */
	assert_int_equal(f->closed, row->closed || (half_close && !f->call));
	fixture_teardown(&state);
}

static void in_one_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i], rows[i].input_size, false);
}

static void byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i], 1, false);
}

static void then_half_closed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i], rows[i].input_size, true);
}

/* How a number may be written, and what the handler sees; NULL: InvalidParameter. */
static const struct {
	const char *input, *output;
} numbers[] = {
	{ "0", "0" },
	{ "-1", "-1" },
	{ "18446744073709551615", "18446744073709551615" },
	{ "-9223372036854775808", "-9223372036854775808" },
	{ "1.0", "1" },
	{ "1e3", "1000" },
	{ "-1.0", "-1" },
	{ "-0.0", "0" },
	{ "1e18", "1000000000000000000" },
	{ "9223372036854775808.0", "9223372036854775808" },
	{ "1e19", "10000000000000000000" },
	{ "-9223372036854775808.0", "-9223372036854775808" },
	{ "\"5\"", "5" },
	{ "\"-5\"", "-5" },
	{ "\"0\"", "0" },
	{ "\"18446744073709551615\"", "18446744073709551615" },
	{ "\"-9223372036854775808\"", "-9223372036854775808" },
	{ "1.5", NULL },
	{ "1e-1", NULL },
	{ "1e20", NULL },
	{ "1e400", NULL },
	{ "-1e19", NULL },
	{ "true", NULL },
	{ "[]", NULL },
	{ "[1]", NULL },
	{ "{}", NULL },
	{ "\"\"", NULL },
	{ "\"-\"", NULL },
	{ "\"abc\"", NULL },
	{ "\"5x\"", NULL },
	{ "\" 5\"", NULL },
	{ "\"+5\"", NULL },
	{ "\"05\"", NULL },
	{ "\"0x5\"", NULL },
	{ "\"1.0\"", NULL },
	{ "\"18446744073709551616\"", NULL },
	{ "\"-9223372036854775809\"", NULL },
	{ "\"99999999999999999999999\"", NULL },
};

static void integers(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char input[256], output[256];
		int n;

		n = snprintf(input, sizeof(input),
			     CALL_WITH("Echo", "\"text\":\"x\",\"number\":%s"), numbers[i].input);
		send_split(f, input, (size_t)n + 1, (size_t)n + 1);
		n = snprintf(output, sizeof(output),
			     numbers[i].output ? "{\"parameters\":{\"text\":\"x\",\"number\":%s}}"
					       : INVALID("number"),
			     numbers[i].output);
		assert_output(f, output, (size_t)n + 1);
	}
}

/* org.varlink.service describes all that it has, each with a comment before it. */
static void the_service_describes_itself(void **state)
{
	static const char *const declarations[] = {
		"\ninterface org.varlink.service\n",
		"\nmethod GetInfo() -> (",
		"\nmethod GetInterfaceDescription(interface: string) -> (description: string)\n",
		"\nerror InterfaceNotFound (interface: string)\n",
		"\nerror MethodNotFound (method: string)\n",
		"\nerror MethodNotImplemented (method: string)\n",
		"\nerror InvalidParameter (parameter: string)\n",
		"\nerror PermissionDenied ()\n",
		"\nerror ExpectedMore ()\n",
	};
	struct json_object *object, *value;
	struct fixture *f = *state;
	const char *text;

	SEND(f, DESCRIBE("\"interface\":\"org.varlink.service\""));
	object = json_tokener_parse(f->output);
	assert_true(json_object_object_get_ex(object, "parameters", &value));
	assert_true(json_object_object_get_ex(value, "description", &value));
	text = json_object_get_string(value);
	for (size_t i = 0; i < ARRAY_SIZE(declarations); i++) {
		const char *at = strstr(text, declarations[i]);

		assert_non_null(at);
		while (at > text && at[-1] != '\n')
			at--;
		assert_int_equal(at[0], '#');
	}
	json_object_put(object);
}

static void everything_is_counted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(counters(f)->connections, 1);
	assert_int_equal(counters(f)->accepted, 1);
	SEND(f,
	     GET_INFO "\0" CALL("None") "\0" CALL("Denied") "\0{\"method\":\"x\",\"oneway\":true}");
	assert_int_equal(counters(f)->calls, 4);
	assert_int_equal(counters(f)->errors,
			 2); /* a oneway call is not answered, so not with one */
	assert_int_equal(counters(f)->closed_protocol, 0);
	SEND(f, "x");
	assert_true(f->closed);
	assert_int_equal(counters(f)->closed_protocol, 1);
	assert_int_equal(counters(f)->connections, 0);
	close_fd(f->client);
	new_client(f);
	SEND(f, "{\"method\":1}");
	assert_int_equal(counters(f)->closed_protocol, 2);
	close_fd(f->client);
	new_client(f);
	drop_client(f);
	assert_int_equal(counters(f)->connections, 0);
	assert_int_equal(counters(f)->accepted, 3);
	assert_int_equal(counters(f)->calls, 4);
	assert_int_equal(counters(f)->closed_protocol, 2);
	assert_int_equal(counters(f)->closed_size + counters(f)->closed_queue +
				 counters(f)->closed_timeout,
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_one_write),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(then_half_closed),
		cmocka_unit_test_setup_teardown(integers, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(the_service_describes_itself, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(everything_is_counted, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
