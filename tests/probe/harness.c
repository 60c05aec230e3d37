/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon under test: harness.h. A guardian, a process apart from the test, is the daemon's
 * parent. It holds one end of a socket pair, and when the test's end closes, be it by
 * harness_stop(), a crash or kill -9, it stops the daemon and removes everything.
 */
#include "harness.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum {
	EXIT_SKIP = 77,
	START_MSEC = 30000,
	STOP_MSEC = 15000,
	GUARDIAN_MSEC = START_MSEC + STOP_MSEC + 10000,
	PATH_BYTES = 64,
	NOTIFY_BYTES = 1024,
	FILES_MAX = 8, /* open at a time while the directory is removed */
};

struct harness {
	int guardian; /* -1: the daemon is not ours */
	char directory[PATH_BYTES];
	char socket[PATH_BYTES * 2];
};

/* What the guardian needs; it lives in the guardian only. */
struct guard {
	const struct harness *harness;
	char config[PATH_BYTES * 2];
	char pins[PATH_BYTES];
	int test;   /* the test's end of life */
	int notify; /* where the daemon says READY=1 */
	pid_t daemon;
	int daemon_fd;
};

static const char *program(const char *variable, const char *built)
{
	const char *path = getenv(variable);

	return path && *path ? path : built;
}

bool harness_is_foreign(void)
{
	const char *path = getenv("EBPFMON_SOCKET");

	return path && *path;
}

int harness_unable(void)
{
	struct statfs status;

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: not root\n");
		return EXIT_SKIP;
	}
	if (!harness_is_foreign() &&
	    (statfs("/sys/fs/bpf", &status) || status.f_type != BPF_FS_MAGIC)) {
		fprintf(stderr, "skipped: no bpffs at /sys/fs/bpf\n");
		return EXIT_SKIP;
	}
	return 0;
}

const char *harness_socket(const struct harness *harness)
{
	return harness->socket;
}

/* --- the guardian ------------------------------------------------------------------------------ */

static int write_config(const struct guard *guard, const char *sections)
{
	FILE *file = fopen(guard->config, "we");

	if (!file)
		return -errno;
	fprintf(file, "[Daemon]\nPinPath=%s\nUser=root\nGroup=root\n[Server]\nSocket=%s\n%s",
		guard->pins, guard->harness->socket, sections);
	return fclose(file) ? -errno : 0;
}

static int bind_notify(struct guard *guard)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify",
		 guard->harness->directory);
	guard->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (guard->notify < 0 ||
	    bind(guard->notify, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return setenv("NOTIFY_SOCKET", address.sun_path, true) ? -errno : 0;
}

/* Runs the daemon's program; ignored signals would stay ignored in it. */
static pid_t run_daemon(const struct guard *guard, const char *option)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	execl(program("EBPFMOND", EBPFMOND), "ebpfmond", "--config", guard->config, option, NULL);
	perror("cannot run ebpfmond");
	_exit(127);
}

/* Reads what the daemon says: whether it is ready. */
static bool heard_ready(const struct guard *guard)
{
	char text[NOTIFY_BYTES];
	ssize_t length = recv(guard->notify, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (length <= 0)
		return false;
	text[length] = '\0';
	return !strncmp(text, "READY=1", 7) || strstr(text, "\nREADY=1");
}

/* 0, or -errno: the daemon ended, took too long, or the test is gone. */
static int await_ready(const struct guard *guard)
{
	struct pollfd fds[] = {
		{ .fd = guard->notify, .events = POLLIN },
		{ .fd = guard->daemon_fd, .events = POLLIN },
		{ .fd = guard->test, .events = POLLRDHUP },
	};

	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), START_MSEC) <= 0)
			return -ETIMEDOUT;
		if (fds[0].revents && heard_ready(guard))
			return 0;
		if (fds[1].revents)
			return -ECHILD;
		if (fds[2].revents)
			return -ECANCELED;
	}
}

static int start_daemon(struct guard *guard, const char *sections)
{
	int r = write_config(guard, sections);

	if (r == 0)
		r = bind_notify(guard);
	if (r < 0)
		return r;
	guard->daemon = run_daemon(guard, NULL);
	if (guard->daemon < 0)
		return -errno;
	guard->daemon_fd = (int)syscall(SYS_pidfd_open, guard->daemon, 0);
	if (guard->daemon_fd < 0)
		return -errno;
	return await_ready(guard);
}

/* 0 if process @pid, which @fd refers to, ends well and in time. */
static int await_end(pid_t pid, int fd, const char *what)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };
	bool late = poll(&end, 1, STOP_MSEC) <= 0;
	int status;

	if (late)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!late && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	fprintf(stderr, "%s %s %d\n", what,
		late		    ? "did not end in time: wait status"
		: WIFEXITED(status) ? "exited with"
				    : "was killed: wait status",
		WIFEXITED(status) ? WEXITSTATUS(status) : status);
	return -EPROTO;
}

static int stop_daemon(const struct guard *guard)
{
	struct pollfd end = { .fd = guard->daemon_fd, .events = POLLIN };

	if (guard->daemon <= 0)
		return 0;
	if (poll(&end, 1, 0) > 0)
		fprintf(stderr, "ebpfmond ended before it was told to\n");
	else
		kill(guard->daemon, SIGTERM);
	return await_end(guard->daemon, guard->daemon_fd, "ebpfmond");
}

static int remove_pins(const struct guard *guard)
{
	_cleanup_close_ int fd = -1;
	pid_t pid = run_daemon(guard, "--unpin");
	int r;

	if (pid < 0)
		return -errno;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	r = await_end(pid, fd, "ebpfmond --unpin");
	if (r == 0 && rmdir(guard->pins) && errno != ENOENT) {
		fprintf(stderr, "ebpfmond --unpin left something in %s\n", guard->pins);
		return -ENOTEMPTY;
	}
	return r;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Says how the start went, waits for the test to let go, says how the end went. */
static void run_guardian(struct guard *guard, const char *sections)
{
	struct pollfd test = { .fd = guard->test, .events = POLLRDHUP };
	int result, r;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	result = start_daemon(guard, sections);
	if (result < 0)
		fprintf(stderr, "ebpfmond did not start: %s\n", strerror(-result));
	send(guard->test, &result, sizeof(result), MSG_NOSIGNAL);
	while (result == 0 && !(test.revents & (POLLRDHUP | POLLHUP)))
		poll(&test, 1, -1);
	r = stop_daemon(guard);
	result = result ? result : r;
	r = remove_pins(guard);
	result = result ? result : r;
	if (nftw(guard->harness->directory, remove_one, FILES_MAX, FTW_DEPTH | FTW_PHYS))
		result = result ? result : -errno;
	send(guard->test, &result, sizeof(result), MSG_NOSIGNAL);
}

/* --- the test's side --------------------------------------------------------------------------- */

static int hear_guardian(const struct harness *harness)
{
	struct pollfd guardian = { .fd = harness->guardian, .events = POLLIN };
	int result;

	if (poll(&guardian, 1, GUARDIAN_MSEC) <= 0)
		return -ETIMEDOUT;
	return recv(harness->guardian, &result, sizeof(result), 0) == sizeof(result) ? result
										     : -ECHILD;
}

/* The guardian is nobody's child: who kills the test with all its children misses it. */
static int start_guardian(struct harness *harness, const char *sections)
{
	struct guard guard = { .harness = harness, .notify = -1, .daemon_fd = -1 };
	int ends[2], status;
	pid_t pid;

	snprintf(guard.config, sizeof(guard.config), "%s/config", harness->directory);
	snprintf(guard.pins, sizeof(guard.pins), "/sys/fs/bpf/ebpfmon-test-%d", getpid());
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		guard.test = ends[1];
		setsid();
		if (fork() == 0)
			run_guardian(&guard, sections);
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	harness->guardian = ends[0];
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return hear_guardian(harness);
}

int harness_start(const char *sections, struct harness **ret_harness)
{
	struct harness *harness = calloc(1, sizeof(*harness));
	int r;

	if (!harness)
		return -ENOMEM;
	harness->guardian = -1;
	if (harness_is_foreign()) {
		snprintf(harness->socket, sizeof(harness->socket), "%s", getenv("EBPFMON_SOCKET"));
		*ret_harness = harness;
		return 0;
	}
	snprintf(harness->directory, sizeof(harness->directory), "/tmp/ebpfmon-test-XXXXXX");
	if (!mkdtemp(harness->directory)) {
		r = -errno;
		perror(harness->directory);
		free(harness);
		return r;
	}
	snprintf(harness->socket, sizeof(harness->socket), "%s/socket", harness->directory);
	r = start_guardian(harness, sections);
	if (r < 0) {
		harness_stop(harness);
		return r;
	}
	*ret_harness = harness;
	return 0;
}

int harness_stop(struct harness *harness)
{
	int r = 0;

	if (!harness)
		return 0;
	if (harness->guardian >= 0) {
		shutdown(harness->guardian, SHUT_WR);
		r = hear_guardian(harness);
		close(harness->guardian);
	}
	free(harness);
	return r;
}

/* --- the client -------------------------------------------------------------------------------- */

static void run_client(const struct harness *harness, const char *const *arguments, int out)
{
	const char *argv[16] = { "ebpfctl", "--socket", harness->socket };

	for (size_t i = 0; arguments[i] && i + 4 < ARRAY_SIZE(argv); i++)
		argv[i + 3] = arguments[i];
	dup2(out, STDOUT_FILENO);
	execv(program("EBPFCTL", EBPFCTL), (char *const *)(uintptr_t)argv);
	perror("cannot run ebpfctl");
	_exit(127);
}

struct json_object *harness_ask(const struct harness *harness, const char *const *arguments)
{
	struct json_object *answer;
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	pid = fork();
	if (pid == 0)
		run_client(harness, arguments, ends[1]);
	close(ends[1]);
	answer = json_object_from_fd(ends[0]);
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0 || !answer) {
		fprintf(stderr, "ebpfctl %s failed\n", arguments[0]);
		json_object_put(answer);
		return NULL;
	}
	return answer;
}
