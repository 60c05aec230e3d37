/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking over the counts of another layout: an upgrade, or a downgrade, of the tables themselves.
 * Owns the order of its steps, each of which can be the last one of this process:
 *
 *   1. Our layout is built empty, with the identity of the other, and becomes v1 by one rename.
 *   2. Our programs take their places behind the dispatchers, hook by hook: from then on an event
 *      is counted either there or here.
 *   3. The kernel waits until no program is in the other's tables: its counts are final.
 *   4. They are added to what we have settled; that map says in "taken" whose they are.
 *   5. The other layout is removed.
 *
 * A start that finds both layouts goes on at 2, unless one of them says that it has taken the
 * other: then that one is the truth and the other is removed.
 */
#pragma once

#include "maps.h"
#include "settle.h"

struct takeover;

/*
 * Finds out which of two layouts is the truth, that of @pins or its pins_other(), and removes the one
 * that is not; step 1 if it is just the other. *@maps are those of @pins and may be replaced by an
 * empty set for @subjects_max subjects; NULL after some failures. *@ret_takeover is what has to be
 * finished after step 2, NULL if nothing has. 0 or, with a problem, -errno.
 */
int takeover_begin(struct pins *pins, uint32_t subjects_max, struct maps **maps,
		   struct takeover **ret_takeover, struct problem *problem);
struct takeover *takeover_free(struct takeover *takeover);
static inline void takeover_freep(struct takeover **takeover)
{
	takeover_free(*takeover);
}

/* Steps 3 and 4. */
int takeover_finish(const struct takeover *takeover, struct maps *maps, struct settle *settle,
		    struct problem *problem);
