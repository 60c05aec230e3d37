/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Truth table of probe "cgroup": units that came, opened files and went before anybody asked are
 * counted under their names, nested ones under the unit that systemd would name.
 */
#include "harness.h"
#include "message.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

enum {
	PATH_BYTES = 512,
};

/* A chain of cgroups below the root, made and removed again, and the unit it counts for. */
struct unit_case {
	const char *folders[4]; /* each inside the one before; NULL at the end */
	const char *unit;
	unsigned int opens;
};

/* "%d" is our pid: what other runs left is not ours. */
static const struct unit_case cases[] = {
	{ { "em%d-a.service" }, "em%d-a.service", 23 },
	{ { "em%d.slice", "em%d-b.service" }, "em%d-b.service", 29 },
	{ { "em%d-c.scope", "inner", "deeper.service" }, "em%d-c.scope", 31 },
	{ { "em%d-d.slice" }, "em%d-d.slice", 37 },
	{ { "em%d-docker", "abc" }, "/em%d-docker/abc", 41 },
	{ { "_em%d-e.service" }, "em%d-e.service", 43 },
};

static const char *unified_root(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (statfs(roots[i], &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC)
			return roots[i];
	return NULL;
}

static void expand(const char *pattern, char *text, size_t size)
{
	const char *mark = strstr(pattern, "%d");

	if (mark)
		snprintf(text, size, "%.*s%d%s", (int)(mark - pattern), pattern, (int)getpid(),
			 mark + 2);
	else
		snprintf(text, size, "%s", pattern);
}

/* The child enters by a descriptor opened before, and then opens @n times and nothing else. */
static int open_inside(const char *folder, unsigned int n)
{
	char path[PATH_BYTES + 32];
	int procs, status;
	pid_t child;

	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	procs = open(path, O_WRONLY | O_CLOEXEC);
	if (procs < 0)
		return -errno;
	child = fork();
	if (!child) {
		if (write(procs, "0", 1) != 1)
			_exit(1);
		for (unsigned int i = 0; i < n; i++)
			if (close(open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
				_exit(1);
		_exit(0);
	}
	close(procs);
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		return -ECHILD;
	return 0;
}

/* Makes folder @i of the case and what is in it, or opens files in the last one; then removes it. */
static int play(const struct unit_case *unit_case, size_t i, const char *above)
{
	char name[128], path[PATH_BYTES];
	int r;

	if (!unit_case->folders[i])
		return open_inside(above, unit_case->opens);
	expand(unit_case->folders[i], name, sizeof(name));
	snprintf(path, sizeof(path), "%s/%s", above, name);
	if (mkdir(path, 0755) < 0)
		return -errno;
	r = play(unit_case, i + 1, path);
	if (rmdir(path) < 0 && !r)
		r = -errno;
	return r;
}

static uint64_t opens_of(struct json_object *stats, const char *unit)
{
	struct json_object *rows = json_object_object_get(stats, "rows");

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *name = json_object_object_get(row, "unit");

		if (name && !strcmp(json_object_get_string(name), unit))
			return json_object_get_uint64(json_object_object_get(
				json_object_object_get(row, "counters"), "opens"));
	}
	return 0;
}

static int compare(struct json_object *stats)
{
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char unit[128];
		uint64_t opens;

		expand(cases[i].unit, unit, sizeof(unit));
		opens = opens_of(stats, unit);
		if (opens == cases[i].opens)
			continue;
		fprintf(stderr, "unit %s: %u opens expected, %llu counted\n", unit, cases[i].opens,
			(unsigned long long)opens);
		failed = 1;
	}
	return failed;
}

static int run(const struct harness *harness, const char *root)
{
	static const char *const by_unit[] = { "stats", "-j", "--by", "unit", NULL };
	_cleanup_json_object_ struct json_object *stats = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = play(&cases[i], 0, root);

		if (r < 0) {
			fprintf(stderr, "%s: %s\n", cases[i].folders[0], strerror(-r));
			return 1;
		}
	}
	stats = harness_ask(harness, by_unit);
	return stats ? compare(stats) : 1;
}

int main(void)
{
	const char *root = unified_root();
	struct harness *harness = NULL;
	int r = harness_unable();

	if (r)
		return r;
	if (!root) {
		fprintf(stderr, "skipped: this machine has no unified cgroup hierarchy\n");
		return 77;
	}
	if (harness_start("", &harness) < 0)
		return 1;
	r = run(harness, root);
	if (harness_stop(harness) < 0)
		r = 1;
	return r;
}
