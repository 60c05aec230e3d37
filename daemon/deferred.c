/* SPDX-License-Identifier: GPL-2.0-only */
/* An eventfd(2) that is readable for as long as there is work: deferred.h. */
#include "deferred.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct deferred {
	sd_event_source *source;
	int fd; /* the source's */
	bool wanted;
	void (*work)(void *userdata);
	void *userdata;
};

void deferred_want(struct deferred *deferred, bool wanted)
{
	eventfd_t value = 1;
	ssize_t n;

	if (wanted == deferred->wanted)
		return;
	n = wanted ? write(deferred->fd, &value, sizeof(value))
		   : read(deferred->fd, &value, sizeof(value));
	if (n > 0)
		deferred->wanted = wanted;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct deferred *deferred = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	deferred->work(deferred->userdata);
	return 0;
}

struct deferred *deferred_free(struct deferred *deferred)
{
	if (!deferred)
		return NULL;
	sd_event_source_disable_unref(deferred->source);
	free(deferred);
	return NULL;
}

int deferred_new(sd_event *loop, void (*work)(void *userdata), void *userdata,
		 struct deferred **ret_deferred)
{
	_cleanup_close_ int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	struct deferred *deferred;
	int r;

	if (fd < 0)
		return -errno;
	deferred = calloc(1, sizeof(*deferred));
	if (!deferred)
		return -ENOMEM;
	*deferred = (struct deferred){ .fd = fd, .work = work, .userdata = userdata };
	r = sd_event_add_io(loop, &deferred->source, fd, EPOLLIN, on_readable, deferred);
	if (r < 0) {
		deferred_free(deferred);
		return r;
	}
	sd_event_source_set_io_fd_own(deferred->source, true);
	TAKE_FD(fd);
	*ret_deferred = deferred;
	return 0;
}
