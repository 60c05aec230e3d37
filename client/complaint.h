/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How ebpfctl fails: its exit codes, and the one line on stderr that goes with each. Knows neither
 * verbs nor the daemon.
 */
#pragma once

#include "util.h"

/* Documented in ebpfctl(1); the last two are those of systemctl. */
enum exit_code {
	CODE_OK = 0,
	CODE_FAILURE = 1,
	CODE_USAGE = 2,
	CODE_NO_PERMISSION = 4,
	CODE_NOT_RUNNING = 7,
};

/* Prints "ebpfctl: ..." made safe for a terminal and returns @code. */
int complain(int code, const char *format, ...) PRINTF_LIKE(2, 3);

/* The name in @names, ended by NULL, that was probably meant by @wrong; NULL: none is near. */
const char *nearest(const char *wrong, const char *const names[]);
