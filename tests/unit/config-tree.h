/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of configuration files share: a scratch tree, a table of keys, told problems. */
#pragma once

#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char *const tree_levels[] = { "error", "warning", "notice", "info", "debug", NULL };

static const char *const tree_events[] = { "exec", "exit", "fork", "open", "unlink", NULL };

/* The daemon's own keys. */
static const struct config_key tree_keys[] = {
	{ "Daemon", "PinPath", CONFIG_PATH, "/sys/fs/bpf/ebpfmon", 0, 0, NULL, false },
	{ "Daemon", "User", CONFIG_NAME, "ebpfmon", 0, 0, NULL, false },
	{ "Daemon", "Group", CONFIG_NAME, "ebpfmon", 0, 0, NULL, false },
	{ "Daemon", "LogLevel", CONFIG_CHOICE, "info", 0, 0, tree_levels, true },
	{ "Daemon", "SubjectsMax", CONFIG_UINT, "16384", 64, 262144, NULL, false },
	{ "Daemon", "SettledMax", CONFIG_UINT, "262144", 64, 4194304, NULL, true },
	{ "Server", "Socket", CONFIG_PATH, "/run/ebpfmon/io.ebpfmon.Monitor", 0, 0, NULL, false },
	{ "Server", "ConnectionsMax", CONFIG_UINT, "128", 8, 4096, NULL, true },
	{ "Server", "ConnectionsPerUserMax", CONFIG_UINT, "32", 1, 4096, NULL, true },
	{ "Server", "MessageSizeMax", CONFIG_SIZE, "64K", 1 << 10, 1 << 20, NULL, true },
	{ "Server", "QueueSizeMax", CONFIG_SIZE, "16M", 64 << 10, 256 << 20, NULL, true },
	{ "Server", "RequestTimeout", CONFIG_TIME, "10s", 100000, 3600000000, NULL, true },
	{ "History", "Enabled", CONFIG_BOOL, "no", 0, 0, NULL, true },
	{ "History", "Interval", CONFIG_TIME, "10s", 100000, 3600000000, NULL, true },
	{ "History", "Span", CONFIG_TIME, "1h", 1000000, 2678400000000, NULL, true },
	{ "History", "MemoryMax", CONFIG_SIZE, "16M", 64 << 10, 1 << 30, NULL, true },
	{ "Events", "BufferSize", CONFIG_SIZE, "2M", 64 << 10, 256 << 20, NULL, false },
	{ "Events", "QueueSize", CONFIG_SIZE, "1M", 512 << 10, 64 << 20, NULL, false },
	{ "Events", "SubscribersMax", CONFIG_UINT, "32", 1, 63, NULL, true },
	{ "Events", "SubscribersPerUserMax", CONFIG_UINT, "8", 1, 63, NULL, true },
	{ "Journal", "Events", CONFIG_SET, "", 0, 0, tree_events, true },
	{ "Journal", "Uid", CONFIG_UINT, "", 0, 4294967294, NULL, true, true },
	{ "Journal", "Login", CONFIG_UINT, "", 0, 4294967294, NULL, true, true },
	{ "Journal", "Unit", CONFIG_TEXT, "", 0, 0, NULL, true },
	{ "Journal", "Command", CONFIG_TEXT, "", 0, 0, NULL, true },
	{ "Journal", "Path", CONFIG_PATH, "", 0, 0, NULL, true, true },
	{ "Journal", "FailedOnly", CONFIG_BOOL, "no", 0, 0, NULL, true },
	{ "Journal", "MinDuration", CONFIG_TIME, "0", 0, 0, NULL, true },
	{ "Journal", "Interval", CONFIG_TIME, "30s", 100000, 3600000000, NULL, true },
	{ "Journal", "EntriesMax", CONFIG_UINT, "1000", 1, 1000000, NULL, true },
	{ "Journal", "EntriesPerUserMax", CONFIG_UINT, "500", 1, 1000000, NULL, true },
	{ "cgroup", "Enabled", CONFIG_BOOL, "yes", 0, 0, NULL, false },
	{ "exec", "Enabled", CONFIG_BOOL, "yes", 0, 0, NULL, false },
	{ "exec", "Failures", CONFIG_SWITCH, "auto", 0, 0, NULL, false },
	{ "exec", "ArgumentsMax", CONFIG_SIZE, "2K", 0, 4096, NULL, false },
	{ "exit", "Enabled", CONFIG_BOOL, "yes", 0, 0, NULL, false },
	{ "fork", "Enabled", CONFIG_BOOL, "yes", 0, 0, NULL, false },
	{ "open", "Enabled", CONFIG_BOOL, "yes", 0, 0, NULL, false },
	{ "unlink", "Enabled", CONFIG_BOOL, "yes", 0, 0, NULL, false },
	{ "unlink", "Unlinks", CONFIG_SWITCH, "auto", 0, 0, NULL, false },
};

struct tree {
	char root[64];
	char problems[65536]; /* what was told, a line each, without the root */
	unsigned int n_problems;
};

static inline int tree_setup(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -1;
	strcpy(tree->root, "/tmp/ebpfmon-test-XXXXXX");
	*state = tree;
	return mkdtemp(tree->root) ? 0 : -1;
}

static inline int tree_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int tree_teardown(void **state)
{
	struct tree *tree = *state;
	int r = nftw(tree->root, tree_remove, 16, FTW_DEPTH | FTW_PHYS);

	free(tree);
	return r;
}

/* The path of @name in the tree, its directories made; valid until the next call. */
static inline const char *tree_path(const struct tree *tree, const char *name)
{
	static char path[PATH_MAX];

	assert_true(snprintf(path, sizeof(path), "%s/%s", tree->root, name) < (int)sizeof(path));
	for (char *slash = path + strlen(tree->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	return path;
}

static inline const char *tree_put_bytes(const struct tree *tree, const char *name,
					 const char *bytes, size_t size)
{
	const char *path = tree_path(tree, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return path;
}

static inline const char *tree_put(const struct tree *tree, const char *name, const char *text)
{
	return tree_put_bytes(tree, name, text, strlen(text));
}

static inline void tree_tell(const char *line, void *userdata)
{
	struct tree *tree = userdata;
	size_t n = strlen(tree->problems), root = strlen(tree->root);

	if (!strncmp(line, tree->root, root))
		line += root;
	assert_true(snprintf(tree->problems + n, sizeof(tree->problems) - n, "%s\n", line) <
		    (int)(sizeof(tree->problems) - n));
}

/* A new configuration from @file alone, or (NULL) from the whole tree. */
static inline struct config *tree_load(struct tree *tree, const char *file)
{
	struct config *config;

	tree->problems[0] = '\0';
	tree->n_problems = 99;
	assert_int_equal(config_new(tree_keys, ARRAY_SIZE(tree_keys), &config), 0);
	assert_int_equal(config_load(config, file, file ? NULL : tree->root, tree_tell, tree,
				     &tree->n_problems),
			 0);
	return config;
}

static inline void tree_differ(const struct config_key *key, const char *was, const char *is,
			       void *userdata)
{
	(void)userdata;
	fail_msg("[%s] %s: '%s' and '%s'", key->section, key->name, was, is);
}

/* What config_print() writes; the caller frees it. */
static inline char *tree_print(const struct config *config)
{
	size_t size = 1 << 16;
	char *text = calloc(1, size);
	FILE *out = fmemopen(text, size, "w");

	assert_true(text && out);
	config_print(config, out);
	assert_int_equal(fclose(out), 0);
	return text;
}
