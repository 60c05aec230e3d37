/* SPDX-License-Identifier: GPL-2.0-only */
/* The books and whether they balance: ledger.h. */
#include "ledger.h"

/* Counters grow while they are read; each is read once, whole. */
static uint64_t read_once(const __u64 *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

void ledger_sum(const struct em_totals *shards, struct ledger_totals *ret_totals)
{
	*ret_totals = (struct ledger_totals){ 0 };
	for (size_t s = 0; s < EM_SHARDS; s++) {
		const struct em_totals *shard = &shards[s];

		/* Overflow before seen, as it is added after: it never exceeds what was seen. */
		for (size_t i = 0; i < EM_SLOTS_USED; i++)
			ret_totals->overflow[i] += read_once(&shard->overflow[i]);
		for (size_t i = 0; i < EM_SLOTS_USED; i++)
			ret_totals->seen[i] += read_once(&shard->seen[i]);
		for (size_t i = 0; i < EM_UPDATE_ERRORS; i++)
			ret_totals->update_errors[i] += read_once(&shard->update_errors[i]);
	}
}

/* Something is missing that was counted before the rows were read. */
static void missing(struct ledger_check *check, enum em_slot slot, uint64_t now_usec)
{
	if (!check->since_usec[slot]) {
		check->since_usec[slot] = now_usec;
		check->least[slot] = UINT64_MAX;
	}
	if (now_usec - check->since_usec[slot] >= LEDGER_PATIENCE_USEC)
		check->breached[slot] = true;
}

uint64_t ledger_unaccounted(struct ledger_check *check, const struct ledger_sample *sample,
			    enum em_slot slot, uint64_t now_usec)
{
	uint64_t entered = sample->rows[slot] + sample->after.overflow[slot];
	uint64_t at_most = sample->after.seen[slot] - entered;

	if (entered > sample->after.seen[slot])
		return entered - sample->after.seen[slot]; /* not even in transit */
	if (entered < sample->before.seen[slot])
		missing(check, slot, now_usec);
	else if (!at_most || !check->breached[slot])
		check->since_usec[slot] = 0; /* balanced, or too busy to tell */
	if (!check->since_usec[slot]) {
		check->breached[slot] = false;
		return 0;
	}
	if (at_most < check->least[slot])
		check->least[slot] = at_most;
	return check->breached[slot] ? check->least[slot] : 0;
}
