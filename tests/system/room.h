/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for room in the table of subjects: what is to be tested is settling, not how much can
 * overflow in the meantime. Knows nothing of who needs the room.
 */
#pragma once

#include "ebpfmon.h"

#include <bpf/bpf.h>
#include <err.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The state that is pinned as @path. */
static inline const struct em_state *room_map(const char *path)
{
	int fd = bpf_obj_get(path);
	void *memory = fd < 0 ? MAP_FAILED
			      : mmap(NULL, sizeof(struct em_state), PROT_READ, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	return memory;
}

/* Until a quarter of the table is free. */
static inline void room_wait(const struct em_state *state)
{
	const struct timespec moment = { .tv_nsec = 50000 };

	for (;;) {
		__u32 era = __atomic_load_n(&state->era, __ATOMIC_RELAXED);

		if (__atomic_load_n(&state->claimed[era % EM_ERAS], __ATOMIC_RELAXED) <
		    state->subjects_max / 4 * 3)
			return;
		nanosleep(&moment, NULL);
	}
}
