/* SPDX-License-Identifier: GPL-2.0-only */
/* The sysctl kernel.ftrace_enabled: ftrace.h. */
#include "ftrace.h"

#include <fcntl.h>
#include <unistd.h>

int ftrace_open(void)
{
	return open("/proc/sys/kernel/ftrace_enabled", O_RDONLY | O_CLOEXEC);
}

bool ftrace_enabled(int fd)
{
	char digit;

	return fd < 0 || pread(fd, &digit, 1, 0) != 1 || digit != '0';
}
