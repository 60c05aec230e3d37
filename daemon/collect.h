/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads the tables. They are memory shared with the kernel, so reading makes no bpf() call and
 * disturbs no counting program. Owns the reading, not what becomes of it.
 */
#pragma once

#include "ledger.h"
#include "maps.h"

/* Whose counts: a subject's, or what was settled. */
struct collect_row {
	uint32_t uid, login;
	uint64_t cgroup; /* 0 for what was settled */
	uint32_t unit;	 /* of what was settled: number of its name in the map, 0: not known */
};

typedef void (*collect_visit)(const struct collect_row *row, const uint64_t *counters,
			      void *userdata);

/*
 * One sweep over everything: calls @visit for every row, several times for a subject that has
 * several rows, @counters being EM_SLOTS_USED values. 0 or -errno.
 */
int collect_sweep(const struct maps *maps, collect_visit visit, void *userdata,
		  struct ledger_sample *ret_sample);

/* The same without what is settled, and without the totals. */
int collect_counting(const struct maps *maps, collect_visit visit, void *userdata);

/* One table of rows, of any layout. */
struct collect_table {
	int fd;
	uint32_t rows, slots; /* struct em_row with so many counters */
	uint64_t seed;
};

/* Calls @visit for every row of @table, @counters being table->slots values. */
int collect_table(const struct collect_table *table, collect_visit visit, void *userdata);
