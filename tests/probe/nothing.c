/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that the exec cases run: opens nothing, touches no library, and tells by its exit
 * status that it ran, and whether as a set-uid program.
 */
#if defined(__x86_64__)
enum { SYSTEM_CALL_GETUID = 102, SYSTEM_CALL_GETEUID = 107, SYSTEM_CALL_EXIT = 231 };

static long system_call(long number, long argument)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(argument)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__i386__)
enum { SYSTEM_CALL_GETUID = 199, SYSTEM_CALL_GETEUID = 201, SYSTEM_CALL_EXIT = 252 };

static long system_call(long number, long argument)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(argument) : "memory");
	return result;
}
#elif defined(__aarch64__)
enum { SYSTEM_CALL_GETUID = 174, SYSTEM_CALL_GETEUID = 175, SYSTEM_CALL_EXIT = 94 };

static long system_call(long number, long argument)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = argument;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8) : "memory");
	return x0;
}
#endif

#include "nothing.h"

void _start(void);

void _start(void)
{
	long uid = system_call(SYSTEM_CALL_GETUID, 0);

	if (system_call(SYSTEM_CALL_GETEUID, 0) == uid)
		system_call(SYSTEM_CALL_EXIT, NOTHING_RAN);
	system_call(SYSTEM_CALL_EXIT, NOTHING_RAN_SET_UID);
	__builtin_unreachable();
}
