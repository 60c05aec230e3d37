/* SPDX-License-Identifier: GPL-2.0-only */
/* Every key of the daemon: its default, where its value goes, its limits, and whether it is live. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

static struct config *new_config(void)
{
	struct config *config = NULL;

	assert_int_equal(settings_config_new(&config), 0);
	return config;
}

/* Index of probe @name in settings.probes. */
static size_t probe_index(const char *name)
{
	for (size_t i = 0; probes[i]; i++)
		if (!strcmp(probes[i]->name, name))
			return i;
	fail_msg("no probe '%s'", name);
	return 0;
}

/* Index of the job that setting @name of probe @i decides. */
static size_t job_index(size_t i, const char *name)
{
	for (size_t j = 0; j < probes[i]->n_jobs; j++)
		if (probes[i]->jobs[j].setting && !strcmp(probes[i]->jobs[j].setting, name))
			return j;
	fail_msg("probe '%s' has no setting '%s'", probes[i]->name, name);
	return 0;
}

static void set(struct config *config, const char *section, const char *name, const char *value)
{
	assert_int_equal(config_set(config, section, name, value, "test"), 0);
}

static void defaults(void **state)
{
	_cleanup_config_ struct config *config = new_config();
	struct settings settings;

	(void)state;
	memset(&settings, 0xee, sizeof(settings));
	settings_read(config, &settings);
	assert_string_equal(settings.pin_path, "/sys/fs/bpf/ebpfmon");
	assert_string_equal(settings.socket_path, "/run/ebpfmon/io.ebpfmon.Monitor");
	assert_string_equal(settings.user, "ebpfmon");
	assert_string_equal(settings.group, "ebpfmon");
	assert_int_equal(settings.log_priority, LOG_INFO);
	assert_int_equal(settings.subjects_max, 16384);
	assert_int_equal(settings.limits.message_bytes, 65536);
	assert_int_equal(settings.limits.depth, 32);
	assert_int_equal(settings.limits.connections, 128);
	assert_int_equal(settings.limits.connections_per_uid, 32);
	assert_int_equal(settings.limits.queue_bytes, 16777216);
	assert_int_equal(settings.limits.request_usec, 10000000);
	assert_int_equal(settings.limits.requests_queued, 1);
	assert_false(settings.history.enabled);
	assert_int_equal(settings.history.interval_usec, 10000000);
	assert_int_equal(settings.history.span_usec, 3600000000);
	assert_int_equal(settings.history.memory_bytes, 16777216);
	assert_int_equal(settings.events_bytes, 2097152);
	assert_int_equal(settings.events_queue_bytes, 1048576);
	assert_int_equal(settings.subscriptions.total, 32);
	assert_int_equal(settings.subscriptions.per_user, 8);
	assert_int_equal(settings.journal.filter.kinds, 0);
	assert_false(settings.journal.filter.by_uid);
	assert_false(settings.journal.filter.by_login);
	assert_false(settings.journal.filter.failed_only);
	assert_null(settings.journal.filter.unit);
	assert_null(settings.journal.filter.comm);
	assert_null(settings.journal.filter.path);
	assert_int_equal(settings.journal.filter.min_duration_usec, 0);
	assert_int_equal(settings.journal.limits.interval_usec, 30000000);
	assert_int_equal(settings.journal.limits.total, 1000);
	assert_int_equal(settings.journal.limits.per_user, 500);
	assert_int_equal(settings.constants.arguments_bytes, 2048);
	for (size_t i = 0; probes[i]; i++) {
		assert_true(settings.probes[i].enabled);
		for (size_t j = 0; j < PROBE_JOBS_MAX; j++)
			assert_int_equal(settings.probes[i].jobs[j], CONFIG_AUTO);
	}
}

static void values_go_where_they_belong(void **state)
{
	_cleanup_config_ struct config *config = new_config();
	struct settings settings;

	(void)state;
	set(config, "Daemon", "PinPath", "/sys/fs/bpf/other");
	set(config, "Daemon", "User", "alice");
	set(config, "Daemon", "Group", "wheel");
	set(config, "Daemon", "SubjectsMax", "262144");
	set(config, "Server", "Socket", "/run/other");
	set(config, "Server", "ConnectionsMax", "101");
	set(config, "Server", "ConnectionsPerUserMax", "7");
	set(config, "Server", "MessageSizeMax", "3K");
	set(config, "Server", "QueueSizeMax", "5M");
	set(config, "Server", "RequestTimeout", "1min 30s");
	set(config, "History", "Enabled", "yes");
	set(config, "History", "Interval", "5s");
	set(config, "History", "Span", "2h");
	set(config, "History", "MemoryMax", "3M");
	set(config, "Events", "BufferSize", "3M");
	set(config, "Events", "QueueSize", "7M");
	set(config, "Events", "SubscribersMax", "31");
	set(config, "Events", "SubscribersPerUserMax", "5");
	set(config, "exec", "ArgumentsMax", "1K");
	settings_read(config, &settings);
	assert_int_equal(settings.events_bytes, 3 << 20);
	assert_int_equal(settings.events_queue_bytes, 7 << 20);
	assert_int_equal(settings.subscriptions.total, 31);
	assert_int_equal(settings.subscriptions.per_user, 5);
	assert_int_equal(settings.constants.arguments_bytes, 1024);
	assert_string_equal(settings.pin_path, "/sys/fs/bpf/other");
	assert_string_equal(settings.user, "alice");
	assert_string_equal(settings.group, "wheel");
	assert_string_equal(settings.socket_path, "/run/other");
	assert_int_equal(settings.subjects_max, 262144);
	assert_int_equal(settings.limits.connections, 101);
	assert_int_equal(settings.limits.connections_per_uid, 7);
	assert_int_equal(settings.limits.message_bytes, 3072);
	assert_int_equal(settings.limits.queue_bytes, 5 << 20);
	assert_int_equal(settings.limits.request_usec, 90000000);
	assert_true(settings.history.enabled);
	assert_int_equal(settings.history.interval_usec, 5000000);
	assert_int_equal(settings.history.span_usec, 7200000000);
	assert_int_equal(settings.history.memory_bytes, 3 << 20);
	assert_int_equal(settings.limits.depth, 32); /* not for users to choose */
	assert_int_equal(settings.limits.requests_queued, 1);
}

static void the_journal_has_a_filter(void **state)
{
	_cleanup_config_ struct config *config = new_config();
	const struct event_filter *filter;
	struct settings settings;

	(void)state;
	set(config, "Journal", "Events", "unlink exec");
	set(config, "Journal", "Uid", "0");
	set(config, "Journal", "Login", "4294967294");
	set(config, "Journal", "Unit", "a-b.service");
	set(config, "Journal", "Command", "(sd pam)");
	set(config, "Journal", "Path", "/etc/");
	set(config, "Journal", "FailedOnly", "yes");
	set(config, "Journal", "MinDuration", "2s");
	set(config, "Journal", "Interval", "1min");
	set(config, "Journal", "EntriesMax", "23");
	set(config, "Journal", "EntriesPerUserMax", "17");
	settings_read(config, &settings);
	filter = &settings.journal.filter;
	assert_int_equal(filter->kinds, 1 << EM_EVENT_UNLINK | 1 << EM_EVENT_EXEC);
	assert_true(filter->by_uid && filter->by_login && filter->failed_only);
	assert_int_equal(filter->uid, 0);
	assert_int_equal(filter->login, 4294967294);
	assert_false(filter->by_pid);
	assert_string_equal(filter->unit, "a-b.service");
	assert_string_equal(filter->comm, "(sd pam)");
	assert_string_equal(filter->path, "/etc");
	assert_int_equal(filter->min_duration_usec, 2000000);
	assert_int_equal(settings.journal.limits.interval_usec, 60000000);
	assert_int_equal(settings.journal.limits.total, 23);
	assert_int_equal(settings.journal.limits.per_user, 17);
	set(config, "Journal", "Events", "exit fork open");
	settings_read(config, &settings);
	assert_int_equal(settings.journal.filter.kinds,
			 1 << EM_EVENT_EXIT | 1 << EM_EVENT_FORK | 1 << EM_EVENT_OPEN);
	assert_int_equal(config_set(config, "Journal", "Events", "cgroup", "test"), -EINVAL);
}

static void log_levels_are_syslogs(void **state)
{
	static const struct {
		const char *name;
		int priority;
	} levels[] = {
		{ "error", LOG_ERR }, { "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
		{ "info", LOG_INFO }, { "debug", LOG_DEBUG },
	};
	_cleanup_config_ struct config *config = new_config();
	struct settings settings;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		set(config, "Daemon", "LogLevel", levels[i].name);
		settings_read(config, &settings);
		assert_int_equal(settings.log_priority, levels[i].priority);
	}
	assert_int_equal(config_set(config, "Daemon", "LogLevel", "crit", "test"), -EINVAL);
}

static void limits_have_limits(void **state)
{
	static const struct {
		const char *section, *name, *low, *min, *max, *high;
	} cases[] = {
		{ "Daemon", "SubjectsMax", "63", "64", "262144", "262145" },
		{ "Server", "ConnectionsMax", "7", "8", "4096", "4097" },
		{ "Server", "ConnectionsPerUserMax", "0", "1", "4096", "4097" },
		{ "Server", "MessageSizeMax", "1023", "1K", "1M", "1048577" },
		{ "Server", "QueueSizeMax", "65535", "64K", "256M", "268435457" },
		{ "Server", "RequestTimeout", "99ms", "100ms", "1h", "3601s" },
		{ "History", "Interval", "99ms", "100ms", "1h", "3601s" },
		{ "History", "Span", "999ms", "1s", "31d", "2678401s" },
		{ "History", "MemoryMax", "65535", "64K", "1G", "1073741825" },
		{ "Events", "BufferSize", "65535", "64K", "256M", "268435457" },
		{ "Events", "QueueSize", "524287", "512K", "64M", "67108865" },
		{ "Events", "SubscribersMax", "0", "1", "63", "64" },
		{ "Events", "SubscribersPerUserMax", "0", "1", "63", "64" },
		{ "Journal", "Uid", "-1", "0", "4294967294", "4294967295" },
		{ "Journal", "Login", "-1", "0", "4294967294", "4294967295" },
		{ "Journal", "Interval", "99ms", "100ms", "1h", "3601s" },
		{ "Journal", "EntriesMax", "0", "1", "1000000", "1000001" },
		{ "Journal", "EntriesPerUserMax", "0", "1", "1000000", "1000001" },
		{ "exec", "ArgumentsMax", "-1", "0", "4K", "4097" },
	};
	_cleanup_config_ struct config *config = new_config();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *section = cases[i].section, *name = cases[i].name;

		set(config, section, name, cases[i].min);
		set(config, section, name, cases[i].max);
		assert_int_equal(config_set(config, section, name, cases[i].low, ""), -EINVAL);
		assert_int_equal(config_set(config, section, name, cases[i].high, ""), -EINVAL);
	}
}

/* Each probe's keys decide that probe and that job only. */
static void probes_have_their_own_keys(void **state)
{
	_cleanup_config_ struct config *config = new_config();
	size_t exec = probe_index("exec"), open = probe_index("open");
	size_t failures = job_index(exec, "Failures"), unlink = probe_index("unlink");
	size_t unlinks = job_index(unlink, "Unlinks");
	struct settings settings;

	(void)state;
	set(config, "exec", "Enabled", "no");
	settings_read(config, &settings);
	assert_false(settings.probes[exec].enabled);
	assert_true(settings.probes[open].enabled);

	set(config, "exec", "Enabled", "yes");
	set(config, "open", "Enabled", "no");
	set(config, "exec", "Failures", "yes");
	settings_read(config, &settings);
	assert_true(settings.probes[exec].enabled);
	assert_false(settings.probes[open].enabled);
	for (size_t j = 0; j < PROBE_JOBS_MAX; j++) {
		assert_int_equal(settings.probes[exec].jobs[j],
				 j == failures ? CONFIG_YES : CONFIG_AUTO);
		assert_int_equal(settings.probes[open].jobs[j], CONFIG_AUTO);
	}
	set(config, "exec", "Failures", "no");
	settings_read(config, &settings);
	assert_int_equal(settings.probes[exec].jobs[failures], CONFIG_NO);
	assert_int_equal(settings.probes[unlink].jobs[unlinks], CONFIG_AUTO);
	set(config, "unlink", "Unlinks", "yes");
	settings_read(config, &settings);
	assert_int_equal(settings.probes[unlink].jobs[unlinks], CONFIG_YES);
	assert_int_equal(settings.probes[exec].jobs[failures], CONFIG_NO);
}

/* --- what a reload applies --------------------------------------------------------------------- */

static void note_change(const struct config_key *key, const char *was, const char *is,
			void *userdata)
{
	char *text = userdata;

	(void)was;
	(void)is;
	sprintf(text + strlen(text), "%s.%s%s\n", key->section, key->name, key->live ? "" : "!");
}

/* Those with '!' count from the next start on only. */
static void live_keys(void **state)
{
	_cleanup_config_ struct config *before = new_config(), *after = new_config();
	char changes[4096] = "";

	(void)state;
	config_diff(before, after, note_change, changes);
	assert_string_equal(changes, "");
	set(after, "Daemon", "PinPath", "/sys/fs/bpf/other");
	set(after, "Daemon", "User", "alice");
	set(after, "Daemon", "Group", "wheel");
	set(after, "Daemon", "LogLevel", "debug");
	set(after, "Daemon", "SubjectsMax", "64");
	set(after, "Server", "Socket", "/run/other");
	set(after, "Server", "ConnectionsMax", "101");
	set(after, "Server", "ConnectionsPerUserMax", "7");
	set(after, "Server", "MessageSizeMax", "3K");
	set(after, "Server", "QueueSizeMax", "5M");
	set(after, "Server", "RequestTimeout", "3s");
	set(after, "History", "Enabled", "yes");
	set(after, "History", "Interval", "5s");
	set(after, "History", "Span", "2h");
	set(after, "History", "MemoryMax", "3M");
	set(after, "Events", "BufferSize", "3M");
	set(after, "Events", "QueueSize", "7M");
	set(after, "Events", "SubscribersMax", "31");
	set(after, "Events", "SubscribersPerUserMax", "7");
	set(after, "Journal", "Events", "exec");
	set(after, "Journal", "Uid", "0");
	set(after, "Journal", "Login", "0");
	set(after, "Journal", "Unit", "a");
	set(after, "Journal", "Command", "a");
	set(after, "Journal", "Path", "/a");
	set(after, "Journal", "FailedOnly", "yes");
	set(after, "Journal", "MinDuration", "1s");
	set(after, "Journal", "Interval", "1s");
	set(after, "Journal", "EntriesMax", "1");
	set(after, "Journal", "EntriesPerUserMax", "1");
	set(after, "cgroup", "Enabled", "no");
	set(after, "exec", "Enabled", "no");
	set(after, "exec", "Failures", "yes");
	set(after, "exec", "ArgumentsMax", "1K");
	set(after, "exit", "Enabled", "no");
	set(after, "fork", "Enabled", "no");
	set(after, "open", "Enabled", "no");
	set(after, "unlink", "Enabled", "no");
	set(after, "unlink", "Unlinks", "yes");
	config_diff(before, after, note_change, changes);
	assert_string_equal(changes, "Daemon.PinPath!\n"
				     "Daemon.User!\n"
				     "Daemon.Group!\n"
				     "Daemon.LogLevel\n"
				     "Daemon.SubjectsMax!\n"
				     "Server.Socket!\n"
				     "Server.ConnectionsMax\n"
				     "Server.ConnectionsPerUserMax\n"
				     "Server.MessageSizeMax\n"
				     "Server.QueueSizeMax\n"
				     "Server.RequestTimeout\n"
				     "History.Enabled\n"
				     "History.Interval\n"
				     "History.Span\n"
				     "History.MemoryMax\n"
				     "Events.BufferSize!\n"
				     "Events.QueueSize!\n"
				     "Events.SubscribersMax\n"
				     "Events.SubscribersPerUserMax\n"
				     "Journal.Events\n"
				     "Journal.Uid\n"
				     "Journal.Login\n"
				     "Journal.Unit\n"
				     "Journal.Command\n"
				     "Journal.Path\n"
				     "Journal.FailedOnly\n"
				     "Journal.MinDuration\n"
				     "Journal.Interval\n"
				     "Journal.EntriesMax\n"
				     "Journal.EntriesPerUserMax\n"
				     "cgroup.Enabled!\n"
				     "exec.Enabled!\n"
				     "exec.Failures!\n"
				     "exec.ArgumentsMax!\n"
				     "exit.Enabled!\n"
				     "fork.Enabled!\n"
				     "open.Enabled!\n"
				     "unlink.Enabled!\n"
				     "unlink.Unlinks!\n");
}

/* No key but those above: a new one needs a row in these tests. */
static void that_is_all(void **state)
{
	_cleanup_config_ struct config *config = new_config();
	size_t size, keys = 0;
	char *text = NULL;
	FILE *file;

	(void)state;
	file = open_memstream(&text, &size);
	assert_non_null(file);
	config_print(config, file);
	assert_int_equal(fclose(file), 0);
	for (const char *at = text; (at = strchr(at, '=')); at++)
		keys++;
	free(text);
	assert_int_equal(keys, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(values_go_where_they_belong),
		cmocka_unit_test(the_journal_has_a_filter),
		cmocka_unit_test(log_levels_are_syslogs),
		cmocka_unit_test(limits_have_limits),
		cmocka_unit_test(probes_have_their_own_keys),
		cmocka_unit_test(live_keys),
		cmocka_unit_test(that_is_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
