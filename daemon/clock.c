/* SPDX-License-Identifier: GPL-2.0-only */
/* A timer that never ends, but is cancelled when the clock is set (timerfd_create(2)): clock.h. */
#include "clock.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	STEP_USEC = 1000000, /* less is what keeping time takes */
};

struct clock_watch {
	sd_event_source *source;
	int64_t ahead_usec; /* CLOCK_REALTIME of CLOCK_BOOTTIME, which nobody can set */
	clock_set set;
	void *userdata;
};

static int64_t usec_of(clockid_t id)
{
	struct timespec time = { 0 };

	clock_gettime(id, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int arm(int fd)
{
	const struct itimerspec never = { .it_value.tv_sec = LONG_MAX };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0
		       ? -errno
		       : 0;
}

static int on_cancelled(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct clock_watch *watch = userdata;
	uint64_t expirations;
	int64_t now, was;

	(void)source;
	(void)revents;
	if (read(fd, &expirations, sizeof(expirations)) >= 0 || errno != ECANCELED)
		return 0;
	now = usec_of(CLOCK_REALTIME);
	was = usec_of(CLOCK_BOOTTIME) + watch->ahead_usec;
	watch->ahead_usec += now - was;
	if (llabs(now - was) >= STEP_USEC)
		watch->set((uint64_t)was, (uint64_t)now, watch->userdata);
	return arm(fd);
}

struct clock_watch *clock_watch_free(struct clock_watch *watch)
{
	if (!watch)
		return NULL;
	sd_event_source_disable_unref(watch->source);
	free(watch);
	return NULL;
}

int clock_watch_new(sd_event *loop, clock_set set, void *userdata, struct clock_watch **ret_watch)
{
	_cleanup_close_ int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	struct clock_watch *watch;
	int r;

	if (fd < 0)
		return -errno;
	r = arm(fd);
	if (r < 0)
		return r;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	*watch = (struct clock_watch){
		.ahead_usec = usec_of(CLOCK_REALTIME) - usec_of(CLOCK_BOOTTIME),
		.set = set,
		.userdata = userdata,
	};
	r = sd_event_add_io(loop, &watch->source, fd, EPOLLIN, on_cancelled, watch);
	if (r < 0) {
		clock_watch_free(watch);
		return r;
	}
	sd_event_source_set_io_fd_own(watch->source, true);
	TAKE_FD(fd);
	*ret_watch = watch;
	return 0;
}
