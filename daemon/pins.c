/* SPDX-License-Identifier: GPL-2.0-only */
/* The pin tree on bpffs: pins.h has the layout. All access is relative to a held descriptor. */
#include "pins.h"

#include "ebpfmon.h"
#include "pins-folder.h"
#include "pins-path.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STR_(x) #x
#define STR(x)	STR_(x)
#define LAYOUT	"v" STR(EM_LAYOUT)
#define STAGING "new"
#define DISCARD "old"
#define HOOKS	"hooks"
#define NEXT	"_next"

enum {
	PATH_BYTES = 4096 + 64, /* of PinPath= and what we put below it */
	LAYOUT_BYTES = 16,
};

struct pins {
	char *path;
	uid_t owner;
	int root_fd;	    /* PATH, locked */
	int layout_fd;	    /* PATH/v1, or PATH/new while building */
	int hooks_fd;	    /* PATH/hooks */
	bool building;	    /* PATH/new is there and not yet the layout */
	struct pins *other; /* another layout's directory; has no hooks */
	char layout[LAYOUT_BYTES];
};

/* Where a kind is: below the layout, or below PATH/hooks. */
static const struct {
	const char *folder;
	bool of_hooks;
} kinds[] = {
	[PIN_MAP] = { "maps", false },
	[PIN_HOOK_MAP] = { "maps", true },
	[PIN_JUMP] = { "jumps", true },
	[PIN_PROGRAM] = { "programs", true },
	[PIN_LINK] = { PINS_FOLDER_LINKS, true },
};
_Static_assert(ARRAY_SIZE(kinds) == PIN_KINDS, "a kind without a folder");

const char *pins_name(const struct pins *pins, enum pin_kind kind, const char *name)
{
	static char text[PATH_BYTES];

	if (!pins)
		return name;
	snprintf(text, sizeof(text), "%s/%s/%s/%s", pins->path,
		 kinds[kind].of_hooks ? HOOKS : pins->layout, kinds[kind].folder, name);
	return text;
}

const char *pins_path(const struct pins *pins)
{
	return pins->path;
}

const char *pins_layout(const struct pins *pins)
{
	return pins->layout;
}

/* --- opening and closing ----------------------------------------------------------------------- */

static struct pins *pins_alloc(const char *path, uid_t owner, const char *layout)
{
	struct pins *pins = calloc(1, sizeof(*pins));

	if (!pins)
		return NULL;
	pins->root_fd = pins->layout_fd = pins->hooks_fd = -1;
	pins->owner = owner;
	snprintf(pins->layout, sizeof(pins->layout), "%s", layout);
	pins->path = strdup(path);
	return pins->path ? pins : pins_free(pins);
}

static int open_walked(const struct pins_path *walk, struct pins **ret_pins,
		       struct problem *problem)
{
	CLEANUP(pins_freep) struct pins *pins = pins_alloc(walk->path, walk->owner, LAYOUT);

	if (!pins)
		return problem_set(problem, ENOMEM, "out of memory");
	pins->root_fd = pins_path_open(walk, problem);
	if (pins->root_fd < 0)
		return pins->root_fd;
	*ret_pins = TAKE_PTR(pins);
	return 0;
}

int pins_open(const char *path, uid_t owner, gid_t group, struct pins **ret_pins,
	      struct problem *problem)
{
	return open_walked(&(struct pins_path){ path, owner, group, .create = true }, ret_pins,
			   problem);
}

int pins_open_existing(const char *path, uid_t owner, struct pins **ret_pins,
		       struct problem *problem)
{
	return open_walked(&(struct pins_path){ path, owner, (gid_t)-1, .create = false }, ret_pins,
			   problem);
}

struct pins *pins_free(struct pins *pins)
{
	if (!pins)
		return NULL;
	close_fd(pins->hooks_fd); /* removing needs descriptors */
	close_fd(pins->layout_fd);
	if (pins->building) { /* what did not get ready must not count on */
		if (!pins->other)
			pins_folder_remove(pins->root_fd, HOOKS);
		pins_folder_remove(pins->root_fd, STAGING);
	}
	pins_free(pins->other);
	close_fd(pins->root_fd);
	free(pins->path);
	free(pins);
	return NULL;
}

/* --- the layout -------------------------------------------------------------------------------- */

static int open_folder(const struct pins *pins, int parent, const char *name, const char *shown,
		       bool create, struct problem *problem)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/%s", pins->path, shown);
	return pins_folder_open(parent, name, path, pins->owner, create, problem);
}

/* The folders of either kind; nobody else may have a way in, and no symbolic link leads out. */
static int open_folders(const struct pins *pins, bool of_hooks, bool create,
			struct problem *problem)
{
	int parent = of_hooks ? pins->hooks_fd : pins->layout_fd;
	char shown[LAYOUT_BYTES + 16];
	int r;

	for (size_t kind = 0; kind < PIN_KINDS; kind++) {
		_cleanup_close_ int fd = -1;

		if (kinds[kind].of_hooks != of_hooks)
			continue;
		snprintf(shown, sizeof(shown), "%s/%s", of_hooks ? HOOKS : pins->layout,
			 kinds[kind].folder);
		fd = open_folder(pins, parent, kinds[kind].folder, shown, create, problem);
		if (fd == -ENOENT) /* what is missing is told by who wants it */
			continue;
		if (fd < 0)
			return fd;
		r = pins_folder_drop_suffix(fd, NEXT); /* pins_replace() did not end */
		if (r < 0)
			return problem_set(problem, -r, "cannot tidy up %s/%s: %s", pins->path,
					   shown, strerror(-r));
	}
	return 0;
}

static int begin_new(struct pins *pins, struct problem *problem)
{
	pins->building = true;
	pins->layout_fd = close_fd(pins->layout_fd);
	pins->layout_fd = open_folder(pins, pins->root_fd, STAGING, STAGING, true, problem);
	if (pins->layout_fd < 0)
		return pins->layout_fd;
	return open_folders(pins, false, true, problem);
}

/* "v" and a number */
static bool is_layout(const char *name)
{
	size_t digits = strspn(name + (name[0] == 'v'), "0123456789");

	return name[0] == 'v' && digits && digits < LAYOUT_BYTES - 1 && !name[1 + digits];
}

/* Name of the one layout that is not ours; -ENOENT: there is none. */
static int find_other(const struct pins *pins, char name[static LAYOUT_BYTES],
		      struct problem *problem)
{
	DIR *directory = pins_folder_list(pins->root_fd, ".");
	const struct dirent *entry;
	size_t n = 0;

	if (!directory)
		return problem_set(problem, errno, "cannot read %s: %m", pins->path);
	while ((entry = readdir(directory))) {
		if (!is_layout(entry->d_name) || !strcmp(entry->d_name, LAYOUT))
			continue;
		snprintf(name, LAYOUT_BYTES, "%.*s", LAYOUT_BYTES - 1, entry->d_name);
		n++;
	}
	closedir(directory);
	if (n > 1)
		return problem_set(problem, EUCLEAN,
				   "%s has counts of %zu other layouts, one of them %s: left "
				   "untouched; start the version that made the newest once more, "
				   "so that it completes its upgrade",
				   pins->path, n, name);
	return n ? 0 : -ENOENT;
}

static int open_other(struct pins *pins, struct problem *problem)
{
	char name[LAYOUT_BYTES];
	int r = find_other(pins, name, problem);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	pins->other = pins_alloc(pins->path, pins->owner, name);
	if (!pins->other)
		return problem_set(problem, ENOMEM, "out of memory");
	pins->other->layout_fd = open_folder(pins, pins->root_fd, name, name, false, problem);
	if (pins->other->layout_fd < 0)
		return pins->other->layout_fd;
	return open_folders(pins->other, false, false, problem);
}

static int remove_unfinished(const struct pins *pins, const char *name, struct problem *problem)
{
	int r = pins_folder_remove(pins->root_fd, name);

	return r < 0 ? problem_set(problem, -r, "cannot remove the unfinished %s/%s: %s",
				   pins->path, name, strerror(-r))
		     : 0;
}

int pins_begin(struct pins *pins, struct problem *problem)
{
	int r = remove_unfinished(pins, STAGING, problem);

	if (!r)
		r = remove_unfinished(pins, DISCARD, problem);
	if (r < 0)
		return r;
	pins->layout_fd = open_folder(pins, pins->root_fd, LAYOUT, LAYOUT, false, problem);
	if (pins->layout_fd < 0 && pins->layout_fd != -ENOENT)
		return pins->layout_fd;
	r = open_other(pins, problem);
	if (r < 0)
		return r;
	if (pins->layout_fd >= 0)
		r = open_folders(pins, false, false, problem);
	else
		r = begin_new(pins, problem);
	if (r < 0)
		return r;
	if (!pins_adopted(pins)) {
		r = remove_unfinished(pins, HOOKS, problem);
		if (r < 0)
			return r;
	}
	pins->hooks_fd = open_folder(pins, pins->root_fd, HOOKS, HOOKS, true, problem);
	return pins->hooks_fd < 0 ? pins->hooks_fd : open_folders(pins, true, true, problem);
}

bool pins_building(const struct pins *pins)
{
	return !pins || pins->building;
}

bool pins_adopted(const struct pins *pins)
{
	return pins && (!pins->building || pins->other);
}

int pins_commit(struct pins *pins, struct problem *problem)
{
	if (!pins->building)
		return 0;
	if (renameat(pins->root_fd, STAGING, pins->root_fd, LAYOUT) < 0)
		return problem_set(problem, errno, "cannot rename %s/" STAGING " to " LAYOUT ": %m",
				   pins->path);
	pins->building = false;
	return 0;
}

struct pins *pins_other(const struct pins *pins)
{
	return pins ? pins->other : NULL;
}

/* Gone at once, however long the removal takes. */
static int remove_layout(const struct pins *pins, const char *layout, struct problem *problem)
{
	int r = renameat(pins->root_fd, layout, pins->root_fd, DISCARD) < 0 ? -errno : 0;

	if (!r)
		r = pins_folder_remove(pins->root_fd, DISCARD);
	return r < 0 ? problem_set(problem, -r, "cannot remove %s/%s: %s", pins->path, layout,
				   strerror(-r))
		     : 0;
}

int pins_remove_other(struct pins *pins, struct problem *problem)
{
	int r = remove_layout(pins, pins->other->layout, problem);

	if (!r)
		pins->other = pins_free(pins->other);
	return r;
}

int pins_start_over(struct pins *pins, struct problem *problem)
{
	int r = remove_layout(pins, LAYOUT, problem);

	return r < 0 ? r : begin_new(pins, problem);
}

/* --- pins -------------------------------------------------------------------------------------- */

/* Path through our own descriptor: bpf(2) takes no directory descriptor before 6.5. */
static void pin_path(const struct pins *pins, enum pin_kind kind, const char *name, char *buffer,
		     size_t size)
{
	snprintf(buffer, size, "/proc/self/fd/%d/%s/%s",
		 kinds[kind].of_hooks ? pins->hooks_fd : pins->layout_fd, kinds[kind].folder, name);
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

bool pins_has(const struct pins *pins, enum pin_kind kind, const char *name)
{
	char path[128];

	if (!pins)
		return true;
	pin_path(pins, kind, name, path, sizeof(path));
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
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

int pins_drop(struct pins *pins, enum pin_kind kind, const char *name, struct problem *problem)
{
	char path[128];

	if (!pins)
		return 0;
	pin_path(pins, kind, name, path, sizeof(path));
	/* A file system that cannot be written refuses to remove even what is not there. */
	if (!pins_has(pins, kind, name))
		return 0;
	if (unlink(path) < 0)
		return problem_set(problem, errno, "cannot remove %s: %m",
				   pins_name(pins, kind, name));
	return 0;
}

int pins_replace(struct pins *pins, enum pin_kind kind, const char *name, int fd,
		 struct problem *problem)
{
	char next[64], from[128], to[128];
	int r;

	if (!pins)
		return 0;
	snprintf(next, sizeof(next), "%s" NEXT, name);
	r = pins_drop(pins, kind, next, problem); /* of a start that did not end */
	if (!r)
		r = pins_put(pins, kind, next, fd, problem);
	if (r < 0)
		return r;
	pin_path(pins, kind, next, from, sizeof(from));
	pin_path(pins, kind, name, to, sizeof(to));
	if (rename(from, to) < 0) {
		problem_set(problem, errno, "cannot rename %s: %m", pins_name(pins, kind, next));
		unlink(from);
		return -problem->error;
	}
	return 0;
}

int pins_drop_hook(struct pins *pins, const char *name, struct problem *problem)
{
	int r = pins_drop(pins, PIN_LINK, name, problem);

	if (!r)
		r = pins_drop(pins, PIN_PROGRAM, name, problem);
	return r ? r : pins_drop(pins, PIN_JUMP, name, problem);
}

int pins_each_link(struct pins *pins, int (*visit)(const char *name, void *userdata),
		   void *userdata)
{
	DIR *directory = pins_folder_list(pins->hooks_fd, kinds[PIN_LINK].folder);
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return -errno;
	while (r >= 0 && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			r = visit(entry->d_name, userdata);
	closedir(directory);
	return r < 0 ? r : 0;
}

static bool is_stranger(const char *name)
{
	return name[0] != '.' && strcmp(name, HOOKS) && strcmp(name, STAGING) &&
	       strcmp(name, DISCARD) && !is_layout(name);
}

int pins_each_stranger(struct pins *pins, int (*visit)(const char *name, void *userdata),
		       void *userdata)
{
	DIR *directory = pins_folder_list(pins->root_fd, ".");
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return -errno;
	while (r >= 0 && (entry = readdir(directory)))
		if (is_stranger(entry->d_name))
			r = visit(entry->d_name, userdata);
	closedir(directory);
	return r < 0 ? r : 0;
}

int pins_remove_all(struct pins *pins, struct problem *problem)
{
	DIR *directory = pins_folder_list(pins->root_fd, ".");
	int r;

	if (!directory)
		return problem_set(problem, errno, "cannot read %s: %m", pins->path);
	r = pins_folder_remove(pins->root_fd, HOOKS);
	if (!r)
		r = pins_folder_empty(directory, is_stranger);
	closedir(directory);
	if (r < 0)
		return problem_set(problem, -r, "cannot remove what is in %s: %s", pins->path,
				   strerror(-r));
	/* Under systemd the directory is tmpfiles.d's and its parent is root's: staying is fine. */
	if (rmdir(pins->path) < 0 && errno != EACCES && errno != EPERM && errno != EBUSY &&
	    errno != ENOTEMPTY)
		return problem_set(problem, errno, "cannot remove %s: %m", pins->path);
	return 0;
}
