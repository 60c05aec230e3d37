/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asks the daemon for its counts over one connection, again and again, and checks that the books
 * balance in every single answer. Knows no case.
 */
#pragma once

#include "ebpfmon.h"
#include "message.h"

#include <stdbool.h>

/* One user's counters; those that are not covered are null in JSON. */
struct counts {
	uint64_t value[EM_SLOTS_USED];
	bool covered[EM_SLOTS_USED];
};

struct poller {
	int fd;
	struct message_buffer buffer;
	struct json_object *stats; /* the last answer of GetStats */
	unsigned long polls;
};

extern const char *const slot_names[EM_SLOTS_USED];

/* 0 or -errno, said on stderr. poller_close() accepts what this left. */
int poller_open(struct poller *poller, const char *path);
void poller_close(struct poller *poller);

/* One GetStats of everything, checked: 0 or -errno, said on stderr. */
int poller_poll(struct poller *poller);

/*
 * The counters of @uid in @stats, an answer of GetStats: all 0 if it has no row. -EBADMSG, said on
 * stderr, if the answer is not what the interface promises.
 */
int counts_of(struct json_object *stats, uid_t uid, struct counts *ret_counts);
