/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * names FILE FOLDER UID DEED: as user UID, does DEED once for each of the names in FILE, each ended
 * by a NUL, in FOLDER. Prints nothing, exits 0 if every one could be done. Judges nothing.
 */
#include "util.h"

#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	OPENS = 3, /* in each cgroup */
};

static void become(uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		err(1, "cannot become user %u", uid);
}

static void await(pid_t pid, const char *name)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		errx(1, "failed with '%s'", name);
}

/* A cgroup of this name, in which nothing but OPENS files are opened. */
static void cgroup(const char *name, uid_t uid)
{
	struct clone_args arguments = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	_cleanup_close_ int fd = -1;
	pid_t pid;

	if (mkdir(name, 0755))
		err(1, "mkdir '%s'", name);
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	arguments.cgroup = (uint64_t)fd;
	pid = fd < 0 ? -1 : (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0) {
		become(uid);
		for (int i = 0; i < OPENS; i++)
			if (close(open("/dev/null", O_RDONLY | O_CLOEXEC)))
				_exit(1);
		_exit(0);
	}
	await(pid, name);
}

static void remove_cgroup(const char *name, uid_t uid)
{
	(void)uid;
	if (rmdir(name) && errno != ENOENT)
		err(1, "rmdir '%s'", name);
}

/* The program of the name before, called this from now on, is run; its comm is that, too. */
static void run(const char *name, uid_t uid)
{
	static const char *before = "program";
	pid_t pid;

	if (rename(before, name))
		err(1, "rename '%s'", name);
	before = name;
	pid = vfork();
	if (pid == 0) {
		execl(name, name, NULL);
		_exit(127);
	}
	(void)uid;
	await(pid, name);
}

static void make_file(const char *name, uid_t uid)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)uid;
	if (fd < 0 || close(fd) || unlink(name))
		err(1, "open '%s'", name);
}

static const struct {
	const char *name;
	void (*act)(const char *name, uid_t uid);
	bool as_root; /* until it becomes the user by itself */
} deeds[] = {
	{ "cgroup", cgroup, true },
	{ "remove-cgroup", remove_cgroup, true },
	{ "run", run, false },
	{ "make-file", make_file, false },
};

static char *read_all(const char *path, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) || st.st_size == 0)
		err(1, "%s", path);
	text = malloc((size_t)st.st_size);
	if (!text || read(fd, text, (size_t)st.st_size) != st.st_size || text[st.st_size - 1])
		errx(1, "%s: cannot be read", path);
	*ret_size = (size_t)st.st_size;
	return text;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *names = NULL;
	size_t deed = 0, size;
	uid_t uid;

	if (argc == 1)
		return 0; /* what "run" runs */
	if (argc != 5)
		errx(1, "usage: names FILE FOLDER UID DEED");
	while (deed < ARRAY_SIZE(deeds) && strcmp(deeds[deed].name, argv[4]))
		deed++;
	if (deed == ARRAY_SIZE(deeds))
		errx(1, "no such deed: %s", argv[4]);
	names = read_all(argv[1], &size);
	if (chdir(argv[2]))
		err(1, "%s", argv[2]);
	uid = (uid_t)strtoul(argv[3], NULL, 10);
	if (!deeds[deed].as_root)
		become(uid);
	for (const char *name = names; name < names + size; name += strlen(name) + 1)
		deeds[deed].act(name, uid);
	return 0;
}
