/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chain N, six digits: is executed N times in all, by itself; then ends with 0. What an exec costs the
 * kernel, and nothing besides. Its name is the first argument, as execve(2) had it.
 */
#include "bare.h"

enum { DIGITS = 6 };

/* False: it was 0 and cannot be less. */
static _Bool count_down(char *digits)
{
	for (int i = DIGITS - 1; i >= 0; i--) {
		if (digits[i] != '0') {
			digits[i]--;
			return 1;
		}
		digits[i] = '9';
	}
	return 0;
}

static _Bool is_one(const char *digits)
{
	for (int i = 0; i < DIGITS - 1; i++)
		if (digits[i] != '0')
			return 0;
	return digits[DIGITS - 1] == '1';
}

/* The stack as the kernel made it: number of arguments, arguments, NULL, environment, NULL. */
__attribute__((used, noreturn)) static void start(long *stack)
{
	char **arguments = (char **)(stack + 1);
	char **environment = arguments + *stack + 1;
	long status = 2;

	if (*stack == 2)
		status = is_one(arguments[1]) || !count_down(arguments[1])
				 ? 0
				 : system_call(SYSTEM_CALL_EXECVE, (long)arguments[0],
					       (long)arguments, (long)environment);
	system_call(SYSTEM_CALL_EXIT, status, 0, 0);
	__builtin_unreachable();
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tcall start\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl start\n");
#endif
