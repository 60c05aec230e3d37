/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes log entries. Owns the only mutable global of the daemon: where to and how much. */
#include "log.h"

#include "journal.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	LINE_MAX_BYTES =
		1024, /* a message longer than this is cut: paths are at most 4096 anyway */
	PATIENCE_MS = 200,
};

static struct {
	bool to_journal;
	int max_priority;
	struct journal journal;
	unsigned int lost; /* and not told yet */
} log_state = { .max_priority = LOG_INFO, .journal = { JOURNAL_SOCKET, -1 } };

/* sd_journal_stream(3)'s rule: $JOURNAL_STREAM names the device and inode of our stderr. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	if (fstat(STDERR_FILENO, &st) < 0)
		return false;
	return st.st_dev == device && st.st_ino == inode;
}

void log_open(int max_priority)
{
	log_state.to_journal = stderr_is_journal();
	log_state.max_priority = max_priority;
}

void log_set_priority(int max_priority)
{
	log_state.max_priority = max_priority;
}

void log_escape(const char *bytes, size_t length, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < length && n + 5 < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= 0x20 && c < 0x7f) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	out[n] = '\0';
}

/* A journald that is behind is waited for a moment, one that hangs just once. */
static int send_patiently(const struct json *entry)
{
	int r = journal_send(&log_state.journal, entry);
	struct pollfd fd = { .fd = log_state.journal.fd, .events = POLLOUT };

	if (r != -EAGAIN || log_state.lost || poll(&fd, 1, PATIENCE_MS) <= 0)
		return r;
	return journal_send(&log_state.journal, entry);
}

static int send_entry(int priority, const struct log_context *context, const char *line)
{
	_cleanup_json_ struct json entry = { 0 };

	journal_field_text(&entry, "MESSAGE", line);
	journal_field_number(&entry, "PRIORITY", (uint64_t)priority);
	journal_field_text(&entry, "SYSLOG_IDENTIFIER", "ebpfmond");
	if (context->message_id)
		journal_field_text(&entry, "MESSAGE_ID", context->message_id);
	if (context->probe)
		journal_field_text(&entry, "EBPFMON_PROBE", context->probe);
	if (context->error)
		journal_field_number(&entry, "ERRNO", (uint64_t)context->error);
	return entry.error ? entry.error : send_patiently(&entry);
}

static void write_journal(int priority, const struct log_context *context, const char *line)
{
	static const struct log_context nothing;
	char text[64];

	if (log_state.lost) {
		snprintf(text, sizeof(text), "%u messages before this one are lost",
			 log_state.lost);
		if (send_entry(LOG_WARNING, &nothing, text) == 0)
			log_state.lost = 0;
	}
	if (send_entry(priority, context, line) < 0)
		log_state.lost++;
}

void log_write(int priority, const struct log_context *context, const char *fmt, ...)
{
	static const struct log_context nothing;
	char raw[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	int saved = errno;
	va_list args;

	if (priority > log_state.max_priority)
		return;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	/* Attacker-chosen bytes can be in any message. */
	log_escape(raw, strlen(raw), line, sizeof(line));
	if (log_state.to_journal)
		write_journal(priority, context ? context : &nothing, line);
	else
		fprintf(stderr, "ebpfmond: %s\n", line);
	errno = saved;
}
