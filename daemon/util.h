/* SPDX-License-Identifier: GPL-2.0-only */
/* Cleanup attributes and the few macros everybody uses. Knows nothing of ebpfmon. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Declares a local that is released by @fn, called with the local's address, on every way out. */
#define CLEANUP(fn) __attribute__((cleanup(fn), unused))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

static inline void freep(void *p)
{
	free(*(void **)p);
}

/* close() that keeps errno and accepts "no descriptor"; returns -1 to be stored in its place. */
static inline int close_fd(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

static inline void closep(int *fd)
{
	close_fd(*fd);
}

#define _cleanup_free_	CLEANUP(freep)
#define _cleanup_close_ CLEANUP(closep)

/* Hands ownership out of a cleanup local. */
#define TAKE_PTR(p)                          \
	({                                   \
		__typeof__(p) *_pp = &(p);   \
		__typeof__(p) _taken = *_pp; \
		*_pp = NULL;                 \
		_taken;                      \
	})
#define TAKE_FD(fd)                 \
	({                          \
		int *_pfd = &(fd);  \
		int _taken = *_pfd; \
		*_pfd = -1;         \
		_taken;             \
	})

/*
 * What failed, said once for the user by the layer that knows the object; whoever decides what
 * it means logs it or puts it in a reply.
 */
struct problem {
	int error; /* errno, positive; 0: none */
	char text[480];
};

/* Fills @problem (NULL is fine) and returns -@error. The text names object, cause and way out. */
int problem_set(struct problem *problem, int error, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* CLOCK_REALTIME and CLOCK_MONOTONIC, in microseconds. */
uint64_t now_realtime_usec(void);
uint64_t now_monotonic_usec(void);
