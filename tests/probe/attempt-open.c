/* SPDX-License-Identifier: GPL-2.0-only */
/* The open cases that end well: one open each, whichever system call and kind of file it is. */
#include "attempt.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

/* Some architectures never had open and creat. */
#ifndef SYS_open
#define SYS_open  (-1)
#define SYS_creat (-1)
#endif

enum { MODE = 0600 };

static void require_open(struct attempt *attempt)
{
	if (SYS_open < 0)
		skip(attempt, "no such system call on this architecture");
}

long open_open(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(syscall(SYS_open, attempt->test->path, attempt->test->flags, MODE));
}

long open_openat(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(
		syscall(SYS_openat, AT_FDCWD, attempt->test->path, attempt->test->flags, MODE));
}

long open_openat2(struct attempt *attempt, unsigned long i)
{
	const struct open_how how = {
		.flags = attempt->test->flags,
		.mode = attempt->test->flags & O_CREAT ? MODE : 0,
		.resolve = attempt->test->resolve,
	};

	(void)i;
	return opened(syscall(SYS_openat2, AT_FDCWD, attempt->test->path, &how, sizeof(how)));
}

static long open_creat(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(syscall(SYS_creat, attempt->test->path, MODE));
}

static long open_in_directory(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(syscall(SYS_openat, attempt->fd, attempt->test->path, attempt->test->flags));
}

/* To remove the file again is no open. */
static long open_new_file(struct attempt *attempt, unsigned long i)
{
	long result = open_openat(attempt, i);

	if (result == 0 && unlink(attempt->test->path))
		return -errno;
	return result;
}

static long open_own_descriptor(struct attempt *attempt, unsigned long i)
{
	char path[32];

	(void)i;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", attempt->fd);
	return opened(syscall(SYS_openat, AT_FDCWD, path, attempt->test->flags));
}

struct thread {
	struct attempt *attempt;
	long result;
};

static int open_in_thread(void *argument)
{
	struct thread *thread = argument;

	thread->result = open_openat(thread->attempt, 0);
	return 0;
}

static long open_thread(struct attempt *attempt, unsigned long i)
{
	struct thread thread = { .attempt = attempt, .result = -ECHILD };

	(void)i;
	run_thread(attempt, open_in_thread, &thread);
	return thread.result;
}

static void prepare_directory(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "/tmp", open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	must(attempt, "own", chdir("own"));
}

static void prepare_descriptor(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "file", open("file", O_RDONLY | O_CLOEXEC));
}

static void prepare_links(struct attempt *attempt)
{
	must(attempt, "link2", symlink("/tmp/link", "link2"));
	must(attempt, "link3", symlink("directory/../link2", "link3"));
}

static void require_openat2(struct attempt *attempt)
{
	const struct open_how how = { .resolve = attempt->test->resolve };
	long fd = syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how));

	if (fd < 0)
		skip(attempt, "this kernel's openat2 cannot do it");
	close((int)fd);
}

const struct attempt_case open_cases[] = {
	{ "open", "file", O_RDONLY, .prepare = require_open, .attempt = open_open, OPENED },
	{ "openat", "file", O_RDONLY, .attempt = open_openat, OPENED },
	{ "openat2", "file", O_RDONLY, .prepare = require_openat2, .attempt = open_openat2,
	  OPENED },
	{ "creat", "own/file", .prepare = require_open, .attempt = open_creat, OPENED },
	{ "openat-dirfd", "file", O_RDONLY, .prepare = prepare_directory,
	  .attempt = open_in_directory, OPENED },
	{ "openat-absolute", "/tmp/file", O_RDONLY, .prepare = prepare_directory,
	  .attempt = open_openat, OPENED },
	{ "openat-write", "own/file", O_WRONLY | O_TRUNC, .attempt = open_openat, OPENED },
	{ "openat-nonblock", "file", O_RDONLY | O_NONBLOCK, .attempt = open_openat, OPENED },
	{ "O_DIRECTORY", "directory", O_RDONLY | O_DIRECTORY, .attempt = open_openat, OPENED },
	{ "directory", "directory", O_RDONLY, .attempt = open_openat, OPENED },
	{ "O_CREAT", "own/file", O_WRONLY | O_CREAT, .attempt = open_openat, OPENED },
	{ "O_EXCL", "own/new", O_WRONLY | O_CREAT | O_EXCL, .attempt = open_new_file,
	  .counted = { [EM_OPENS] = 1, [EM_UNLINKS] = 1 } },
	{ "O_TMPFILE", "own", O_RDWR | O_TMPFILE, .attempt = open_openat, OPENED },
	{ "O_PATH", "file", O_PATH, .needs = NEEDS_O_PATH, .attempt = open_openat, OPENED },
	{ "O_PATH-directory", "directory", O_PATH | O_DIRECTORY, .needs = NEEDS_O_PATH,
	  .attempt = open_openat, OPENED },
	{ "O_PATH-symlink", "link", O_PATH | O_NOFOLLOW, .needs = NEEDS_O_PATH,
	  .attempt = open_openat, OPENED },
	{ "fifo", "own/fifo", O_RDONLY | O_NONBLOCK, .attempt = open_openat, OPENED },
	{ "device", "/dev/null", O_RDWR, .attempt = open_openat, OPENED },
	{ "proc", "/proc/self/stat", O_RDONLY, .attempt = open_openat, OPENED },
	{ "symlink", "link3", O_RDONLY, .prepare = prepare_links, .attempt = open_openat, OPENED },
	{ "magic-link", .prepare = prepare_descriptor, .attempt = open_own_descriptor, OPENED },
	{ "thread", "file", O_RDONLY, .attempt = open_thread,
	  .counted = { [EM_OPENS] = 1, [EM_THREADS] = 1 } },
	{ "user-namespace", "file", O_RDONLY, .start = start_user_namespace, .attempt = open_openat,
	  OPENED },
	/* Rows are by the real user. */
	{ "real-uid", "secret", O_RDONLY, .become = become_real_only, .attempt = open_openat,
	  OPENED },
	{ "effective-uid", "file", O_RDONLY, .other_user = true, .become = become_effective_only,
	  .attempt = open_openat },
	{ 0 },
};
