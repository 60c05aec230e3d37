/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cgroup id -> unit. The cgroup tree is one of plain directories: there as on cgroup2 the id is
 * the inode number. What is remembered, and for how long: test-unit-memory.c.
 */
#include "unit.h"

#include <dirent.h>
#include <ftw.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cmocka.h>

enum {
	ROOT_ID = 1,
	MANY = 300,		 /* more than the tables have room for at first */
	DEPTH = 32,		 /* levels below the root that are walked through */
	FIRST_NOTE = 1000000000, /* ids that no directory here has */
};

struct tree {
	char base[64];
	char root[80]; /* BASE/cgroup */
};

static int setup(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -1;
	strcpy(tree->base, "/tmp/ebpfmon-test-XXXXXX");
	*state = tree;
	if (!mkdtemp(tree->base))
		return -1;
	snprintf(tree->root, sizeof(tree->root), "%s/cgroup", tree->base);
	return mkdir(tree->root, 0700);
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
	struct tree *tree = *state;
	int r = nftw(tree->base, remove_one, 8, FTW_DEPTH | FTW_PHYS);

	free(tree);
	return r;
}

/* Makes BASE/@path with its parents; returns its id. */
static uint64_t make(const struct tree *tree, const char *path)
{
	char full[4096];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", tree->base, path);
	for (char *at = full + strlen(tree->base) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
		*at = '/';
	}
	assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

static void move(const struct tree *tree, const char *from, const char *to)
{
	char from_path[256], to_path[256];

	snprintf(from_path, sizeof(from_path), "%s/%s", tree->base, from);
	snprintf(to_path, sizeof(to_path), "%s/%s", tree->base, to);
	assert_int_equal(rename(from_path, to_path), 0);
}

static struct units *new_units(const struct tree *tree)
{
	struct units *units = NULL;

	assert_int_equal(units_new(tree->root, NULL, NULL, &units), 0);
	return units;
}

static void assert_unit(struct units *units, uint64_t cgroup, const char *expected)
{
	const char *name = units_name(units, units_find(units, cgroup));

	assert_non_null(name);
	assert_string_equal(name, expected);
}

/* --- unit_of_child() --------------------------------------------------------------------------- */

static void units_of_children(void **state)
{
	static const struct {
		const char *parent, *name, *unit;
	} cases[] = {
		/* Slices lead to units. */
		{ "-.slice", "init.scope", "init.scope" },
		{ "-.slice", "system.slice", "system.slice" },
		{ "system.slice", "ssh.service", "ssh.service" },
		{ "system.slice", "dbus.socket", "dbus.socket" },
		{ "system.slice", "tmp.mount", "tmp.mount" },
		{ "system.slice", "dev-sda2.swap", "dev-sda2.swap" },
		{ "system.slice", "system-getty.slice", "system-getty.slice" },
		{ "system-getty.slice", "getty@tty1.service", "getty@tty1.service" },
		{ "user-1000.slice", "session-2.scope", "session-2.scope" },
		/* What a unit makes below itself is its own. */
		{ "ssh.service", "worker", "ssh.service" },
		{ "user@1000.service", "app.slice", "user@1000.service" },
		{ "user@1000.service", "a.service", "user@1000.service" },
		{ "session-2.scope", "x", "session-2.scope" },
		/* What systemd did not make stands for itself. */
		{ "-.slice", "docker", "/docker" },
		{ "/docker", "0123", "/docker/0123" },
		{ "/docker", "ssh.service", "/docker/ssh.service" },
		{ "/docker/ssh.service", "x.slice", "/docker/ssh.service/x.slice" },
		{ "machine.slice", "qemu", "machine.slice/qemu" },
		{ "machine.slice/qemu", "vcpu0", "machine.slice/qemu/vcpu0" },
		{ "system.slice", "foo.timer", "system.slice/foo.timer" },
		{ "-.slice", "aservice", "/aservice" },
		/* A suffix alone is no name. */
		{ "-.slice", ".service", "/.service" },
		{ "-.slice", ".slice", "/.slice" },
		/* systemd's escape of names that clash with the kernel's files. */
		{ "system.slice", "_cgroup.service", "cgroup.service" },
		{ "-.slice", "_cpu.slice", "cpu.slice" },
		{ "-.slice", "__.service", "_.service" },
		/* Others may begin their names as they like. */
		{ "-.slice", "_docker", "/_docker" },
		{ "/docker", "_x", "/docker/_x" },
		{ "-.slice", "_", "/_" },
	};
	char name[UNIT_NAME_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unit_of_child(cases[i].parent, cases[i].name, name, sizeof(name));
		assert_string_equal(name, cases[i].unit);
	}
}

static void long_names_are_cut(void **state)
{
	char name[8] = "xxxxxxx";

	(void)state;
	unit_of_child("system.slice", "ssh.service", name, sizeof(name));
	assert_string_equal(name, "ssh.ser");
	unit_of_child("/docker", "0123456789", name, sizeof(name));
	assert_string_equal(name, "/docker");
	unit_of_child("ssh.service", "x", name, sizeof(name));
	assert_string_equal(name, "ssh.ser");
}

/* --- the tree ---------------------------------------------------------------------------------- */

static void ids_have_units(void **state)
{
	const struct tree *tree = *state;
	uint64_t slice = make(tree, "cgroup/system.slice");
	uint64_t ssh = make(tree, "cgroup/system.slice/ssh.service");
	uint64_t worker = make(tree, "cgroup/system.slice/ssh.service/worker");
	uint64_t foreign = make(tree, "cgroup/docker/0123");
	struct units *units = new_units(tree);

	assert_unit(units, ROOT_ID, "-.slice");
	assert_unit(units, slice, "system.slice");
	assert_unit(units, ssh, "ssh.service");
	assert_unit(units, worker, "ssh.service");
	assert_unit(units, foreign, "/docker/0123");
	/* Rows are added up by number. */
	assert_int_equal(units_find(units, ssh), units_find(units, worker));
	assert_int_not_equal(units_find(units, ssh), units_find(units, slice));
	assert_int_not_equal(units_find(units, ssh), UNIT_UNKNOWN);
	units_free(units);
}

static void equal_names_have_one_number(void **state)
{
	const struct tree *tree = *state;
	uint64_t one = make(tree, "cgroup/user.slice/user-1.slice/session-2.scope");
	uint64_t two = make(tree, "cgroup/user.slice/user-2.slice/session-2.scope");
	struct units *units = new_units(tree);

	assert_unit(units, one, "session-2.scope");
	assert_int_equal(units_find(units, one), units_find(units, two));
	units_free(units);
}

static void new_cgroups_are_found_when_asked_for(void **state)
{
	const struct tree *tree = *state;
	struct units *units = new_units(tree);
	uint64_t ssh;

	assert_int_equal(units_refresh(units), 0);
	ssh = make(tree, "cgroup/system.slice/ssh.service");
	units_begin(units);
	assert_unit(units, ssh, "ssh.service");
	units_free(units);
}

/* However many ids are unknown, one question costs one walk. */
static void one_walk_for_a_question(void **state)
{
	const struct tree *tree = *state;
	struct units *units = new_units(tree);
	uint64_t elsewhere = make(tree, "elsewhere/a.service"), late;

	units_begin(units);
	assert_int_equal(units_find(units, elsewhere), UNIT_UNKNOWN);
	late = make(tree, "cgroup/late.service");
	assert_int_equal(units_find(units, late), UNIT_UNKNOWN);
	units_free(units);
}

static void what_is_gone_is_remembered(void **state)
{
	const struct tree *tree = *state;
	uint64_t ssh = make(tree, "cgroup/system.slice/ssh.service");
	struct units *units = new_units(tree);
	uint32_t number;

	assert_int_equal(units_refresh(units), 0);
	move(tree, "cgroup/system.slice", "elsewhere");
	assert_int_equal(units_refresh(units), 0);
	number = units_find(units, ssh);
	assert_string_equal(units_name(units, number), "ssh.service");
	/* A new one is another id, and the same unit. */
	units_begin(units);
	assert_int_equal(units_find(units, make(tree, "cgroup/system.slice/ssh.service")), number);
	units_free(units);
}

static void a_name_once_learnt_stays(void **state)
{
	const struct tree *tree = *state;
	uint64_t id = make(tree, "cgroup/a.service");
	struct units *units = new_units(tree);

	assert_unit(units, id, "a.service");
	move(tree, "cgroup/a.service", "cgroup/b.service");
	assert_int_equal(units_refresh(units), 0);
	assert_unit(units, id, "a.service");
	units_free(units);
}

static void unknown_ones_have_no_name(void **state)
{
	const struct tree *tree = *state;
	uint64_t id = make(tree, "elsewhere/a.service");
	struct units *units = new_units(tree);

	assert_int_equal(units_find(units, id), UNIT_UNKNOWN);
	assert_int_equal(units_find(units, 0), UNIT_UNKNOWN);
	assert_null(units_name(units, UNIT_UNKNOWN));
	assert_null(units_name(units, UINT32_MAX));
	/* Should it turn up after all, with the next walk, it has one. */
	move(tree, "elsewhere/a.service", "cgroup/a.service");
	assert_int_equal(units_find(units, id), UNIT_UNKNOWN);
	assert_int_equal(units_refresh(units), 0);
	assert_unit(units, id, "a.service");
	units_free(units);
}

static void names_end_at_the_last_one(void **state)
{
	const struct tree *tree = *state;
	uint64_t id = make(tree, "cgroup/a.service");
	struct units *units = new_units(tree);
	uint32_t last = units_find(units, id);

	assert_non_null(units_name(units, last));
	assert_null(units_name(units, last + 1));
	units_free(units);
}

/* Makes MANY services below @slice and learns them. */
static void make_many(const struct tree *tree, struct units *units, const char *slice,
		      uint64_t ids[static MANY])
{
	char path[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "cgroup/%s/%d.service", slice, i);
		ids[i] = make(tree, path);
	}
	assert_int_equal(units_refresh(units), 0);
}

/* While the tables grow nothing is forgotten, be its cgroup gone or not. */
static void many_units(void **state)
{
	const struct tree *tree = *state;
	struct units *units = new_units(tree);
	uint64_t gone[MANY], ids[MANY];
	uint32_t root = units_find(units, ROOT_ID);
	char name[64];

	make_many(tree, units, "a.slice", gone);
	move(tree, "cgroup/a.slice", "elsewhere");
	make_many(tree, units, "b.slice", ids);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d.service", i);
		assert_unit(units, gone[i], name);
		assert_int_equal(units_find(units, ids[i]), units_find(units, gone[i]));
	}
	assert_int_equal(units_find(units, ROOT_ID), root);
	assert_unit(units, ROOT_ID, "-.slice");
	units_free(units);
}

/* Links out of the tree and files are not cgroups; systemd's ".control" inside a unit is one. */
static void only_directories_are_walked(void **state)
{
	const struct tree *tree = *state;
	uint64_t outside = make(tree, "outside/a.service");
	uint64_t hidden = make(tree, "cgroup/b.service/.control");
	struct units *units = new_units(tree);
	char from[256], to[256];
	struct stat st;
	FILE *file;

	snprintf(from, sizeof(from), "%s/outside", tree->base);
	snprintf(to, sizeof(to), "%s/link.slice", tree->root);
	assert_int_equal(symlink(from, to), 0);
	snprintf(to, sizeof(to), "%s/file.service", tree->root);
	file = fopen(to, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(stat(to, &st), 0);
	assert_int_equal(units_find(units, outside), UNIT_UNKNOWN);
	assert_unit(units, hidden, "b.service");
	assert_int_equal(units_find(units, st.st_ino), UNIT_UNKNOWN);
	units_free(units);
}

static void depth_has_a_limit(void **state)
{
	const struct tree *tree = *state;
	char path[256] = "cgroup";
	uint64_t ids[DEPTH + 2];
	struct units *units;

	for (int i = 0; i < DEPTH + 2; i++) {
		strcat(path, "/x");
		ids[i] = make(tree, path);
	}
	units = new_units(tree);
	/* Names of one letter from the root on. */
	for (int i = 0; i <= DEPTH; i++) {
		const char *name = units_name(units, units_find(units, ids[i]));

		assert_non_null(name);
		assert_int_equal(strlen(name), 2 * (i + 1));
	}
	assert_int_equal(units_find(units, ids[DEPTH + 1]), UNIT_UNKNOWN);
	units_free(units);
}

/* The id of the first directory below @path; 0: it is not the root of a cgroup2 hierarchy. */
static uint64_t find_cgroup(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	struct statfs fs;
	uint64_t id = 0;

	if (!directory)
		return 0;
	if (fstatfs(dirfd(directory), &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		while (!id && (entry = readdir(directory)))
			if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
				id = entry->d_ino;
	closedir(directory);
	return id;
}

/* Where systemd mounts it: alone, or next to the old hierarchies. */
static void machines_own_tree_is_found(void **state)
{
	uint64_t id = find_cgroup("/sys/fs/cgroup");
	struct units *units;

	(void)state;
	if (!id)
		id = find_cgroup("/sys/fs/cgroup/unified");
	assert_int_equal(units_new(NULL, NULL, NULL, &units), 0);
	assert_unit(units, ROOT_ID, "-.slice");
	if (id)
		assert_int_not_equal(units_find(units, id), UNIT_UNKNOWN);
	units_free(units);
}

static void no_hierarchy_is_no_failure(void **state)
{
	const struct tree *tree = *state;
	struct units *units;
	char root[128];

	snprintf(root, sizeof(root), "%s/none", tree->base);
	assert_int_equal(units_new(root, NULL, NULL, &units), 0);
	assert_int_equal(units_refresh(units), 0);
	assert_unit(units, ROOT_ID, "-.slice");
	assert_int_equal(units_find(units, 23), UNIT_UNKNOWN);
	assert_null(units_free(units));
	assert_null(units_free(NULL));
}

/* --- cgroups that are gone --------------------------------------------------------------------- */

/* What the kernel noted of cgroups: row i is of id FIRST_NOTE + i. */
struct noted {
	uint64_t parent;
	const char *name;
};

struct notes {
	const struct noted *noted;
	size_t count;
	unsigned int asked;
};

static int find_note(uint64_t cgroup, uint64_t *ret_parent, char *name, void *userdata)
{
	struct notes *notes = userdata;

	notes->asked++;
	if (cgroup < FIRST_NOTE || cgroup - FIRST_NOTE >= notes->count)
		return -ENOENT;
	*ret_parent = notes->noted[cgroup - FIRST_NOTE].parent;
	snprintf(name, UNIT_NAME_BYTES, "%s", notes->noted[cgroup - FIRST_NOTE].name);
	return 0;
}

static void notes_name_what_is_gone(void **state)
{
	static const struct noted noted[] = {
		{ ROOT_ID, "system.slice" },  { FIRST_NOTE, "gone.service" },
		{ FIRST_NOTE + 1, "worker" }, { ROOT_ID, "docker" },
		{ FIRST_NOTE + 3, "0123" },
	};
	struct notes notes = { noted, ARRAY_SIZE(noted), 0 };
	const struct tree *tree = *state;
	struct units *units;

	assert_int_equal(units_new(tree->root, find_note, &notes, &units), 0);
	assert_int_equal(units_refresh(units), 0);
	assert_int_equal(notes.asked, 0);
	/* From the leaf: its ancestors are found on the way and known afterwards. */
	assert_unit(units, FIRST_NOTE + 2, "gone.service");
	assert_int_equal(notes.asked, 3);
	assert_unit(units, FIRST_NOTE + 1, "gone.service");
	assert_unit(units, FIRST_NOTE, "system.slice");
	assert_int_equal(notes.asked, 3);
	assert_unit(units, FIRST_NOTE + 4, "/docker/0123");
	assert_int_equal(units_find(units, FIRST_NOTE + 2), units_find(units, FIRST_NOTE + 1));
	units_free(units);
}

static void notes_end_at_what_is_there(void **state)
{
	const struct tree *tree = *state;
	const struct noted noted[] = {
		{ make(tree, "cgroup/user.slice/user@7.service"), "app.slice" },
		{ FIRST_NOTE, "a.service" },
	};
	struct notes notes = { noted, ARRAY_SIZE(noted), 0 };
	struct units *units;

	assert_int_equal(units_new(tree->root, find_note, &notes, &units), 0);
	assert_int_equal(units_refresh(units), 0);
	assert_unit(units, FIRST_NOTE + 1, "user@7.service");
	units_free(units);
}

/* Ids from FIRST_NOTE on are nested in each other. */
static int find_nested(uint64_t cgroup, uint64_t *ret_parent, char *name, void *userdata)
{
	(void)userdata;
	*ret_parent = cgroup == FIRST_NOTE ? (uint64_t)ROOT_ID : cgroup - 1;
	strcpy(name, "x");
	return cgroup < FIRST_NOTE ? -ENOENT : 0;
}

static void notes_are_followed_as_far_as_directories(void **state)
{
	const struct tree *tree = *state;
	struct units *units;

	assert_int_equal(units_new(tree->root, find_nested, NULL, &units), 0);
	assert_int_equal(units_refresh(units), 0);
	assert_int_equal(units_find(units, FIRST_NOTE + DEPTH + 1), UNIT_UNKNOWN);
	assert_non_null(units_name(units, units_find(units, FIRST_NOTE + DEPTH)));
	units_free(units);
}

/* Half a path is no name: neither a lost ancestor nor a circle is made up for. */
static void broken_notes_name_nothing(void **state)
{
	static const struct noted noted[] = {
		{ 23, "orphan.service" },
		{ FIRST_NOTE + 2, "circle.service" },
		{ FIRST_NOTE + 1, "circle.slice" },
	};
	struct notes notes = { noted, ARRAY_SIZE(noted), 0 };
	const struct tree *tree = *state;
	struct units *units;
	unsigned int asked;

	assert_int_equal(units_new(tree->root, find_note, &notes, &units), 0);
	for (size_t i = 0; i < ARRAY_SIZE(noted); i++)
		assert_int_equal(units_find(units, FIRST_NOTE + i), UNIT_UNKNOWN);
	/* And are not read again and again. */
	asked = notes.asked;
	for (size_t i = 0; i < ARRAY_SIZE(noted); i++)
		assert_int_equal(units_find(units, FIRST_NOTE + i), UNIT_UNKNOWN);
	assert_int_equal(notes.asked, asked);
	units_free(units);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_of_children),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test_setup_teardown(ids_have_units, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_names_have_one_number, setup, teardown),
		cmocka_unit_test_setup_teardown(new_cgroups_are_found_when_asked_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_walk_for_a_question, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_gone_is_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_once_learnt_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_ones_have_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(names_end_at_the_last_one, setup, teardown),
		cmocka_unit_test_setup_teardown(many_units, setup, teardown),
		cmocka_unit_test_setup_teardown(only_directories_are_walked, setup, teardown),
		cmocka_unit_test_setup_teardown(depth_has_a_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(no_hierarchy_is_no_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(notes_name_what_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(notes_end_at_what_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_notes_name_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(notes_are_followed_as_far_as_directories, setup,
						teardown),
		cmocka_unit_test(machines_own_tree_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
