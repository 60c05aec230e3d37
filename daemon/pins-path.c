/* SPDX-License-Identifier: GPL-2.0-only */
/* The way to the pin tree: pins-path.h. */
#include "pins-path.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>

enum {
	LOCK_TRIES = 20, /* a killed daemon needs a moment to be gone: a second in all */
	LOCK_WAIT_MS = 50,
};

static int check_writable(const struct statfs *fs, const char *path, struct problem *problem)
{
	if (!((unsigned long)fs->f_flags & ST_RDONLY))
		return 0;
	return problem_set(problem, EROFS,
			   "the BPF file system that %s is on is read-only: make it writable with "
			   "'mount -o remount,rw /sys/fs/bpf'",
			   path);
}

int pins_path_check(int fd, const char *path, uid_t owner, struct problem *problem)
{
	struct statfs fs;
	struct stat st;
	int r;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return problem_set(problem, errno, "cannot examine %s: %m", path);
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		return problem_set(problem, ENODEV,
				   "%s is not on a BPF file system: mount one with 'mount -t bpf "
				   "bpf /sys/fs/bpf'",
				   path);
	r = check_writable(&fs, path, problem);
	if (r < 0)
		return r;
	if (st.st_uid != owner)
		return problem_set(
			problem, EPERM,
			"%s belongs to uid %u, not to ebpfmond's uid %u: left untouched; "
			"move it away or set PinPath= to another place",
			path, st.st_uid, owner);
	if (st.st_mode & 022)
		return problem_set(problem, EPERM,
				   "%s can be written by others (mode %04o): left untouched; check "
				   "it, then 'chmod 0700' it",
				   path, st.st_mode & 07777);
	return 0;
}

/* Makes the last component; on anything but bpffs this would leave litter, so look first. */
static int make_directory(int parent, const char *name, const char *path, uid_t owner, gid_t group,
			  struct problem *problem)
{
	struct statfs fs;
	int r;

	if (fstatfs(parent, &fs) < 0 || (unsigned long)fs.f_type != BPF_FS_MAGIC)
		return problem_set(problem, ENODEV,
				   "there is no BPF file system above %s: mount one with 'mount -t "
				   "bpf bpf /sys/fs/bpf'",
				   path);
	r = check_writable(&fs, path, problem);
	if (r < 0)
		return r;
	if (mkdirat(parent, name, 0700) < 0)
		return errno == EEXIST ? 0 /* somebody was faster: not ours to give away */
				       : problem_set(problem, errno, "cannot create %s: %m", path);
	if (geteuid() != owner && fchownat(parent, name, owner, group, AT_SYMLINK_NOFOLLOW) < 0)
		return problem_set(problem, errno, "cannot give %s to uid %u: %m", path, owner);
	return 0;
}

/* One step down; no symbolic link is followed anywhere. */
static int step(int parent, const char *name, const char *path, struct problem *problem)
{
	int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return -ENOENT;
	if (errno == ENOTDIR || errno == ELOOP)
		return problem_set(problem, ENOTDIR,
				   "cannot use %s: '%s' is a symbolic link or not a directory",
				   path, name);
	return problem_set(problem, errno, "cannot use %s: '%s': %m", path, name);
}

/* Whoever could rename what is above PATH could take the counts away; the sticky bit forbids it. */
static int check_above(int fd, const char *name, const char *path, uid_t owner,
		       struct problem *problem)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return problem_set(problem, errno, "cannot use %s: '%s': %m", path, name);
	if (st.st_uid != 0 && st.st_uid != owner)
		return problem_set(problem, EPERM,
				   "cannot use %s: '%s' belongs to uid %u: set PinPath= to another "
				   "place",
				   path, name, st.st_uid);
	if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return problem_set(problem, EPERM,
				   "cannot use %s: '%s' can be written by others (mode %04o): "
				   "'chmod go-w' it or set PinPath= to another place",
				   path, name, st.st_mode & 07777);
	return 0;
}

/* Descriptor (O_PATH) of the last component, created when it is the only one missing. */
static int walk_path(const struct pins_path *walk, struct problem *problem)
{
	_cleanup_free_ char *copy = strdup(walk->path);
	_cleanup_close_ int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest = copy, *name;
	int next, r;

	if (!copy || at < 0)
		return problem_set(problem, copy ? errno : ENOMEM, "cannot open '/'");
	while ((name = strsep(&rest, "/"))) {
		bool last = !rest || strspn(rest, "/") == strlen(rest);

		if (!*name)
			continue;
		next = step(at, name, walk->path, problem);
		if (next == -ENOENT && walk->create && last) {
			r = make_directory(at, name, walk->path, walk->owner, walk->group, problem);
			if (r < 0)
				return r;
			next = step(at, name, walk->path, problem);
		}
		if (next == -ENOENT)
			return problem_set(problem, ENOENT,
					   "%s does not exist ('%s' is missing): create it, or, if "
					   "that is where the BPF file system should be, 'mount "
					   "-t bpf bpf /sys/fs/bpf'",
					   walk->path, name);
		if (next < 0)
			return next;
		close_fd(at);
		at = next;
		r = last ? 0 : check_above(at, name, walk->path, walk->owner, problem);
		if (r < 0)
			return r;
	}
	return TAKE_FD(at);
}

/* The directory itself is the lock: it goes away with the process and cannot be stale. */
static int lock_directory(int fd, const char *path, struct problem *problem)
{
	const struct timespec wait = { .tv_nsec = LOCK_WAIT_MS * 1000000L };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return problem_set(problem, errno, "cannot lock %s: %m", path);
		nanosleep(&wait, NULL);
	}
	return problem_set(problem, EBUSY, "another ebpfmond is running with %s: stop it first",
			   path);
}

int pins_path_open(const struct pins_path *walk, struct problem *problem)
{
	_cleanup_close_ int path_fd = walk_path(walk, problem), fd = -1;
	char self[64];
	int r;

	if (path_fd < 0)
		return path_fd;
	r = pins_path_check(path_fd, walk->path, walk->owner, problem);
	if (r < 0)
		return r;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	fd = open(self, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return problem_set(problem, errno, "cannot open %s: %m", walk->path);
	r = lock_directory(fd, walk->path, problem);
	return r < 0 ? r : TAKE_FD(fd);
}
