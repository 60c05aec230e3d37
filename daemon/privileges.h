/* SPDX-License-Identifier: GPL-2.0-only */
/* Becoming the service user with CAP_BPF and CAP_PERFMON and nothing else. capabilities(7). */
#pragma once

#include "util.h"

#include <sys/types.h>

struct identity_ids {
	uid_t uid;
	gid_t gid;
};

/*
 * Whom to run as: @user (a name or number) when started as root, otherwise who we are. A missing
 * user is a problem that says how to make it.
 */
int privileges_target(const char *user, struct identity_ids *ret_ids, struct problem *problem);

/* Group number of @group (a name or number); (gid_t)-1 if there is none of that name. */
gid_t privileges_group(const char *group);

/* Whether the two capabilities are there; the problem names the missing ones. */
int privileges_check(struct problem *problem);

/*
 * Becomes @ids for good, keeping just the two capabilities, and forbids gaining any. Problem:
 * names the capabilities that are missing.
 */
int privileges_drop(const struct identity_ids *ids, struct problem *problem);
