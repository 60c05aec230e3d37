/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl top: asks again and again, draws the rates, obeys keys. */
#include "complaint.h"
#include "connection.h"
#include "output.h"
#include "screen.h"
#include "subcommands.h"
#include "top-table.h"
#include "watch.h"

#include <langinfo.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum {
	TABLE_TOP = 3,	/* lines above the rows: status, message, headings */
	TABLE_REST = 4, /* and with that of the totals */
	ITERATIONS_MAX = 1000000000,
};

#define HELP "q quit  p pause  < > sort by  n by name  v users, logins, units  arrows scroll"

/* The verb at work. */
struct top {
	const struct options *options;
	struct question question;
	struct connection connection;
	struct output output; /* with --batch */
	struct screen screen; /* without */
	struct watch watch;
	struct names names;
	struct rates rates;
	int events_fd; /* readable when there is something to do beside waiting for an answer */
	int column;    /* rows are sorted by */
	bool answered, away, paused, help, drawn, quit;
	const char *news; /* "": none */
	size_t skip;	  /* rows scrolled over */
	uint64_t left;	  /* tables; 0: without end */
};

static void top_done(struct top *top)
{
	screen_close(&top->screen);
	text_done(&top->question.parameters);
	connection_close(&top->connection);
	watch_close(&top->watch);
	names_done(&top->names);
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
static int top_ask(struct top *top)
{
	struct reply reply;
	int error;

	if (top->paused)
		return CODE_OK;
	error = connection_call(&top->connection, GET_STATS, top->question.parameters.data, &reply);
	if (error == -EINTR)
		return CODE_OK; /* what interrupted is seen to next */
	if (error && top->answered && connection_passing(error)) {
		top->away = true;
		return CODE_OK;
	}
	if (error || reply.error.text) {
		screen_close(&top->screen);
		return error ? connection_complain(&top->connection, error)
			     : reply_complain(&reply, GET_STATS);
	}
	return answer_take(top, &reply);
}

/* --- drawing ----------------------------------------------------------------------------------- */

static struct top_view top_view(struct top *top)
{
	return (struct top_view){
		.rates = &top->rates,
		.by = top->question.by,
		.names = &top->names,
		.column = top->column,
		.width = top->screen.open ? top->screen.width : 0,
		.unicode = !strcmp(nl_langinfo(CODESET), "UTF-8"),
	};
}

static void time_append(struct text *text, bool date)
{
	time_t now = time(NULL);
	struct tm fields;
	char local[64];

	if (localtime_r(&now, &fields) &&
	    strftime(local, sizeof(local), date ? "%F %T %Z\n" : "%T", &fields))
		text_puts(text, local);
}

static const char *sort_name(const struct top *top)
{
	const struct counts *counts = &top->rates.counts;

	if (top->column < 0)
		return "name";
	return counts->column_count ? counts_string(counts, counts->columns[top->column]) : "";
}

static void status_append(const struct top *top, struct text *text)
{
	const struct counts *counts = &top->rates.counts;

	time_append(text, false);
	text_printf(text, "  %zu %s%s, %zu active  by %s per second, every %g s", counts->row_count,
		    top->question.by->noun, counts->row_count == 1 ? "" : "s", top->rates.active,
		    sort_name(top), (double)top->watch.interval_ms / 1000);
	text_puts(text, top->away ? "  RECONNECTING" : top->paused ? "  PAUSED" : "");
}

static bool any_loss(const struct counts *counts)
{
	for (size_t i = 0; i < counts->loss_count && i < LOSSES_MAX; i++)
		if (counts->losses[i].known && !counts->losses[i].zero)
			return true;
	return counts->gap_count;
}

static const char *message(const struct top *top)
{
	if (top->help)
		return HELP;
	if (top->away)
		return "ebpfmond does not answer: reconnecting";
	if (*top->news)
		return top->news;
	if (!top->rates.samples)
		return "waiting for a second answer";
	return any_loss(&top->rates.counts) ? "not everything was counted: see 'ebpfctl status'"
					    : "q quit  h help";
}

static void line_put(const struct top *top, unsigned int y, struct text *text,
		     enum screen_style style)
{
	screen_line(&top->screen, y, text, style);
	text_done(text);
}

static void rows_draw(struct top *top)
{
	const struct top_view view = top_view(top);
	unsigned int height = top->screen.height;
	size_t room = height > TABLE_REST ? height - TABLE_REST : 0;
	_cleanup_top_table_ struct top_table table;
	_cleanup_text_ struct text text = {};
	size_t end;

	if (top->skip + room > top->rates.active)
		top->skip = top->rates.active > room ? top->rates.active - room : 0;
	end = top->skip + room < top->rates.active ? top->skip + room : top->rates.active;
	top_table_open(&table, &view, top->skip, end);
	top_table_heading(&table, &text);
	line_put(top, TABLE_TOP - 1, &text, SCREEN_REVERSE);
	for (size_t i = top->skip; i < end; i++) {
		top_table_row(&table, top->rates.order[i], &text);
		line_put(top, TABLE_TOP + (unsigned int)(i - top->skip), &text, SCREEN_PLAIN);
	}
	top_table_row(&table, rates_totals(&top->rates), &text);
	line_put(top, height - 1, &text, SCREEN_BOLD);
}

static void screen_draw(struct top *top)
{
	_cleanup_text_ struct text text = {};

	screen_clear(&top->screen);
	if (top->screen.height >= TABLE_REST)
		rows_draw(top);
	status_append(top, &text);
	line_put(top, 0, &text, top->away ? SCREEN_BOLD : SCREEN_PLAIN);
	text_puts(&text, message(top));
	line_put(top, 1, &text, SCREEN_PLAIN);
	screen_show(&top->screen);
}

/* News go where errors go: what is written is for programs. */
static int batch_draw(struct top *top)
{
	const struct top_view view = top_view(top);
	bool legend = !top->options->values[OPTION_NO_LEGEND];
	_cleanup_top_table_ struct top_table table;
	_cleanup_text_ struct text text = {};

	top_table_open(&table, &view, 0, top->rates.active);
	if (top->drawn)
		text_puts(&text, "\n");
	if (legend) {
		time_append(&text, true);
		top_table_heading(&table, &text);
		text_puts(&text, "\n");
	}
	for (size_t i = 0; i < top->rates.active; i++) {
		top_table_row(&table, top->rates.order[i], &text);
		text_puts(&text, "\n");
	}
	if (legend) {
		top_table_row(&table, rates_totals(&top->rates), &text);
		text_puts(&text, "\n");
	}
	return output_write(&top->output, &text);
}

static int batch_step(struct top *top, bool was_away)
{
	if (top->away != was_away)
		complain(CODE_OK, top->away ? "ebpfmond does not answer: reconnecting"
					    : "ebpfmond answers again");
	if (*top->news)
		complain(CODE_OK, "%s", top->news);
	return top->away || !top->rates.samples ? CODE_OK : batch_draw(top);
}

/* Draws what there is; a table with rates is one of those that --number counts. */
static int top_draw(struct top *top, bool was_away)
{
	int code = CODE_OK;

	rates_sort(&top->rates, top->column);
	if (top->screen.open)
		screen_draw(top);
	else
		code = batch_step(top, was_away);
	if (!top->rates.samples || top->away || top->paused)
		return code;
	top->drawn = true;
	if (top->left && !--top->left)
		top->quit = true;
	return code;
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
	rates_done(&top->rates);
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
	long page = top->screen.height > TABLE_REST ? (long)top->screen.height - TABLE_REST : 1;

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

/* Until the next time to ask; meanwhile keys are obeyed. false: that was all. */
static bool top_wait(struct top *top)
{
	bool ask = false;

	watch_advance(&top->watch);
	while (!top->quit && !ask) {
		struct pollfd fds[] = {
			{ .fd = top->watch.interrupt_fd, .events = POLLIN },
			{ .fd = top->screen.open ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = top->screen.open ? top->screen.resize_fd : -1, .events = POLLIN },
		};
		int left = watch_left_ms(&top->watch);

		if (!left)
			return true;
		if (poll(fds, ARRAY_SIZE(fds), left) <= 0)
			continue;
		if (fds[0].revents)
			return false;
		if (fds[2].revents)
			screen_resize(&top->screen);
		if (fds[1].revents)
			ask = keys_obey(top);
		if (!ask && !top->quit) {
			rates_sort(&top->rates, top->column);
			screen_draw(top);
		}
	}
	return !top->quit;
}

static int top_run(struct top *top)
{
	int code;

	do {
		bool was_away = top->away;

		code = top_ask(top);
		if (!code && !top->options->values[OPTION_BATCH] && !top->screen.open &&
		    top->answered)
			code = screen_open(&top->screen);
		if (!code && top->answered)
			code = top_draw(top, was_away);
	} while (!code && !top->quit && !top->output.closed && top_wait(top));
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

/* What is to end the wait for an answer: a signal, a key. */
static int events_open(struct top *top)
{
	struct epoll_event event = { .events = EPOLLIN };
	int error;

	top->events_fd = epoll_create1(EPOLL_CLOEXEC);
	error = top->events_fd < 0 ||
		epoll_ctl(top->events_fd, EPOLL_CTL_ADD, top->watch.interrupt_fd, &event) ||
		(!top->options->values[OPTION_BATCH] &&
		 epoll_ctl(top->events_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event));
	top->connection.interrupt_fd = top->events_fd;
	return error ? complain(CODE_FAILURE, "cannot wait for keys: %s", strerror(errno))
		     : CODE_OK;
}

static int top_prepare(struct top *top, const struct options *options)
{
	const char *delay = options->values[OPTION_DELAY];
	int code;

	*top = (struct top){ .options = options,
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
