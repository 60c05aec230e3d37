/* SPDX-License-Identifier: GPL-2.0-only */
/* Directories of the pin tree: pins-folder.h. */
#include "pins-folder.h"

#include "pins-path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int pins_folder_open(int parent, const char *name, const char *path, uid_t owner, bool create,
		     struct problem *problem)
{
	_cleanup_close_ int found = -1, fd = -1;
	char self[32];
	int r;

	if (create && mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return problem_set(problem, errno, "cannot create %s: %m", path);
	found = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (found < 0 && errno == ENOENT)
		return -ENOENT;
	r = found < 0 ? 0 : pins_path_check(found, path, owner, problem);
	if (r < 0)
		return r;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	fd = found < 0 ? -1 : open(self, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? problem_set(problem, errno, "cannot open %s: %m", path) : TAKE_FD(fd);
}

DIR *pins_folder_list(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory && fd >= 0)
		close_fd(fd);
	return directory;
}

int pins_folder_drop_suffix(int folder, const char *suffix)
{
	DIR *directory = pins_folder_list(folder, ".");
	size_t suffix_length = strlen(suffix);
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return -errno;
	while (!r && (entry = readdir(directory))) {
		size_t length = strlen(entry->d_name);

		if (length > suffix_length &&
		    !strcmp(entry->d_name + length - suffix_length, suffix) &&
		    unlinkat(folder, entry->d_name, 0) < 0)
			r = -errno;
	}
	closedir(directory);
	return r;
}

int pins_folder_empty(DIR *directory, bool (*spared)(const char *name))
{
	struct dirent *entry;
	int r;

	while ((entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (spared && spared(entry->d_name))
			continue;
		if (entry->d_type == DT_DIR)
			r = pins_folder_remove(dirfd(directory), entry->d_name);
		else
			r = unlinkat(dirfd(directory), entry->d_name, 0) < 0 ? -errno : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int pins_folder_remove(int parent, const char *name)
{
	DIR *directory = pins_folder_list(parent, name);
	int r;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	r = pins_folder_remove(dirfd(directory), PINS_FOLDER_LINKS);
	if (!r)
		r = pins_folder_empty(directory, NULL);
	closedir(directory);
	if (r < 0)
		return r;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}
