/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface org.varlink.certification on the daemon's server. */
#pragma once

#include "varlink.h"

enum {
	CERTIFICATION_CLIENTS = 16, /* walks under way; the oldest is forgotten for another */
};

/* One walk from Start to End. */
struct certification_client {
	uint64_t id;	   /* 0: free */
	unsigned int step; /* the next call */
};

/* The server's userdata. */
struct certification {
	struct certification_client clients[CERTIFICATION_CLIENTS];
	uint64_t started;
};

extern const struct varlink_interface certification_interface;
