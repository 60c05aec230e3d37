/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pin tree refuses without touching it, and what it is without one. All that needs a BPF
 * file system is in tests/system.
 */
#include "pins.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum {
	NOBODY = 65534,
};

struct folder {
	char path[64];
	struct problem problem;
};

static int setup(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	*state = folder;
	strcpy(folder->path, "/tmp/ebpfmon-test-XXXXXX");
	return mkdtemp(folder->path) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct folder *folder = *state;
	int r = nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	free(folder);
	return r;
}

/* Entries of @path, "." and ".." not counted. */
static int count_entries(const char *path)
{
	DIR *directory = opendir(path);
	int n = 0;

	assert_non_null(directory);
	while (readdir(directory))
		n++;
	closedir(directory);
	return n - 2;
}

typedef int (*opener)(const char *path, struct pins **ret_pins, struct problem *problem);

static int open_or_create(const char *path, struct pins **ret_pins, struct problem *problem)
{
	return pins_open(path, geteuid(), getegid(), ret_pins, problem);
}

static int open_existing(const char *path, struct pins **ret_pins, struct problem *problem)
{
	return pins_open_existing(path, geteuid(), ret_pins, problem);
}

/* FOLDER/@name is refused with @error and one line that names it and has @wanted in it. */
static void assert_refused(struct folder *folder, opener open_pins, const char *name, int error,
			   const char *wanted)
{
	struct pins *pins = (struct pins *)folder;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	memset(&folder->problem, 0, sizeof(folder->problem));
	assert_int_equal(open_pins(path, &pins, &folder->problem), -error);
	assert_ptr_equal(pins, folder); /* untouched */
	assert_int_equal(folder->problem.error, error);
	assert_non_null(strstr(folder->problem.text, path));
	assert_non_null(strstr(folder->problem.text, wanted));
	assert_null(strchr(folder->problem.text, '\n'));
}

static void make(const struct folder *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void nothing_is_made_elsewhere(void **state)
{
	struct folder *folder = *state;

	assert_refused(folder, open_or_create, "pins", ENODEV, "no BPF file system above");
	assert_int_equal(count_entries(folder->path), 0);
	assert_refused(folder, open_existing, "pins", ENOENT, "'pins' is missing");
	assert_int_equal(count_entries(folder->path), 0);
}

static void other_file_systems_are_refused(void **state)
{
	struct folder *folder = *state;

	make(folder, "pins");
	assert_refused(folder, open_or_create, "pins", ENODEV, "not on a BPF file system");
	assert_refused(folder, open_existing, "pins", ENODEV, "not on a BPF file system");
	assert_refused(folder, open_or_create, "pins///", ENODEV, "not on a BPF file system");
	assert_refused(folder, open_or_create, "./pins/.", ENODEV, "not on a BPF file system");
}

/* Only the last component is ever made. */
static void missing_parents_are_told(void **state)
{
	struct folder *folder = *state;

	assert_refused(folder, open_or_create, "a/pins", ENOENT, "'a' is missing");
	assert_refused(folder, open_or_create, "a/pins/", ENOENT, "'a' is missing");
	assert_refused(folder, open_existing, "a/pins", ENOENT, "'a' is missing");
	assert_int_equal(count_entries(folder->path), 0);
	/* A slash at the end is no further component. */
	assert_refused(folder, open_or_create, "pins//", ENODEV, "no BPF file system above");
}

static void files_are_refused(void **state)
{
	struct folder *folder = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/file", folder->path);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	assert_refused(folder, open_or_create, "file", ENOTDIR, "'file' is a symbolic link or not");
	assert_refused(folder, open_or_create, "file/pins", ENOTDIR, "'file' is");
}

/* Neither at the end nor on the way, be it to a directory or to nothing. */
static void links_are_refused(void **state)
{
	struct folder *folder = *state;
	char path[128];

	make(folder, "real");
	make(folder, "real/pins");
	snprintf(path, sizeof(path), "%s/link", folder->path);
	assert_int_equal(symlink("real", path), 0);
	assert_refused(folder, open_or_create, "link", ENOTDIR, "'link' is a symbolic link");
	assert_refused(folder, open_existing, "link", ENOTDIR, "'link' is a symbolic link");
	assert_refused(folder, open_or_create, "link/pins", ENOTDIR, "'link' is a symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("none", path), 0);
	assert_refused(folder, open_or_create, "link", ENOTDIR, "'link' is a symbolic link");
	assert_int_equal(count_entries(folder->path), 2);
}

static void unreadable_ones_are_told(void **state)
{
	struct folder *folder = *state;

	uid_t self = geteuid();

	make(folder, "a");
	assert_int_equal(chmod(folder->path, 0600), 0);
	if (self == 0) /* who can go anywhere */
		assert_int_equal(seteuid(NOBODY), 0);
	assert_refused(folder, open_or_create, "a/pins", EACCES, "'a': Permission denied");
	assert_int_equal(seteuid(self), 0);
	assert_int_equal(chmod(folder->path, 0700), 0);
}

/* A trial run has no tree: nothing is found, nothing is pinned, nothing fails. */
static void without_a_tree(void **state)
{
	struct folder *folder = *state;
	int fd = 23;

	assert_false(pins_adopted(NULL));
	assert_int_equal(pins_get(NULL, PIN_LINK, "open_sys", &fd, &folder->problem), -ENOENT);
	assert_int_equal(fd, 23);
	assert_int_equal(pins_put(NULL, PIN_MAP, "rows", 23, &folder->problem), 0);
	assert_int_equal(pins_drop_hook(NULL, "open_sys", &folder->problem), 0);
	assert_int_equal(folder->problem.error, 0);
	assert_string_equal(pins_name(NULL, PIN_MAP, "rows"), "rows");
	assert_null(pins_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_made_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(other_file_systems_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_parents_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(files_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(links_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(unreadable_ones_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_tree, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
