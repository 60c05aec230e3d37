/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directories of configuration files, in systemd's order, and the drop-ins in them. Reads
 * directories only; what is in a file is none of its business.
 */
#include "config-paths.h"

#include <dirent.h>
#include <stdarg.h>
#include <string.h>

#define CONFIG_FILE    "ebpfmon/ebpfmond.conf"
#define CONFIG_DROPINS CONFIG_FILE ".d"

/* Earlier ones win. */
static const char *const directories[] = { "/etc", "/run", "/usr/local/lib", "/usr/lib" };

struct dropin {
	char *name;
	size_t directory; /* index into directories[] */
};

struct dropins {
	struct dropin *items;
	size_t count;
};

void config_paths_done(struct config_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
}

static void dropins_done(struct dropins *dropins)
{
	for (size_t i = 0; i < dropins->count; i++)
		free(dropins->items[i].name);
	free(dropins->items);
}

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int PRINTF_LIKE(2, 3) add_path(struct config_paths *paths, const char *fmt, ...)
{
	char **items = reallocarray(paths->items, paths->count + 1, sizeof(*items));
	va_list args;
	int n;

	if (!items)
		return -ENOMEM;
	paths->items = items;
	va_start(args, fmt);
	n = vasprintf(&items[paths->count], fmt, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	paths->count++;
	return 0;
}

int config_paths_main(const char *root, struct config_paths *paths)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directories); i++)
		r = add_path(paths, "%s%s/" CONFIG_FILE, root, directories[i]);
	return r;
}

static int add_dropin(struct dropins *dropins, const char *name, size_t directory)
{
	struct dropin *items = reallocarray(dropins->items, dropins->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	dropins->items = items;
	items[dropins->count].name = strdup(name);
	if (!items[dropins->count].name)
		return -ENOMEM;
	items[dropins->count++].directory = directory;
	return 0;
}

/* Hidden files are editors' and package managers'. */
static bool is_dropin(const char *name)
{
	size_t length = strlen(name);

	return *name != '.' && length > strlen(".conf") &&
	       !strcmp(name + length - strlen(".conf"), ".conf");
}

static int list_directory(struct config_report *report, const char *root, size_t directory,
			  struct dropins *dropins)
{
	_cleanup_free_ char *path = NULL;
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r;

	if (asprintf(&path, "%s%s/" CONFIG_DROPINS, root, directories[directory]) < 0)
		return -ENOMEM;
	dir = opendir(path);
	if (!dir) {
		if (errno != ENOENT)
			config_report(report, path, 0, "cannot be read: %s; its files are left out",
				      strerror(errno));
		return 0;
	}
	while ((entry = readdir(dir))) {
		r = is_dropin(entry->d_name) ? add_dropin(dropins, entry->d_name, directory) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* By name, and of the same name the one that counts first. */
static int compare_dropins(const void *a, const void *b)
{
	const struct dropin *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x->directory > y->directory) - (x->directory < y->directory);
}

int config_paths_dropins(const char *root, struct config_report *report, struct config_paths *paths)
{
	CLEANUP(dropins_done) struct dropins dropins = { .items = NULL };
	const char *last = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directories); i++)
		r = list_directory(report, root, i, &dropins);
	if (dropins.count)
		qsort(dropins.items, dropins.count, sizeof(dropins.items[0]), compare_dropins);
	for (size_t i = 0; r == 0 && i < dropins.count; i++) {
		const struct dropin *dropin = &dropins.items[i];

		if (!last || strcmp(last, dropin->name))
			r = add_path(paths, "%s%s/" CONFIG_DROPINS "/%s", root,
				     directories[dropin->directory], dropin->name);
		last = dropin->name;
	}
	return r;
}
