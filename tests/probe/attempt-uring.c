/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cases that go through io_uring: no open or unlink system call is made, and another thread,
 * of the kernel's making, may do the work. One request at a time, without liburing.
 */
#include "attempt.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
	RING_ENTRIES = 4,
	MODE = 0600,
	SQPOLL_IDLE_MSEC = 100,
};

struct ring {
	int fd;
	bool polled; /* a thread of the kernel takes the requests */
	__u32 *sq_tail, *sq_flags, *sq_array;
	__u32 *cq_head, *cq_tail;
	__u32 sq_mask, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static char *map_ring(const struct attempt *attempt, int fd, size_t size, off_t offset)
{
	void *mapped =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	if (mapped == MAP_FAILED)
		fail(attempt, "mmap of the ring", -errno);
	return mapped;
}

static void map_queues(struct attempt *attempt, struct ring *ring,
		       const struct io_uring_params *params)
{
	size_t sq_size = params->sq_off.array + params->sq_entries * sizeof(__u32);
	size_t cq_size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	char *sq = map_ring(attempt, ring->fd, sq_size, IORING_OFF_SQ_RING);
	char *cq = map_ring(attempt, ring->fd, cq_size, IORING_OFF_CQ_RING);

	ring->sqes = (struct io_uring_sqe *)map_ring(
		attempt, ring->fd, params->sq_entries * sizeof(*ring->sqes), IORING_OFF_SQES);
	ring->sq_tail = (__u32 *)(sq + params->sq_off.tail);
	ring->sq_flags = (__u32 *)(sq + params->sq_off.flags);
	ring->sq_array = (__u32 *)(sq + params->sq_off.array);
	ring->sq_mask = *(__u32 *)(sq + params->sq_off.ring_mask);
	ring->cq_head = (__u32 *)(cq + params->cq_off.head);
	ring->cq_tail = (__u32 *)(cq + params->cq_off.tail);
	ring->cq_mask = *(__u32 *)(cq + params->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(cq + params->cq_off.cqes);
}

static void start_with(struct attempt *attempt, __u32 flags)
{
	static struct ring ring;
	struct io_uring_params params = { .flags = flags, .sq_thread_idle = SQPOLL_IDLE_MSEC };

	ring.fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &params);
	if (ring.fd < 0 && errno == ENOSYS)
		skip(attempt, "this kernel has no io_uring");
	if (ring.fd < 0 && errno == EPERM)
		skip(attempt, "users may not use io_uring like this here");
	must(attempt, "io_uring_setup", ring.fd);
	ring.polled = flags & IORING_SETUP_SQPOLL;
	map_queues(attempt, &ring, &params);
	attempt->data = &ring;
}

/* As the user, so that every thread that works for the ring is the user's. */
static void start_ring(struct attempt *attempt)
{
	start_with(attempt, 0);
}

static void start_polled_ring(struct attempt *attempt)
{
	start_with(attempt, IORING_SETUP_SQPOLL);
}

/* Files of the ring instead of descriptors: one place per attempt. */
static void start_direct_ring(struct attempt *attempt)
{
	_cleanup_free_ int *files = calloc(attempt->count, sizeof(*files));
	struct ring *ring;

	start_ring(attempt);
	ring = attempt->data;
	if (!files)
		fail(attempt, "calloc", -ENOMEM);
	memset(files, 0xff, attempt->count * sizeof(*files)); /* -1: free */
	must(attempt, "IORING_REGISTER_FILES",
	     syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES, files,
		     attempt->count));
}

static void enter(const struct attempt *attempt, const struct ring *ring)
{
	__u32 flags = IORING_ENTER_GETEVENTS;

	if (ring->polled &&
	    __atomic_load_n(ring->sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
		flags |= IORING_ENTER_SQ_WAKEUP;
	if (syscall(SYS_io_uring_enter, ring->fd, ring->polled ? 0 : 1, 1, flags, NULL, 0) < 0 &&
	    errno != EINTR)
		fail(attempt, "io_uring_enter", -errno);
}

/* Submits one request and waits for its result: 0 or positive, or -errno. */
static long request(const struct attempt *attempt, const struct io_uring_sqe *sqe)
{
	struct ring *ring = attempt->data;
	__u32 tail = *ring->sq_tail, head = *ring->cq_head;
	long result;

	ring->sqes[tail & ring->sq_mask] = *sqe;
	ring->sq_array[tail & ring->sq_mask] = tail & ring->sq_mask;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	enter(attempt, ring);
	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head)
		must(attempt, "io_uring_enter",
		     syscall(SYS_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	result = ring->cqes[head & ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

static struct io_uring_sqe openat_request(const struct attempt *attempt)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)attempt->test->path,
		.len = MODE,
		.open_flags = (__u32)attempt->test->flags,
	};
}

static long finish(long result)
{
	if (result < 0)
		return result;
	close((int)result);
	return 0;
}

static long uring_openat(struct attempt *attempt, unsigned long i)
{
	const struct io_uring_sqe sqe = openat_request(attempt);

	(void)i;
	return finish(request(attempt, &sqe));
}

/* IOSQE_ASYNC: a worker thread makes the first try already. */
static long uring_openat_async(struct attempt *attempt, unsigned long i)
{
	struct io_uring_sqe sqe = openat_request(attempt);

	(void)i;
	sqe.flags = IOSQE_ASYNC;
	return finish(request(attempt, &sqe));
}

static long uring_openat2(struct attempt *attempt, unsigned long i)
{
	const struct open_how how = { .flags = attempt->test->flags };
	const struct io_uring_sqe sqe = {
		.opcode = IORING_OP_OPENAT2,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)attempt->test->path,
		.addr2 = (uintptr_t)&how,
		.len = sizeof(how),
	};

	(void)i;
	return finish(request(attempt, &sqe));
}

static long uring_openat_direct(struct attempt *attempt, unsigned long i)
{
	struct io_uring_sqe sqe = openat_request(attempt);
	long result;

	sqe.file_index = (__u32)i + 1;
	result = request(attempt, &sqe);
	if (result == -EINVAL || result > 0)
		skip(attempt, "this kernel's io_uring has no direct descriptors");
	return result;
}

static long uring_open_bad_path(struct attempt *attempt, unsigned long i)
{
	struct io_uring_sqe sqe = openat_request(attempt);

	(void)i;
	sqe.addr = (uintptr_t)NO_POINTER;
	return finish(request(attempt, &sqe));
}

static long uring_nop(struct attempt *attempt, unsigned long i)
{
	const struct io_uring_sqe sqe = { .opcode = IORING_OP_NOP };

	(void)i;
	return request(attempt, &sqe);
}

static void make_name(const struct attempt *attempt)
{
	must(attempt, "own/new", link("own/file", "own/new"));
}

static long uring_unlink(struct attempt *attempt, const char *path, __u32 flags)
{
	const struct io_uring_sqe sqe = {
		.opcode = IORING_OP_UNLINKAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)path,
		.unlink_flags = flags,
	};
	long result = request(attempt, &sqe);

	if (result == -EINVAL)
		skip(attempt, "this kernel's io_uring has no UNLINKAT");
	return result;
}

static long uring_unlinkat(struct attempt *attempt, unsigned long i)
{
	(void)i;
	make_name(attempt);
	return uring_unlink(attempt, "own/new", 0);
}

static long uring_rmdir(struct attempt *attempt, unsigned long i)
{
	(void)i;
	must(attempt, "own/new", mkdir("own/new", 0700));
	return uring_unlink(attempt, "own/new", AT_REMOVEDIR);
}

static long uring_unlink_path(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return uring_unlink(attempt, attempt->test->path, 0);
}

static long uring_rename_over(struct attempt *attempt, unsigned long i)
{
	const struct io_uring_sqe sqe = {
		.opcode = IORING_OP_RENAMEAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t) "own/new",
		.len = (__u32)AT_FDCWD,
		.off = (uintptr_t) "own/file",
	};
	long result;

	(void)i;
	must(attempt, "own/new", mknod("own/new", S_IFREG | 0600, 0));
	result = request(attempt, &sqe);
	if (result == -EINVAL)
		skip(attempt, "this kernel's io_uring has no RENAMEAT");
	return result;
}

const struct attempt_case unlink_uring_cases[] = {
	{ "io_uring-unlinkat", .needs = NEEDS_IO_URING, .start = start_ring,
	  .attempt = uring_unlinkat, UNLINKED },
	{ "io_uring-unlinkat-ENOENT", "missing", .needs = NEEDS_IO_URING | NEEDS_FAILED,
	  .start = start_ring, .attempt = uring_unlink_path, LINKED(ENOENT) },
	{ "io_uring-rmdir", .start = start_ring, .attempt = uring_rmdir },
	{ "io_uring-rename-over", .start = start_ring, .attempt = uring_rename_over,
	  .counted = { [EM_RENAMES_OVER] = 1 } },
	{ 0 },
};

#define URING	     .needs = NEEDS_IO_URING, .start = start_ring
#define URING_FAILED .needs = NEEDS_IO_URING | NEEDS_FAILED, .start = start_ring

const struct attempt_case open_uring_cases[] = {
	{ "io_uring-openat", "file", O_RDONLY, URING, .attempt = uring_openat, OPENED },
	{ "io_uring-openat2", "file", O_RDONLY, URING, .attempt = uring_openat2, OPENED },
	{ "io_uring-async", "file", O_RDONLY, URING, .attempt = uring_openat_async, OPENED },
	{ "io_uring-creat", "own/file", O_WRONLY | O_CREAT | O_TRUNC, URING,
	  .attempt = uring_openat, OPENED },
	{ "io_uring-direct", "file", O_RDONLY, .needs = NEEDS_IO_URING, .start = start_direct_ring,
	  .attempt = uring_openat_direct, OPENED },
	{ "io_uring-sqpoll", "file", O_RDONLY, .needs = NEEDS_IO_URING, .start = start_polled_ring,
	  .attempt = uring_openat, OPENED },
	/* Not in the cache: the first try gives up with EAGAIN, a worker's second one finds out. */
	{ "io_uring-ENOENT", "missing", O_RDONLY, URING_FAILED, .attempt = uring_openat,
	  FAILED(ENOENT) },
	{ "io_uring-ENOENT-cached", "/ebpfmon-missing", O_RDONLY, URING_FAILED,
	  .attempt = uring_openat, FAILED(ENOENT) },
	{ "io_uring-ENOENT-async", "missing", O_RDONLY, URING_FAILED, .attempt = uring_openat_async,
	  FAILED(ENOENT) },
	{ "io_uring-EACCES", "secret", O_RDONLY, URING_FAILED, .attempt = uring_openat,
	  DENIED(EACCES) },
	{ "io_uring-openat2-EACCES", "secret", O_RDONLY, URING_FAILED, .attempt = uring_openat2,
	  DENIED(EACCES) },
	{ "io_uring-EFAULT", .needs = NEEDS_IO_URING | NEEDS_FAILED | NEEDS_EARLY,
	  .start = start_ring, .attempt = uring_open_bad_path, FAILED(EFAULT) },
	{ "io_uring-nop", .start = start_ring, .attempt = uring_nop },
	{ 0 },
};
