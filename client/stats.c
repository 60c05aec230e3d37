/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl stats: counts once, or again and again. */
#include "complaint.h"
#include "connection.h"
#include "stats-table.h"
#include "subcommands.h"
#include "watch.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The verb at work. */
struct stats {
	const struct options *options;
	struct question question;
	struct connection connection;
	struct output output;
	struct names names;
	bool drawn;			      /* a block of --watch */
	uint64_t answered_usec, elapsed_usec; /* when it was, and since the answer before */
};

static void stats_done(struct stats *stats)
{
	text_done(&stats->question.parameters);
	connection_close(&stats->connection);
	names_done(&stats->names);
	output_close(&stats->output);
}

static int stats_prepare(struct stats *stats, const struct options *options)
{
	bool since = options->values[OPTION_SINCE], watch = options->values[OPTION_WATCH];
	int code;

	*stats = (struct stats){ .options = options, .connection = connection_to(options->socket) };
	if (since && watch)
		return complain(CODE_USAGE, "--since and --watch do not go together");
	if (options->values[OPTION_RATE] && !since && !watch)
		return complain(CODE_USAGE, "--rate needs --since=TIME or --watch");
	code = question_read(&stats->question, options);
	if (!code && stats->question.by->events)
		code = complain(CODE_USAGE, "nothing is counted by %s: use 'ebpfctl top --by=%s'",
				stats->question.by->name, stats->question.by->name);
	if (!code)
		output_open(&stats->output);
	return code;
}

static struct stats_view stats_view(struct stats *stats, const struct counts *counts)
{
	struct stats_view view = {
		.by = stats->question.by,
		.output = &stats->output,
		.names = &stats->names,
		.counts = counts,
		.legend = !stats->options->values[OPTION_NO_LEGEND],
	};

	stats_choose(&view, stats->options->values[OPTION_ALL]);
	return view;
}

static int counts_take(struct counts *counts, const struct stats *stats, const struct reply *reply)
{
	int error = counts_read(counts, reply->parameters);

	return error ? connection_complain(&stats->connection, error) : CODE_OK;
}

static int stats_once(struct stats *stats)
{
	_cleanup_counts_ struct counts counts = {};
	_cleanup_text_ struct text text = {};
	struct stats_view view;
	struct reply reply;
	int code = connection_ask(&stats->connection, GET_STATS, stats->question.parameters.data,
				  &reply);

	if (code)
		return code;
	if (stats->options->json) {
		output_page(&stats->output, stats->options);
		return output_json(&stats->output, stats->options->json, reply.parameters);
	}
	code = counts_take(&counts, stats, &reply);
	if (code)
		return code;
	view = stats_view(stats, &counts);
	if (stats->options->values[OPTION_RATE]) {
		view.added = true;
		view.rate_usec = counts.span.duration_usec;
	}
	stats_table(&text, &view);
	if (view.legend)
		stats_footer(&text, &view);
	output_page(&stats->output, stats->options);
	return output_write(&stats->output, &text);
}

static size_t lines(const struct text *text)
{
	size_t count = 0;

	for (size_t i = 0; i < text->length; i++)
		count += text->data[i] == '\n';
	return count;
}

/* On a terminal a block takes the place of the one before; else an empty line stands between. */
static void block_begin(struct text *text, const struct stats *stats)
{
	time_t now = time(NULL);
	struct tm fields;
	char local[64];

	if (stats->output.terminal)
		text_puts(text, "\033[H\033[J");
	else if (stats->drawn)
		text_puts(text, "\n");
	if (stats->options->values[OPTION_NO_LEGEND] || !localtime_r(&now, &fields) ||
	    !strftime(local, sizeof(local), "%F %T %Z\n", &fields))
		return;
	text_puts(text, local);
}

static int block_draw(struct stats *stats, const struct counts *counts, const struct counts *before)
{
	_cleanup_text_ struct text text = {}, footer = {};
	struct stats_view view = stats_view(stats, counts);
	/* The time, headings, total, "(n more)", and the line of the cursor. */
	size_t taken = 5;

	view.added = true;
	view.before = before->strings.data ? before : NULL;
	if (stats->options->values[OPTION_RATE])
		view.rate_usec = stats->elapsed_usec;
	if (view.legend)
		stats_footer(&footer, &view);
	taken += lines(&footer);
	if (stats->output.height)
		view.rows_max = stats->output.height > taken ? stats->output.height - taken : 1;
	block_begin(&text, stats);
	stats->drawn = true;
	stats_table(&text, &view);
	text_append(&text, footer.data ? footer.data : "", footer.length);
	return output_write(&stats->output, &text);
}

/* One block of --watch; @before becomes what was shown. */
static int block_show(struct stats *stats, const struct reply *reply, struct counts *before)
{
	_cleanup_counts_ struct counts counts = {};
	const char *news = NULL;
	int code;

	if (stats->options->json)
		return output_json(&stats->output, stats->options->json, reply->parameters);
	code = counts_take(&counts, stats, reply);
	if (code)
		return code;
	if (before->strings.data && counts.generation != before->generation)
		news = "ebpfmond was restarted, the counts go on";
	if (before->strings.data &&
	    strcmp(counts_string(&counts, counts.epoch), counts_string(before, before->epoch))) {
		news = "counting began anew";
		counts_done(before);
	}
	code = block_draw(stats, &counts, before);
	if (news)
		complain(CODE_OK, "%s", news);
	counts_done(before);
	*before = counts;
	counts = (struct counts){};
	return code;
}

static void clock_tick(struct stats *stats)
{
	uint64_t now = monotonic_usec();

	stats->elapsed_usec = now - stats->answered_usec;
	stats->answered_usec = now;
}

/* A daemon that was there and is away is waited for; one that never was there is an error. */
static int stats_watch(struct stats *stats)
{
	_cleanup_watch_ struct watch watch = { .interrupt_fd = -1 };
	_cleanup_counts_ struct counts before = {};
	bool answered = false, away = false;
	int code = watch_open(&watch, "watch", stats->options->values[OPTION_WATCH]);

	if (code)
		return code;
	stats->connection.interrupt_fd = watch.interrupt_fd;
	do {
		struct reply reply;
		int error = connection_call(&stats->connection, GET_STATS,
					    stats->question.parameters.data, &reply);

		if (error == -EINTR)
			break;
		if (error && (!answered || !connection_passing(error)))
			return connection_complain(&stats->connection, error);
		if (error) {
			if (!away)
				connection_complain(&stats->connection, error);
			away = true;
			continue;
		}
		if (reply.error.text)
			return reply_complain(&reply, GET_STATS);
		answered = true;
		clock_tick(stats);
		code = block_show(stats, &reply, &before);
		if (away)
			complain(CODE_OK, "ebpfmond answers again");
		away = false;
	} while (!code && !stats->output.closed && watch_wait(&watch));
	return code;
}

int stats_main(const struct options *options)
{
	CLEANUP(stats_done) struct stats stats;
	int code = stats_prepare(&stats, options);

	if (code)
		return code;
	return options->values[OPTION_WATCH] ? stats_watch(&stats) : stats_once(&stats);
}
