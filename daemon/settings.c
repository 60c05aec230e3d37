/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's keys and their values: settings.h. */
#include "settings.h"

#include <assert.h>
#include <syslog.h>

static const char *const log_levels[] = { "error", "warning", "notice", "info", "debug", NULL };
static const int log_priorities[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

enum {
	KIB = 1024,
	MIB = 1024 * 1024,
	SEC = 1000000,
	DEPTH_MAX = 32,	       /* of a request; ours need three */
	REQUESTS_PER_TURN = 1, /* a costly one delays others enough */
	KEYS_MAX = 128,
};

#define ID_MAX (UINT32_MAX - 1) /* of users; the next one is none */

/* Of probes that have events, in the order of probes[]; filled with the keys. */
static const char *event_names[SETTINGS_PROBES_MAX + 1];

static const struct config_key daemon_keys[] = {
	{ "Daemon", "PinPath", CONFIG_PATH, "/sys/fs/bpf/ebpfmon" },
	{ "Daemon", "User", CONFIG_NAME, "ebpfmon" },
	{ "Daemon", "Group", CONFIG_NAME, "ebpfmon" },
	{ "Daemon", "LogLevel", CONFIG_CHOICE, "info", .choices = log_levels, .live = true },
	{ "Daemon", "SubjectsMax", CONFIG_UINT, "16384", 64, 262144 },
	{ "Daemon", "SettledMax", CONFIG_UINT, "262144", 64, 4194304, .live = true },
	{ "Server", "Socket", CONFIG_PATH, "/run/ebpfmon/io.ebpfmon.Monitor" },
	{ "Server", "ConnectionsMax", CONFIG_UINT, "128", 8, 4096, .live = true },
	{ "Server", "ConnectionsPerUserMax", CONFIG_UINT, "32", 1, 4096, .live = true },
	{ "Server", "MessageSizeMax", CONFIG_SIZE, "64K", KIB, MIB, .live = true },
	{ "Server", "QueueSizeMax", CONFIG_SIZE, "16M", 64ULL * KIB, 256ULL * MIB, .live = true },
	{ "Server", "RequestTimeout", CONFIG_TIME, "10s", SEC / 10, 3600ULL * SEC, .live = true },
	{ "History", "Enabled", CONFIG_BOOL, "no", .live = true },
	{ "History", "Interval", CONFIG_TIME, "10s", SEC / 10, 3600ULL * SEC, .live = true },
	{ "History", "Span", CONFIG_TIME, "1h", SEC, 31ULL * 86400 * SEC, .live = true },
	{ "History", "MemoryMax", CONFIG_SIZE, "16M", 64ULL * KIB, 1024ULL * MIB, .live = true },
	{ "Events", "BufferSize", CONFIG_SIZE, "2M", 64ULL * KIB, 256ULL * MIB },
	{ "Events", "QueueSize", CONFIG_SIZE, "1M", 512ULL * KIB, 64ULL * MIB },
	{ "Events", "SubscribersMax", CONFIG_UINT, "32", 1, SUBSCRIPTIONS_MAX, .live = true },
	{ "Events", "SubscribersPerUserMax", CONFIG_UINT, "8", 1, SUBSCRIPTIONS_MAX, .live = true },
	{ "Journal", "Events", CONFIG_SET, "", .choices = event_names, .live = true },
	{ "Journal", "Uid", CONFIG_UINT, "", 0, ID_MAX, .live = true, .optional = true },
	{ "Journal", "Login", CONFIG_UINT, "", 0, ID_MAX, .live = true, .optional = true },
	{ "Journal", "Unit", CONFIG_TEXT, "", .live = true },
	{ "Journal", "Command", CONFIG_TEXT, "", .live = true },
	{ "Journal", "Path", CONFIG_PATH, "", .live = true, .optional = true },
	{ "Journal", "FailedOnly", CONFIG_BOOL, "no", .live = true },
	{ "Journal", "MinDuration", CONFIG_TIME, "0", .live = true },
	{ "Journal", "Interval", CONFIG_TIME, "30s", SEC / 10, 3600ULL * SEC, .live = true },
	{ "Journal", "EntriesMax", CONFIG_UINT, "1000", 1, 1000000, .live = true },
	{ "Journal", "EntriesPerUserMax", CONFIG_UINT, "500", 1, 1000000, .live = true },
};

/* Built once: the configuration refers to it for as long as it lives. */
static struct config_key keys[KEYS_MAX];
static size_t n_keys;

static void add_key(const struct config_key *key)
{
	assert(n_keys < KEYS_MAX);
	keys[n_keys++] = *key;
}

static void add_probe_keys(const struct probe *probe)
{
	add_key(&(struct config_key){ probe->name, "Enabled", CONFIG_BOOL, "yes" });
	for (size_t i = 0; i < probe->n_jobs; i++)
		if (probe->jobs[i].setting)
			add_key(&(struct config_key){ probe->name, probe->jobs[i].setting,
						      CONFIG_SWITCH, "auto" });
	for (size_t i = 0; i < probe->n_constants; i++)
		add_key(&(struct config_key){ probe->name, probe->constants[i].setting, CONFIG_SIZE,
					      probe->constants[i].fallback, probe->constants[i].min,
					      probe->constants[i].max });
}

static void name_events(void)
{
	size_t n = 0;

	for (size_t i = 0; probes[i]; i++)
		if (probes[i]->event) {
			assert(n < SETTINGS_PROBES_MAX);
			event_names[n++] = probes[i]->name;
		}
}

int settings_config_new(struct config **ret_config)
{
	if (!n_keys) {
		name_events();
		for (size_t i = 0; i < ARRAY_SIZE(daemon_keys); i++)
			add_key(&daemon_keys[i]);
		for (size_t i = 0; probes[i]; i++)
			add_probe_keys(probes[i]);
	}
	return config_new(keys, n_keys, ret_config);
}

static void read_limits(const struct config *config, struct varlink_limits *limits)
{
	*limits = (struct varlink_limits){
		.message_bytes = config_number(config, "Server", "MessageSizeMax"),
		.depth = DEPTH_MAX,
		.connections = (unsigned int)config_number(config, "Server", "ConnectionsMax"),
		.connections_per_uid =
			(unsigned int)config_number(config, "Server", "ConnectionsPerUserMax"),
		.queue_bytes = config_number(config, "Server", "QueueSizeMax"),
		.request_usec = config_number(config, "Server", "RequestTimeout"),
		.requests_queued = REQUESTS_PER_TURN,
	};
}

static void read_history(const struct config *config, struct recorder_settings *settings)
{
	*settings = (struct recorder_settings){
		.enabled = config_number(config, "History", "Enabled"),
		.interval_usec = config_number(config, "History", "Interval"),
		.span_usec = config_number(config, "History", "Span"),
		.memory_bytes = config_number(config, "History", "MemoryMax"),
	};
}

/* Bits of the kinds of events whose names are set. */
static uint32_t read_kinds(uint64_t names)
{
	uint32_t kinds = 0;

	for (size_t i = 0, n = 0; probes[i]; i++)
		if (probes[i]->event && names & UINT64_C(1) << n++)
			kinds |= 1U << probes[i]->event->kind;
	return kinds;
}

static bool read_id(const struct config *config, const char *name, uint32_t *ret_id)
{
	uint64_t id = config_number(config, "Journal", name);

	*ret_id = id == CONFIG_NONE ? 0 : (uint32_t)id;
	return id != CONFIG_NONE;
}

static char *read_text(const struct config *config, const char *name)
{
	const char *text = config_text(config, "Journal", name);

	return *text ? (char *)(uintptr_t)text : NULL; /* lent: nobody writes to it */
}

static void read_journal(const struct config *config, struct reporter_settings *settings)
{
	struct event_filter *filter = &settings->filter;

	filter->kinds = read_kinds(config_number(config, "Journal", "Events"));
	filter->by_uid = read_id(config, "Uid", &filter->uid);
	filter->by_login = read_id(config, "Login", &filter->login);
	filter->unit = read_text(config, "Unit");
	filter->comm = read_text(config, "Command");
	filter->path = read_text(config, "Path");
	filter->failed_only = config_number(config, "Journal", "FailedOnly");
	filter->min_duration_usec = config_number(config, "Journal", "MinDuration");
	settings->limits = (struct rate_limits){
		.interval_usec = config_number(config, "Journal", "Interval"),
		.total = (uint32_t)config_number(config, "Journal", "EntriesMax"),
		.per_user = (uint32_t)config_number(config, "Journal", "EntriesPerUserMax"),
	};
}

static void read_probe(const struct config *config, const struct probe *probe,
		       struct object_settings *settings, struct em_constants *constants)
{
	for (size_t i = 0; i < probe->n_constants; i++) {
		const struct probe_constant *constant = &probe->constants[i];

		*(uint32_t *)((char *)constants + constant->offset) =
			(uint32_t)config_number(config, probe->name, constant->setting);
	}
	settings->enabled = config_number(config, probe->name, "Enabled");
	for (size_t i = 0; i < probe->n_jobs; i++) {
		const char *setting = probe->jobs[i].setting;

		settings->jobs[i] =
			setting ? config_number(config, probe->name, setting) : CONFIG_AUTO;
	}
}

void settings_read(const struct config *config, struct settings *ret_settings)
{
	*ret_settings = (struct settings){
		.pin_path = config_text(config, "Daemon", "PinPath"),
		.socket_path = config_text(config, "Server", "Socket"),
		.user = config_text(config, "Daemon", "User"),
		.group = config_text(config, "Daemon", "Group"),
		.log_priority = log_priorities[config_number(config, "Daemon", "LogLevel")],
		.subjects_max = (uint32_t)config_number(config, "Daemon", "SubjectsMax"),
		.settled_max = config_number(config, "Daemon", "SettledMax"),
	};
	ret_settings->events_bytes = config_number(config, "Events", "BufferSize");
	ret_settings->events_queue_bytes = config_number(config, "Events", "QueueSize");
	ret_settings->subscriptions = (struct subscription_limits){
		.total = (unsigned int)config_number(config, "Events", "SubscribersMax"),
		.per_user = (unsigned int)config_number(config, "Events", "SubscribersPerUserMax"),
	};
	read_limits(config, &ret_settings->limits);
	read_history(config, &ret_settings->history);
	read_journal(config, &ret_settings->journal);
	for (size_t i = 0; i < SETTINGS_PROBES_MAX && probes[i]; i++)
		read_probe(config, probes[i], &ret_settings->probes[i], &ret_settings->constants);
}
