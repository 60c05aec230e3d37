/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs a truth table: truth.h. */
#include "truth.h"
#include "expectation.h"
#include "harness.h"
#include "poller.h"

#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <cmocka.h>

enum {
	EXIT_SKIP = 77,
	ROWS_MAX = 256,
	LINE_BYTES = 1024,
	POLL_NSEC = 20000000,	     /* 50 times a second */
	POLL_SMALL_NSEC = 250000000, /* an answer takes an emulated processor 10 ms and more */
};

/* One test: a case and how often. */
struct row {
	struct suite *suite;
	struct json_object *description; /* a line of attempt --list, owned */
	const char *name;
	char title[128];
	unsigned long counts[TRUTH_USERS];
	uid_t uids[TRUTH_USERS];
};

struct suite {
	const struct truth *truth;
	struct harness *harness;
	struct poller poller;
	struct json_object *probes;	  /* by name, owned */
	struct json_object *stats_before; /* before the row under way, owned */
	uint64_t lost;			  /* named losses that made up for missing counts */
	char attempt[PATH_MAX];
	struct row rows[ROWS_MAX];
	size_t n_rows;
};

static const unsigned long primes[] = { 23, 29, 31, 37, 41, 43, 47, 53, 59, 61 };
static const unsigned long small_primes[] = { 3, 5, 7, 11, 13 };
static const unsigned long small_loads[TRUTH_USERS] = { 101, 103 };

/* Whether a variable of the environment is set: see truth.h. */
static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static bool is_small(void)
{
	return is_set("EBPFMON_SMALL");
}

/* --- one test ---------------------------------------------------------------------------------- */

static pid_t start_attempt(const struct row *row, size_t i)
{
	char uid[16], count[24];
	pid_t pid;

	snprintf(uid, sizeof(uid), "%u", row->uids[i]);
	snprintf(count, sizeof(count), "%lu", row->counts[i]);
	pid = fork();
	if (pid == 0) {
		execl(row->suite->attempt, "attempt", "--uid", uid, row->name, count, NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

/* The exit status of one attempt process; signals count as failure. */
static int finish_attempt(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* Polls the counts until all processes have ended: 0, or -errno of the first bad answer. */
static int poll_until_done(struct suite *suite, struct pollfd *fds)
{
	const long interval = is_small() ? POLL_SMALL_NSEC : POLL_NSEC;
	/* The first at once, where an answer costs little. */
	const struct itimerspec tick = { { 0, interval }, { 0, is_small() ? interval : 1 } };
	_cleanup_close_ int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	size_t running = TRUTH_USERS;
	uint64_t ticks;
	int r = 0;

	assert_return_code(timer, errno);
	assert_return_code(timerfd_settime(timer, 0, &tick, NULL), errno);
	fds[TRUTH_USERS] = (struct pollfd){ .fd = timer, .events = POLLIN };
	while (running) {
		while (poll(fds, TRUTH_USERS + 1, -1) < 0)
			assert_int_equal(errno, EINTR);
		for (size_t i = 0; i < TRUTH_USERS; i++) {
			if (!fds[i].revents)
				continue;
			fds[i].fd = close_fd(fds[i].fd);
			running--;
		}
		if (!fds[TRUTH_USERS].revents)
			continue;
		assert_int_equal(read(timer, &ticks, sizeof(ticks)), sizeof(ticks));
		if (r == 0)
			r = poller_poll(&suite->poller);
	}
	return r == 0 ? poller_poll(&suite->poller) : r;
}

/* Skips if this machine cannot do the case, fails if it was not done as it should be. */
static void make_attempts(const struct row *row)
{
	struct pollfd fds[TRUTH_USERS + 1];
	pid_t pids[TRUTH_USERS];
	bool skipped = false;
	int polled;

	for (size_t i = 0; i < TRUTH_USERS; i++) {
		pids[i] = start_attempt(row, i);
		fds[i] = (struct pollfd){ .fd = (int)syscall(SYS_pidfd_open, pids[i], 0),
					  .events = POLLIN };
		assert_return_code(fds[i].fd, errno);
	}
	polled = poll_until_done(row->suite, fds);
	for (size_t i = 0; i < TRUTH_USERS; i++) {
		int status = finish_attempt(pids[i]);

		if (status == EXIT_SKIP)
			skipped = true;
		else if (status)
			fail_msg("%s: attempt failed", row->title);
	}
	if (skipped)
		skip();
	assert_return_code(polled, -polled);
}

static void test_row(void **state)
{
	struct row *row = *state;
	struct suite *suite = row->suite;
	struct observation seen;
	unsigned int wrong = 0;
	uint64_t lost;

	/* What the row before ended with is what this one begins with. */
	if (!suite->poller.stats)
		assert_return_code(poller_poll(&suite->poller), 0);
	json_object_put(suite->stats_before);
	suite->stats_before = json_object_get(suite->poller.stats);
	make_attempts(row);
	for (size_t i = 0; i < TRUTH_USERS; i++) {
		seen = (struct observation){
			.title = row->title,
			.description = row->description,
			.probes = suite->probes,
			.uid = row->uids[i],
			.count = row->counts[i],
			.stats_before = suite->stats_before,
			.stats_after = suite->poller.stats,
		};
		assert_return_code(counts_of(suite->stats_before, seen.uid, &seen.before), 0);
		assert_return_code(counts_of(seen.stats_after, seen.uid, &seen.after), 0);
		wrong += observation_check(&seen, is_set("EBPFMON_ALLOW_MISSES"), &lost);
		suite->lost += lost;
	}
	if (wrong)
		fail_msg("%s: %u counters are wrong", row->title, wrong);
}

/* --- the table --------------------------------------------------------------------------------- */

static struct row *add_row(struct suite *suite, struct json_object *description)
{
	struct row *row = &suite->rows[suite->n_rows];
	struct json_object *name;

	json_object_object_get_ex(description, "name", &name);
	*row = (struct row){
		.suite = suite,
		.description = description,
		.name = json_object_get_string(name),
	};
	for (size_t i = 0; i < TRUTH_USERS; i++) {
		size_t n = suite->n_rows * TRUTH_USERS + i;

		row->counts[i] = is_small() ? small_primes[n % ARRAY_SIZE(small_primes)]
					    : primes[n % ARRAY_SIZE(primes)];
		row->uids[i] = suite->truth->first_uid + (uid_t)n;
	}
	snprintf(row->title, sizeof(row->title), "%s", row->name);
	suite->n_rows++;
	return row;
}

static void add_loads(struct suite *suite, struct json_object *description, const char *name)
{
	for (const struct truth_load *load = suite->truth->loads; load->name; load++) {
		struct row *row;

		if (strcmp(load->name, name) || suite->n_rows == ROWS_MAX)
			continue;
		row = add_row(suite, json_object_get(description));
		for (size_t i = 0; i < TRUTH_USERS; i++)
			row->counts[i] = is_small() ? small_loads[i] : load->counts[i];
		snprintf(row->title, sizeof(row->title), "%s x %lu", name, row->counts[0]);
	}
}

/* One line of attempt --list. */
static int add_line(struct suite *suite, const char *line)
{
	struct json_object *description = json_tokener_parse(line), *probe;
	const struct row *row;

	if (!description || !json_object_object_get_ex(description, "probe", &probe)) {
		fprintf(stderr, "attempt --list: not understood: %s", line);
		json_object_put(description);
		return -EBADMSG;
	}
	if (strcmp(json_object_get_string(probe), suite->truth->probe) ||
	    suite->n_rows == ROWS_MAX) {
		json_object_put(description);
		return suite->n_rows == ROWS_MAX ? -E2BIG : 0;
	}
	row = add_row(suite, description);
	add_loads(suite, description, row->name);
	return 0;
}

/* attempt lies beside this program. */
static int find_attempt(struct suite *suite)
{
	char path[PATH_MAX - 16] = "";
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash = strrchr(path, '/');

	if (length < 0 || !slash)
		return -ENOENT;
	*slash = '\0';
	snprintf(suite->attempt, sizeof(suite->attempt), "%s/attempt", path);
	return 0;
}

static int read_table(struct suite *suite)
{
	char command[PATH_MAX + 16], line[LINE_BYTES];
	int r = find_attempt(suite);
	FILE *list;

	if (r < 0)
		return r;
	snprintf(command, sizeof(command), "'%s' --list", suite->attempt);
	list = popen(command, "re");
	if (!list)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), list))
		r = add_line(suite, line);
	if (pclose(list) != 0 || suite->n_rows == 0)
		r = r ? r : -EPROTO;
	if (r < 0)
		fprintf(stderr, "attempt --list: %s\n", strerror(-r));
	return r;
}

/* --- the daemon -------------------------------------------------------------------------------- */

/* Fills @probes; fails unless the probe under test counts. */
static int read_probes(struct suite *suite)
{
	_cleanup_json_object_ struct json_object *answer = NULL;
	struct json_object *list, *probe, *state, *reason;

	answer = harness_ask(suite->harness, (const char *const[]){ "probes", "-j", NULL });
	suite->probes = json_object_new_object();
	if (!answer || !suite->probes || !json_object_object_get_ex(answer, "probes", &list))
		return -EBADMSG;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *name;

		probe = json_object_array_get_idx(list, i);
		json_object_object_get_ex(probe, "name", &name);
		json_object_object_add(suite->probes, json_object_get_string(name),
				       json_object_get(probe));
	}
	if (!json_object_object_get_ex(suite->probes, suite->truth->probe, &probe) ||
	    !json_object_object_get_ex(probe, "state", &state) ||
	    !json_object_object_get_ex(probe, "reason", &reason))
		return -EBADMSG;
	printf("# %s\n", json_object_to_json_string_ext(probe, JSON_C_TO_STRING_SPACED));
	if (probe_counts(probe))
		return 0;
	fprintf(stderr, "probe '%s' is %s: %s\n", suite->truth->probe,
		json_object_get_string(state), json_object_get_string(reason));
	return -ENOTSUP;
}

static int start_suite(struct suite *suite, const char *sections)
{
	int r = harness_start(sections, &suite->harness);

	if (r == 0)
		r = read_probes(suite);
	if (r == 0)
		r = poller_open(&suite->poller, harness_socket(suite->harness));
	return r;
}

/* The number of failed tests; the end of the daemon is one more. */
static int run_rows(struct suite *suite, const char *group)
{
	_cleanup_free_ struct CMUnitTest *tests = calloc(suite->n_rows, sizeof(*tests));
	int failed;

	if (!tests)
		return 1;
	for (size_t i = 0; i < suite->n_rows; i++)
		tests[i] = (struct CMUnitTest){
			.name = suite->rows[i].title,
			.test_func = test_row,
			.initial_state = &suite->rows[i],
		};
	failed = _cmocka_run_group_tests(group, tests, suite->n_rows, NULL, NULL);
	printf("# %lu answers of GetStats were checked\n", suite->poller.polls);
	if (suite->lost)
		printf("# %llu counts were missing and named in losses.misses\n",
		       (unsigned long long)suite->lost);
	return failed;
}

static int run_suite(const struct truth *truth, const char *sections)
{
	_cleanup_free_ struct suite *suite = calloc(1, sizeof(*suite));
	int failed = 1;
	char group[128];

	if (!suite)
		return 1;
	suite->truth = truth;
	suite->poller.fd = -1;
	snprintf(group, sizeof(group), "%s %.*s", truth->probe, (int)strcspn(sections, "\n"),
		 sections);
	if (read_table(suite) == 0 && start_suite(suite, sections) == 0)
		failed = run_rows(suite, group);
	poller_close(&suite->poller);
	json_object_put(suite->stats_before);
	json_object_put(suite->probes);
	for (size_t i = 0; i < suite->n_rows; i++)
		json_object_put(suite->rows[i].description);
	return failed + (harness_stop(suite->harness) < 0);
}

int truth_run(const struct truth *truth)
{
	int failed = 0, unable = harness_unable();

	if (unable)
		return unable;
	for (size_t i = 0; truth->configurations[i]; i++) {
		failed += run_suite(truth, truth->configurations[i]);
		if (harness_is_foreign())
			break;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
