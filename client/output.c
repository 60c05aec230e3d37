/* SPDX-License-Identifier: GPL-2.0-only */
/* Terminal, colours, pager, writing. */
#include "output.h"
#include "complaint.h"
#include "message.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum {
	PAGER_WORDS_MAX = 16,
	JSON_DEPTH_MAX = 32,
};

static bool environment_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

void output_open(struct output *output)
{
	const char *kind = getenv("TERM");
	struct winsize size;

	*output = (struct output){};
	if (!isatty(STDOUT_FILENO) || !kind || !*kind || !strcmp(kind, "dumb"))
		return;
	output->terminal = true;
	output->colour = !environment_set("NO_COLOR");
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size)) {
		output->width = size.ws_col;
		output->height = size.ws_row;
	}
}

const char *output_style(const struct output *output, enum style style)
{
	static const char *const sequences[] = {
		[STYLE_HEADING] = "\033[1m",  [STYLE_GOOD] = "\033[32m",
		[STYLE_WARNING] = "\033[33m", [STYLE_BAD] = "\033[31m",
		[STYLE_DIM] = "\033[2m",      [STYLE_END] = "\033[0m",
	};

	return output->colour ? sequences[style] : "";
}

/* The pager's command; "" or "cat": none is wanted. */
static const char *pager_command(void)
{
	const char *command = getenv("EBPFMON_PAGER");

	if (!command)
		command = getenv("PAGER");
	if (!command)
		command = "less";
	return strcmp(command, "cat") ? command : "";
}

/* In place of a pager that cannot be run. */
static void copy_stdin(void)
{
	char block[16384];
	ssize_t size, written;

	while ((size = read(STDIN_FILENO, block, sizeof(block))) > 0)
		for (ssize_t done = 0; done < size; done += written) {
			written = write(STDOUT_FILENO, block + done, (size_t)(size - done));
			if (written < 0)
				return;
		}
}

/* Becomes the pager, reading from the pipe @ends. Words are split at white space: no shell. */
static _Noreturn void pager_run(const char *command, const int ends[2])
{
	_cleanup_free_ char *copy = strdup(command);
	char *words[PAGER_WORDS_MAX + 1] = {}, *rest = copy, *word;
	size_t count = 0;

	signal(SIGPIPE, SIG_DFL);
	if (dup2(ends[0], STDIN_FILENO) < 0 || !copy)
		_exit(CODE_FAILURE);
	close(ends[1]); /* or copy_stdin() would never see the end */
	/* Quit if it fits, pass colours, chop lines, leave the screen; and run nothing from inside. */
	setenv("LESS", "FRSX", 1);
	setenv("LESSSECURE", "1", 1);
	while (count < PAGER_WORDS_MAX && (word = strsep(&rest, " \t")))
		if (*word)
			words[count++] = word;
	if (count)
		execvp(words[0], words);
	copy_stdin();
	_exit(CODE_OK);
}

void output_page(struct output *output, const struct options *options)
{
	_cleanup_close_ int input = -1, sink = -1;
	const char *command = pager_command();
	int ends[2];

	if (!output->terminal || options->values[OPTION_NO_PAGER] || !*command || output->pager)
		return;
	if (pipe2(ends, O_CLOEXEC))
		return;
	input = ends[0];
	sink = ends[1];
	output->pager = fork();
	if (!output->pager)
		pager_run(command, ends);
	if (output->pager < 0 || dup2(sink, STDOUT_FILENO) < 0) {
		output->pager = 0;
		return;
	}
	/* An interrupt is the pager's to handle: dying first would leave it with the terminal. */
	signal(SIGINT, SIG_IGN);
}

void output_close(struct output *output)
{
	if (!output->pager)
		return;
	close(STDOUT_FILENO);
	while (waitpid(output->pager, NULL, 0) < 0 && errno == EINTR)
		;
	output->pager = 0;
}

/* Takes @size bytes off the front of @parts. */
static void parts_advance(struct iovec parts[], size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		size_t taken = size < parts[i].iov_len ? size : parts[i].iov_len;

		parts[i].iov_base = (char *)parts[i].iov_base + taken;
		parts[i].iov_len -= taken;
		size -= taken;
	}
}

static int write_parts(struct output *output, struct iovec parts[], size_t count, size_t left)
{
	struct pollfd room = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (left && !output->closed) {
		ssize_t size = writev(STDOUT_FILENO, parts, (int)count);

		if (size >= 0) {
			parts_advance(parts, count, (size_t)size);
			left -= (size_t)size;
		} else if (errno == EPIPE) {
			output->closed = true;
		} else if (errno == EAGAIN) {
			poll(&room, 1, -1);
		} else if (errno != EINTR) {
			return complain(CODE_FAILURE, "cannot write the output: %s",
					strerror(errno));
		}
	}
	return CODE_OK;
}

int output_write(struct output *output, const struct text *text)
{
	struct iovec part = { .iov_base = text->data, .iov_len = text->length };

	if (text->error)
		return complain(CODE_FAILURE, "out of memory");
	return write_parts(output, &part, 1, text->length);
}

/* As json-c formats it, with numbers and order as they came. */
static int pretty_append(struct text *text, struct slice json)
{
	_cleanup_json_object_ struct json_object *object = NULL;
	const char *pretty;
	size_t length;
	int error = message_parse(json.text, json.length, JSON_DEPTH_MAX, &object);

	if (error)
		return complain(CODE_FAILURE, "cannot format the answer: %s", strerror(-error));
	pretty = json_object_to_json_string_length(
		object,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE,
		&length);
	if (!pretty)
		return complain(CODE_FAILURE, "out of memory");
	text_safe_json(text, pretty, length);
	return CODE_OK;
}

int output_json(struct output *output, enum json_mode mode, struct slice json)
{
	_cleanup_text_ struct text text = {};
	char newline[] = "\n";
	struct iovec parts[] = {
		/* writev() only reads. */
		{ .iov_base = (void *)(uintptr_t)json.text, .iov_len = json.length },
		{ .iov_base = newline, .iov_len = 1 },
	};
	int code;

	/* 1.2 MB for 10,240 users: passed through as the daemon wrote it. */
	if (mode == JSON_SHORT && !output->terminal)
		return write_parts(output, parts, ARRAY_SIZE(parts), json.length + 1);

	if (mode == JSON_PRETTY) {
		code = pretty_append(&text, json);
		if (code)
			return code;
	} else {
		text_safe_json(&text, json.text, json.length);
	}
	text_puts(&text, "\n");
	return output_write(output, &text);
}
