/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit statuses of nothing.c: how its caller knows that this program ran and no other. */
#pragma once

enum {
	NOTHING_RAN = 42,
	NOTHING_RAN_SET_UID = 43, /* the effective user is not the real one */
};
