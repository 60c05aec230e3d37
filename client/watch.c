/* SPDX-License-Identifier: GPL-2.0-only */
/* Intervals and signals. */
#include "watch.h"
#include "complaint.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

enum {
	INTERVAL_DEFAULT_MS = 2000,
	INTERVAL_MIN_MS = 100,
	INTERVAL_MAX_MS = 86400 * 1000,
};

uint64_t monotonic_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int64_t monotonic_ms(void)
{
	return (int64_t)(monotonic_usec() / 1000);
}

/* Digits with at most one dot among them: strtod() takes much more than that. */
static int interval_parse(const char *option, const char *seconds, int64_t *ret_ms)
{
	size_t whole = strspn(seconds, "0123456789"), length = whole;
	double value;

	if (seconds[length] == '.')
		length += 1 + strspn(seconds + length + 1, "0123456789");
	value = seconds[length] || length > 32 || !strpbrk(seconds, "0123456789")
			? -1
			: strtod(seconds, NULL);
	if (value * 1000 < INTERVAL_MIN_MS || value * 1000 > INTERVAL_MAX_MS)
		return complain(CODE_USAGE, "--%s takes 0.1 to 86400 seconds, not '%s'", option,
				seconds);
	*ret_ms = (int64_t)(value * 1000 + 0.5);
	return CODE_OK;
}

int watch_open(struct watch *watch, const char *option, const char *seconds)
{
	int64_t interval_ms = INTERVAL_DEFAULT_MS;
	sigset_t signals;
	int code = *seconds ? interval_parse(option, seconds, &interval_ms) : CODE_OK;

	if (code)
		return code;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	watch->interrupt_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->interrupt_fd < 0)
		return complain(CODE_FAILURE, "cannot watch for signals: %s", strerror(errno));
	watch->interval_ms = interval_ms;
	watch->next_ms = monotonic_ms();
	return CODE_OK;
}

/* Times that were missed are left out, not caught up with. */
void watch_advance(struct watch *watch)
{
	int64_t now_ms = monotonic_ms();

	watch->next_ms += watch->interval_ms;
	if (watch->next_ms < now_ms)
		watch->next_ms = now_ms;
}

int watch_left_ms(const struct watch *watch)
{
	int64_t left = watch->next_ms - monotonic_ms();

	return left > 0 ? (int)left : 0;
}

bool watch_wait(struct watch *watch)
{
	struct pollfd interrupt = { .fd = watch->interrupt_fd, .events = POLLIN };
	int left;

	watch_advance(watch);
	while ((left = watch_left_ms(watch)) > 0)
		if (poll(&interrupt, 1, left) > 0)
			return false;
	return true;
}

void watch_close(struct watch *watch)
{
	watch->interrupt_fd = close_fd(watch->interrupt_fd);
}
