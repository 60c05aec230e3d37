/* SPDX-License-Identifier: GPL-2.0-only */
/* The ring buffer as a source of the event loop: ring.h. */
#include "ring.h"

#include <bpf/libbpf.h>
#include <sys/epoll.h>

enum {
	BATCH = 1024, /* records handed out per turn of the loop: clients must get theirs too */
};

struct ring {
	struct ring_buffer *buffer;
	sd_event_source *source;
	ring_visit visit;
	ring_done done;
	void *userdata;
	unsigned int left; /* of this batch */
};

struct ring *ring_free(struct ring *ring)
{
	if (!ring)
		return NULL;
	sd_event_source_disable_unref(ring->source);
	ring_buffer__free(ring->buffer);
	free(ring);
	return NULL;
}

/* Negative: the batch is full. The record counts as consumed all the same. */
static int on_record(void *context, void *data, size_t bytes)
{
	struct ring *ring = context;

	if (bytes >= sizeof(struct em_event))
		ring->visit(data, bytes, ring->userdata);
	return --ring->left ? 0 : -EAGAIN;
}

/* The loop asks again as long as there is something, so a full batch needs no memory of it. */
static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct ring *ring = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	ring->left = BATCH;
	ring_buffer__consume(ring->buffer);
	ring->done(ring->userdata);
	return 0;
}

int ring_new(sd_event *loop, int map_fd, ring_visit visit, ring_done done, void *userdata,
	     struct ring **ret_ring)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	int r;

	if (!ring)
		return -ENOMEM;
	*ring = (struct ring){ .visit = visit, .done = done, .userdata = userdata };
	ring->buffer = ring_buffer__new(map_fd, on_record, ring, NULL);
	r = ring->buffer ? sd_event_add_io(loop, &ring->source, ring_buffer__epoll_fd(ring->buffer),
					   EPOLLIN, on_readable, ring)
			 : -errno;
	if (r < 0) {
		ring_free(ring);
		return r;
	}
	*ret_ring = ring;
	return 0;
}
