/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls for programs without a library: their numbers, and how to make one. */
#pragma once

#if defined(__x86_64__)
enum {
	SYSTEM_CALL_EXECVE = 59,
	SYSTEM_CALL_GETUID = 102,
	SYSTEM_CALL_GETEUID = 107,
	SYSTEM_CALL_EXIT = 231,
};

static inline long system_call(long number, long first, long second, long third)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__i386__)
enum {
	SYSTEM_CALL_EXECVE = 11,
	SYSTEM_CALL_GETUID = 199,
	SYSTEM_CALL_GETEUID = 201,
	SYSTEM_CALL_EXIT = 252,
};

static inline long system_call(long number, long first, long second, long third)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(third)
			 : "memory");
	return result;
}
#elif defined(__aarch64__)
enum {
	SYSTEM_CALL_EXECVE = 221,
	SYSTEM_CALL_GETUID = 174,
	SYSTEM_CALL_GETEUID = 175,
	SYSTEM_CALL_EXIT = 94,
};

static inline long system_call(long number, long first, long second, long third)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = first;
	register long x1 __asm__("x1") = second;
	register long x2 __asm__("x2") = third;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
#endif
