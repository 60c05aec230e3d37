/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows by key: what a sweep finds, added up by user, login or unit. Pure; no names, no kernel. */
#pragma once

#include "ebpfmon.h"
#include "util.h"

struct store_row {
	uint64_t key;
	uint64_t counters[EM_SLOTS_USED];
};

/* Zero-initialise, release with store_done(). */
struct store {
	struct store_row *rows; /* in order of their keys after store_sort() */
	size_t n_rows, capacity;
	uint32_t *index;   /* hash of the key -> row + 1; 0: free */
	size_t index_size; /* a power of two */
	int error;	   /* 0 or -ENOMEM, remembered: check once, after adding */
};

void store_done(struct store *store);
#define _cleanup_store_ CLEANUP(store_done)

/* Adds EM_SLOTS_USED counters to the row of @key. */
void store_add(struct store *store, uint64_t key, const uint64_t *counters);

/* Puts rows in ascending order of their keys. Nothing can be added after that. */
void store_sort(struct store *store);
