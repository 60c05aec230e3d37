/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attempt [--uid U] [--wait] CASE COUNT: as user U, makes exactly COUNT attempts of a case and opens
 * and runs nothing else; exits 0 if every one ended as the case's row says, 77 if this machine
 * cannot do it, 1 otherwise. With --wait it writes "ready" when all is prepared, and begins when its
 * input ends. attempt --list writes the rows as JSON, one a line.
 *
 * Owns the order of events: root prepares a room (a file system of its own at /tmp, in a mount
 * namespace of its own), one child becomes the user and makes the attempts. Knows no case.
 */
#include "attempt.h"

#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	EXIT_SKIP = 77,
	DEFAULT_UID = 65534,
	TIMEOUT_SECONDS = 120,
};

static const struct {
	const char *probe;
	const struct attempt_case *cases;
} tables[] = {
	{ "exec", exec_cases },
	{ "exec", exec_failure_cases },
	{ "exec", exec_compat_cases },
	{ "exit", exit_cases },
	{ "fork", fork_cases },
	{ "open", open_cases },
	{ "open", open_failure_cases },
	{ "open", open_mount_cases },
	{ "open", open_uring_cases },
	{ "open", open_compat_cases },
	{ "open", open_not_cases },
	{ "unlink", unlink_cases },
	{ "unlink", unlink_mount_cases },
	{ "unlink", unlink_uring_cases },
	{ "unlink", unlink_compat_cases },
};

static const char *const slot_names[EM_SLOTS_USED] = {
#define SLOT(name, number, json) [EM_##name] = json,
	EM_SLOT_LIST(SLOT)
#undef SLOT
};

static const struct {
	unsigned int need;
	const char *name;
} needs[] = {
#define NEED(name, bit, json) { NEEDS_##name, json },
	ATTEMPT_NEEDS_LIST(NEED)
#undef NEED
};

static const struct attempt_case *find_case(const char *name)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct attempt_case *test = tables[t].cases; test->name; test++)
			if (!strcmp(test->name, name))
				return test;
	return NULL;
}

static void list_case(const char *probe, const struct attempt_case *test)
{
	const char *comma = "";

	printf("{\"probe\":\"%s\",\"name\":\"%s\",\"needs\":[", probe, test->name);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!(test->needs & needs[i].need))
			continue;
		printf("%s\"%s\"", comma, needs[i].name);
		comma = ",";
	}
	printf("],\"counted\":{");
	comma = "";
	for (size_t slot = 0; slot < EM_SLOTS_USED; slot++) {
		if (!test->counted[slot])
			continue;
		printf("%s\"%s\":%d", comma, slot_names[slot], test->counted[slot]);
		comma = ",";
	}
	/* The process that makes the attempts ends as well. */
	printf("},\"exits\":%d}\n", !test->other_user);
}

static int list_cases(void)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct attempt_case *test = tables[t].cases; test->name; test++)
			list_case(tables[t].probe, test);
	return EXIT_SUCCESS;
}

void skip(const struct attempt *attempt, const char *reason)
{
	fprintf(stderr, "attempt: %s: skipped: %s\n", attempt->test->name, reason);
	_exit(EXIT_SKIP);
}

void fail(const struct attempt *attempt, const char *what, long result)
{
	const char *error = result < 0 ? strerrorname_np((int)-result) : NULL;

	fprintf(stderr, "attempt: %s: %s: %s (%ld)\n", attempt->test->name, what,
		result < 0 ? (error ? error : "unknown error") : "no error", result);
	_exit(EXIT_FAILURE);
}

long must(const struct attempt *attempt, const char *what, long result)
{
	if (result < 0)
		fail(attempt, what, -errno);
	return result;
}

long outcome(long result)
{
	return result < 0 ? -errno : 0;
}

long opened(long result)
{
	if (result < 0)
		return -errno;
	close((int)result);
	return 0;
}

static void change_user(uid_t uid, uid_t real, uid_t effective)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(real, effective, uid)) {
		perror("attempt: cannot change user");
		_exit(EXIT_FAILURE);
	}
}

void become_user(uid_t uid)
{
	change_user(uid, uid, uid);
}

void become_reader(uid_t uid)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = 1U << CAP_DAC_READ_SEARCH, .permitted = 1U << CAP_DAC_READ_SEARCH },
	};

	prctl(PR_SET_KEEPCAPS, 1);
	change_user(uid, uid, uid);
	if (syscall(SYS_capset, &header, data)) {
		perror("attempt: cannot keep CAP_DAC_READ_SEARCH");
		_exit(EXIT_FAILURE);
	}
}

void become_real_only(uid_t uid)
{
	change_user(uid, uid, 0);
}

void become_effective_only(uid_t uid)
{
	change_user(uid, 0, uid);
}

void start_user_namespace(struct attempt *attempt)
{
	if (unshare(CLONE_NEWUSER) < 0)
		skip(attempt, "users may not create user namespaces here");
}

static void on_refusal(int signal)
{
	(void)signal;
}

void start_filter(const struct attempt *attempt, int number, unsigned int action)
{
	const struct sigaction refusal = { .sa_handler = on_refusal };
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	must(attempt, "SIGSYS", sigaction(SIGSYS, &refusal, NULL));
	must(attempt, "no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		skip(attempt, "this kernel has no seccomp filters");
}

void write_file(const struct attempt *attempt, const char *path, const char *text, mode_t mode)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t length = strlen(text);

	must(attempt, path, fd);
	if (write(fd, text, length) != (ssize_t)length)
		fail(attempt, path, -EIO);
	must(attempt, path, fchmod(fd, mode));
}

static void copy_into(const struct attempt *attempt, const char *helper, int to)
{
	_cleanup_close_ int from = openat(attempt->helpers, helper, O_RDONLY | O_CLOEXEC);
	char buffer[4096];
	ssize_t size;

	if (from < 0)
		skip(attempt, "a helper program for it was not built");
	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)size) != size)
			fail(attempt, helper, -EIO);
	must(attempt, helper, size);
}

void copy_helper(const struct attempt *attempt, const char *helper, const char *path, mode_t mode)
{
	_cleanup_close_ int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	must(attempt, path, to);
	copy_into(attempt, helper, to);
	must(attempt, path, fchmod(to, mode));
}

int memory_file(const struct attempt *attempt, const char *helper)
{
	int fd = (int)syscall(SYS_memfd_create, helper, 0);

	if (fd < 0)
		skip(attempt, "no executable memory files here");
	copy_into(attempt, helper, fd);
	return fd;
}

/* What every case finds in its working directory; "own" belongs to the user, the rest to root. */
static void fill_room(const struct attempt *attempt)
{
	write_file(attempt, "file", "text\n", 0644);
	write_file(attempt, "secret", "text\n", 0600);
	must(attempt, "directory", mkdir("directory", 0755));
	must(attempt, "locked", mkdir("locked", 0700));
	write_file(attempt, "locked/file", "text\n", 0644);
	must(attempt, "link", symlink("file", "link"));
	must(attempt, "loop", symlink("loop", "loop"));
	must(attempt, "own", mkdir("own", 0755));
	write_file(attempt, "own/file", "text\n", 0644);
	must(attempt, "own/fifo", mkfifo("own/fifo", 0666));
	must(attempt, "own/file", chown("own/file", attempt->uid, attempt->uid));
	must(attempt, "own/fifo", chown("own/fifo", attempt->uid, attempt->uid));
	must(attempt, "own", chown("own", attempt->uid, attempt->uid));
	copy_helper(attempt, "nothing", "nothing", 0755);
}

/* The helper programs lie beside this one: found before the room hides /tmp. */
static int open_helpers(const struct attempt *attempt)
{
	char path[PATH_MAX] = "";

	must(attempt, "/proc/self/exe", readlink("/proc/self/exe", path, sizeof(path) - 1));
	return (int)must(attempt, "helpers", open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static void enter_room(const struct attempt *attempt)
{
	must(attempt, "unshare", unshare(CLONE_NEWNS));
	must(attempt, "/", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	must(attempt, "/tmp", mount("room", "/tmp", "tmpfs", 0, "mode=0755"));
	must(attempt, "/tmp", chdir("/tmp"));
	umask(0022);
	fill_room(attempt);
}

static void make_attempts(struct attempt *attempt)
{
	const struct attempt_case *test = attempt->test;
	char what[64];

	for (unsigned long i = 0; i < attempt->count; i++) {
		long result = test->attempt(attempt, i);

		if (result == -test->error)
			continue;
		snprintf(what, sizeof(what), "attempt %lu of %lu, expected %s, got", i + 1,
			 attempt->count, test->error ? strerrorname_np(test->error) : "success");
		fail(attempt, what, result);
	}
}

/* What is killed leaves no core behind; the case that wants one can still have it. */
static void forbid_core(const struct attempt *attempt)
{
	struct rlimit limit;

	must(attempt, "RLIMIT_CORE", getrlimit(RLIMIT_CORE, &limit));
	limit.rlim_cur = 0;
	must(attempt, "RLIMIT_CORE", setrlimit(RLIMIT_CORE, &limit));
}

/* Whoever writes to our input holds everybody back until it is closed. */
static void wait_for_start(const struct attempt *attempt)
{
	char byte;

	must(attempt, "output", write(STDOUT_FILENO, "ready\n", 6));
	while (must(attempt, "input", read(STDIN_FILENO, &byte, 1)) > 0)
		;
}

/* The child. A process that changed its user may not use its own /proc/self/fd unless told so. */
static void run_as_user(struct attempt *attempt)
{
	const struct attempt_case *test = attempt->test;

	alarm(TIMEOUT_SECONDS);
	if (test->program) {
		test->program(attempt);
		fail(attempt, "cannot run the helper program", -errno);
	}
	(test->become ? test->become : become_user)(attempt->uid);
	prctl(PR_SET_DUMPABLE, 1);
	if (test->start)
		test->start(attempt);
	if (attempt->wait)
		wait_for_start(attempt);
	make_attempts(attempt);
	_exit(EXIT_SUCCESS);
}

static int run_case(struct attempt *attempt)
{
	int status;
	pid_t pid;

	attempt->helpers = open_helpers(attempt);
	attempt->result = mmap(NULL, sizeof(*attempt->result), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (attempt->result == MAP_FAILED)
		fail(attempt, "mmap", -errno);
	forbid_core(attempt);
	enter_room(attempt);
	if (attempt->test->prepare)
		attempt->test->prepare(attempt);
	pid = (pid_t)must(attempt, "fork", fork());
	if (pid == 0)
		run_as_user(attempt);
	must(attempt, "waitpid", waitpid(pid, &status, 0));
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fail(attempt, "killed by signal", WTERMSIG(status));
}

static int usage(void)
{
	fprintf(stderr, "usage: attempt [--uid UID] [--wait] CASE COUNT | --list\n");
	return EXIT_FAILURE;
}

static bool parse_number(const char *text, unsigned long max, unsigned long *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoul(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *ret_number <= max;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "uid", required_argument, NULL, 'u' },
		{ "wait", no_argument, NULL, 'w' },
		{ "list", no_argument, NULL, 'l' },
		{ 0 },
	};
	struct attempt attempt = { .fd = -1 };
	unsigned long uid = DEFAULT_UID;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			return list_cases();
		if (option == 'w')
			attempt.wait = true;
		else if (option != 'u' || !parse_number(optarg, UINT32_MAX - 1, &uid))
			return usage();
	}
	if (argc - optind != 2 || !parse_number(argv[optind + 1], LONG_MAX, &attempt.count))
		return usage();
	attempt.uid = (uid_t)uid;
	attempt.test = find_case(argv[optind]);
	if (!attempt.test) {
		fprintf(stderr, "attempt: %s: no such case\n", argv[optind]);
		return EXIT_FAILURE;
	}
	if (geteuid() != 0)
		skip(&attempt, "not root");
	return run_case(&attempt);
}
