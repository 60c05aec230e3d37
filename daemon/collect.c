/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the tables: collect.h. */
#include "collect.h"

#include <sys/mman.h>

enum {
	/* Mapped at a time: mapped pages count as resident memory of the daemon. */
	WINDOW_BYTES = 1 << 20,
	WINDOW_ROWS = WINDOW_BYTES / sizeof(struct em_row),
};

static void read_row(const struct em_row *row, uint64_t seed, collect_visit visit, void *userdata,
		     struct ledger_sample *sample)
{
	uint64_t tag = __atomic_load_n(&row->tag, __ATOMIC_ACQUIRE);
	uint64_t counters[EM_SLOTS_USED];

	if (!tag)
		return;
	sample->rows_used++;
	/* On weakly ordered processors the tag may be seen before the subject it was made from. */
	if (tag != em_subject_tag(&row->subject, seed))
		return;
	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		counters[i] = __atomic_load_n(&row->counters[i], __ATOMIC_RELAXED);
		sample->rows[i] += counters[i];
	}
	visit(&row->subject, counters, userdata);
}

int collect_sweep(const struct maps *maps, collect_visit visit, void *userdata,
		  struct ledger_sample *ret_sample)
{
	uint64_t seed = maps_state(maps)->seed;
	uint32_t row_count = maps_rows(maps);

	*ret_sample = (struct ledger_sample){ 0 };
	ledger_sum(maps_totals(maps), &ret_sample->before);
	for (uint32_t first = 0; first < row_count; first += WINDOW_ROWS) {
		uint32_t n = row_count - first < WINDOW_ROWS ? row_count - first : WINDOW_ROWS;
		size_t bytes = n * sizeof(struct em_row);
		const struct em_row *window;

		window = mmap(NULL, bytes, PROT_READ, MAP_SHARED, maps_rows_fd(maps),
			      (off_t)(first * sizeof(struct em_row)));
		if (window == MAP_FAILED)
			return -errno;
		for (uint32_t i = 0; i < n; i++)
			read_row(&window[i], seed, visit, userdata, ret_sample);
		munmap((void *)(uintptr_t)window, bytes);
	}
	ledger_sum(maps_totals(maps), &ret_sample->after);
	return 0;
}
