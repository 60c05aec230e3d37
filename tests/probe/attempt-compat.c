/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 32-bit system calls on x86-64: from this 64-bit program through int 0x80, and from a 32-bit
 * program (compat.c). The same numbers mean other calls there: a hook has to know which table a
 * number belongs to.
 */
#include "attempt.h"

#if defined(__x86_64__)
#include <assert.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* arch/x86/entry/syscalls/syscall_32.tbl */
enum {
	IA32_OPEN = 5,
	IA32_CREAT = 8,
	IA32_UNLINK = 10,
	IA32_EXECVE = 11,
	IA32_GETPID = 20,
	IA32_READLINK = 85,
	IA32_SWAPON = 87,
	IA32_REMAP_FILE_PAGES = 257,
	IA32_TIMER_DELETE = 263,
	IA32_OPENAT = 295,
	IA32_UNLINKAT = 301,
	IA32_SYMLINKAT = 304,
	IA32_TIMERFD_CREATE = 322,
	IA32_OPEN_BY_HANDLE_AT = 342,
	IA32_EXECVEAT = 358,
	IA32_OPENAT2 = 437,
	X32_BIT = 0x40000000,
	X32_EXECVE = 520,
	X32_EXECVEAT = 545,
};

/* All that 32-bit calls are given lies in this one page below 4 GiB. */
struct low {
	char path[64];
	__u32 arguments[2];
	__u32 environment[1];
	struct open_how how;
	struct file_handle handle;
	unsigned char handle_bytes[MAX_HANDLE_SZ];
};

static __u32 low_address(const void *pointer)
{
	return (__u32)(uintptr_t)pointer;
}

/* The result as 0 or positive, or -errno. */
static long int80(long number, __u32 a, __u32 b, __u32 c, __u32 d, __u32 e)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "r8", "r9", "r10", "r11", "cc", "memory");
	return (int)result;
}

static long int80_opened(long result)
{
	if (result < 0)
		return result;
	close((int)result);
	return 0;
}

/* By doing it: a kernel without it kills the caller or answers ENOSYS. */
static void require_int80(const struct attempt *attempt)
{
	int status;
	pid_t pid = (pid_t)must(attempt, "fork", fork());

	if (pid == 0)
		_exit(int80(IA32_GETPID, 0, 0, 0, 0, 0) != getpid());
	must(attempt, "waitpid", waitpid(pid, &status, 0));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		skip(attempt, "this kernel has no 32-bit system calls");
}

static void prepare_int80(struct attempt *attempt)
{
	struct low *low;

	require_int80(attempt);
	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED)
		fail(attempt, "mmap", -errno);
	if (attempt->test->path)
		snprintf(low->path, sizeof(low->path), "%s", attempt->test->path);
	low->arguments[0] = low_address(low->path);
	low->how = (struct open_how){ .flags = attempt->test->flags };
	attempt->data = low;
}

static long int80_exec(struct attempt *attempt)
{
	const struct low *low = attempt->data;

	if (attempt->test->number == IA32_EXECVEAT)
		return int80(IA32_EXECVEAT, (__u32)AT_FDCWD, low_address(low->path),
			     low_address(low->arguments), low_address(low->environment), 0);
	return int80(IA32_EXECVE, low_address(low->path), low_address(low->arguments),
		     low_address(low->environment), 0, 0);
}

/* open and creat */
static long int80_open(struct attempt *attempt, unsigned long i)
{
	const struct low *low = attempt->data;
	__u32 flags = (__u32)attempt->test->flags;

	(void)i;
	return int80_opened(
		int80(attempt->test->number, low_address(low->path), flags, 0600, 0, 0));
}

static long int80_openat(struct attempt *attempt, unsigned long i)
{
	const struct low *low = attempt->data;
	__u32 flags = (__u32)attempt->test->flags;

	(void)i;
	return int80_opened(
		int80(IA32_OPENAT, (__u32)AT_FDCWD, low_address(low->path), flags, 0600, 0));
}

static long int80_openat2(struct attempt *attempt, unsigned long i)
{
	const struct low *low = attempt->data;

	(void)i;
	return int80_opened(int80(IA32_OPENAT2, (__u32)AT_FDCWD, low_address(low->path),
				  low_address(&low->how), sizeof(low->how), 0));
}

static long int80_open_bad_path(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	return int80_opened(int80(IA32_OPEN, low_address(NO_POINTER), O_RDONLY, 0, 0, 0));
}

static void prepare_int80_handle(struct attempt *attempt)
{
	struct low *low;
	int mount;

	prepare_int80(attempt);
	low = attempt->data;
	low->handle.handle_bytes = sizeof(low->handle_bytes);
	if (name_to_handle_at(AT_FDCWD, attempt->test->path, &low->handle, &mount, 0))
		skip(attempt, "no file handles here");
	attempt->fd = (int)must(attempt, "/tmp", open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static long int80_by_handle(struct attempt *attempt, unsigned long i)
{
	const struct low *low = attempt->data;

	(void)i;
	return int80_opened(int80(IA32_OPEN_BY_HANDLE_AT, (__u32)attempt->fd,
				  low_address(&low->handle), O_RDONLY, 0, 0));
}

static long int80_unlink(struct attempt *attempt, unsigned long i)
{
	const struct low *low = attempt->data;
	__u32 flags = (__u32)attempt->test->flags;

	(void)i;
	if (!attempt->test->error && flags & AT_REMOVEDIR)
		must(attempt, low->path, mkdir(low->path, 0700));
	else if (!attempt->test->error)
		must(attempt, low->path, link("own/file", low->path));
	if (attempt->test->number == IA32_UNLINK)
		return int80(IA32_UNLINK, low_address(low->path), 0, 0, 0, 0);
	return int80(IA32_UNLINKAT, (__u32)AT_FDCWD, low_address(low->path), flags, 0, 0);
}

/* The numbers of 32-bit unlinks, called as what they are in the 64-bit table, and the reverse. */
static long unlink_twins(struct attempt *attempt, unsigned long i)
{
	static_assert(SYS_unlink == IA32_SWAPON && SYS_unlinkat == IA32_TIMER_DELETE &&
			      SYS_mprotect == IA32_UNLINK && SYS_fanotify_mark == IA32_UNLINKAT,
		      "none of them unlinks anything");
	(void)attempt;
	(void)i;
	if (syscall(IA32_UNLINK, -1L, 0L, 0L, 0L) >= 0 ||
	    syscall(IA32_UNLINKAT, -1L, 0L, 0L, 0L) >= 0)
		return 1;
	return int80(SYS_unlink, (__u32)-1, 0, 0, 0, 0) >= 0 ||
	       int80(SYS_unlinkat, (__u32)-1, 0, 0, 0, 0) >= 0;
}

static void prepare_nothing32(struct attempt *attempt)
{
	require_int80(attempt);
	copy_helper(attempt, "nothing32", "nothing32", 0755);
}

static void prepare_compat(struct attempt *attempt)
{
	prepare_nothing32(attempt);
	copy_helper(attempt, "compat32", "compat32", 0755);
}

/* compat.c takes over: it becomes the user itself, so that its own exec is root's. */
static void run_compat(struct attempt *attempt)
{
	const struct attempt_case *test = attempt->test;
	char uid[16], number[16], flags[16], error[16], count[24];

	snprintf(uid, sizeof(uid), "%u", attempt->uid);
	snprintf(number, sizeof(number), "%d", test->number);
	snprintf(flags, sizeof(flags), "%u", (unsigned int)test->flags);
	snprintf(error, sizeof(error), "%d", test->error);
	snprintf(count, sizeof(count), "%lu", attempt->count);
	execl("compat32", "compat32", uid, number, test->path, flags, error, count, NULL);
}

/* The numbers of 32-bit open and exec, called as what they are in the 64-bit table. */
static long twins_64bit(struct attempt *attempt, unsigned long i)
{
	static const int numbers[] = {
		IA32_OPEN,    IA32_CREAT, IA32_EXECVE, IA32_OPENAT, IA32_OPEN_BY_HANDLE_AT,
		IA32_EXECVEAT
	};

	(void)attempt;
	(void)i;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
		if (syscall(numbers[n], -1L, 0L, 0L, 0L) >= 0)
			return numbers[n];
	return 0;
}

/* And the 64-bit ones in the 32-bit table; 2 is left out: it forks. */
static long twins_int80(struct attempt *attempt, unsigned long i)
{
	static const int numbers[] = { SYS_execve, SYS_creat, SYS_openat, SYS_open_by_handle_at,
				       SYS_execveat };

	static_assert(SYS_creat == IA32_READLINK && SYS_openat == IA32_REMAP_FILE_PAGES &&
			      SYS_open_by_handle_at == IA32_SYMLINKAT &&
			      SYS_execveat == IA32_TIMERFD_CREATE,
		      "none of them opens or runs anything");
	(void)attempt;
	(void)i;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
		if (int80(numbers[n], (__u32)-1, 0, 0, 0, 0) >= 0)
			return numbers[n];
	return 0;
}

static long x32_open(struct attempt *attempt, unsigned long i)
{
	long result = opened(syscall(X32_BIT | SYS_open, attempt->test->path, O_RDONLY, 0));

	(void)i;
	if (result == -ENOSYS)
		skip(attempt, "this kernel has no x32 system calls");
	return result;
}

/* Where there is no x32, its numbers are no system calls, and calling them is no attempt. */
static long x32_absent(struct attempt *attempt, unsigned long i)
{
	static const int numbers[] = { X32_BIT | SYS_open, X32_BIT | SYS_openat, X32_EXECVE,
				       X32_BIT | X32_EXECVE, X32_BIT | X32_EXECVEAT };

	(void)i;
	for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
		if (outcome(syscall(numbers[n], -1L, 0L, 0L, 0L)) != -ENOSYS)
			skip(attempt, "this kernel has x32 system calls");
	return 0;
}

#define INT80_EXEC .prepare = prepare_int80, .attempt = spawn, .exec = int80_exec
#define COMPAT	   .prepare = prepare_compat, .program = run_compat

const struct attempt_case exec_compat_cases[] = {
	{ "int80-execve", "nothing", .number = IA32_EXECVE, INT80_EXEC, EXECUTED },
	{ "int80-execveat", "nothing", .number = IA32_EXECVEAT, INT80_EXEC, EXECUTED },
	{ "int80-execve-ENOENT", "missing", .number = IA32_EXECVE, INT80_EXEC,
	  .needs = NEEDS_FAILED | NEEDS_COMPAT, UNEXECUTED(ENOENT) },
	{ "int80-execve-EACCES", "file", .number = IA32_EXECVE, INT80_EXEC,
	  .needs = NEEDS_FAILED | NEEDS_COMPAT, UNEXECUTED(EACCES) },
	{ "int80-execveat-ENOENT", "missing", .number = IA32_EXECVEAT, INT80_EXEC,
	  .needs = NEEDS_FAILED | NEEDS_COMPAT, UNEXECUTED(ENOENT) },
	{ "execve-32bit", "nothing32", .prepare = prepare_nothing32, .attempt = spawn,
	  .exec = exec_execve, EXECUTED },
	{ "compat-execve", "nothing32", .number = IA32_EXECVE, COMPAT, EXECUTED },
	{ "compat-execve-64bit", "nothing", .number = IA32_EXECVE, COMPAT, EXECUTED },
	{ "compat-execve-ENOENT", "missing", .number = IA32_EXECVE, COMPAT,
	  .needs = NEEDS_FAILED | NEEDS_COMPAT, UNEXECUTED(ENOENT) },
	{ "exec-x32-absent", .attempt = x32_absent },
	{ "exec-number-twins", .attempt = twins_64bit },
	{ "exec-number-twins-int80", .prepare = prepare_int80, .attempt = twins_int80 },
	{ 0 },
};

#define INT80_UNLINK \
	.needs = NEEDS_COMPAT | NEEDS_FAILED, .prepare = prepare_int80, .attempt = int80_unlink

const struct attempt_case unlink_compat_cases[] = {
	{ "int80-unlink", "own/new", .number = IA32_UNLINK, INT80_UNLINK, UNLINKED },
	{ "int80-unlinkat", "own/new", INT80_UNLINK, UNLINKED },
	{ "int80-unlink-ENOENT", "missing", .number = IA32_UNLINK, INT80_UNLINK, LINKED(ENOENT) },
	{ "int80-unlinkat-ENOENT", "missing", INT80_UNLINK, LINKED(ENOENT) },
	{ "int80-unlinkat-rmdir", "own/new", AT_REMOVEDIR, INT80_UNLINK },
	{ "unlink-number-twins", .prepare = prepare_int80, .attempt = unlink_twins },
	{ 0 },
};

#define INT80(call) .needs = NEEDS_COMPAT, .prepare = prepare_int80, .attempt = int80_##call
#define INT80_FAILED(call) \
	.needs = NEEDS_COMPAT | NEEDS_FAILED, .prepare = prepare_int80, .attempt = int80_##call

const struct attempt_case open_compat_cases[] = {
	{ "int80-open", "file", O_RDONLY, .number = IA32_OPEN, INT80(open), OPENED },
	{ "int80-creat", "own/file", 0600, .number = IA32_CREAT, INT80(open), OPENED },
	{ "int80-openat", "file", O_RDONLY, INT80(openat), OPENED },
	{ "int80-openat2", "file", O_RDONLY, INT80(openat2), OPENED },
	{ "int80-ENOENT", "missing", O_RDONLY, .number = IA32_OPEN, INT80_FAILED(open),
	  FAILED(ENOENT) },
	{ "int80-EACCES", "secret", O_RDONLY, .number = IA32_OPEN, INT80_FAILED(open),
	  DENIED(EACCES) },
	{ "int80-openat-ENOENT", "missing", O_RDONLY, INT80_FAILED(openat), FAILED(ENOENT) },
	{ "int80-openat2-EACCES", "secret", O_RDONLY, INT80_FAILED(openat2), DENIED(EACCES) },
	{ "int80-EFAULT", .needs = NEEDS_COMPAT | NEEDS_FAILED | NEEDS_EARLY,
	  .prepare = prepare_int80, .attempt = int80_open_bad_path, FAILED(EFAULT) },
	{ "int80-by-handle", "file", .needs = NEEDS_COMPAT | NEEDS_BY_HANDLE,
	  .prepare = prepare_int80_handle, .become = become_reader, .attempt = int80_by_handle,
	  OPENED },
	{ "compat-open", "file", O_RDONLY, .number = IA32_OPEN, .needs = NEEDS_COMPAT, COMPAT,
	  OPENED },
	{ "compat-creat", "own/file", 0600, .number = IA32_CREAT, .needs = NEEDS_COMPAT, COMPAT,
	  OPENED },
	{ "compat-openat", "file", O_RDONLY, .number = IA32_OPENAT, .needs = NEEDS_COMPAT, COMPAT,
	  OPENED },
	{ "compat-openat2", "file", O_RDONLY, .number = IA32_OPENAT2, .needs = NEEDS_COMPAT, COMPAT,
	  OPENED },
	{ "compat-ENOENT", "missing", O_RDONLY, .number = IA32_OPEN,
	  .needs = NEEDS_COMPAT | NEEDS_FAILED, COMPAT, FAILED(ENOENT) },
	{ "compat-EACCES", "secret", O_RDONLY, .number = IA32_OPENAT,
	  .needs = NEEDS_COMPAT | NEEDS_FAILED, COMPAT, DENIED(EACCES) },
	{ "compat-execve-no-open", "nothing32", .number = IA32_EXECVE, COMPAT, EXECUTED },
	{ "x32-open", "file", .needs = NEEDS_COMPAT, .attempt = x32_open, OPENED },
	{ "x32-absent", .attempt = x32_absent },
	{ "number-twins", .attempt = twins_64bit },
	{ "number-twins-int80", .prepare = prepare_int80, .attempt = twins_int80 },
	{ 0 },
};
#else
const struct attempt_case exec_compat_cases[] = { { 0 } };
const struct attempt_case open_compat_cases[] = { { 0 } };
const struct attempt_case unlink_compat_cases[] = { { 0 } };
#endif
