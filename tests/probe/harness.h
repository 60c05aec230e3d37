/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A daemon to test against: one of our own with its own configuration, pins and socket, or
 * (EBPFMON_SOCKET) one that runs already. Owns its start and its end, whatever becomes of the test;
 * knows nothing of what the daemon counts.
 *
 * EBPFMOND and EBPFCTL in the environment name other programs than the ones just built.
 */
#pragma once

#include "util.h"

#include <json-c/json.h>
#include <stdbool.h>

struct harness;

/* What to exit with when this cannot be tested here: said in one line on stderr. 0: it can. */
int harness_unable(void);

/* Whether harness_start() will not start anything. */
bool harness_is_foreign(void);

/*
 * Starts a daemon whose configuration ends with @sections and waits until it is ready. 0 or
 * -errno, said on stderr.
 */
int harness_start(const char *sections, struct harness **ret_harness);

/*
 * Stops the daemon, removes its pins and files. 0; -errno if any of it went wrong, or the daemon
 * ended before: said on stderr. NULL is fine.
 */
int harness_stop(struct harness *harness);

const char *harness_socket(const struct harness *harness);

/* Runs "ebpfctl --socket ... ARGUMENTS": its answer, to be put; NULL, said on stderr. */
struct json_object *harness_ask(const struct harness *harness, const char *const *arguments);
