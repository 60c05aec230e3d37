/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows by key: store.h. */
#include "store.h"

#include <string.h>

enum {
	FIRST_ROWS = 64,
};

void store_done(struct store *store)
{
	free(store->rows);
	free(store->index);
	*store = (struct store){ 0 };
}

static size_t first_place(const struct store *store, uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15ULL) >> 32 & (store->index_size - 1);
}

static void index_insert(struct store *store, size_t row)
{
	size_t at = first_place(store, store->rows[row].key);

	while (store->index[at])
		at = (at + 1) & (store->index_size - 1);
	store->index[at] = (uint32_t)row + 1;
}

/* Twice the rows, four times the places. */
static int grow(struct store *store)
{
	size_t capacity = store->capacity ? store->capacity * 2 : FIRST_ROWS;
	struct store_row *rows = reallocarray(store->rows, capacity, sizeof(*rows));
	uint32_t *index;

	if (!rows)
		return -ENOMEM;
	store->rows = rows;
	index = calloc(capacity * 2, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(store->index);
	store->index = index;
	store->index_size = capacity * 2;
	store->capacity = capacity;
	for (size_t i = 0; i < store->n_rows; i++)
		index_insert(store, i);
	return 0;
}

static struct store_row *find(struct store *store, uint64_t key)
{
	if (!store->index_size)
		return NULL;
	for (size_t at = first_place(store, key); store->index[at];
	     at = (at + 1) & (store->index_size - 1))
		if (store->rows[store->index[at] - 1].key == key)
			return &store->rows[store->index[at] - 1];
	return NULL;
}

static struct store_row *insert(struct store *store, uint64_t key)
{
	if (store->n_rows == store->capacity) {
		store->error = grow(store);
		if (store->error)
			return NULL;
	}
	store->rows[store->n_rows] = (struct store_row){ .key = key };
	index_insert(store, store->n_rows);
	return &store->rows[store->n_rows++];
}

void store_add(struct store *store, uint64_t key, const uint64_t *counters)
{
	struct store_row *row;

	if (store->error)
		return;
	row = find(store, key);
	if (!row)
		row = insert(store, key);
	if (!row)
		return;
	for (size_t i = 0; i < EM_SLOTS_USED; i++)
		row->counters[i] += counters[i];
}

static int by_key(const void *a, const void *b)
{
	const struct store_row *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

void store_sort(struct store *store)
{
	if (store->n_rows)
		qsort(store->rows, store->n_rows, sizeof(*store->rows), by_key);
	free(store->index);
	store->index = NULL;
	store->index_size = store->capacity = 0;
}
