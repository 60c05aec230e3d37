/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of eras: rows and claims, and the outer maps through which programs find them, with a
 * place for each of two. Makes, pins, adopts, verifies and drops them. Knows neither which era it is
 * nor what is in a table. Uses libbpf.
 */
#pragma once

#include "ebpfmon.h"
#include "map.h"

enum table_part {
	TABLE_ROWS,
	TABLE_CLAIMS,
	TABLE_PARTS,
};

/*
 * An era's table is in place era % EM_ERAS. What takes a problem returns 0 or, with a problem, -errno;
 * pins may be NULL.
 */
struct tables {
	struct map outer[TABLE_PARTS];
	struct map inner[EM_ERAS][TABLE_PARTS];
};

/* Nothing is held, to begin with. */
void tables_init(struct tables *tables);
void tables_release(struct tables *tables);

/* How many rows a table for @subjects_max subjects has: a power of two. */
uint32_t tables_rows(uint32_t subjects_max);
/* The descriptor of the rows of @era's table; -1: there is none. */
int tables_rows_fd(const struct tables *tables, uint32_t era);
/* Whether @era's table is one for @subjects_max subjects. */
bool tables_fit(const struct tables *tables, uint32_t era, uint32_t subjects_max);
/* Bytes of kernel memory they take, each being for @subjects_max subjects. */
uint64_t tables_kernel_bytes(const struct tables *tables, uint32_t subjects_max);

/* Makes an empty table for @era, whose place must be free. 0 or -errno. */
int tables_create(struct tables *tables, uint32_t era, uint32_t subjects_max);
/* Makes the outer maps, once there is a table for era 0. 0 or -errno. */
int tables_create_outer(struct tables *tables);
int tables_pin_outer(struct tables *tables, struct pins *pins, struct problem *problem);

/* Pins @era's table and lets the outer maps refer to it. */
int tables_install(struct tables *tables, uint32_t era, struct pins *pins, struct problem *problem);
/* Lets go of @era's table, if there is one: neither found nor pinned from then on. */
int tables_drop(struct tables *tables, uint32_t era, struct pins *pins, struct problem *problem);

/* Holds all that is pinned: the outer maps, which must be there, and whatever tables are. */
int tables_adopt(struct tables *tables, struct pins *pins, struct problem *problem);
/* Whether @era's table is there, and is the one that programs use. */
int tables_check(const struct tables *tables, uint32_t era, struct pins *pins,
		 struct problem *problem);

/* Puts the outer maps in the place of those that @object declares, before it is loaded. */
int tables_share(const struct tables *tables, struct bpf_object *object);

/* Returns when all programs that run now have ended; @era's table must be installed. 0 or -errno. */
int tables_wait_programs(const struct tables *tables, uint32_t era);
