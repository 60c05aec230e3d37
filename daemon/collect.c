/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the tables: collect.h. */
#include "collect.h"

#include <sys/mman.h>

enum {
	/* Mapped at a time: mapped pages count as resident memory of the daemon. */
	WINDOW_BYTES = 1 << 20,
	WINDOW_STEP = 1024, /* rows: 1024 * 64 bytes are 64 KiB */
};

/* A reading under way. */
struct sweep {
	collect_visit visit;
	void *userdata;
	uint32_t slots;		      /* that are told */
	struct ledger_sample *sample; /* NULL: nobody asks */
};

static void enter(const struct sweep *sweep, const struct collect_row *row,
		  const uint64_t *counters)
{
	for (size_t i = 0; sweep->sample && i < EM_SLOTS_USED; i++)
		sweep->sample->rows[i] += counters[i];
	sweep->visit(row, counters, sweep->userdata);
}

static void read_row(const struct sweep *sweep, const struct em_row *row, uint64_t seed)
{
	uint64_t tag = __atomic_load_n(&row->tag, __ATOMIC_ACQUIRE);
	const struct em_subject *subject = &row->subject;
	const __u64 *told = row->counters; /* of another layout there may be more of them */
	uint64_t counters[EM_SLOTS_LIMIT];

	if (!tag)
		return;
	if (sweep->sample)
		sweep->sample->rows_used++;
	/* On weakly ordered processors the tag may be seen before the subject it was made from. */
	if (tag != em_subject_tag(subject, seed))
		return;
	for (size_t i = 0; i < sweep->slots; i++)
		counters[i] = __atomic_load_n(&told[i], __ATOMIC_RELAXED);
	enter(sweep,
	      &(struct collect_row){ subject->uid, subject->login, subject->cgroup, .unit = 0 },
	      counters);
}

/* Windows begin with a page, of 64 KiB at most: rows are whole cache lines. */
static int read_table(const struct sweep *sweep, const struct collect_table *table)
{
	size_t row_bytes = offsetof(struct em_row, counters) + table->slots * sizeof(uint64_t);
	uint32_t window_rows = (uint32_t)(WINDOW_BYTES / row_bytes) & ~(WINDOW_STEP - 1U);

	for (uint32_t first = 0; first < table->rows; first += window_rows) {
		uint32_t n = table->rows - first < window_rows ? table->rows - first : window_rows;
		const char *window = mmap(NULL, n * row_bytes, PROT_READ, MAP_SHARED, table->fd,
					  (off_t)(first * row_bytes));

		if (window == MAP_FAILED)
			return -errno;
		for (uint32_t i = 0; i < n; i++)
			read_row(sweep, (const struct em_row *)(window + i * row_bytes),
				 table->seed);
		munmap((void *)(uintptr_t)window, n * row_bytes);
	}
	return 0;
}

static void read_settled(const struct sweep *sweep, const struct settled *settled)
{
	uint32_t slots =
		settled->header->slots < EM_SLOTS_USED ? settled->header->slots : EM_SLOTS_USED;

	for (uint64_t i = 0; i < settled->header->rows; i++) {
		const struct em_settled_row *row = settled_row(settled, i);
		const uint64_t *settled_counts = settled_counters(row);
		uint64_t counters[EM_SLOTS_USED] = { 0 };

		for (uint32_t slot = 0; slot < slots; slot++)
			counters[slot] = settled_counts[slot];
		enter(sweep, &(struct collect_row){ row->uid, row->login, .cgroup = 0, row->unit },
		      counters);
	}
}

/* The totals of today and those of other layouts. */
static void read_totals(const struct maps *maps, const struct settled *settled,
			struct ledger_totals *ret_totals)
{
	ledger_sum(maps_totals(maps), ret_totals);
	ret_totals->dispatch_misses = maps_dispatch_misses(maps);
	for (size_t i = 0; i < EM_SLOTS_USED && i < settled->header->slots; i++) {
		ret_totals->seen[i] += settled->seen[i];
		ret_totals->overflow[i] += settled->overflow[i];
	}
	for (size_t i = 0; i < EM_UPDATE_ERRORS; i++)
		ret_totals->update_errors[i] += settled->header->update_errors[i];
}

/* Two, while one is not settled yet. */
static int read_tables(const struct sweep *sweep, const struct maps *maps,
		       const struct settled *settled)
{
	const struct em_state *state = maps_state(maps);
	int r = 0;

	for (uint32_t era = settled->header->era; !r && era <= state->era; era++)
		r = read_table(sweep,
			       &(struct collect_table){ maps_rows_fd(maps, era), maps_rows(maps),
							EM_SLOTS, state->seed });
	return r;
}

int collect_sweep(const struct maps *maps, collect_visit visit, void *userdata,
		  struct ledger_sample *ret_sample)
{
	_cleanup_settled_ struct settled_memory memory = { 0 };
	const struct sweep sweep = { visit, userdata, EM_SLOTS_USED, ret_sample };
	int r = maps_settled(maps, &memory);

	if (r < 0)
		return r;
	*ret_sample = (struct ledger_sample){ 0 };
	read_totals(maps, &memory.settled, &ret_sample->before);
	read_settled(&sweep, &memory.settled);
	r = read_tables(&sweep, maps, &memory.settled);
	read_totals(maps, &memory.settled, &ret_sample->after);
	return r;
}

int collect_counting(const struct maps *maps, collect_visit visit, void *userdata)
{
	_cleanup_settled_ struct settled_memory memory = { 0 };
	int r = maps_settled(maps, &memory);

	if (r < 0)
		return r;
	return read_tables(&(struct sweep){ visit, userdata, EM_SLOTS_USED, NULL }, maps,
			   &memory.settled);
}

int collect_table(const struct collect_table *table, collect_visit visit, void *userdata)
{
	return read_table(&(struct sweep){ visit, userdata, table->slots, NULL }, table);
}
