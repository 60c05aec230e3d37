/* SPDX-License-Identifier: GPL-2.0-only */
/* What was counted in tables that are no more: settled.h. */
#include "settled.h"

#include <string.h>

enum {
	FIRST_ROWS = 64,
	WORD_BYTES = 8,
};

/* --- reading ----------------------------------------------------------------------------------- */

static bool count_names(const struct settled *settled)
{
	const char *names = settled->names;
	size_t left = settled->header->names_bytes;
	uint32_t n = 0;

	while (left) {
		size_t length = strnlen(names, left);

		if (length == left)
			return false;
		names += length + 1;
		left -= length + 1;
		n++;
	}
	return n == settled->header->units;
}

static bool check_rows(const struct settled *settled)
{
	for (uint64_t i = 0; i < settled->header->rows; i++)
		if (settled_row(settled, i)->unit > settled->header->units)
			return false;
	return true;
}

/* Every limit by division, since sums of hostile numbers wrap around. */
int settled_parse(const void *data, size_t bytes, struct settled *ret_settled)
{
	struct settled settled = { .header = data };
	const struct em_settled *header = data;
	size_t totals_bytes;

	if (bytes < sizeof(*header) || header->format != EM_FORMAT ||
	    header->slots > EM_SLOTS_LIMIT)
		return -EBADMSG;
	bytes -= sizeof(*header);
	totals_bytes = 2UL * header->slots * sizeof(uint64_t);
	settled.row_bytes = sizeof(struct em_settled_row) + header->slots * sizeof(uint64_t);
	if (bytes < totals_bytes || header->rows > (bytes - totals_bytes) / settled.row_bytes ||
	    header->names_bytes > bytes - totals_bytes - header->rows * settled.row_bytes)
		return -EBADMSG;
	settled.seen = (const uint64_t *)(header + 1);
	settled.overflow = settled.seen + header->slots;
	settled.rows = (const char *)(settled.overflow + header->slots);
	settled.names = settled.rows + header->rows * settled.row_bytes;
	if (!count_names(&settled) || !check_rows(&settled))
		return -EBADMSG;
	*ret_settled = settled;
	return 0;
}

int settled_each_name(const struct settled *settled, int (*visit)(const char *name, void *userdata),
		      void *userdata)
{
	const char *name = settled->names;

	for (uint32_t i = 0; i < settled->header->units; i++, name += strlen(name) + 1) {
		int r = visit(name, userdata);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- building ---------------------------------------------------------------------------------- */

void settlement_done(struct settlement *settlement)
{
	free(settlement->rows);
	free(settlement->index);
	*settlement = (struct settlement){ 0 };
}

static struct em_settled_row *row_at(const struct settlement *settlement, size_t i)
{
	return (struct em_settled_row *)(settlement->rows + i * settlement->row_bytes);
}

static bool same(const struct em_settled_row *a, const struct em_settled_row *b)
{
	return a->uid == b->uid && a->login == b->login && a->unit == b->unit;
}

/* Where the number of @key's row is in the index, or a free place. */
static uint32_t *place_of(const struct settlement *settlement, const struct em_settled_row *key)
{
	const struct em_subject subject = { key->uid, key->login, key->unit };
	size_t at = em_subject_tag(&subject, 0) & (settlement->index_size - 1);

	while (settlement->index[at] && !same(row_at(settlement, settlement->index[at] - 1), key))
		at = (at + 1) & (settlement->index_size - 1);
	return &settlement->index[at];
}

/* Gives rows room for @slots counters and there being @capacity of them. */
static int resize(struct settlement *settlement, size_t capacity, uint32_t slots)
{
	size_t row_bytes = sizeof(struct em_settled_row) + slots * sizeof(uint64_t);
	char *rows = calloc(capacity, row_bytes);
	uint32_t *index = calloc(capacity * 2, sizeof(*index));

	if (!rows || !index) {
		free(rows);
		free(index);
		return -ENOMEM;
	}
	for (size_t i = 0; i < settlement->n_rows; i++)
		memcpy(rows + i * row_bytes, row_at(settlement, i), settlement->row_bytes);
	free(settlement->rows);
	free(settlement->index);
	settlement->rows = rows;
	settlement->row_bytes = row_bytes;
	settlement->slots = slots;
	settlement->capacity = capacity;
	settlement->index = index;
	settlement->index_size = capacity * 2;
	for (size_t i = 0; i < settlement->n_rows; i++)
		*place_of(settlement, row_at(settlement, i)) = (uint32_t)i + 1;
	return 0;
}

/* The counters up to the last that is not 0. */
static uint32_t used_slots(const uint64_t *counters, uint32_t slots)
{
	while (slots && !counters[slots - 1])
		slots--;
	return slots;
}

static int make_room(struct settlement *settlement, uint32_t slots)
{
	size_t capacity = settlement->capacity ? settlement->capacity : FIRST_ROWS;

	if (slots < settlement->slots)
		slots = settlement->slots;
	if (settlement->n_rows == settlement->capacity && settlement->capacity)
		capacity *= 2;
	if (capacity == settlement->capacity && slots == settlement->slots)
		return 0;
	return resize(settlement, capacity, slots);
}

/* The row of @key, or a new one; NULL: there is no more room. */
static struct em_settled_row *find_row(struct settlement *settlement, struct em_settled_row key)
{
	uint32_t *place = place_of(settlement, &key);
	struct em_settled_row *row;

	if (!*place && key.unit && settlement->n_rows >= settlement->rows_max / 4 * 3) {
		key.unit = 0;
		place = place_of(settlement, &key);
	}
	if (*place)
		return row_at(settlement, *place - 1);
	if (settlement->n_rows >= settlement->rows_max)
		return NULL;
	row = row_at(settlement, settlement->n_rows);
	*row = (struct em_settled_row){ .uid = key.uid, .login = key.login, .unit = key.unit };
	*place = (uint32_t)++settlement->n_rows;
	return row;
}

void settlement_add(struct settlement *settlement, const struct em_settled_row *key,
		    const uint64_t *counters, uint32_t slots)
{
	struct em_settled_row *row;
	uint64_t *sums;

	slots = used_slots(counters, slots);
	if (settlement->error || !slots)
		return;
	settlement->error = make_room(settlement, slots);
	if (settlement->error)
		return;
	row = find_row(settlement, *key);
	sums = row ? (uint64_t *)(row + 1) : settlement->overflow;
	for (uint32_t i = 0; i < slots; i++)
		sums[i] += counters[i];
}

/* The names in use: number of the caller's -> number in the map. */
struct names {
	settlement_name name;
	void *userdata;
	uint32_t *numbers, n_numbers; /* by the caller's; 0: not in use */
	uint32_t units;
	size_t bytes;
};

static int number_names(const struct settlement *settlement, struct names *names)
{
	for (size_t i = 0; i < settlement->n_rows; i++)
		if (row_at(settlement, i)->unit >= names->n_numbers)
			names->n_numbers = row_at(settlement, i)->unit + 1;
	names->numbers = calloc(names->n_numbers + 1UL, sizeof(*names->numbers));
	if (!names->numbers)
		return -ENOMEM;
	for (size_t i = 0; i < settlement->n_rows; i++) {
		uint32_t unit = row_at(settlement, i)->unit;

		if (!unit || names->numbers[unit])
			continue;
		names->numbers[unit] = 1;
		names->bytes += strlen(names->name(unit, names->userdata)) + 1;
	}
	for (uint32_t unit = 1; unit < names->n_numbers; unit++)
		if (names->numbers[unit])
			names->numbers[unit] = ++names->units;
	return 0;
}

static char *put(char *at, const void *data, size_t bytes)
{
	if (bytes)
		memcpy(at, data, bytes);
	return at + bytes;
}

static void fill(const struct settlement *settlement, const struct em_settled *header,
		 const struct names *names, uint32_t slots, char *at)
{
	at = put(at, header, sizeof(*header));
	at = put(at, settlement->seen, slots * sizeof(uint64_t));
	at = put(at, settlement->overflow, slots * sizeof(uint64_t));
	for (size_t i = 0; i < settlement->n_rows; i++) {
		struct em_settled_row row = *row_at(settlement, i);
		const uint64_t *counters = settled_counters(row_at(settlement, i));

		row.unit = names->numbers[row.unit];
		at = put(at, &row, sizeof(row));
		at = put(at, counters, settlement->slots * sizeof(uint64_t));
		memset(at, 0, (slots - settlement->slots) * sizeof(uint64_t));
		at += (slots - settlement->slots) * sizeof(uint64_t);
	}
	for (uint32_t unit = 1; unit < names->n_numbers; unit++)
		if (names->numbers[unit]) {
			const char *name = names->name(unit, names->userdata);

			at = put(at, name, strlen(name) + 1);
		}
}

/* Rows, seen and overflow have the same number of counters. */
static uint32_t common_slots(const struct settlement *settlement)
{
	uint32_t slots = settlement->slots;
	uint32_t seen = used_slots(settlement->seen, EM_SLOTS_LIMIT);
	uint32_t overflow = used_slots(settlement->overflow, EM_SLOTS_LIMIT);

	if (slots < seen)
		slots = seen;
	return slots < overflow ? overflow : slots;
}

int settlement_write(const struct settlement *settlement, const struct em_settled *header,
		     settlement_name name, void *userdata, void **ret_data, size_t *ret_bytes)
{
	struct names names = { .name = name, .userdata = userdata };
	uint32_t slots = common_slots(settlement);
	struct em_settled full = *header;
	size_t bytes;
	void *data;
	int r = number_names(settlement, &names);

	if (r < 0)
		return r;
	full.format = EM_FORMAT;
	full.rows = settlement->n_rows;
	full.slots = slots;
	full.units = names.units;
	full.names_bytes = names.bytes;
	memcpy(full.update_errors, settlement->update_errors, sizeof(full.update_errors));
	bytes = sizeof(full) + 2UL * slots * sizeof(uint64_t) +
		settlement->n_rows * (sizeof(struct em_settled_row) + slots * sizeof(uint64_t)) +
		names.bytes;
	bytes = (bytes + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
	data = calloc(1, bytes);
	if (data)
		fill(settlement, &full, &names, slots, data);
	free(names.numbers);
	if (!data)
		return -ENOMEM;
	*ret_data = data;
	*ret_bytes = bytes;
	return 0;
}
