/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cases that a mount of a special kind or a file handle makes: overlayfs opens, and renames,
 * the file beneath as well, as whoever mounted it, which is nobody's open or rename.
 */
#include "attempt.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { ENTRIES_BYTES = 4096 };

static void mount_overlay(struct attempt *attempt, unsigned long files)
{
	static const char *const directories[] = { "lower", "lower/directory",
						   "upper", "upper/directory",
						   "work",  "merged" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		must(attempt, directories[i], mkdir(directories[i], 0755));
	write_file(attempt, "lower/file", "text\n", 0644);
	write_file(attempt, "lower/directory/file", "text\n", 0644);
	for (unsigned long i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "lower/file%lu", i);
		write_file(attempt, path, "text\n", 0666);
	}
	if (mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work"))
		skip(attempt, "no overlayfs here");
}

static void prepare_overlay(struct attempt *attempt)
{
	mount_overlay(attempt, 0);
}

/* Only the first open for writing copies a file up: each attempt needs its own. */
static void prepare_overlay_files(struct attempt *attempt)
{
	mount_overlay(attempt, attempt->count);
}

static long open_next_file(struct attempt *attempt, unsigned long i)
{
	char path[64];

	snprintf(path, sizeof(path), "merged/file%lu", i);
	return opened(syscall(SYS_openat, AT_FDCWD, path, attempt->test->flags));
}

/* Reads what was opened, too: a merged directory is read through both directories beneath. */
static long open_and_list(struct attempt *attempt, unsigned long i)
{
	char entries[ENTRIES_BYTES];
	int fd = (int)syscall(SYS_openat, AT_FDCWD, attempt->test->path, attempt->test->flags);

	(void)i;
	if (fd < 0)
		return -errno;
	if (syscall(SYS_getdents64, fd, entries, sizeof(entries)) <= 0)
		fail(attempt, "getdents64", -errno);
	close(fd);
	return 0;
}

static long open_and_read(struct attempt *attempt, unsigned long i)
{
	char byte;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, attempt->test->path, attempt->test->flags);

	(void)i;
	if (fd < 0)
		return -errno;
	if (read(fd, &byte, 1) != 1)
		fail(attempt, "read", -errno);
	close(fd);
	return 0;
}

static void prepare_handle(struct attempt *attempt)
{
	struct file_handle *handle = calloc(1, sizeof(*handle) + MAX_HANDLE_SZ);
	int mount;

	if (!handle)
		fail(attempt, "calloc", -ENOMEM);
	handle->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, attempt->test->path, handle, &mount, 0))
		skip(attempt, "no file handles here");
	attempt->data = handle;
	attempt->fd = (int)must(attempt, "/tmp", open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static void prepare_stale_handle(struct attempt *attempt)
{
	prepare_handle(attempt);
	must(attempt, attempt->test->path, unlink(attempt->test->path));
}

static long open_by_handle(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(
		syscall(SYS_open_by_handle_at, attempt->fd, attempt->data, attempt->test->flags));
}

static long name_to_handle(struct attempt *attempt, unsigned long i)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[MAX_HANDLE_SZ];
	} space = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	(void)i;
	return outcome(
		syscall(SYS_name_to_handle_at, AT_FDCWD, attempt->test->path, &space, &mount, 0));
}

/* All of it the user's own, so that names can be changed. */
static void prepare_own_overlay(struct attempt *attempt)
{
	static const char *const directories[] = { "lower", "upper", "work", "merged" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		must(attempt, directories[i], mkdir(directories[i], 0777));
	must(attempt, "upper", chmod("upper", 0777));
	write_file(attempt, "lower/target", "text\n", 0666);
	must(attempt, "lower/target", chown("lower/target", attempt->uid, attempt->uid));
	for (unsigned long i = 0; i < attempt->count; i++) {
		snprintf(path, sizeof(path), "lower/file%lu", i);
		write_file(attempt, path, "text\n", 0666);
		must(attempt, path, chown(path, attempt->uid, attempt->uid));
	}
	if (mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work"))
		skip(attempt, "no overlayfs here");
}

static long unlink_next_file(struct attempt *attempt, unsigned long i)
{
	char path[64];

	(void)attempt;
	snprintf(path, sizeof(path), "merged/file%lu", i);
	return outcome(unlink(path));
}

static long rename_next_file(struct attempt *attempt, unsigned long i)
{
	char path[64];

	(void)attempt;
	snprintf(path, sizeof(path), "merged/file%lu", i);
	return outcome(rename(path, "merged/target"));
}

const struct attempt_case unlink_mount_cases[] = {
	{ "unlink-overlay", .prepare = prepare_own_overlay, .attempt = unlink_next_file, UNLINKED },
	{ "rename-over-overlay", .prepare = prepare_own_overlay, .attempt = rename_next_file,
	  .counted = { [EM_RENAMES_OVER] = 1 } },
	{ 0 },
};

#define HANDLE .become = become_reader, .attempt = open_by_handle

const struct attempt_case open_mount_cases[] = {
	{ "overlay-file", "merged/file", O_RDONLY, .prepare = prepare_overlay,
	  .attempt = open_and_read, OPENED },
	{ "overlay-directory", "merged/directory", O_RDONLY | O_DIRECTORY,
	  .prepare = prepare_overlay, .attempt = open_openat, OPENED },
	{ "overlay-directory-list", "merged/directory", O_RDONLY | O_DIRECTORY,
	  .prepare = prepare_overlay, .attempt = open_and_list, OPENED },
	{ "overlay-copy-up", .flags = O_WRONLY, .prepare = prepare_overlay_files,
	  .attempt = open_next_file, OPENED },
	{ "overlay-truncate", .flags = O_WRONLY | O_TRUNC, .prepare = prepare_overlay_files,
	  .attempt = open_next_file, OPENED },
	{ "overlay-ENOENT", "merged/missing", O_RDONLY, .needs = NEEDS_FAILED,
	  .prepare = prepare_overlay, .attempt = open_openat, FAILED(ENOENT) },
	{ "overlay-EACCES", "merged/file", O_WRONLY, .needs = NEEDS_FAILED,
	  .prepare = prepare_overlay, .attempt = open_openat, DENIED(EACCES) },
	{ "by-handle", "file", O_RDONLY, .needs = NEEDS_BY_HANDLE, .prepare = prepare_handle,
	  HANDLE, OPENED },
	{ "by-handle-directory", "directory", O_RDONLY | O_DIRECTORY, .needs = NEEDS_BY_HANDLE,
	  .prepare = prepare_handle, HANDLE, OPENED },
	{ "by-handle-O_PATH", "file", O_PATH, .needs = NEEDS_BY_HANDLE | NEEDS_O_PATH,
	  .prepare = prepare_handle, HANDLE, OPENED },
	{ "by-handle-ESTALE", "own/file", O_RDONLY, .needs = NEEDS_BY_HANDLE | NEEDS_FAILED,
	  .prepare = prepare_stale_handle, HANDLE, FAILED(ESTALE) },
	{ "by-handle-EPERM", "file", O_RDONLY, .needs = NEEDS_BY_HANDLE | NEEDS_FAILED,
	  .prepare = prepare_handle, .attempt = open_by_handle, DENIED(EPERM) },
	{ "name-to-handle", "file", .prepare = prepare_handle, .attempt = name_to_handle },
	{ 0 },
};
