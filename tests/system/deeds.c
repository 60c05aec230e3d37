/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does one thing that events are to tell of, as exactly the process that is seen.
 *   deeds opens UID PATH COUNT         open and close
 *   deeds execs UID PATH COUNT         one child each
 *   deeds open FLAGS MODE PATH         openat(2); FLAGS and MODE in octal
 *   deeds deleted PATH                 opens it through /proc after its name is gone
 *   deeds memfd PATH [ARGUMENT...]     runs a copy of PATH that has no name
 *   deeds thread PATH                  opens it in a second thread
 *   deeds forks UID COUNT              one child each, which ends with 0
 *   deeds threads UID COUNT            one thread each
 *   deeds unlinks UID DIRECTORY COUNT  of a file that is there, and once more
 *   deeds unlinkat DIRECTORY NAME      relative to it
 *   deeds spawn                        a child and a thread; prints [pid, tid, is a thread] of each
 *   deeds end CODE SIGNAL MILLISECONDS a child that lives so long and ends by SIGNAL, or with CODE if
 *                                      it is 0; prints [pid, code, signal, core dumped, microseconds]
 *                                      as its parent knows them
 *   deeds stall SOCKET REQUEST        asks; reads nothing until it gets a line, then all
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Real and effective, without supplementary groups. */
static void become(const char *uid)
{
	uid_t id = (uid_t)strtoul(uid, NULL, 10);

	if (syscall(SYS_setgroups, 0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		die("setresuid");
}

static void opens(char *const words[])
{
	long count = strtol(words[2], NULL, 10);

	become(words[0]);
	for (long i = 0; i < count; i++) {
		int fd = open(words[1], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			die(words[1]);
		close(fd);
	}
}

static void execs(char *const words[])
{
	long count = strtol(words[2], NULL, 10);
	int status;

	become(words[0]);
	for (long i = 0; i < count; i++) {
		char *const child[] = { words[1], NULL };
		pid_t pid = vfork();

		if (!pid) {
			execv(words[1], child);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) == 127)
			die(words[1]);
	}
}

static void open_one(char *const words[])
{
	int fd = openat(AT_FDCWD, words[2], (int)strtol(words[0], NULL, 8),
			(mode_t)strtol(words[1], NULL, 8));

	/* That it fails may be what is wanted. */
	if (fd >= 0)
		close(fd);
}

static void open_deleted(char *const words[])
{
	int fd = open(words[0], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char again[64];

	if (fd < 0 || unlink(words[0]))
		die(words[0]);
	snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(again);
	close(fd);
}

static void run_memfd(char *const words[])
{
	int from = open(words[0], O_RDONLY | O_CLOEXEC), to = memfd_create("deed", MFD_CLOEXEC);
	off_t size = lseek(from, 0, SEEK_END);

	if (size <= 0 || lseek(from, 0, SEEK_SET) || sendfile(to, from, NULL, (size_t)size) != size)
		die(words[0]);
	fexecve(to, words, environ);
	die("fexecve");
}

static void forks(char *const words[])
{
	long count = strtol(words[1], NULL, 10);

	become(words[0]);
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			die("fork");
	}
}

/* Tells @file who it is, if there is one. */
static void *live_shortly(void *file)
{
	if (file)
		fprintf(file, "[%d,%ld,true]]\n", getpid(), syscall(SYS_gettid));
	return NULL;
}

static void run_thread(FILE *file)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, live_shortly, file) || pthread_join(thread, NULL))
		die("pthread_create");
}

static void threads(char *const words[])
{
	long count = strtol(words[1], NULL, 10);

	become(words[0]);
	for (long i = 0; i < count; i++)
		run_thread(NULL);
}

static void spawn(char *const words[])
{
	pid_t pid = fork();

	(void)words;
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("fork");
	printf("[[%d,%d,false],", pid, pid);
	run_thread(stdout);
}

static void unlinks(char *const words[])
{
	long count = strtol(words[2], NULL, 10);
	char path[4096];

	become(words[0]);
	snprintf(path, sizeof(path), "%s/unlinked", words[1]);
	for (long i = 0; i < count; i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0 || unlink(path) || !unlink(path))
			die(path);
		close(fd);
	}
}

static void unlink_below(char *const words[])
{
	int fd = open(words[0], O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* That it fails may be what is wanted. */
	if (fd < 0 || (unlinkat(fd, words[1], 0) && errno != ENOENT))
		die(words[0]);
}

static long long now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void live_and_end(char *const words[])
{
	const struct rlimit cores = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &cores); /* if it may */
	usleep((useconds_t)strtoul(words[2], NULL, 10) * 1000);
	raise((int)strtol(words[1], NULL, 10));
	_exit((int)strtol(words[0], NULL, 10));
}

static void end(char *const words[])
{
	long long begin = now_usec();
	pid_t pid = fork();
	int status;

	if (!pid)
		live_and_end(words);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork");
	printf("[%d,%d,%d,%s,%lld]\n", pid, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0, WCOREDUMP(status) ? "true" : "false",
	       now_usec() - begin);
}

static void *open_in_thread(void *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	close(fd);
	return NULL;
}

static void open_as_thread(char *const words[])
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, open_in_thread, words[0]) || pthread_join(thread, NULL))
		die("pthread_create");
}

static void stall(char *const words[])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char block[65536];
	ssize_t size;

	strncpy(address.sun_path, words[0], sizeof(address.sun_path) - 1);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    write(fd, words[1], strlen(words[1]) + 1) < 0)
		die(words[0]);
	/* The first answer, so that it is known to listen; then nothing until a line comes. */
	size = read(fd, block, sizeof(block));
	if (size <= 0)
		die("read");
	fprintf(stderr, "ready\n");
	if (!fgets(block, sizeof(block), stdin))
		die("stdin");
	setlinebuf(stdout);
	while ((size = read(fd, block, sizeof(block))) > 0)
		for (ssize_t i = 0; i < size; i++)
			putchar(block[i] ? block[i] : '\n');
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		int least;
		void (*function)(char *const words[]);
	} deeds[] = {
		{ "opens", 3, opens },	   { "execs", 3, execs },
		{ "open", 3, open_one },   { "deleted", 1, open_deleted },
		{ "memfd", 1, run_memfd }, { "thread", 1, open_as_thread },
		{ "forks", 2, forks },	   { "threads", 2, threads },
		{ "unlinks", 3, unlinks }, { "unlinkat", 2, unlink_below },
		{ "spawn", 0, spawn },	   { "end", 3, end },
		{ "stall", 2, stall },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (!strcmp(argv[1], deeds[i].name) && argc - 2 >= deeds[i].least) {
			deeds[i].function(argv + 2);
			return fflush(stdout) ? 1 : 0;
		}
	return 2;
}
