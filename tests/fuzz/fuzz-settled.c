/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as the map "settled": if they are accepted, adding all rows to a new settlement and
 * writing that gives a map with the same sums, which is accepted as well.
 */
#include "settled.h"

#include <string.h>

enum {
	ROWS_MAX = 1 << 20, /* more than there can be in an input */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of everything that is counted: the rows, and what has none. */
struct sums {
	uint64_t rows[EM_SLOTS_LIMIT], seen[EM_SLOTS_LIMIT], overflow[EM_SLOTS_LIMIT];
	uint64_t update_errors[EM_UPDATE_ERRORS];
	uint64_t by_key; /* rows' first counters, weighed by user, login and name of the unit */
};

struct names {
	const char **names; /* by number */
	size_t count;
};

static int note_name(const char *name, void *userdata)
{
	struct names *names = userdata;

	names->names[++names->count] = name;
	return 0;
}

static struct names read_names(const struct settled *settled)
{
	struct names names = { calloc(settled->header->units + 1UL, sizeof(char *)), 0 };

	if (!names.names)
		abort();
	if (settled_each_name(settled, note_name, &names) < 0 ||
	    names.count != settled->header->units)
		abort();
	return names;
}

static uint64_t weight(const struct em_settled_row *row, const struct names *names)
{
	uint64_t h = row->uid * 0x9e3779b97f4a7c15ULL + row->login * 0xd6e8feb86659fd93ULL;

	for (const char *name = row->unit ? names->names[row->unit] : ""; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ULL;
	return h;
}

static struct sums sum_up(const struct settled *settled, const struct names *names)
{
	struct sums sums = { 0 };

	memcpy(sums.update_errors, settled->header->update_errors, sizeof(sums.update_errors));
	for (uint32_t slot = 0; slot < settled->header->slots; slot++) {
		sums.seen[slot] = settled->seen[slot];
		sums.overflow[slot] = settled->overflow[slot];
	}
	for (uint64_t i = 0; i < settled->header->rows; i++) {
		const struct em_settled_row *row = settled_row(settled, i);

		for (uint32_t slot = 0; slot < settled->header->slots; slot++) {
			sums.rows[slot] += settled_counters(row)[slot];
			sums.by_key += weight(row, names) * settled_counters(row)[slot];
		}
	}
	return sums;
}

/* Names that are the same have different numbers only in inputs that nobody wrote. */
static const char *name_of(uint32_t unit, void *userdata)
{
	const struct names *names = userdata;

	return names->names[unit];
}

static void *rebuild(const struct settled *settled, struct names *names, size_t *ret_bytes)
{
	_cleanup_settlement_ struct settlement settlement = { .rows_max = ROWS_MAX };
	void *data;

	memcpy(settlement.update_errors, settled->header->update_errors,
	       sizeof(settlement.update_errors));
	for (uint32_t slot = 0; slot < settled->header->slots; slot++) {
		settlement.seen[slot] = settled->seen[slot];
		settlement.overflow[slot] = settled->overflow[slot];
	}
	for (uint64_t i = 0; i < settled->header->rows; i++)
		settlement_add(&settlement, settled_row(settled, i),
			       settled_counters(settled_row(settled, i)), settled->header->slots);
	if (settlement.error ||
	    settlement_write(&settlement, settled->header, name_of, names, &data, ret_bytes) < 0)
		abort();
	return data;
}

static void check(const struct settled *settled)
{
	struct names names = read_names(settled), again;
	struct sums before = sum_up(settled, &names), after;
	struct settled rebuilt;
	size_t bytes;
	void *data = rebuild(settled, &names, &bytes);

	if (bytes % 8 || settled_parse(data, bytes, &rebuilt) < 0)
		abort();
	again = read_names(&rebuilt);
	after = sum_up(&rebuilt, &again);
	if (memcmp(&before, &after, sizeof(before)) ||
	    rebuilt.header->rows > settled->header->rows ||
	    rebuilt.header->units > settled->header->units ||
	    rebuilt.header->era != settled->header->era ||
	    memcmp(rebuilt.header->taken, settled->header->taken, sizeof(rebuilt.header->taken)))
		abort();
	free(names.names);
	free(again.names);
	free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Aligned, and exactly as large, so that ASan sees a read beyond it. */
	_cleanup_free_ void *copy = malloc(size ? size : 1);
	struct settled settled;

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	if (settled_parse(copy, size, &settled) == 0)
		check(&settled);
	return 0;
}
