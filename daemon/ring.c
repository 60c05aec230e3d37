/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring buffer as a source of the event loop: ring.h. */
#include "ring.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>

enum {
	RELEASE_RECORDS =
		32, /* read before their room is given back: less traffic between caches */
};

struct ring {
	sd_event_source *source;
	uint64_t *consumer;
	const uint64_t *producer;
	const unsigned char *data; /* behind the producer's page */
	size_t page, bytes;
	unsigned char *copy; /* of a record that continues at the beginning of the data */
	size_t copy_bytes;
	ring_ready ready;
	void *userdata;
};

struct ring *ring_free(struct ring *ring)
{
	if (!ring)
		return NULL;
	sd_event_source_disable_unref(ring->source);
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)(uintptr_t)ring->producer, ring->page + ring->bytes);
	free(ring->copy);
	free(ring);
	return NULL;
}

static void ring_freep(struct ring **ring)
{
	ring_free(*ring);
}

uint64_t ring_produced(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
}

uint64_t ring_consumed(const struct ring *ring)
{
	return *ring->consumer;
}

/* The @bytes of data at @position, in one piece; NULL: no memory. */
static const void *piece(struct ring *ring, uint64_t position, size_t bytes)
{
	size_t at = position & (ring->bytes - 1), first = ring->bytes - at;
	unsigned char *copy;

	if (bytes <= first)
		return ring->data + at;
	if (bytes > ring->copy_bytes) {
		copy = realloc(ring->copy, bytes);
		if (!copy)
			return NULL;
		ring->copy = copy;
		ring->copy_bytes = bytes;
	}
	memcpy(ring->copy, ring->data + at, first);
	memcpy(ring->copy + first, ring->data, bytes - first);
	return ring->copy;
}

/* Steps over the record at *@position: 1, or 0 when it is not complete. */
static int step(struct ring *ring, uint64_t *position, ring_visit visit, void *userdata)
{
	const uint32_t *header = piece(ring, *position, BPF_RINGBUF_HDR_SZ);
	uint32_t length = __atomic_load_n(header, __ATOMIC_ACQUIRE);
	size_t bytes = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	const void *record;

	if (length & BPF_RINGBUF_BUSY_BIT || bytes > ring->bytes)
		return 0;
	if (visit && !(length & BPF_RINGBUF_DISCARD_BIT)) {
		record = piece(ring, *position + BPF_RINGBUF_HDR_SZ, bytes);
		if (!record)
			return 0;
		visit(record, bytes, userdata);
	}
	*position += (BPF_RINGBUF_HDR_SZ + bytes + 7) & ~(size_t)7;
	return 1;
}

unsigned int ring_consume(struct ring *ring, unsigned int max, ring_visit visit, void *userdata)
{
	uint64_t position = *ring->consumer;
	unsigned int n = 0;

	while (n < max && position < ring_produced(ring) &&
	       step(ring, &position, visit, userdata)) {
		n++;
		if (n % RELEASE_RECORDS == 0)
			__atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
	}
	__atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
	return n;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct ring *ring = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	ring->ready(ring->userdata);
	return 0;
}

static int map_memory(struct ring *ring, int map_fd)
{
	void *memory = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	ring->consumer = memory;
	memory = mmap(NULL, ring->page + ring->bytes, PROT_READ, MAP_SHARED, map_fd,
		      (off_t)ring->page);
	if (memory == MAP_FAILED)
		return -errno;
	ring->producer = memory;
	ring->data = (const unsigned char *)memory + ring->page;
	return 0;
}

int ring_new(sd_event *loop, int map_fd, size_t ring_bytes, ring_ready ready, void *userdata,
	     struct ring **ret_ring)
{
	CLEANUP(ring_freep) struct ring *ring = calloc(1, sizeof(*ring));
	int r;

	if (!ring)
		return -ENOMEM;
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->bytes = ring_bytes;
	ring->ready = ready;
	ring->userdata = userdata;
	r = map_memory(ring, map_fd);
	if (!r)
		r = sd_event_add_io(loop, &ring->source, map_fd, EPOLLIN, on_readable, ring);
	if (r < 0)
		return r;
	*ret_ring = TAKE_PTR(ring);
	return 0;
}
