/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The open cases that end with an error: one failure each, and with EACCES and EPERM a denial,
 * wherever in the kernel it is noticed.
 */
#include "attempt.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum {
	TICK_USEC = 2000,
	STANDARD_DESCRIPTORS = 3,
	BAD_FLAG = 0x40000000, /* no open flag; open ignores it, openat2 does not */
};

static long open_bad_path(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	return opened(syscall(SYS_openat, AT_FDCWD, NO_POINTER, O_RDONLY));
}

static long open_prepared_path(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(syscall(SYS_openat, AT_FDCWD, attempt->data, O_RDONLY));
}

static long open_bad_directory(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(syscall(SYS_openat, INT_MAX, attempt->test->path, O_RDONLY));
}

static long open_bad_how(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(syscall(SYS_openat2, AT_FDCWD, attempt->test->path, NO_POINTER,
			      sizeof(struct open_how)));
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

static void prepare_read_only(struct attempt *attempt)
{
	must(attempt, "read-only", mkdir("read-only", 0755));
	must(attempt, "read-only", mount("room", "read-only", "tmpfs", 0, "mode=0755"));
	write_file(attempt, "read-only/file", "text\n", 0666);
	must(attempt, "read-only", mount(NULL, "read-only", NULL, MS_REMOUNT | MS_RDONLY, NULL));
}

/*
 * Root holds a lease: whoever opens without wanting to wait for its end is told EAGAIN, after all
 * checks went well. The lease outlives this by far (fs.lease-break-time).
 */
static void prepare_lease(struct attempt *attempt)
{
	signal(SIGIO, SIG_IGN);
	attempt->fd = (int)must(attempt, "file", open("file", O_RDWR | O_CLOEXEC));
	must(attempt, "lease", fcntl(attempt->fd, F_SETLEASE, F_WRLCK));
}

static void require_resolve_cached(struct attempt *attempt)
{
	const struct open_how how = { .resolve = RESOLVE_CACHED };
	long fd = syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how));

	if (fd < 0)
		skip(attempt, "this kernel's openat2 has no RESOLVE_CACHED");
	close((int)fd);
}

static void start_no_descriptors(struct attempt *attempt)
{
	const struct rlimit limit = { STANDARD_DESCRIPTORS, STANDARD_DESCRIPTORS };

	close_range(STANDARD_DESCRIPTORS, UINT_MAX, 0);
	must(attempt, "RLIMIT_NOFILE", setrlimit(RLIMIT_NOFILE, &limit));
}

static void on_tick(int signal)
{
	(void)signal;
}

/* Again and again, as the first signal may come before the open that it shall interrupt. */
static void start_ticking(struct attempt *attempt)
{
	const struct itimerval timer = { { 0, TICK_USEC }, { 0, TICK_USEC } };
	const struct sigaction action = { .sa_handler = on_tick }; /* without SA_RESTART */

	must(attempt, "sigaction", sigaction(SIGALRM, &action, NULL));
	must(attempt, "setitimer", setitimer(ITIMER_REAL, &timer, NULL));
}

/* The user forbids itself to open: the system call is refused, as the case says, before it begins. */
static void start_seccomp(struct attempt *attempt)
{
	start_filter(attempt, SYS_openat, SECCOMP_RET_ERRNO | (unsigned int)attempt->test->error);
}

static void start_seccomp_trap(struct attempt *attempt)
{
	start_filter(attempt, SYS_openat, SECCOMP_RET_TRAP);
}

static void start_seccomp_kill(struct attempt *attempt)
{
	start_filter(attempt, SYS_openat, SECCOMP_RET_KILL_PROCESS);
}

/* Whatever is in the register afterwards is no descriptor. */
static long open_refused(struct attempt *attempt, unsigned long i)
{
	(void)i;
	syscall(SYS_openat, AT_FDCWD, attempt->test->path, O_RDONLY);
	return 0;
}

static long open_fatally(struct attempt *attempt)
{
	return open_refused(attempt, 0);
}

#define FAILING	 .needs = NEEDS_FAILED, .attempt = open_openat
#define FAILING2 .needs = NEEDS_FAILED, .attempt = open_openat2
#define EARLY	 .needs = NEEDS_FAILED | NEEDS_EARLY, .attempt = open_openat
#define EARLY2	 .needs = NEEDS_FAILED | NEEDS_EARLY, .attempt = open_openat2

const struct attempt_case open_failure_cases[] = {
	{ "ENOENT", "missing", O_RDONLY, FAILING, FAILED(ENOENT) },
	{ "ENOENT-cached", "/ebpfmon-missing", O_RDONLY, FAILING, FAILED(ENOENT) },
	{ "ENOENT-openat2", "missing", O_RDONLY, FAILING2, FAILED(ENOENT) },
	{ "ENOENT-O_PATH", "missing", O_PATH, .needs = NEEDS_FAILED | NEEDS_O_PATH,
	  .attempt = open_openat, FAILED(ENOENT) },
	{ "EACCES", "secret", O_RDONLY, FAILING, DENIED(EACCES) },
	{ "EACCES-write", "file", O_WRONLY, FAILING, DENIED(EACCES) },
	{ "EACCES-search", "locked/file", O_RDONLY, FAILING, DENIED(EACCES) },
	{ "EACCES-create", "locked/new", O_WRONLY | O_CREAT, FAILING, DENIED(EACCES) },
	{ "EACCES-openat2", "secret", O_RDONLY, FAILING2, DENIED(EACCES) },
	{ "EACCES-O_TMPFILE", "directory", O_RDWR | O_TMPFILE, FAILING, DENIED(EACCES) },
	{ "EPERM", "file", O_RDONLY | O_NOATIME, FAILING, DENIED(EPERM) },
	{ "EEXIST", "own/file", O_WRONLY | O_CREAT | O_EXCL, FAILING, FAILED(EEXIST) },
	{ "ENOTDIR", "file", O_RDONLY | O_DIRECTORY, FAILING, FAILED(ENOTDIR) },
	{ "ENOTDIR-path", "file/name", O_RDONLY, FAILING, FAILED(ENOTDIR) },
	{ "EISDIR", "own", O_WRONLY, FAILING, FAILED(EISDIR) },
	{ "ELOOP", "link", O_RDONLY | O_NOFOLLOW, FAILING, FAILED(ELOOP) },
	{ "ELOOP-cycle", "loop", O_RDONLY, FAILING, FAILED(ELOOP) },
	{ "ELOOP-openat2", "link", O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS, FAILING2,
	  FAILED(ELOOP) },
	{ "EXDEV", "/tmp/file", O_RDONLY, .resolve = RESOLVE_BENEATH, FAILING2, FAILED(EXDEV) },
	{ "EROFS", "read-only/file", O_WRONLY, .prepare = prepare_read_only, FAILING,
	  FAILED(EROFS) },
	{ "ENXIO", "own/fifo", O_WRONLY | O_NONBLOCK, FAILING, FAILED(ENXIO) },
	{ "EAGAIN", "file", O_RDONLY | O_NONBLOCK, .prepare = prepare_lease, FAILING,
	  FAILED(EAGAIN) },
	{ "EAGAIN-cached", "missing", O_RDONLY, .resolve = RESOLVE_CACHED,
	  .prepare = require_resolve_cached, FAILING2, FAILED(EAGAIN) },
	/* io_uring asks the same way; there it is no failure but a first try. */
	{ "EAGAIN-cached-nonblock", "missing", O_RDONLY | O_NONBLOCK, .resolve = RESOLVE_CACHED,
	  .prepare = require_resolve_cached, FAILING2, FAILED(EAGAIN) },
	{ "EINTR", "own/fifo", O_RDONLY, .start = start_ticking, FAILING, FAILED(EINTR) },
	{ "EBADF", "file", .needs = NEEDS_FAILED, .attempt = open_bad_directory, FAILED(EBADF) },
	{ "ENAMETOOLONG", .needs = NEEDS_FAILED, .prepare = prepare_long_name,
	  .attempt = open_prepared_path, FAILED(ENAMETOOLONG) },
	{ "ENAMETOOLONG-path", .needs = NEEDS_FAILED | NEEDS_EARLY, .prepare = prepare_long_path,
	  .attempt = open_prepared_path, FAILED(ENAMETOOLONG) },
	{ "ENOENT-empty", "", O_RDONLY, EARLY, FAILED(ENOENT) },
	{ "EFAULT", .needs = NEEDS_FAILED | NEEDS_EARLY, .attempt = open_bad_path, FAILED(EFAULT) },
	{ "EFAULT-how", "file", .needs = NEEDS_FAILED | NEEDS_EARLY, .attempt = open_bad_how,
	  FAILED(EFAULT) },
	{ "EINVAL", "file", BAD_FLAG, EARLY2, FAILED(EINVAL) },
	{ "EINVAL-O_TMPFILE", "own", O_RDONLY | O_TMPFILE, EARLY, FAILED(EINVAL) },
	{ "EMFILE", "file", O_RDONLY, .start = start_no_descriptors, EARLY, FAILED(EMFILE) },
	{ "seccomp", "file", O_RDONLY, .start = start_seccomp, EARLY, DENIED(EPERM) },
	/* As if there were no such system call: no attempt. */
	{ "seccomp-ENOSYS", "file", O_RDONLY, .start = start_seccomp, .attempt = open_openat,
	  .error = ENOSYS },
	{ "seccomp-trap", "file", .start = start_seccomp_trap, .attempt = open_refused },
	{ "seccomp-kill", "file", .start = start_seccomp_kill, .attempt = spawn,
	  .exec = open_fatally, .error = EOWNERDEAD,
	  .counted = { [EM_ABNORMAL_EXITS] = 1, SPAWNED } },
	{ 0 },
};
