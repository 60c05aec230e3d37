/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owns everything the running daemon has: starts it in order, reloads, verifies, shuts down and
 * tells systemd. What is pinned outlives it.
 */
#pragma once

#include "settings.h"

struct manager;

/*
 * Takes over @config; @file is where it came from (NULL: the standard places), for reloads. 0 or,
 * with a problem that says what to do, -errno.
 */
int manager_new(struct config *config, const char *file, struct manager **ret_manager,
		struct problem *problem);
struct manager *manager_free(struct manager *manager);
static inline void manager_freep(struct manager **manager)
{
	manager_free(*manager);
}

/* Serves until a signal ends it. 0 or -errno. */
int manager_run(struct manager *manager);
