/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The unlink cases: names removed, or not, and files replaced by a rename, or not. New names are
 * made by link() and mknod(): that opens nothing.
 */
#include "attempt.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE	 (1 << 1)
#endif

enum { BAD_FLAG = 0x40000000 };

/* The newest name, which every architecture has. */
static long unlinkat_path(const char *path, unsigned long flags)
{
	return outcome(syscall(SYS_unlinkat, AT_FDCWD, path, flags));
}

static long make_name(const struct attempt *attempt)
{
	return must(attempt, "own/new", link("own/file", "own/new"));
}

static long unlink_new(struct attempt *attempt, unsigned long i)
{
	(void)i;
	make_name(attempt);
	return unlinkat_path("own/new", 0);
}

static long unlink_old(struct attempt *attempt, unsigned long i)
{
	(void)i;
	make_name(attempt);
#ifdef SYS_unlink
	return outcome(syscall(SYS_unlink, "own/new"));
#else
	skip(attempt, "this architecture has no unlink");
#endif
}

static void prepare_directory(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "own", open("own", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static long unlink_in_directory(struct attempt *attempt, unsigned long i)
{
	(void)i;
	make_name(attempt);
	return outcome(syscall(SYS_unlinkat, attempt->fd, "new", 0));
}

static long unlink_symlink(struct attempt *attempt, unsigned long i)
{
	(void)i;
	must(attempt, "own/link", symlink("file", "own/link"));
	return unlinkat_path("own/link", 0);
}

static long unlink_device(struct attempt *attempt, unsigned long i)
{
	(void)i;
	must(attempt, "own/new", mknod("own/new", S_IFIFO | 0600, 0));
	return unlinkat_path("own/new", 0);
}

static long unlink_path(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return unlinkat_path(attempt->test->path, attempt->test->flags);
}

static long unlink_prepared_path(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return unlinkat_path(attempt->data, 0);
}

static long unlink_bad_path(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	return unlinkat_path(NO_POINTER, 0);
}

static void prepare_long_name(struct attempt *attempt)
{
	static char name[NAME_MAX + 2];

	memset(name, 'a', NAME_MAX + 1);
	attempt->data = name;
}

static void prepare_long_path(struct attempt *attempt)
{
	static char path[PATH_MAX + 1];

	memset(path, '/', PATH_MAX);
	attempt->data = path;
}

static void start_seccomp_trap(struct attempt *attempt)
{
	start_filter(attempt, SYS_unlinkat, SECCOMP_RET_TRAP);
}

/* Whatever is in the register afterwards is no result. */
static long unlink_refused(struct attempt *attempt, unsigned long i)
{
	(void)i;
	unlinkat_path(attempt->test->path, 0);
	return 0;
}

static long remove_directories(struct attempt *attempt, unsigned long i)
{
	(void)i;
	must(attempt, "own/new", mkdir("own/new", 0700));
	if (rmdir("own/new"))
		return -errno;
	must(attempt, "own/new", mkdir("own/new", 0700));
	return unlinkat_path("own/new", AT_REMOVEDIR);
}

/* --- rename ------------------------------------------------------------------------------------ */

static long rename_over(struct attempt *attempt, unsigned long i)
{
	(void)i;
	must(attempt, "own/new", mknod("own/new", S_IFREG | 0600, 0));
	return outcome(rename("own/new", "own/file"));
}

static void start_target(struct attempt *attempt)
{
	must(attempt, "own/target", symlink("file", "own/target"));
}

/* What is replaced is the link, not what it points to. */
static long rename_over_symlink(struct attempt *attempt, unsigned long i)
{
	(void)i;
	must(attempt, "own/new", symlink("file", "own/new"));
	return outcome(rename("own/new", "own/target"));
}

static long rename_back_and_forth(struct attempt *attempt, unsigned long i)
{
	static const char *const names[] = { "own/file", "own/moved" };

	(void)attempt;
	return outcome(rename(names[i % 2], names[(i + 1) % 2]));
}

static void start_twin(struct attempt *attempt)
{
	must(attempt, "own/twin", link("own/file", "own/twin"));
}

/* Two names of one file: by POSIX nothing happens. */
static long rename_to_twin(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	return outcome(rename("own/file", "own/twin"));
}

static void start_directory(struct attempt *attempt)
{
	must(attempt, "own/old", mkdir("own/old", 0700));
}

static long rename_directory(struct attempt *attempt, unsigned long i)
{
	(void)i;
	must(attempt, "own/new", mkdir("own/new", 0700));
	return outcome(rename("own/new", "own/old"));
}

static long rename_flags(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return outcome(syscall(SYS_renameat2, AT_FDCWD, "own/fifo", AT_FDCWD, "own/file",
			       attempt->test->flags));
}

static long rename_refused(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	return outcome(rename("own/file", "file"));
}

#define REPLACED .counted = { [EM_RENAMES_OVER] = 1 }
#define FAILING	 .needs = NEEDS_FAILED, .attempt = unlink_path
#define EARLY	 .needs = NEEDS_FAILED | NEEDS_EARLY

const struct attempt_case unlink_cases[] = {
	{ "unlinkat", .attempt = unlink_new, UNLINKED },
	{ "unlink", .attempt = unlink_old, UNLINKED },
	{ "unlinkat-dirfd", .prepare = prepare_directory, .attempt = unlink_in_directory,
	  UNLINKED },
	{ "unlinkat-symlink", .attempt = unlink_symlink, UNLINKED },
	{ "unlinkat-fifo", .attempt = unlink_device, UNLINKED },
	{ "unlinkat-user-namespace", .start = start_user_namespace, .attempt = unlink_new,
	  UNLINKED },
	{ "unlinkat-ENOENT", "missing", FAILING, LINKED(ENOENT) },
	{ "unlinkat-EACCES", "file", FAILING, LINKED(EACCES) },
	{ "unlinkat-EACCES-search", "locked/file", FAILING, LINKED(EACCES) },
	{ "unlinkat-EISDIR", "own/old", .start = start_directory, FAILING, LINKED(EISDIR) },
	{ "unlinkat-ENOTDIR", "file/file", FAILING, LINKED(ENOTDIR) },
	{ "unlinkat-ELOOP", "loop/file", FAILING, LINKED(ELOOP) },
	{ "unlinkat-ENAMETOOLONG", .needs = NEEDS_FAILED, .prepare = prepare_long_name,
	  .attempt = unlink_prepared_path, LINKED(ENAMETOOLONG) },
	{ "unlinkat-ENAMETOOLONG-path", EARLY, .prepare = prepare_long_path,
	  .attempt = unlink_prepared_path, LINKED(ENAMETOOLONG) },
	{ "unlinkat-EFAULT", EARLY, .attempt = unlink_bad_path, LINKED(EFAULT) },
	{ "unlinkat-EINVAL", "file", BAD_FLAG, EARLY, .attempt = unlink_path, LINKED(EINVAL) },
	{ "unlinkat-ENOENT-empty", "", EARLY, .attempt = unlink_path, LINKED(ENOENT) },
	{ "unlinkat-seccomp-trap", "own/file", .start = start_seccomp_trap,
	  .attempt = unlink_refused },
	{ "rmdir", .attempt = remove_directories },
	{ "rmdir-ENOTDIR", "own/file", AT_REMOVEDIR, .attempt = unlink_path, .error = ENOTDIR },
	{ "rename-over", .attempt = rename_over, REPLACED },
	{ "rename-over-symlink", .start = start_target, .attempt = rename_over_symlink, REPLACED },
	{ "rename-to-new", .attempt = rename_back_and_forth },
	{ "rename-to-twin", .start = start_twin, .attempt = rename_to_twin },
	{ "rename-over-directory", .start = start_directory, .attempt = rename_directory },
	{ "rename-exchange", .flags = RENAME_EXCHANGE, .attempt = rename_flags },
	{ "rename-EEXIST", .flags = RENAME_NOREPLACE, .attempt = rename_flags, .error = EEXIST },
	{ "rename-EACCES", .attempt = rename_refused, .error = EACCES },
	{ 0 },
};
