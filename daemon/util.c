/* SPDX-License-Identifier: GPL-2.0-only */
/* The out-of-line part of util.h. */
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

int problem_set(struct problem *problem, int error, const char *fmt, ...)
{
	va_list args;

	if (!problem)
		return -error;
	problem->error = error;
	va_start(args, fmt);
	vsnprintf(problem->text, sizeof(problem->text), fmt, args);
	va_end(args);
	return -error;
}

static uint64_t now_usec(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t now_realtime_usec(void)
{
	return now_usec(CLOCK_REALTIME);
}

uint64_t now_monotonic_usec(void)
{
	return now_usec(CLOCK_MONOTONIC);
}
