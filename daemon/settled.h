/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was counted in tables that are no more: reads the map "settled" (struct em_settled) and
 * builds a new one. Pure: works on bytes, which are not trusted; names of units are numbers here.
 */
#pragma once

#include "ebpfmon.h"
#include "util.h"

#include <stdbool.h>

/* --- reading ----------------------------------------------------------------------------------- */

/* Points into the bytes it was made from. */
struct settled {
	const struct em_settled *header;
	const uint64_t *seen, *overflow; /* header->slots of each */
	const char *rows, *names;
	size_t row_bytes;
};

/* Makes sense of @bytes at @data, which is 8-byte aligned. -EBADMSG: they are not that map's. */
int settled_parse(const void *data, size_t bytes, struct settled *ret_settled);

/* Row @i; its counters, header->slots of them, follow it. */
static inline const struct em_settled_row *settled_row(const struct settled *settled, uint64_t i)
{
	return (const struct em_settled_row *)(settled->rows + i * settled->row_bytes);
}
static inline const uint64_t *settled_counters(const struct em_settled_row *row)
{
	return (const uint64_t *)(row + 1);
}

/* Calls @visit with every name, whose numbers are 1, 2, and so on. A negative return ends it. */
int settled_each_name(const struct settled *settled, int (*visit)(const char *name, void *userdata),
		      void *userdata);

/* --- building ---------------------------------------------------------------------------------- */

/* Zero-initialise, set the limit, add, write; release with settlement_done(). */
struct settlement {
	uint64_t rows_max;
	char *rows;
	size_t row_bytes, n_rows, capacity;
	uint32_t slots; /* the rows have room for */
	uint32_t *index;
	size_t index_size; /* a power of two, twice the capacity */
	uint64_t seen[EM_SLOTS_LIMIT], overflow[EM_SLOTS_LIMIT];
	uint64_t update_errors[EM_UPDATE_ERRORS];
	int error; /* 0 or -ENOMEM, remembered: check once, after adding */
};

void settlement_done(struct settlement *settlement);
#define _cleanup_settlement_ CLEANUP(settlement_done)

/*
 * Adds @slots counters, at most EM_SLOTS_LIMIT, to the row of @key, whose unit is any number of the
 * caller's, 0 if not known. When three quarters of rows_max are in use new rows have no unit; when
 * all are, what needs a new row goes to overflow.
 */
void settlement_add(struct settlement *settlement, const struct em_settled_row *key,
		    const uint64_t *counters, uint32_t slots);

typedef const char *(*settlement_name)(uint32_t unit, void *userdata);

/*
 * The bytes of the map, a multiple of 8, into memory from malloc() that the caller frees. Takes
 * header->era and header->taken from @header. @name gives each unit's name, never NULL.
 */
int settlement_write(const struct settlement *settlement, const struct em_settled *header,
		     settlement_name name, void *userdata, void **ret_data, size_t *ret_bytes);
