/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat32 UID NUMBER PATH FLAGS ERROR COUNT: a 32-bit program that becomes a user and makes COUNT
 * attempts of one 32-bit system call, an open or an execve, each of which has to end with ERROR.
 * Started by attempt. Needs no library, so that no 32-bit one has to be installed.
 */
#include "nothing.h"

enum {
	CALL_FORK = 2,
	CALL_WRITE = 4,
	CALL_OPEN = 5,
	CALL_CLOSE = 6,
	CALL_WAITPID = 7,
	CALL_CREAT = 8,
	CALL_EXECVE = 11,
	CALL_SETGROUPS = 206,
	CALL_SETRESUID = 208,
	CALL_SETRESGID = 210,
	CALL_EXIT = 252,
	CALL_OPENAT = 295,
	CALL_OPENAT2 = 437,
	AT_CURRENT = -100,
	MODE = 0600,
};

struct arguments {
	long uid;
	long number;
	const char *path;
	long flags;
	long error;
	long count;
};

struct how {
	unsigned long long flags, mode, resolve;
};

static long call(long number, long a, long b, long c, long d)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
			 : "memory", "cc");
	return result;
}

static _Noreturn void end(int status)
{
	for (;;)
		call(CALL_EXIT, status, 0, 0, 0);
}

static _Noreturn void complain(void)
{
	static const char text[] = "compat32: a system call did not end as expected\n";

	call(CALL_WRITE, 2, (long)text, sizeof(text) - 1, 0);
	end(1);
}

static long number(const char *text)
{
	long value = 0;

	while (*text)
		value = value * 10 + (*text++ - '0');
	return value;
}

static long attempt_exec(const char *path)
{
	static char name[] = "nothing";
	static char *const argv[] = { name, 0 };
	int status = 0;
	long pid = call(CALL_FORK, 0, 0, 0, 0);

	/* The child tells the error by its status; the program's own is none of them. */
	if (pid == 0)
		end(-(int)call(CALL_EXECVE, (long)path, (long)argv, (long)&argv[1], 0));
	if (pid < 0 || call(CALL_WAITPID, pid, (long)&status, 0, 0) != pid || (status & 0x7f))
		complain();
	status = status >> 8 & 0xff;
	return status == NOTHING_RAN ? 0 : -status;
}

static long attempt_open(const struct arguments *arguments)
{
	struct how how;
	long path = (long)arguments->path, fd;

	how.flags = (unsigned long)arguments->flags;
	how.mode = 0;
	how.resolve = 0;
	if (arguments->number == CALL_OPENAT2)
		fd = call(CALL_OPENAT2, AT_CURRENT, path, (long)&how, sizeof(how));
	else if (arguments->number == CALL_OPENAT)
		fd = call(CALL_OPENAT, AT_CURRENT, path, arguments->flags, MODE);
	else
		fd = call(arguments->number, path, arguments->flags, MODE, 0);
	if (fd < 0)
		return fd;
	call(CALL_CLOSE, fd, 0, 0, 0);
	return 0;
}

static void become_user(long uid)
{
	if (call(CALL_SETGROUPS, 0, 0, 0, 0) || call(CALL_SETRESGID, uid, uid, uid, 0) ||
	    call(CALL_SETRESUID, uid, uid, uid, 0))
		complain();
}

void start(const long *stack);

/* @stack: argc, argv, as the kernel leaves them. */
__attribute__((used)) void start(const long *stack)
{
	const char *const *argv = (const char *const *)(stack + 1);
	struct arguments arguments;

	if (stack[0] != 7)
		complain();
	/* One by one: a compiler may copy a whole struct by memcpy(), which is not there. */
	arguments.uid = number(argv[1]);
	arguments.number = number(argv[2]);
	arguments.path = argv[3];
	arguments.flags = number(argv[4]);
	arguments.error = number(argv[5]);
	arguments.count = number(argv[6]);
	become_user(arguments.uid);
	for (long i = 0; i < arguments.count; i++) {
		long result = arguments.number == CALL_EXECVE ? attempt_exec(arguments.path)
							      : attempt_open(&arguments);
		if (result != -arguments.error)
			complain();
	}
	end(0);
}

__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n");
