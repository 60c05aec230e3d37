/* SPDX-License-Identifier: GPL-2.0-only */
/* An event as an entry of the journal: its line, its fields, and whatever bytes are in its names. */
#include "event-entry.h"
#include "log-ids.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A record under construction; strings must be added in their order. */
struct record {
	struct em_event event;
	char bytes[8192];
	size_t size;
};

static struct event event; /* large */

static struct record record_of(enum em_event_kind kind)
{
	return (struct record){ .event = { .kind = kind,
					   .subject = { .uid = 1000, .login = 1001 },
					   .pid = 100,
					   .tid = 101,
					   .session = (__u32)EM_SESSION_UNSET,
					   .comm = "c\x1b[31m" } };
}

static void add(struct record *record, enum em_event_string index, const char *bytes, size_t size)
{
	memcpy(record->bytes + record->size, bytes, size);
	record->size += size;
	record->event.strings[index] = (struct em_event_part){ (__u16)size, EM_STRING_KNOWN };
}

static void write_entry(const struct record *record, const char *unit, struct json *entry)
{
	struct event_clock clock = { 0 };

	assert_int_equal(event_decode(record, sizeof(record->event) + record->size, &event), 0);
	event_entry_write(&event, probe_of_kind(event.record->kind), unit, &clock, entry);
	assert_int_equal(entry->error, 0);
}

/* The value of field @name, as journald takes entries apart; NULL: there is none. */
static const char *field(const struct json *entry, const char *name, size_t *ret_length)
{
	const char *at = entry->text, *end = at + entry->length, *found = NULL;

	while (at < end) {
		const char *value = at + strcspn(at, "=\n");
		size_t name_length = (size_t)(value - at), length;
		uint64_t size;

		if (*value++ == '=') {
			length = (size_t)((char *)memchr(value, '\n', (size_t)(end - value)) -
					  value);
		} else {
			memcpy(&size, value, sizeof(size));
			value += sizeof(size);
			length = le64toh(size);
		}
		if (name_length == strlen(name) && !memcmp(at, name, name_length)) {
			assert_null(found);
			found = value;
			*ret_length = length;
		}
		assert_int_equal(value[length], '\n');
		at = value + length + 1;
	}
	assert_ptr_equal(at, end);
	return found;
}

static void assert_field(const struct json *entry, const char *name, const char *wanted)
{
	size_t length = 0;
	const char *value = field(entry, name, &length);

	if (!wanted) {
		assert_null(value);
		return;
	}
	assert_non_null(value);
	assert_int_equal(length, strlen(wanted));
	assert_memory_equal(value, wanted, length);
}

static void names_are_whole_and_lines_harmless(void **state)
{
	static const char name[] = "/a\nMESSAGE=forged\n\xff\x1b[0m";
	struct record record = record_of(EM_EVENT_OPEN);
	_cleanup_json_ struct json entry = { 0 };
	size_t length;

	(void)state;
	record.event.error = EACCES;
	add(&record, EM_STRING_ASKED, name, sizeof(name) - 1);
	write_entry(&record, "a.service", &entry);
	assert_field(&entry, "MESSAGE",
		     "open: c\\x1b[31m[100] of user 1000: "
		     "/a\\x0aMESSAGE=forged\\x0a\\xff\\x1b[0m: EACCES");
	assert_field(&entry, "MESSAGE_ID", LOG_ID_EVENT);
	assert_field(&entry, "PRIORITY", "6");
	assert_field(&entry, "SYSLOG_IDENTIFIER", "ebpfmond");
	assert_field(&entry, "EBPFMON_PROBE", "open");
	assert_field(&entry, "EBPFMON_PID", "100");
	assert_field(&entry, "EBPFMON_UID", "1000");
	assert_field(&entry, "EBPFMON_LOGIN", "1001");
	assert_field(&entry, "EBPFMON_UNIT", "a.service");
	assert_field(&entry, "EBPFMON_COMM", "c\x1b[31m");
	assert_field(&entry, "EBPFMON_PATH", name);
	assert_field(&entry, "EBPFMON_ERROR", "EACCES");
	assert_non_null(field(&entry, "EBPFMON_EVENT", &length));
}

/* All of it is the JSON that clients get. */
static void the_event_is_there(void **state)
{
	struct record record = record_of(EM_EVENT_OPEN);
	_cleanup_json_ struct json entry = { 0 }, wanted = { 0 };
	struct event_clock clock = { 0 };

	(void)state;
	add(&record, EM_STRING_PATH, "/a", 2);
	write_entry(&record, NULL, &entry);
	event_write(&event, probe_of_kind(EM_EVENT_OPEN), NULL, &clock, NULL, &wanted);
	assert_field(&entry, "EBPFMON_EVENT", wanted.text);
	assert_field(&entry, "EBPFMON_UNIT", NULL);
	assert_field(&entry, "EBPFMON_ERROR", NULL);
}

static void what_has_no_file(void **state)
{
	struct record record = record_of(EM_EVENT_EXIT);
	_cleanup_json_ struct json code = { 0 }, signal = { 0 }, thread = { 0 }, child = { 0 };

	(void)state;
	record.event.subject.login = (__u32)EM_LOGIN_UNSET;
	record.event.flags = EM_EVENT_DURATION;
	record.event.numbers[0] = 1234567890;
	record.event.numbers[1] = 7 << 8;
	write_entry(&record, NULL, &code);
	assert_field(&code, "MESSAGE", "exit: c\\x1b[31m[100] of user 1000: code 7 after 1.235 s");
	assert_field(&code, "EBPFMON_PATH", NULL);
	assert_field(&code, "EBPFMON_LOGIN", NULL);
	record.event.numbers[1] = 11 | 0x80;
	write_entry(&record, NULL, &signal);
	assert_field(&signal, "MESSAGE",
		     "exit: c\\x1b[31m[100] of user 1000: SIGSEGV, core dumped, after 1.235 s");
	record = record_of(EM_EVENT_FORK);
	record.event.numbers[0] = 0x10000;
	record.event.numbers[1] = 100;
	record.event.numbers[2] = 103;
	write_entry(&record, NULL, &thread);
	assert_field(&thread, "MESSAGE", "fork: c\\x1b[31m[100] of user 1000: thread 103");
	record.event.numbers[0] = 0;
	record.event.numbers[1] = record.event.numbers[2] = 104;
	write_entry(&record, NULL, &child);
	assert_field(&child, "MESSAGE", "fork: c\\x1b[31m[100] of user 1000: process 104");
}

/* Of the line's path there is an end; the field has all. */
static void long_names_are_cut_in_the_line(void **state)
{
	struct record record = record_of(EM_EVENT_UNLINK);
	_cleanup_json_ struct json entry = { 0 };
	char name[4001];
	size_t length = 0;

	(void)state;
	memset(name, '\x01', sizeof(name));
	name[0] = '/';
	name[4000] = '\0';
	add(&record, EM_STRING_ASKED, name, 4000);
	write_entry(&record, NULL, &entry);
	assert_field(&entry, "EBPFMON_PATH", name);
	assert_non_null(field(&entry, "MESSAGE", &length));
	assert_true(length > 1000 && length < 1100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_whole_and_lines_harmless),
		cmocka_unit_test(the_event_is_there),
		cmocka_unit_test(what_has_no_file),
		cmocka_unit_test(long_names_are_cut_in_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
