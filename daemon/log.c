/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes log entries. Owns the only mutable global of the daemon: where to and how much. */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

enum {
	LINE_MAX_BYTES =
		1024, /* a message longer than this is cut: paths are at most 4096 anyway */
	FIELDS_MAX = 8,
};

static struct {
	bool journal;
	int max_priority;
} log_state = { .max_priority = LOG_INFO };

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
	log_state.journal = stderr_is_journal();
	log_state.max_priority = max_priority;
}

void log_set_priority(int max_priority)
{
	log_state.max_priority = max_priority;
}

/* Attacker-chosen bytes can be in any message: all but printable ASCII is spelt out. */
static void escape_controls(const char *in, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *in && n + 5 < size; in++) {
		unsigned char c = (unsigned char)*in;

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

struct fields {
	struct iovec iov[FIELDS_MAX];
	char text[FIELDS_MAX][LINE_MAX_BYTES + 32];
	int count;
};

static void PRINTF_LIKE(2, 3) add_field(struct fields *fields, const char *fmt, ...)
{
	char *text = fields->text[fields->count];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(fields->text[0]), fmt, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(fields->text[0]))
		n = (int)sizeof(fields->text[0]) - 1;
	fields->iov[fields->count++] = (struct iovec){ text, (size_t)n };
}

static void write_journal(int priority, const struct log_context *context, const char *line)
{
	struct fields fields = { .count = 0 };

	add_field(&fields, "MESSAGE=%s", line);
	add_field(&fields, "PRIORITY=%d", priority);
	add_field(&fields, "SYSLOG_IDENTIFIER=ebpfmond");
	if (context->message_id)
		add_field(&fields, "MESSAGE_ID=%s", context->message_id);
	if (context->probe)
		add_field(&fields, "EBPFMON_PROBE=%s", context->probe);
	if (context->error)
		add_field(&fields, "ERRNO=%d", context->error);
	sd_journal_sendv(fields.iov, fields.count);
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
	escape_controls(raw, line, sizeof(line));
	if (log_state.journal)
		write_journal(priority, context ? context : &nothing, line);
	else
		fprintf(stderr, "ebpfmond: %s\n", line);
	errno = saved;
}
