/* SPDX-License-Identifier: GPL-2.0-only */
/* What log_write() puts on stderr when that is not the journal. */
#include "log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/* stderr while a test looks at it. */
struct capture {
	int saved;
	int file;
};

static void capture_begin(struct capture *capture)
{
	capture->saved = dup(STDERR_FILENO);
	capture->file = memfd_create("stderr", MFD_CLOEXEC);
	assert_true(capture->saved >= 0 && capture->file >= 0);
	assert_true(dup2(capture->file, STDERR_FILENO) >= 0);
}

static void capture_end(struct capture *capture, char *out, size_t size)
{
	ssize_t n;

	fflush(stderr);
	assert_true(dup2(capture->saved, STDERR_FILENO) >= 0);
	n = pread(capture->file, out, size - 1, 0);
	assert_true(n >= 0);
	out[n] = '\0';
	close_fd(capture->saved);
	close_fd(capture->file);
}

/* What is written to stderr for @message, with $JOURNAL_STREAM naming something else. */
static void assert_written(const char *message, const char *expected)
{
	struct capture capture;
	char text[4096];

	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	capture_begin(&capture);
	log_open(LOG_INFO);
	log_info("%s", message);
	capture_end(&capture, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void bytes_are_escaped(void **state)
{
	(void)state;
	assert_written("plain %s %n text", "ebpfmond: plain %s %n text\n");
	assert_written("", "ebpfmond: \n");
	assert_written("a\nebpfmond: forged", "ebpfmond: a\\x0aebpfmond: forged\n");
	assert_written("\x1b[31m\r\t\x7f", "ebpfmond: \\x1b[31m\\x0d\\x09\\x7f\n");
	assert_written("caf\xc3\xa9 \xff\x80", "ebpfmond: caf\\xc3\\xa9 \\xff\\x80\n");
	assert_written(" ~", "ebpfmond:  ~\n");
}

static void long_messages_are_cut(void **state)
{
	char message[5001], text[4096];
	struct capture capture;

	(void)state;
	memset(message, '\x01', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	capture_begin(&capture);
	log_open(LOG_INFO);
	log_info("%s", message);
	capture_end(&capture, text, sizeof(text));
	/* Whole escapes only, and the line ends. */
	assert_true(strlen(text) > 1000 && strlen(text) <= 1024 + strlen("ebpfmond: \n"));
	assert_int_equal((strlen(text) - strlen("ebpfmond: \n")) % strlen("\\x01"), 0);
	assert_string_equal(text + strlen(text) - strlen("\\x01\n"), "\\x01\n");
}

static void wrong_journal_streams_are_stderr(void **state)
{
	static const char *const streams[] = { NULL, "",    "1",   "1:",
					       ":1", "x:y", "0:0", "18446744073709551616:1" };
	struct capture capture;
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
		if (streams[i])
			assert_int_equal(setenv("JOURNAL_STREAM", streams[i], 1), 0);
		else
			assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
		capture_begin(&capture);
		log_open(LOG_INFO);
		log_info("seen");
		capture_end(&capture, text, sizeof(text));
		assert_string_equal(text, "ebpfmond: seen\n");
	}
}

static void priorities_decide(void **state)
{
	struct capture capture;
	char text[256];

	(void)state;
	capture_begin(&capture);
	log_open(LOG_WARNING);
	log_error("1");
	log_warning("2");
	log_notice("3");
	log_set_priority(LOG_DEBUG);
	log_notice("4");
	log_debug("5");
	log_set_priority(LOG_ERR);
	log_warning("6");
	capture_end(&capture, text, sizeof(text));
	assert_string_equal(text, "ebpfmond: 1\nebpfmond: 2\nebpfmond: 4\nebpfmond: 5\n");
}

static void errno_and_context_do_no_harm(void **state)
{
	const struct log_context context = { .probe = "open", .error = EPERM };
	struct capture capture;
	char text[256];

	(void)state;
	capture_begin(&capture);
	log_open(LOG_INFO);
	errno = ENOTTY;
	log_write(LOG_ERR, &context, "object: %d", 17);
	assert_int_equal(errno, ENOTTY);
	capture_end(&capture, text, sizeof(text));
	assert_string_equal(text, "ebpfmond: object: 17\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_escaped),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(wrong_journal_streams_are_stderr),
		cmocka_unit_test(priorities_decide),
		cmocka_unit_test(errno_and_context_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
