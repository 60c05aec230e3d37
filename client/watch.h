/* SPDX-License-Identifier: GPL-2.0-only */
/* When to draw again, and when to end. Knows nothing of what is drawn. */
#pragma once

#include "util.h"

#include <stdbool.h>

struct watch {
	int interrupt_fd; /* readable after SIGINT or SIGTERM */
	int64_t interval_ms;
	int64_t next_ms; /* CLOCK_MONOTONIC */
};

/* CLOCK_MONOTONIC. */
uint64_t monotonic_usec(void);

/* @seconds as given to --@option, "" for the default: an exit code, after a complaint. */
int watch_open(struct watch *watch, const char *option, const char *seconds);

/* Waits for the next time to draw; false: interrupted. */
bool watch_wait(struct watch *watch);

/* The same in two steps, for who waits for something else as well. */
void watch_advance(struct watch *watch);
int watch_left_ms(const struct watch *watch);

void watch_close(struct watch *watch);
#define _cleanup_watch_ CLEANUP(watch_close)
