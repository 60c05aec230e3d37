/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the tables. They are memory shared with the kernel, so reading makes no bpf() call and
 * disturbs no counting program. Owns the reading, not what becomes of it.
 */
#pragma once

#include "ledger.h"
#include "maps.h"

typedef void (*collect_visit)(const struct em_subject *subject, const uint64_t *counters,
			      void *userdata);

/*
 * One sweep over everything: calls @visit for every row in use, several times for a subject that
 * has several rows, @counters being EM_SLOTS_USED values. 0 or -errno.
 */
int collect_sweep(const struct maps *maps, collect_visit visit, void *userdata,
		  struct ledger_sample *ret_sample);
