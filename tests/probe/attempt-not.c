/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is no open, although it makes a descriptor, names a file or opens one inside the kernel.
 * Each attempt is counted as nothing, or as the exec that it is.
 */
#include "attempt.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif

enum {
	PAGE_BYTES = 4096,
	PATTERN_BYTES = 256,
};

static void prepare_file(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "file", open("file", O_RDONLY | O_CLOEXEC));
}

static long make_dup(struct attempt *attempt, unsigned long i)
{
	(void)i;
	if (opened(dup(attempt->fd)) || opened(dup3(attempt->fd, 99, O_CLOEXEC)))
		return -errno;
	return opened(fcntl(attempt->fd, F_DUPFD_CLOEXEC, 0));
}

static long make_pipe(struct attempt *attempt, unsigned long i)
{
	int fds[2];

	(void)attempt;
	(void)i;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	close(fds[0]);
	return opened(fds[1]);
}

static long make_socket(struct attempt *attempt, unsigned long i)
{
	int fds[2];

	(void)attempt;
	(void)i;
	if (opened(socket(AF_UNIX, SOCK_STREAM, 0)) || socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return -errno;
	close(fds[0]);
	return opened(fds[1]);
}

/* Binding makes a file, connecting finds one. */
static long make_connection(struct attempt *attempt, unsigned long i)
{
	static const struct sockaddr_un address = { AF_UNIX, "own/socket" };
	_cleanup_close_ int server = socket(AF_UNIX, SOCK_STREAM, 0);
	_cleanup_close_ int client = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)attempt;
	(void)i;
	if (bind(server, (const struct sockaddr *)&address, sizeof(address)) || listen(server, 1) ||
	    connect(client, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return outcome(unlink(address.sun_path));
}

static long make_descriptors(struct attempt *attempt, unsigned long i)
{
	sigset_t signals;

	(void)attempt;
	(void)i;
	sigemptyset(&signals);
	if (opened(eventfd(0, EFD_CLOEXEC)) || opened(epoll_create1(EPOLL_CLOEXEC)) ||
	    opened(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) ||
	    opened(signalfd(-1, &signals, SFD_CLOEXEC)) || opened(inotify_init1(IN_CLOEXEC)))
		return -errno;
	return 0;
}

static long make_memory_file(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	return opened(syscall(SYS_memfd_create, "memory", 0));
}

/* A file of its own in newer kernels, opened inside the kernel. */
static long make_process_descriptor(struct attempt *attempt, unsigned long i)
{
	long result = opened(syscall(SYS_pidfd_open, getpid(), 0));

	(void)i;
	if (result == -ENOSYS)
		skip(attempt, "this kernel has no pidfd_open");
	return result;
}

static void prepare_namespace(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "/proc/self/ns/uts",
				open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
}

static long make_namespace_descriptor(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(ioctl(attempt->fd, NS_GET_USERNS));
}

static void prepare_terminal(struct attempt *attempt)
{
	int unlock = 0;

	attempt->fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (attempt->fd < 0)
		skip(attempt, "no /dev/ptmx here");
	must(attempt, "TIOCSPTLCK", ioctl(attempt->fd, TIOCSPTLCK, &unlock));
}

static long make_terminal(struct attempt *attempt, unsigned long i)
{
	(void)i;
	return opened(ioctl(attempt->fd, TIOCGPTPEER, O_RDWR | O_NOCTTY));
}

static long make_queue(struct attempt *attempt, unsigned long i)
{
	char name[32];
	long result;

	(void)i;
	snprintf(name, sizeof(name), "ebpfmon-%d", getpid());
	result = opened(syscall(SYS_mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
	if (result == -ENOSYS)
		skip(attempt, "this kernel has no message queues");
	return result ? result : outcome(syscall(SYS_mq_unlink, name));
}

/* A descriptor of a path like O_PATH makes, but another system call. */
static long make_tree(struct attempt *attempt, unsigned long i)
{
	long result = opened(syscall(SYS_open_tree, AT_FDCWD, "file", O_CLOEXEC));

	(void)i;
	if (result == -ENOSYS)
		skip(attempt, "this kernel has no open_tree");
	return result;
}

static long look(struct attempt *attempt, unsigned long i)
{
	struct stat status;
	struct statx extended;
	struct statfs system;
	char target[64];

	(void)attempt;
	(void)i;
	if (stat("file", &status) || lstat("link", &status) ||
	    fstatat(AT_FDCWD, "file", &status, 0) ||
	    statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &extended) || statfs("file", &system) ||
	    access("file", R_OK) || syscall(SYS_faccessat, AT_FDCWD, "file", R_OK) ||
	    readlink("link", target, sizeof(target)) < 0)
		return -errno;
	return 0;
}

static long look_in_vain(struct attempt *attempt, unsigned long i)
{
	struct stat status;
	char target[64];

	(void)attempt;
	(void)i;
	if (!stat("missing", &status) || !access("missing", R_OK) || !access("secret", R_OK) ||
	    readlink("missing", target, sizeof(target)) >= 0)
		return 0;
	return -errno;
}

static long change_names(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	if (mkdir("own/a", 0700) || rmdir("own/a") || link("own/file", "own/b") ||
	    rename("own/b", "own/c") || unlink("own/c") || symlink("file", "own/d") ||
	    unlink("own/d") || mknod("own/e", S_IFREG | 0600, 0) || unlink("own/e") ||
	    truncate("own/file", 1) || chmod("own/file", 0644) ||
	    utimensat(AT_FDCWD, "own/file", NULL, 0))
		return -errno;
	return 0;
}

static long change_directory(struct attempt *attempt, unsigned long i)
{
	(void)attempt;
	(void)i;
	return outcome(chdir("directory") || chdir("..") ? -1 : 0);
}

static long map_memory(struct attempt *attempt, unsigned long i)
{
	void *file = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE, attempt->fd, 0);
	void *shared = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)i;
	if (file == MAP_FAILED || shared == MAP_FAILED)
		return -errno;
	munmap(file, PAGE_BYTES);
	munmap(shared, PAGE_BYTES);
	return 0;
}

/* The kernel opens the program, the script's interpreter, the loader: nobody asked for that. */
static void prepare_script(struct attempt *attempt)
{
	write_file(attempt, "script", "#!/tmp/nothing\n", 0755);
}

static void prepare_interpreted(struct attempt *attempt)
{
	copy_helper(attempt, "interpreted", "interpreted", 0755);
}

/* The kernel writes the core as the user into the working directory. */
static void prepare_core(struct attempt *attempt)
{
	struct rlimit limit;
	char pattern[PATTERN_BYTES] = "";
	_cleanup_close_ int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, pattern, sizeof(pattern) - 1) <= 0 || strcspn(pattern, "|@/\n") == 0)
		skip(attempt, "kernel.core_pattern does not write to the working directory");
	must(attempt, "own", chdir("own"));
	must(attempt, "RLIMIT_CORE", getrlimit(RLIMIT_CORE, &limit));
	limit.rlim_cur = limit.rlim_max;
	must(attempt, "RLIMIT_CORE", setrlimit(RLIMIT_CORE, &limit));
}

static long dump_core(struct attempt *attempt, unsigned long i)
{
	int status;
	pid_t pid = fork();

	(void)i;
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		signal(SIGQUIT, SIG_DFL);
		raise(SIGQUIT);
		_exit(EXIT_FAILURE);
	}
	must(attempt, "waitpid", waitpid(pid, &status, 0));
	if (!WIFSIGNALED(status) || !WCOREDUMP(status))
		skip(attempt, "this machine writes no core");
	return 0;
}

const struct attempt_case open_not_cases[] = {
	{ "dup", .prepare = prepare_file, .attempt = make_dup },
	{ "pipe", .attempt = make_pipe },
	{ "socket", .attempt = make_socket },
	{ "connect", .attempt = make_connection, UNLINKED },
	{ "descriptors", .attempt = make_descriptors },
	{ "memfd_create", .attempt = make_memory_file },
	{ "pidfd_open", .attempt = make_process_descriptor },
	{ "namespace", .prepare = prepare_namespace, .attempt = make_namespace_descriptor },
	{ "terminal", .prepare = prepare_terminal, .attempt = make_terminal },
	{ "mq_open", .attempt = make_queue },
	{ "open_tree", .attempt = make_tree },
	{ "stat", .attempt = look },
	{ "stat-ENOENT", .attempt = look_in_vain, .error = ENOENT },
	{ "rename", .attempt = change_names, .counted = { [EM_UNLINKS] = 3 } },
	{ "chdir", .attempt = change_directory },
	{ "mmap", .prepare = prepare_file, .attempt = map_memory },
	{ "run", "nothing", .attempt = spawn, .exec = exec_execve, EXECUTED },
	{ "run-script", "script", .prepare = prepare_script, .attempt = spawn, .exec = exec_execve,
	  EXECUTED },
	{ "run-interpreted", "interpreted", .prepare = prepare_interpreted, .attempt = spawn,
	  .exec = exec_execve, EXECUTED },
	{ "run-ENOENT", "missing", .needs = NEEDS_FAILED, .attempt = spawn, .exec = exec_execve,
	  UNEXECUTED(ENOENT) },
	{ "core", .prepare = prepare_core, .attempt = dump_core,
	  .counted = { [EM_ABNORMAL_EXITS] = 1, SPAWNED } },
	{ 0 },
};
