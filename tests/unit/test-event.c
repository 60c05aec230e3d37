/* SPDX-License-Identifier: GPL-2.0-only */
/* Records, filters and the JSON of events: what comes of every part of a record. */
#include "event-filter.h"
#include "event-json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A record under construction; strings must be added in their order. */
struct record {
	struct em_event event;
	char bytes[65536];
	size_t size;
};

static struct event event; /* large */

static struct record record_of(enum em_event_kind kind)
{
	return (struct record){ .event = {
					.kind = kind,
					.subject = { .uid = 1000, .login = (__u32)EM_LOGIN_UNSET },
					.pid = 100,
					.tid = 101,
					.parent = 1,
					.euid = 0,
					.session = (__u32)EM_SESSION_UNSET,
					.comm = "cat" } };
}

static void add(struct record *record, enum em_event_string index, const void *bytes, size_t size,
		unsigned int flags)
{
	memcpy(record->bytes + record->size, bytes, size);
	record->size += size;
	record->event.strings[index] =
		(struct em_event_part){ (__u16)size, (__u16)(flags | EM_STRING_KNOWN) };
}

static int decode(const struct record *record)
{
	return event_decode(record, sizeof(record->event) + record->size, &event);
}

static void assert_path(const char *components, size_t size, unsigned int flags, const char *wanted)
{
	struct record record = record_of(EM_EVENT_OPEN);
	const struct event_string *path = &event.strings[EM_STRING_PATH];

	add(&record, EM_STRING_PATH, components, size, flags | EM_STRING_COMPONENTS);
	assert_int_equal(decode(&record), 0);
	assert_int_equal(path->length, strlen(wanted));
	assert_memory_equal(path->text, wanted, path->length);
}

static void paths_are_turned_round(void **state)
{
	(void)state;
	assert_path("", 0, 0, "/");
	assert_path("a\0", 2, 0, "/a");
	assert_path("hosts\0etc\0", 10, 0, "/etc/hosts");
	assert_path("hosts\0etc", 9, 0, "/etc/hosts");
	assert_path("c\0b\0", 4, EM_STRING_TRUNCATED, "b/c");
	assert_path("memfd:x\0", 8, EM_STRING_UNREACHABLE, "/memfd:x");
}

static void nothing_outside_is_read(void **state)
{
	struct record record = record_of(EM_EVENT_OPEN);

	(void)state;
	assert_int_equal(event_decode(&record, sizeof(record.event) - 1, &event), -EBADMSG);
	add(&record, EM_STRING_PATH, "abc", 3, 0);
	assert_int_equal(decode(&record), 0);
	record.size = 2;
	assert_int_equal(decode(&record), -EBADMSG);
	record.size = 65000;
	record.event.strings[EM_STRING_PATH].bytes = EVENT_PATH_BYTES - 1;
	assert_int_equal(decode(&record), -EBADMSG);
	record = record_of(EM_EVENT_KINDS);
	assert_int_equal(decode(&record), -EBADMSG);
	record = record_of(EM_EVENT_EXEC);
	add(&record, EM_STRING_ANCESTORS, "123456789012", 12, 0);
	assert_int_equal(decode(&record), -EBADMSG);
}

/* --- filters ----------------------------------------------------------------------------------- */

static bool passes(struct event_filter *filter, const char *unit)
{
	return event_filter_passes(filter, &event, unit);
}

static void filters_are_all_asked(void **state)
{
	struct record record = record_of(EM_EVENT_OPEN);
	struct event_filter all = { .kinds = 1 << EM_EVENT_OPEN }, filter;
	char cat[] = "cat", ca[] = "ca", unit[] = "a.service";

	(void)state;
	add(&record, EM_STRING_PATH, "hosts\0etc\0", 10, EM_STRING_COMPONENTS);
	assert_int_equal(decode(&record), 0);
	assert_true(passes(&all, NULL));
	filter = (struct event_filter){ .kinds = 1 << EM_EVENT_EXEC };
	assert_false(passes(&filter, NULL));
#define CHECK(member, good, bad)                     \
	do {                                         \
		filter = all;                        \
		filter.by_##member = true;           \
		filter.member = good;                \
		assert_true(passes(&filter, NULL));  \
		filter.member = bad;                 \
		assert_false(passes(&filter, NULL)); \
	} while (0)
	CHECK(uid, 1000, 1001);
	CHECK(login, (uint32_t)EM_LOGIN_UNSET, 1000);
	CHECK(pid, 100, 101);
#undef CHECK
	filter = all;
	filter.failed_only = true;
	assert_false(passes(&filter, NULL));
	filter = all;
	filter.comm = cat;
	assert_true(passes(&filter, NULL));
	filter.comm = ca;
	assert_false(passes(&filter, NULL));
	filter = all;
	filter.unit = unit;
	assert_true(passes(&filter, "a.service"));
	assert_false(passes(&filter, "a.servic"));
	assert_false(passes(&filter, NULL));
}

static void paths_are_whole_components(void **state)
{
	static const struct {
		const char *filter;
		bool passes;
	} cases[] = {
		{ "/", true },		{ "/etc", true },	   { "/etc/", true },
		{ "/etc/hosts", true }, { "/etc/hosts/", true },   { "/etc/host", false },
		{ "/et", false },	{ "/etc/hosts/x", false }, { "etc", false },
	};
	struct record record = record_of(EM_EVENT_OPEN), failed = record_of(EM_EVENT_OPEN);

	(void)state;
	add(&record, EM_STRING_PATH, "hosts\0etc\0", 10, EM_STRING_COMPONENTS);
	add(&failed, EM_STRING_ASKED, "/etc/hosts", 10, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(event_filter_done)
		struct event_filter filter = { .kinds = 1 << EM_EVENT_OPEN,
					       .path = strdup(cases[i].filter) };

		assert_int_equal(decode(&record), 0);
		assert_int_equal(passes(&filter, NULL), cases[i].passes);
		assert_int_equal(decode(&failed), 0);
		assert_int_equal(passes(&filter, NULL), cases[i].passes);
	}
}

static bool process_passes(struct event_filter *filter, uint32_t pid, uint32_t start,
			   const struct em_ancestor *ancestors, size_t n)
{
	struct record record = record_of(EM_EVENT_OPEN);

	record.event.pid = pid;
	record.event.start = start;
	add(&record, EM_STRING_ANCESTORS, ancestors, n * sizeof(*ancestors), 0);
	assert_int_equal(decode(&record), 0);
	return passes(filter, NULL);
}

static void descendants_stay_descendants(void **state)
{
	CLEANUP(event_filter_done)
	struct event_filter filter = {
		.kinds = 1 << EM_EVENT_OPEN, .by_pid = true, .pid = 10, .children = true
	};
	const struct em_ancestor line[] = { { 12, 2 }, { 11, 1 }, { 10, 0 } };
	const struct em_ancestor none[] = { { 2, 2 } };

	(void)state;
	assert_true(process_passes(&filter, 10, 0, none, 1));
	assert_false(process_passes(&filter, 13, 3, none, 1));
	assert_true(process_passes(&filter, 13, 3, line, 3));
	assert_true(process_passes(&filter, 13, 3, none, 1));  /* its parent has ended */
	assert_true(process_passes(&filter, 12, 2, none, 1));  /* in between */
	assert_false(process_passes(&filter, 13, 4, none, 1)); /* another with its pid */
	assert_true(process_passes(&filter, 14, 4, line, 1));
	/* More than are remembered: those with ancestors are found again. */
	for (uint32_t pid = 100; pid < 40000; pid++)
		assert_true(process_passes(&filter, pid, 1, line + 2, 1));
	filter.children = false;
	assert_false(process_passes(&filter, 13, 3, line, 3));
}

/* --- JSON -------------------------------------------------------------------------------------- */

static void assert_written(const struct record *record, const char *unit, const char *wanted)
{
	_cleanup_json_ struct json json = { 0 };
	struct event_clock clock = { .offset_ns = UINT64_C(1767225599999999000) };

	assert_int_equal(decode(record), 0);
	event_write(&event, probe_of_kind(record->event.kind), unit, &clock, NULL, &json);
	assert_int_equal(json.error, 0);
	assert_string_equal(json.text, wanted);
}

static void an_open(void **state)
{
	struct record record = record_of(EM_EVENT_OPEN);

	(void)state;
	record.event.time_ns = 1999;
	record.event.numbers[0] = 02102101; /* and O_LARGEFILE, which says nothing */
	record.event.numbers[1] = 0100640;
	record.event.numbers[2] = 8 << 20 | 1;
	record.event.numbers[3] = 77;
	add(&record, EM_STRING_PATH, "hosts\0etc\0", 10, EM_STRING_COMPONENTS);
	add(&record, EM_STRING_ASKED, "../etc/hosts", 12, 0);
	assert_written(&record, "a.service",
		       "{\"type\":\"open\",\"time\":\"2026-01-01T00:00:00.000000Z\",\"pid\":100,"
		       "\"tid\":101,\"ppid\":1,\"uid\":1000,\"euid\":0,\"login\":null,"
		       "\"session\":null,\"unit\":\"a.service\",\"comm\":\"cat\","
		       "\"path\":\"/etc/hosts\",\"asked\":\"../etc/hosts\","
		       "\"nameSource\":\"kernel\","
		       "\"flags\":[\"O_WRONLY\",\"O_APPEND\",\"O_CLOEXEC\",\"O_CREAT\"],"
		       "\"mode\":\"0640\",\"device\":\"8:1\",\"inode\":77,\"ioUring\":false,"
		       "\"error\":null}");
}

static void a_failed_open(void **state)
{
	struct record record = record_of(EM_EVENT_OPEN);

	(void)state;
	record.event.error = ENOENT;
	record.event.flags = EM_EVENT_PROCESS_NAMES | EM_EVENT_IO_URING;
	record.event.numbers[0] = 020000000000;
	record.event.subject.login = 1001;
	record.event.session = 3;
	add(&record, EM_STRING_ASKED, "\xff", 1, EM_STRING_TRUNCATED);
	assert_written(&record, NULL,
		       "{\"type\":\"open\",\"time\":\"2025-12-31T23:59:59.999999Z\",\"pid\":100,"
		       "\"tid\":101,\"ppid\":1,\"uid\":1000,\"euid\":0,\"login\":1001,"
		       "\"session\":3,\"unit\":null,\"comm\":\"cat\",\"path\":null,"
		       "\"asked\":\"\xef\xbf\xbd\",\"askedBytes\":\"/w==\","
		       "\"truncated\":[\"asked\"],\"nameSource\":\"process\","
		       "\"flags\":[\"O_RDONLY\",\"0x80000000\"],\"mode\":null,\"device\":null,"
		       "\"inode\":null,\"ioUring\":true,\"error\":\"ENOENT\"}");
}

/* The kernel's own numbers of an interrupted call; others have no name. */
static void errors_are_those_of_processes(void **state)
{
	static const struct {
		uint32_t error;
		const char *name;
	} errors[] = {
		{ 0, "" },	  { EACCES, "EACCES" }, { EINTR, "EINTR" },
		{ 511, "511" },	  { 512, "EINTR" },	{ 513, "EINTR" },
		{ 514, "EINTR" }, { 515, "515" },	{ 516, "EINTR" },
		{ 517, "517" },	  { 524, "524" },	{ UINT32_MAX, "4294967295" },
	};
	char buffer[EVENT_ERROR_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct em_event record = { .error = errors[i].error };
		struct event one = { .record = &record };

		assert_string_equal(event_error(&one, buffer), errors[i].name);
	}
}

static void an_exec(void **state)
{
	struct record record = record_of(EM_EVENT_EXEC);

	(void)state;
	record.event.flags = EM_EVENT_SET_ID;
	add(&record, EM_STRING_PATH, "memfd:x\0", 8,
	    EM_STRING_COMPONENTS | EM_STRING_UNREACHABLE | EM_STRING_DELETED);
	add(&record, EM_STRING_ASKED, "./x", 3, 0);
	add(&record, EM_STRING_ARGUMENTS, "x\0\0\xff\0cut", 8, EM_STRING_TRUNCATED);
	add(&record, EM_STRING_FOLDER, "", 0, EM_STRING_COMPONENTS);
	add(&record, EM_STRING_PARENT, "sh", 2, 0);
	assert_written(&record, "\xff",
		       "{\"type\":\"exec\",\"time\":\"2025-12-31T23:59:59.999999Z\",\"pid\":100,"
		       "\"tid\":101,\"ppid\":1,\"uid\":1000,\"euid\":0,\"login\":null,"
		       "\"session\":null,\"unit\":\"\xef\xbf\xbd\",\"unitBytes\":\"/w==\","
		       "\"comm\":\"cat\",\"path\":\"/memfd:x\",\"asked\":\"./x\","
		       "\"deleted\":true,\"unreachable\":true,\"truncated\":[\"arguments\"],"
		       "\"nameSource\":\"kernel\","
		       "\"arguments\":[\"x\",\"\",\"\xef\xbf\xbd\",\"cut\"],"
		       "\"argumentsBytes\":[\"eA==\",\"\",\"/w==\",\"Y3V0\"],\"cwd\":\"/\","
		       "\"parentComm\":\"sh\",\"setId\":true,\"memfd\":true,\"device\":\"0:0\","
		       "\"inode\":0,\"error\":null}");
}

/* --- the life of a process --------------------------------------------------------------------- */

#define WHO(type)                                                                         \
	"{\"type\":\"" type "\",\"time\":\"2025-12-31T23:59:59.999999Z\",\"pid\":100,"    \
	"\"tid\":101,\"ppid\":1,\"uid\":1000,\"euid\":0,\"login\":null,\"session\":null," \
	"\"unit\":null,\"comm\":\"cat\","

static void an_exit(void **state)
{
	static const struct {
		unsigned int status;
		const char *wanted;
	} cases[] = {
		{ 7 << 8, "\"exitCode\":7,\"signal\":null,\"coreDumped\":false," },
		{ 9, "\"exitCode\":null,\"signal\":\"SIGKILL\",\"coreDumped\":false," },
		{ 11 | 0x80, "\"exitCode\":null,\"signal\":\"SIGSEGV\",\"coreDumped\":true," },
		{ 40, "\"exitCode\":null,\"signal\":\"40\",\"coreDumped\":false," },
	};
	struct record record = record_of(EM_EVENT_EXIT);
	char wanted[512];

	(void)state;
	record.event.numbers[0] = 1234999;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		record.event.numbers[1] = cases[i].status;
		snprintf(wanted, sizeof(wanted), WHO("exit") "%s\"duration\":1234,\"error\":null}",
			 cases[i].wanted);
		assert_written(&record, NULL, wanted);
	}
}

static void durations_are_long_enough(void **state)
{
	struct record record = record_of(EM_EVENT_EXIT);
	struct event_filter filter = { .kinds = 1 << EM_EVENT_EXIT, .min_duration_usec = 1000 };

	(void)state;
	record.event.numbers[0] = 1000000;
	assert_int_equal(decode(&record), 0);
	assert_false(passes(&filter, NULL)); /* has none */
	record.event.flags = EM_EVENT_DURATION;
	assert_int_equal(decode(&record), 0);
	assert_true(passes(&filter, NULL));
	record.event.numbers[0] = 999999;
	assert_int_equal(decode(&record), 0);
	assert_false(passes(&filter, NULL));
}

static void failures_are_flagged(void **state)
{
	struct record record = record_of(EM_EVENT_EXIT);
	struct event_filter filter = { .kinds = 1 << EM_EVENT_EXIT, .failed_only = true };

	(void)state;
	assert_int_equal(decode(&record), 0);
	assert_false(passes(&filter, NULL));
	record.event.flags = EM_EVENT_FAILED;
	assert_int_equal(decode(&record), 0);
	assert_true(passes(&filter, NULL));
}

static void a_fork(void **state)
{
	struct record record = record_of(EM_EVENT_FORK);

	(void)state;
	record.event.numbers[0] = 0x1600018100;
	record.event.numbers[1] = 100;
	record.event.numbers[2] = 200;
	assert_written(&record, NULL,
		       WHO("fork") "\"childPid\":100,\"childTid\":200,\"thread\":true,"
				   "\"flags\":[\"CLONE_VM\",\"CLONE_PARENT\",\"CLONE_THREAD\","
				   "\"CLONE_INTO_CGROUP\",\"0x1400000000\"],\"error\":null}");
	record.event.numbers[0] = 0;
	record.event.numbers[1] = 200;
	assert_written(&record, NULL,
		       WHO("fork") "\"childPid\":200,\"childTid\":200,\"thread\":false,"
				   "\"flags\":[],\"error\":null}");
}

static void assert_unlink(const char *folder, size_t folder_size, const char *asked, uint32_t error,
			  const char *wanted)
{
	struct record record = record_of(EM_EVENT_UNLINK);
	char whole[1024];

	record.event.flags = EM_EVENT_DIRECTORY | EM_EVENT_PROCESS_NAMES;
	record.event.error = error;
	add(&record, EM_STRING_ASKED, asked, strlen(asked), 0);
	add(&record, EM_STRING_FOLDER, folder, folder_size, EM_STRING_COMPONENTS);
	snprintf(whole, sizeof(whole), "%s%s", WHO("unlink"), wanted);
	assert_written(&record, NULL, whole);
}

static void an_unlink(void **state)
{
	(void)state;
	assert_unlink("b\0a\0", 4, "x", 0,
		      "\"path\":\"/a/b/x\",\"asked\":\"x\",\"nameSource\":\"process\","
		      "\"directory\":\"/a/b\",\"rename\":false,\"ioUring\":false,"
		      "\"error\":null}");
	assert_unlink("", 0, "x", 0,
		      "\"path\":\"/x\",\"asked\":\"x\",\"nameSource\":\"process\","
		      "\"directory\":\"/\",\"rename\":false,\"ioUring\":false,\"error\":null}");
	assert_unlink("a\0", 2, "link/x", 0,
		      "\"path\":null,\"asked\":\"link/x\",\"nameSource\":\"process\","
		      "\"directory\":\"/a\",\"rename\":false,\"ioUring\":false,"
		      "\"error\":null}");
	assert_unlink("a\0", 2, "/x", ENOENT,
		      "\"path\":null,\"asked\":\"/x\",\"nameSource\":\"process\","
		      "\"directory\":null,\"rename\":false,\"ioUring\":false,"
		      "\"error\":\"ENOENT\"}");
	assert_unlink("a\0", 2, "x", ENOENT,
		      "\"path\":null,\"asked\":\"x\",\"nameSource\":\"process\","
		      "\"directory\":\"/a\",\"rename\":false,\"ioUring\":false,"
		      "\"error\":\"ENOENT\"}");
}

static void a_rename(void **state)
{
	struct record record = record_of(EM_EVENT_UNLINK);

	(void)state;
	record.event.flags = EM_EVENT_RENAME;
	record.event.numbers[2] = 8 << 20 | 1;
	record.event.numbers[3] = 77;
	add(&record, EM_STRING_PATH, "x\0a\0", 4, EM_STRING_COMPONENTS);
	assert_written(&record, NULL,
		       WHO("unlink") "\"path\":\"/a/x\",\"asked\":null,"
				     "\"nameSource\":\"kernel\",\"directory\":null,"
				     "\"rename\":true,\"device\":\"8:1\",\"inode\":77,"
				     "\"error\":null}");
}

/* What was asked for begins in its directory, with or without a path. */
static void names_are_below_their_directory(void **state)
{
	struct record record = record_of(EM_EVENT_UNLINK);
	char a[] = "/a", ab[] = "/a/b", b[] = "/b";
	struct event_filter filter = { .kinds = 1 << EM_EVENT_UNLINK };

	(void)state;
	record.event.flags = EM_EVENT_DIRECTORY;
	record.event.error = ENOENT;
	add(&record, EM_STRING_ASKED, "b/c", 3, EM_STRING_TRUNCATED);
	add(&record, EM_STRING_FOLDER, "a\0", 2, EM_STRING_COMPONENTS);
	assert_int_equal(decode(&record), 0);
	filter.path = a;
	assert_true(passes(&filter, NULL));
	filter.path = ab;
	assert_true(passes(&filter, NULL));
	filter.path = b;
	assert_false(passes(&filter, NULL));
	record.event.strings[EM_STRING_FOLDER].flags |= EM_STRING_TRUNCATED;
	assert_int_equal(decode(&record), 0);
	filter.path = a;
	assert_false(passes(&filter, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_turned_round),
		cmocka_unit_test(nothing_outside_is_read),
		cmocka_unit_test(filters_are_all_asked),
		cmocka_unit_test(paths_are_whole_components),
		cmocka_unit_test(descendants_stay_descendants),
		cmocka_unit_test(an_open),
		cmocka_unit_test(a_failed_open),
		cmocka_unit_test(errors_are_those_of_processes),
		cmocka_unit_test(an_exec),
		cmocka_unit_test(an_exit),
		cmocka_unit_test(durations_are_long_enough),
		cmocka_unit_test(failures_are_flagged),
		cmocka_unit_test(a_fork),
		cmocka_unit_test(an_unlink),
		cmocka_unit_test(a_rename),
		cmocka_unit_test(names_are_below_their_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
