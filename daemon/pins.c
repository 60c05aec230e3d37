/* SPDX-License-Identifier: GPL-2.0-only */
/* The pin tree on bpffs: pins.h has the layout. All access is relative to a held descriptor. */
#include "pins.h"

#include "ebpfmon.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#define STR_(x) #x
#define STR(x)	STR_(x)
#define LAYOUT	"v" STR(EM_LAYOUT)
#define STAGING "new"

enum {
	PATH_BYTES = 4096 + 64, /* of PinPath= and what we put below it */
	LOCK_TRIES = 20,	/* a killed daemon needs a moment to be gone: a second in all */
	LOCK_WAIT_MS = 50,
};

struct pins {
	char *path;
	uid_t owner;
	int root_fd;   /* PATH, locked */
	int layout_fd; /* PATH/v1 or PATH/new */
	bool adopted;
	bool building; /* PATH/new is there and not yet the layout */
};

static const char *const kind_folders[] = {
	[PIN_MAP] = "maps",
	[PIN_JUMP] = "jumps",
	[PIN_PROGRAM] = "programs",
	[PIN_LINK] = "links",
};
_Static_assert(ARRAY_SIZE(kind_folders) == PIN_KINDS, "a kind without a folder");

const char *pins_name(const struct pins *pins, enum pin_kind kind, const char *name)
{
	static char text[PATH_BYTES];

	if (!pins)
		return name;
	snprintf(text, sizeof(text), "%s/" LAYOUT "/%s/%s", pins->path, kind_folders[kind], name);
	return text;
}

const char *pins_path(const struct pins *pins)
{
	return pins->path;
}

static int remove_tree(int parent, const char *name);

struct pins *pins_free(struct pins *pins)
{
	if (!pins)
		return NULL;
	if (pins->building)
		remove_tree(pins->root_fd, STAGING); /* what did not get ready must not count on */
	close_fd(pins->layout_fd);
	close_fd(pins->root_fd);
	free(pins->path);
	free(pins);
	return NULL;
}

/* --- the way to PATH --------------------------------------------------------------------------- */

static int check_directory(int fd, const char *path, uid_t owner, struct problem *problem)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return problem_set(problem, errno, "cannot examine %s: %m", path);
	if ((unsigned long)fs.f_type != BPF_FS_MAGIC)
		return problem_set(problem, ENODEV,
				   "%s is not on a BPF file system: mount one with 'mount -t bpf "
				   "bpf /sys/fs/bpf'",
				   path);
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

	if (fstatfs(parent, &fs) < 0 || (unsigned long)fs.f_type != BPF_FS_MAGIC)
		return problem_set(problem, ENODEV,
				   "there is no BPF file system above %s: mount one with 'mount -t "
				   "bpf bpf /sys/fs/bpf'",
				   path);
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return problem_set(problem, errno, "cannot create %s: %m", path);
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

struct walk {
	const char *path; /* absolute */
	uid_t owner;
	gid_t group;
	bool create;
};

/* Descriptor (O_PATH) of the last component, created when it is the only one missing. */
static int walk_path(const struct walk *walk, struct problem *problem)
{
	_cleanup_free_ char *copy = strdup(walk->path);
	_cleanup_close_ int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest = copy, *name;
	int next, r;

	if (!copy || at < 0)
		return problem_set(problem, copy ? errno : ENOMEM, "cannot open '/'");
	while ((name = strsep(&rest, "/"))) {
		if (!*name)
			continue;
		next = step(at, name, walk->path, problem);
		if (next == -ENOENT && walk->create &&
		    !(rest && strspn(rest, "/") != strlen(rest))) {
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

static int open_walked(const struct walk *walk, struct pins **ret_pins, struct problem *problem)
{
	_cleanup_close_ int path_fd = -1;
	CLEANUP(pins_freep) struct pins *pins = NULL;
	char self[64];
	int r;

	path_fd = walk_path(walk, problem);
	if (path_fd < 0)
		return path_fd;
	r = check_directory(path_fd, walk->path, walk->owner, problem);
	if (r < 0)
		return r;
	pins = calloc(1, sizeof(*pins));
	if (!pins)
		return problem_set(problem, ENOMEM, "out of memory");
	pins->root_fd = pins->layout_fd = -1;
	pins->owner = walk->owner;
	pins->path = strdup(walk->path);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
	pins->root_fd = open(self, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!pins->path || pins->root_fd < 0)
		return problem_set(problem, pins->path ? errno : ENOMEM, "cannot open %s: %m",
				   walk->path);
	r = lock_directory(pins->root_fd, pins->path, problem);
	if (r < 0)
		return r;
	*ret_pins = TAKE_PTR(pins);
	return 0;
}

int pins_open(const char *path, uid_t owner, gid_t group, struct pins **ret_pins,
	      struct problem *problem)
{
	const struct walk walk = { path, owner, group, .create = true };

	return open_walked(&walk, ret_pins, problem);
}

int pins_open_existing(const char *path, uid_t owner, struct pins **ret_pins,
		       struct problem *problem)
{
	const struct walk walk = { path, owner, (gid_t)-1, .create = false };

	return open_walked(&walk, ret_pins, problem);
}

/* --- the layout -------------------------------------------------------------------------------- */

static int remove_entries(DIR *directory)
{
	struct dirent *entry;
	int r;

	while ((entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (entry->d_type == DT_DIR)
			r = remove_tree(dirfd(directory), entry->d_name);
		else
			r = unlinkat(dirfd(directory), entry->d_name, 0) < 0 ? -errno : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* Links before everything else: a program must not run on with half of its maps unpinned. */
static int remove_tree(int parent, const char *name)
{
	_cleanup_close_ int fd =
		openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = remove_tree(fd, kind_folders[PIN_LINK]);
	if (r < 0)
		return r;
	directory = fdopendir(fd);
	if (!directory)
		return -errno;
	TAKE_FD(fd);
	r = remove_entries(directory);
	closedir(directory);
	if (r < 0)
		return r;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int begin_new(struct pins *pins, struct problem *problem)
{
	if (mkdirat(pins->root_fd, STAGING, 0700) < 0)
		return problem_set(problem, errno, "cannot create %s/" STAGING ": %m", pins->path);
	pins->building = true;
	pins->layout_fd =
		openat(pins->root_fd, STAGING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pins->layout_fd < 0)
		return problem_set(problem, errno, "cannot open %s/" STAGING ": %m", pins->path);
	for (int kind = 0; kind < PIN_KINDS; kind++)
		if (mkdirat(pins->layout_fd, kind_folders[kind], 0700) < 0)
			return problem_set(problem, errno, "cannot create %s/" STAGING "/%s: %m",
					   pins->path, kind_folders[kind]);
	return 0;
}

/* Nobody else may have a way in, and no symbolic link leads out; what is missing is told later. */
static int check_layout(const struct pins *pins, struct problem *problem)
{
	char path[PATH_BYTES];
	int r;

	snprintf(path, sizeof(path), "%s/" LAYOUT, pins->path);
	r = check_directory(pins->layout_fd, path, pins->owner, problem);
	for (int kind = 0; !r && kind < PIN_KINDS; kind++) {
		_cleanup_close_ int fd = -1;

		snprintf(path, sizeof(path), "%s/" LAYOUT "/%s", pins->path, kind_folders[kind]);
		fd = openat(pins->layout_fd, kind_folders[kind],
			    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			r = check_directory(fd, path, pins->owner, problem);
		else if (errno != ENOENT)
			r = problem_set(problem, errno, "cannot open %s: %m", path);
	}
	return r;
}

int pins_begin(struct pins *pins, struct problem *problem)
{
	int r = remove_tree(pins->root_fd, STAGING);

	if (r < 0)
		return problem_set(problem, -r, "cannot remove the unfinished %s/" STAGING ": %s",
				   pins->path, strerror(-r));
	pins->layout_fd =
		openat(pins->root_fd, LAYOUT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pins->layout_fd < 0 && errno == ENOENT)
		return begin_new(pins, problem);
	if (pins->layout_fd < 0)
		return problem_set(problem, errno, "cannot open %s/" LAYOUT ": %m", pins->path);
	pins->adopted = true;
	return check_layout(pins, problem);
}

bool pins_adopted(const struct pins *pins)
{
	return pins && pins->adopted;
}

int pins_commit(struct pins *pins, struct problem *problem)
{
	if (pins->adopted)
		return 0;
	if (renameat(pins->root_fd, STAGING, pins->root_fd, LAYOUT) < 0)
		return problem_set(problem, errno, "cannot rename %s/" STAGING " to " LAYOUT ": %m",
				   pins->path);
	pins->building = false;
	return 0;
}

/* Path through our own descriptor: bpf(2) takes no directory descriptor before 6.5. */
static void pin_path(const struct pins *pins, enum pin_kind kind, const char *name, char *buffer,
		     size_t size)
{
	snprintf(buffer, size, "/proc/self/fd/%d/%s/%s", pins->layout_fd, kind_folders[kind], name);
}

int pins_get(struct pins *pins, enum pin_kind kind, const char *name, int *ret_fd,
	     struct problem *problem)
{
	char path[128];
	struct stat st;
	int fd;

	if (!pins)
		return -ENOENT;
	pin_path(pins, kind, name, path, sizeof(path));
	if (lstat(path, &st) < 0) {
		if (errno == ENOENT)
			return -ENOENT;
		return problem_set(problem, errno, "cannot examine %s: %m",
				   pins_name(pins, kind, name));
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != pins->owner || st.st_mode & 077)
		return problem_set(
			problem, EPERM,
			"%s is not a pin of uid %u with mode 0600: left untouched; check "
			"who put it there, then remove all with 'ebpfmond --unpin'",
			pins_name(pins, kind, name), pins->owner);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return problem_set(problem, errno, "cannot open the pin %s: %m",
				   pins_name(pins, kind, name));
	*ret_fd = fd;
	return 0;
}

int pins_put(struct pins *pins, enum pin_kind kind, const char *name, int fd,
	     struct problem *problem)
{
	char path[128];

	if (!pins)
		return 0;
	pin_path(pins, kind, name, path, sizeof(path));
	if (bpf_obj_pin(fd, path) < 0)
		return problem_set(problem, errno, "cannot pin %s: %m",
				   pins_name(pins, kind, name));
	return 0;
}

int pins_drop_hook(struct pins *pins, const char *name, struct problem *problem)
{
	static const enum pin_kind order[] = { PIN_LINK, PIN_PROGRAM, PIN_JUMP };
	char path[128];

	if (!pins)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		pin_path(pins, order[i], name, path, sizeof(path));
		if (unlink(path) < 0 && errno != ENOENT)
			return problem_set(problem, errno, "cannot remove %s: %m",
					   pins_name(pins, order[i], name));
	}
	return 0;
}

int pins_each_link(struct pins *pins, int (*visit)(const char *name, void *userdata),
		   void *userdata)
{
	struct dirent *entry;
	DIR *directory;
	int fd, r = 0;

	fd = openat(pins->layout_fd, kind_folders[PIN_LINK],
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	directory = fdopendir(fd);
	if (!directory) {
		close_fd(fd);
		return -errno;
	}
	while (r >= 0 && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			r = visit(entry->d_name, userdata);
	closedir(directory);
	return r < 0 ? r : 0;
}

int pins_remove_all(struct pins *pins, struct problem *problem)
{
	_cleanup_close_ int fd = openat(pins->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory;
	int r;

	if (fd < 0)
		return problem_set(problem, errno, "cannot read %s: %m", pins->path);
	directory = fdopendir(fd);
	if (!directory)
		return problem_set(problem, errno, "cannot read %s: %m", pins->path);
	TAKE_FD(fd);
	r = remove_entries(directory);
	closedir(directory);
	if (r < 0)
		return problem_set(problem, -r, "cannot remove what is in %s: %s", pins->path,
				   strerror(-r));
	/* Under systemd the directory is tmpfiles.d's and its parent is root's: staying is fine. */
	if (rmdir(pins->path) < 0 && errno != EACCES && errno != EPERM && errno != EBUSY)
		return problem_set(problem, errno, "cannot remove %s: %m", pins->path);
	return 0;
}
