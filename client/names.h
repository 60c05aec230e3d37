/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User ids to names and back, through NSS with a bound: where users come from a network, asking
 * for 10,000 of them one by one takes minutes. Knows nothing but uids.
 */
#pragma once

#include "text.h"

#include <stdbool.h>

/* Zero-initialise, release with names_done(). */
struct names {
	struct name *entries; /* by uid */
	size_t count;
	size_t capacity;
	struct text text; /* the names, safe */
	unsigned int lookups;
	unsigned int misses; /* in a row */
};

void names_done(struct names *names);
#define _cleanup_names_ CLEANUP(names_done)

/* To be called when the names of @count users are wanted: for many, all are enumerated at once. */
void names_expect(struct names *names, size_t count);

/*
 * The name of @uid, safe for a terminal and valid until the next call, or NULL: it has none, or
 * enough were asked for.
 */
const char *names_get(struct names *names, uint64_t uid);

/* What --@option says: a name, else a number. An exit code, after a complaint. */
int names_find(const char *option, const char *user, uint64_t *ret_uid);
