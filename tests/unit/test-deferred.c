/* SPDX-License-Identifier: GPL-2.0-only */
/* Work in the next turn of the event loop, and what else is due meanwhile. */
#include "deferred.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	TURNS = 101,
};

struct counted {
	struct deferred *deferred;
	unsigned int calls, wanted; /* it ends itself when so many were made */
};

static void on_work(void *userdata)
{
	struct counted *counted = userdata;

	counted->calls++;
	deferred_want(counted->deferred, counted->calls < counted->wanted);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	unsigned int *calls = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	++*calls;
	return 0;
}

/* Returns how many turns there were before nothing was due, @max at most. */
static unsigned int run(sd_event *loop, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && sd_event_run(loop, 0) > 0)
		n++;
	return n;
}

static void runs_while_wanted(void **state)
{
	struct counted counted = { .wanted = 3 };
	sd_event *loop;

	(void)state;
	assert_return_code(sd_event_new(&loop), 0);
	assert_int_equal(deferred_new(loop, on_work, &counted, &counted.deferred), 0);
	assert_int_equal(run(loop, TURNS), 0);
	deferred_want(counted.deferred, true);
	deferred_want(counted.deferred, true);
	assert_int_equal(run(loop, TURNS), 3);
	assert_int_equal(counted.calls, 3);
	deferred_want(counted.deferred, true);
	deferred_want(counted.deferred, false);
	assert_int_equal(run(loop, TURNS), 0);
	counted.calls = 0;
	deferred_want(counted.deferred, true);
	assert_int_equal(run(loop, TURNS), 3);
	assert_null(deferred_free(counted.deferred));
	sd_event_unref(loop);
}

/* Nor does it keep anybody waiting who is due as often. */
static void others_have_their_turns(void **state)
{
	struct counted first = { .wanted = UINT_MAX }, second = { .wanted = UINT_MAX };
	sd_event_source *source;
	unsigned int reads = 0;
	sd_event *loop;
	int ends[2];

	(void)state;
	assert_return_code(sd_event_new(&loop), 0);
	assert_int_equal(deferred_new(loop, on_work, &first, &first.deferred), 0);
	assert_int_equal(deferred_new(loop, on_work, &second, &second.deferred), 0);
	assert_return_code(pipe(ends), errno);
	assert_return_code(sd_event_add_io(loop, &source, ends[0], EPOLLIN, on_readable, &reads),
			   0);
	assert_int_equal(write(ends[1], "", 1), 1);
	deferred_want(first.deferred, true);
	deferred_want(second.deferred, true);
	assert_int_equal(run(loop, 3 * TURNS), 3 * TURNS);
	assert_in_range(reads, TURNS - 1, TURNS + 1);
	assert_in_range(first.calls, TURNS - 1, TURNS + 1);
	assert_in_range(second.calls, TURNS - 1, TURNS + 1);
	sd_event_source_disable_unref(source);
	deferred_free(first.deferred);
	deferred_free(second.deferred);
	close(ends[0]);
	close(ends[1]);
	sd_event_unref(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_while_wanted),
		cmocka_unit_test(others_have_their_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
