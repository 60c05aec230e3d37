/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the kernel calls what is attached to its functions. With the sysctl kernel.ftrace_enabled
 * set to 0 it does not, and tells nobody (6.1, 6.12, 7.2; 5.10 refuses the 0 while something is
 * attached).
 */
#pragma once

#include <stdbool.h>

/* To be kept, since whoever looks must not open files. -1: this kernel has no such switch. */
int ftrace_open(void);

bool ftrace_enabled(int fd);
