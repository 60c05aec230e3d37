/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl top: asks again and again, draws the rates, obeys keys. */
#include "top.h"
#include "complaint.h"
#include "subcommands.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

enum {
	ITERATIONS_MAX = 1000000000,
	PUMP_MAX = 10000, /* messages, before keys are looked at again */
};

static void top_done(struct top *top)
{
	screen_close(&top->screen);
	text_done(&top->question.parameters);
	connection_close(&top->connection);
	watch_close(&top->watch);
	names_done(&top->names);
	tally_done(&top->tally);
	rates_done(&top->rates);
	top->events_fd = close_fd(top->events_fd);
}

/* --- asking ------------------------------------------------------------------------------------ */

/* "there is no counter 'x' to sort by: execs, opens or name" */
static int sort_complain(struct top *top)
{
	const struct counts *counts = &top->rates.counts;
	_cleanup_text_ struct text text = {};

	for (unsigned int i = 0; i < counts->column_count; i++)
		text_printf(&text, "%s%s", i ? ", " : "",
			    counts_string(counts, counts->columns[i]));
	screen_close(&top->screen);
	return complain(CODE_USAGE, "there is no counter '%s' to sort by: %s or name",
			top->options->values[OPTION_SORT], text.data ? text.data : "");
}

static int first_answer(struct top *top)
{
	const char *sort = top->options->values[OPTION_SORT];

	top->answered = true;
	/* By and by there may be many, and strangers among the first. */
	names_expect(&top->names, SIZE_MAX);
	if (sort && rates_column(&top->rates, sort, &top->column))
		return sort_complain(top);
	return CODE_OK;
}

static int answer_take(struct top *top, const struct reply *reply)
{
	static const char *const news[] = {
		[RATES_NOTHING_NEW] = "",
		[RATES_RESTARTED] = "ebpfmond was restarted, the counts go on",
		[RATES_ANEW] = "counting began anew",
	};
	_cleanup_counts_ struct counts counts = {};
	enum rates_news which = RATES_NOTHING_NEW;
	int error = counts_read(&counts, reply->parameters);

	if (!error)
		error = rates_take(&top->rates, &counts, monotonic_usec(), &which);
	if (error) {
		screen_close(&top->screen);
		return connection_complain(&top->connection, error);
	}
	top->away = false;
	top->news = news[which];
	if (top->column >= (int)top->rates.counts.column_count)
		top->column = 0;
	return top->answered ? CODE_OK : first_answer(top);
}

/* A daemon that was there and is away is waited for; one that never was there is an error. */
static int top_failed(struct top *top, int error)
{
	if (error == -EINTR)
		return CODE_OK; /* what interrupted is seen to next */
	if (top->answered && connection_passing(error)) {
		top->away = true;
		top->news = "";
		return CODE_OK;
	}
	screen_close(&top->screen);
	return connection_complain(&top->connection, error);
}

static int top_refused(struct top *top, const struct reply *reply, const char *method)
{
	screen_close(&top->screen);
	return reply_complain(reply, method);
}

/* Counts the events that are there, up to @timeout_ms after the last. An exit code. */
static int top_pump(struct top *top, int timeout_ms)
{
	struct subscription_message message;
	struct slice text;
	int result = 0;

	for (int i = 0; i < PUMP_MAX; i++) {
		result = connection_next(&top->connection, timeout_ms, &text);
		if (result <= 0)
			break;
		if (subscription_read(text, &message))
			return top_failed(top, -EBADMSG);
		if (message.reply.error.text)
			return top_refused(top, &message.reply, SUBSCRIBE);
		if (tally_add(&top->tally, message.event, message.lost))
			return top_failed(top, -EBADMSG);
		top->streaming = true;
		timeout_ms = 0;
	}
	if (result >= 0)
		return CODE_OK;
	if (result != -EINTR) {
		connection_close(&top->connection);
		top->streaming = false;
	}
	return top_failed(top, result);
}

/* What was tallied until now is the answer. The first message says that the daemon has begun. */
static int top_tally(struct top *top)
{
	_cleanup_text_ struct text answer = {};
	struct reply reply = {};
	int code;

	if (top->connection.fd < 0) {
		int error = connection_stream(&top->connection, SUBSCRIBE,
					      top->question.parameters.data);
		if (error)
			return top_failed(top, error);
		top->streaming = false;
	}
	code = top_pump(top, top->streaming ? 0 : -1);
	if (code || !top->streaming || top->connection.fd < 0)
		return code;
	tally_write(&top->tally, &answer);
	if (answer.error)
		return top_failed(top, answer.error);
	reply.parameters = (struct slice){ answer.data, answer.length };
	return answer_take(top, &reply);
}

static int top_ask(struct top *top)
{
	struct reply reply;
	int error;

	if (top->paused)
		return CODE_OK;
	if (top->question.by->events)
		return top_tally(top);
	error = connection_call(&top->connection, GET_STATS, top->question.parameters.data, &reply);
	if (error)
		return top_failed(top, error);
	return reply.error.text ? top_refused(top, &reply, GET_STATS) : answer_take(top, &reply);
}

/* --- keys -------------------------------------------------------------------------------------- */

static void sort_move(struct top *top, int step)
{
	int count = (int)top->rates.counts.column_count;

	if (count)
		top->column = top->column < 0 ? 0 : (top->column + step + count) % count;
}

/* Other rows have other rates: as at the beginning. */
static void view_next(struct top *top)
{
	top->question.by++;
	if (!top->question.by->name)
		top->question.by = dimensions;
	question_write(&top->question);
	connection_close(&top->connection);
	tally_done(&top->tally);
	rates_done(&top->rates);
	top->streaming = false;
	top->paused = false;
	top->skip = 0;
}

static void scroll(struct top *top, long rows)
{
	if (rows < 0 && top->skip < (size_t)-rows)
		top->skip = 0;
	else
		top->skip += (size_t)rows; /* drawing knows the end */
}

/* Whether there has to be another answer before anything can be drawn. */
static bool key_obey(struct top *top, unsigned int key)
{
	long page = top->screen.height > TOP_FRAME ? (long)top->screen.height - TOP_FRAME : 1;

	switch (key) {
	case 'q':
		top->quit = true;
		break;
	case 'h':
	case '?':
		top->help = !top->help;
		break;
	case 'p':
	case ' ':
		top->paused = !top->paused;
		break;
	case 'n':
		top->column = RATES_BY_NAME;
		break;
	case '<':
	case SCREEN_LEFT:
		sort_move(top, -1);
		break;
	case '>':
	case SCREEN_RIGHT:
		sort_move(top, 1);
		break;
	case 'v':
		view_next(top);
		return true;
	case SCREEN_UP:
	case SCREEN_DOWN:
		scroll(top, key == SCREEN_UP ? -1 : 1);
		break;
	case SCREEN_PAGE_UP:
	case SCREEN_PAGE_DOWN:
		scroll(top, key == SCREEN_PAGE_UP ? -page : page);
		break;
	case SCREEN_HOME:
		top->skip = 0;
		break;
	}
	return false;
}

/* --- waiting ----------------------------------------------------------------------------------- */

/* Keys, until there are no more; a terminal that has something but no key has gone. */
static bool keys_obey(struct top *top)
{
	unsigned int key = screen_key(&top->screen);
	bool ask = false;

	if (key == SCREEN_NO_KEY)
		top->quit = true;
	for (; key != SCREEN_NO_KEY && !top->quit; key = screen_key(&top->screen))
		ask |= key_obey(top, key);
	return ask;
}

/* Until the next time to ask; meanwhile keys are obeyed, events counted. An exit code. */
static int top_wait(struct top *top)
{
	bool ask = false;
	int code = CODE_OK;

	watch_advance(&top->watch);
	while (!code && !top->quit && !ask) {
		struct pollfd fds[] = {
			{ .fd = top->watch.interrupt_fd, .events = POLLIN },
			{ .fd = top->screen.open ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = top->screen.open ? top->screen.resize_fd : -1, .events = POLLIN },
			{ .fd = top->streaming ? top->connection.fd : -1, .events = POLLIN },
		};
		int left = watch_left_ms(&top->watch);

		if (!left)
			break;
		if (poll(fds, ARRAY_SIZE(fds), left) <= 0)
			continue;
		if (fds[0].revents)
			top->quit = true;
		if (fds[2].revents)
			screen_resize(&top->screen);
		if (fds[1].revents)
			ask = keys_obey(top);
		if ((fds[1].revents || fds[2].revents) && !ask && !top->quit)
			top_redraw(top);
		if (fds[3].revents && !ask)
			code = top_pump(top, 0);
	}
	return code;
}

/* From the first answer on; what is typed before waits in the terminal, or nothing would answer. */
static int keys_open(struct top *top)
{
	struct epoll_event event = { .events = EPOLLIN };
	int code = screen_open(&top->screen);

	if (!code && epoll_ctl(top->events_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event))
		code = complain(CODE_FAILURE, "cannot wait for keys: %s", strerror(errno));
	return code;
}

static int top_run(struct top *top)
{
	int code;

	do {
		bool was_away = top->away;

		code = top_ask(top);
		if (!code && !top->options->values[OPTION_BATCH] && !top->screen.open &&
		    top->answered)
			code = keys_open(top);
		if (!code && top->answered)
			code = top_draw(top, was_away);
		if (!code && !top->quit && !top->output.closed)
			code = top_wait(top);
	} while (!code && !top->quit && !top->output.closed);
	return code;
}

/* --- beginning --------------------------------------------------------------------------------- */

static int number_read(struct top *top)
{
	const char *text = top->options->values[OPTION_NUMBER];
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!text)
		return CODE_OK;
	if (digits && digits <= 10 && !text[digits])
		top->left = strtoull(text, NULL, 10);
	if (!top->left || top->left > ITERATIONS_MAX)
		return complain(CODE_USAGE, "--number takes a number from 1 to %d, not '%s'",
				ITERATIONS_MAX, text);
	return CODE_OK;
}

/* What is to end the wait for an answer: a signal; later a key. */
static int events_open(struct top *top)
{
	struct epoll_event event = { .events = EPOLLIN };
	int error;

	top->events_fd = epoll_create1(EPOLL_CLOEXEC);
	error = top->events_fd < 0 ||
		epoll_ctl(top->events_fd, EPOLL_CTL_ADD, top->watch.interrupt_fd, &event);
	top->connection.interrupt_fd = top->events_fd;
	return error ? complain(CODE_FAILURE, "cannot wait for signals: %s", strerror(errno))
		     : CODE_OK;
}

static int top_prepare(struct top *top, const struct options *options)
{
	const char *delay = options->values[OPTION_DELAY];
	int code;

	*top = (struct top){ .options = options,
			     .question = { .by = dimensions },
			     .connection = connection_to(options->socket),
			     .watch = { .interrupt_fd = -1 },
			     .events_fd = -1,
			     .news = "" };
	if (options->json)
		return complain(CODE_USAGE, "top shows no JSON: use 'ebpfctl stats -j --watch'");
	if (delay && !*delay)
		return complain(CODE_USAGE, "--delay takes 0.1 to 86400 seconds, not ''");
	code = question_read(&top->question, options);
	if (!code)
		code = number_read(top);
	if (!code)
		code = watch_open(&top->watch, "delay", delay ? delay : "");
	if (!code && !options->values[OPTION_BATCH])
		code = screen_check();
	return code ? code : events_open(top);
}

int top_main(const struct options *options)
{
	CLEANUP(top_done) struct top top;
	int code = top_prepare(&top, options);

	return code ? code : top_run(&top);
}
