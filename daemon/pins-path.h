/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way to the pin tree: from "/" down to PinPath=, trusting nothing on it, and the lock there.
 * Knows nothing of what is in the tree.
 */
#pragma once

#include "util.h"

#include <stdbool.h>
#include <sys/types.h>

struct pins_path {
	const char *path; /* absolute */
	uid_t owner;
	gid_t group;
	bool create; /* the last component, if it is the only one missing */
};

/* Descriptor of the locked directory. Errors as of pins_open(). */
int pins_path_open(const struct pins_path *walk, struct problem *problem);

/* Whether @fd, shown as @path, is a directory on bpffs that only @owner can write. */
int pins_path_check(int fd, const char *path, uid_t owner, struct problem *problem);
