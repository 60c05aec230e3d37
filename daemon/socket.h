/* SPDX-License-Identifier: GPL-2.0-only */
/* The listening socket: systemd's, or one of our own at a path. */
#pragma once

#include "util.h"

/* Descriptor of the socket that systemd passed (LISTEN_FDS); -ENOENT: none was. */
int socket_activated(struct problem *problem);

/*
 * Listens at @path for everybody; whoever connects is told apart by SO_PEERCRED. What a dead
 * daemon left there is replaced; anything else there is a problem and stays, and so is a folder on
 * the way that somebody else could exchange.
 */
int socket_listen(const char *path, struct problem *problem);

/* Makes the folder of @path for @uid if just that is missing. To be called before privileges go. */
int socket_make_folder(const char *path, uid_t uid, gid_t gid, struct problem *problem);
