/* SPDX-License-Identifier: GPL-2.0-only */
/* An event as an entry of the journal: event-entry.h. */
#include "event-entry.h"

#include "journal.h"
#include "log-ids.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	LINE_MAX_BYTES = 1024, /* as of other messages; fields have all of a name */
};

/* "open: cat[1234] of user 1000: /etc/shadow: EACCES" */
static void write_line(const struct event *event, const struct probe *probe, const char *error,
		       struct json *entry)
{
	const struct em_event *record = event->record;
	const struct event_string *target = &event->target;
	char comm[4 * sizeof(record->comm) + 8], what[LINE_MAX_BYTES], line[2 * LINE_MAX_BYTES];

	log_escape(event->comm.text, event->comm.length, comm, sizeof(comm));
	what[0] = '\0';
	if (probe->event->describe)
		probe->event->describe(event, what, sizeof(what));
	else if (target->text)
		log_escape(target->text, target->length, what, sizeof(what));
	snprintf(line, sizeof(line), "%s: %s[%" PRIu32 "] of user %" PRIu32 "%s%s%s%s", probe->name,
		 comm, record->pid, record->subject.uid, what[0] ? ": " : "", what,
		 error[0] ? ": " : "", error);
	journal_field_text(entry, "MESSAGE", line);
}

static void write_bytes(const struct event_string *string, const char *name, struct json *entry)
{
	if (string->text)
		journal_field(entry, name, string->text, string->length);
}

static void write_json(const struct event *event, const struct probe *probe, const char *unit,
		       struct event_clock *clock, struct json *entry)
{
	entry->comma = false;
	json_append(entry, "EBPFMON_EVENT=", strlen("EBPFMON_EVENT="));
	event_write(event, probe, unit, clock, NULL, entry);
	json_append(entry, "\n", 1);
}

void event_entry_write(const struct event *event, const struct probe *probe, const char *unit,
		       struct event_clock *clock, struct json *entry)
{
	const struct em_event *record = event->record;
	char error[EVENT_ERROR_BYTES];

	write_line(event, probe, event_error(event, error), entry);
	journal_field_text(entry, "MESSAGE_ID", LOG_ID_EVENT);
	journal_field_number(entry, "PRIORITY", LOG_INFO);
	journal_field_text(entry, "SYSLOG_IDENTIFIER", "ebpfmond");
	journal_field_text(entry, "EBPFMON_PROBE", probe->name);
	journal_field_number(entry, "EBPFMON_PID", record->pid);
	journal_field_number(entry, "EBPFMON_UID", record->subject.uid);
	if (record->subject.login != (uint32_t)EM_LOGIN_UNSET)
		journal_field_number(entry, "EBPFMON_LOGIN", record->subject.login);
	if (unit)
		journal_field_text(entry, "EBPFMON_UNIT", unit);
	write_bytes(&event->comm, "EBPFMON_COMM", entry);
	write_bytes(&event->target, "EBPFMON_PATH", entry);
	if (error[0])
		journal_field_text(entry, "EBPFMON_ERROR", error);
	write_json(event, probe, unit, clock, entry);
}
