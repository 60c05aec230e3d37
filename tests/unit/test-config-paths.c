/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which configuration files and drop-ins count, and in what order: by table, and against
 * `systemd-analyze cat-config` on trees made at random.
 */
#include "config-paths.h"
#include "config-tree.h"

#define MAIN	  "ebpfmon/ebpfmond.conf"
#define DROPINS	  "ebpfmon/ebpfmond.conf.d"
#define NULL_LINK ((const char *)1)

struct file {
	const char *name;
	const char *content; /* NULL_LINK: a link to /dev/null */
};

/* A tree, and what is in force of [Daemon] then: "User Group LogLevel". */
static const struct {
	struct file files[6];
	const char *expected;
} trees[] = {
	{ { { NULL, NULL } }, "ebpfmon ebpfmon info" },
	/* One main file: the first. The others do not show through. */
	{ { { "usr/lib/" MAIN, "User=lib" } }, "lib ebpfmon info" },
	{ { { "usr/local/lib/" MAIN, "User=local" }, { "usr/lib/" MAIN, "Group=lib" } },
	  "local ebpfmon info" },
	{ { { "run/" MAIN, "User=run" }, { "usr/local/lib/" MAIN, "Group=local" } },
	  "run ebpfmon info" },
	{ { { "etc/" MAIN, "User=etc" }, { "run/" MAIN, "Group=run" } }, "etc ebpfmon info" },
	{ { { "etc/" MAIN, "" }, { "run/" MAIN, "User=run" } }, "ebpfmon ebpfmon info" },
	{ { { "etc/" MAIN, NULL_LINK }, { "run/" MAIN, "User=run" } }, "ebpfmon ebpfmon info" },
	/* Drop-ins come after the main file, wherever they are. */
	{ { { "etc/" MAIN, "User=etc" }, { "usr/lib/" DROPINS "/a.conf", "User=dropin" } },
	  "dropin ebpfmon info" },
	{ { { "usr/lib/" DROPINS "/a.conf", "User=dropin" } }, "dropin ebpfmon info" },
	/* In the order of their names, not of their directories. */
	{ { { "etc/" DROPINS "/10.conf", "User=etc" },
	    { "usr/lib/" DROPINS "/20.conf", "User=lib" } },
	  "lib ebpfmon info" },
	{ { { "etc/" DROPINS "/9.conf", "User=nine" }, { "etc/" DROPINS "/10.conf", "User=ten" } },
	  "nine ebpfmon info" },
	{ { { "etc/" DROPINS "/a.conf", "User=lower" },
	    { "etc/" DROPINS "/B.conf", "User=upper" } },
	  "lower ebpfmon info" },
	/* Of one name, the one of the first directory, whole. */
	{ { { "etc/" DROPINS "/a.conf", "User=etc" },
	    { "run/" DROPINS "/a.conf", "Group=run" },
	    { "usr/local/lib/" DROPINS "/a.conf", "Group=local" },
	    { "usr/lib/" DROPINS "/a.conf", "Group=lib\nLogLevel=debug" } },
	  "etc ebpfmon info" },
	{ { { "usr/local/lib/" DROPINS "/a.conf", "User=local" },
	    { "usr/lib/" DROPINS "/a.conf", "Group=lib" },
	    { "usr/lib/" DROPINS "/b.conf", "LogLevel=debug" } },
	  "local ebpfmon debug" },
	/* Masks. */
	{ { { "etc/" DROPINS "/a.conf", "" }, { "usr/lib/" DROPINS "/a.conf", "User=lib" } },
	  "ebpfmon ebpfmon info" },
	{ { { "run/" DROPINS "/a.conf", NULL_LINK },
	    { "usr/lib/" DROPINS "/a.conf", "User=lib" },
	    { "usr/lib/" DROPINS "/b.conf", "Group=lib" } },
	  "ebpfmon lib info" },
	{ { { "usr/lib/" DROPINS "/a.conf", NULL_LINK }, { "etc/" DROPINS "/a.conf", "User=etc" } },
	  "etc ebpfmon info" },
	/* Not drop-ins. */
	{ { { "etc/" DROPINS "/.a.conf", "User=hidden" },
	    { "etc/" DROPINS "/a.conf~", "User=backup" },
	    { "etc/" DROPINS "/a.conf.dpkg-new", "User=new" },
	    { "etc/" DROPINS "/aconf", "User=suffix" },
	    { "etc/" DROPINS "/.conf", "User=nameless" },
	    { "etc/" DROPINS "/a/b.conf", "User=deeper" } },
	  "ebpfmon ebpfmon info" },
};

/* Makes the file at @path anew; what is not a link or empty stands in [Daemon]. */
static void put_file(const struct tree *tree, const char *name, const char *content)
{
	char text[256] = "";

	unlink(tree_path(tree, name));
	if (content == NULL_LINK) {
		assert_int_equal(symlink("/dev/null", tree_path(tree, name)), 0);
		return;
	}
	if (*content)
		snprintf(text, sizeof(text), "[Daemon]\n%s\n", content);
	tree_put(tree, name, text);
}

/* Each tree is a new one, with its own root inside of the test's. */
static void next_tree(struct tree *tree, const struct tree *base, size_t number)
{
	*tree = (struct tree){ .n_problems = 0 };
	assert_true(snprintf(tree->root, sizeof(tree->root), "%s/%zu", base->root, number) <
		    (int)sizeof(tree->root));
	assert_int_equal(mkdir(tree->root, 0755), 0);
}

static void the_right_files_count(void **state)
{
	static struct tree tree;

	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		_cleanup_config_ struct config *config = NULL;
		char text[128];

		next_tree(&tree, *state, i);
		for (size_t j = 0; j < ARRAY_SIZE(trees[i].files) && trees[i].files[j].name; j++)
			put_file(&tree, trees[i].files[j].name, trees[i].files[j].content);
		config = tree_load(&tree, NULL);
		assert_string_equal(tree.problems, "");
		assert_int_equal(tree.n_problems, 0);
		snprintf(text, sizeof(text), "%s %s %s", config_text(config, "Daemon", "User"),
			 config_text(config, "Daemon", "Group"),
			 config_text(config, "Daemon", "LogLevel"));
		if (strcmp(text, trees[i].expected))
			fail_msg("tree %zu: '%s', not '%s'", i, text, trees[i].expected);
	}
}

/* Each costs one line and nothing else. */
static void what_cannot_be_read_is_told(void **state)
{
	static struct tree tree;
	_cleanup_config_ struct config *config = NULL;

	next_tree(&tree, *state, 100);
	put_file(&tree, "etc/ebpfmon", "not a directory");
	put_file(&tree, "run/" DROPINS, "not a directory");
	put_file(&tree, "usr/lib/" MAIN, "User=lib");
	put_file(&tree, "usr/lib/" DROPINS "/a.conf", "Group=lib");
	put_file(&tree, "usr/lib/" DROPINS "/c.conf", "User=masked");
	assert_int_equal(mkdir(tree_path(&tree, "usr/lib/" DROPINS "/b.conf"), 0755), 0);
	tree_path(&tree, "usr/local/lib/" DROPINS "/c.conf");
	assert_int_equal(symlink("nowhere", tree_path(&tree, "usr/local/lib/" DROPINS "/c.conf")),
			 0);
	config = tree_load(&tree, NULL);
	assert_string_equal(tree.problems,
			    "/etc/" MAIN ": cannot be read: Not a directory; it is left out\n"
			    "/etc/" DROPINS ": cannot be read: Not a directory; its files are left "
			    "out\n"
			    "/run/" DROPINS ": cannot be read: Not a directory; its files are left "
			    "out\n"
			    "/usr/lib/" DROPINS "/b.conf: is not a regular file; it is left out\n"
			    "/usr/local/lib/" DROPINS "/c.conf: cannot be read: No such file or "
			    "directory; it is left out\n");
	assert_int_equal(tree.n_problems, 5);
	assert_string_equal(config_text(config, "Daemon", "Group"), "lib");
	assert_string_equal(config_text(config, "Daemon", "User"), "ebpfmon");
}

/* Each file's mistakes are its own, also at the same line. */
static void every_file_is_judged(void **state)
{
	static struct tree tree;

	next_tree(&tree, *state, 101);
	tree_put(&tree, "etc/" MAIN, "[Deamon]\nUser=a\nUser=b\n");
	tree_put(&tree, "etc/" DROPINS "/a.conf", "[Deamon]\nUser=a\n");
	config_free(tree_load(&tree, NULL));
	assert_string_equal(tree.problems,
			    "/etc/" MAIN ":1: [Deamon] is not a known section, all in "
			    "it is ignored; did you mean [Daemon]?\n"
			    "/etc/" DROPINS "/a.conf:1: [Deamon] is not a known section, "
			    "all in it is ignored; did you mean [Daemon]?\n");
	assert_int_equal(tree.n_problems, 2);
}

static unsigned int next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

/* Files of few names in all directories, so that they often meet, with values of their own. */
static void put_random_files(const struct tree *tree, unsigned int *seed)
{
	static const char *const directories[] = { "etc", "run", "usr/local/lib", "usr/lib" };
	static const char *const names[] = { MAIN,
					     DROPINS "/10-a.conf",
					     DROPINS "/20-b.conf",
					     DROPINS "/3.conf",
					     DROPINS "/B.conf",
					     DROPINS "/.h.conf",
					     DROPINS "/x.conf.bak" };
	static const char *const values[] = { "User=u", "Group=g", "SubjectsMax=", "PinPath=/p" };
	unsigned int value = 1000;
	char name[128], content[64];

	for (size_t i = 0; i < ARRAY_SIZE(directories) * ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), "%s/%s", directories[i % ARRAY_SIZE(directories)],
			 names[i / ARRAY_SIZE(directories)]);
		snprintf(content, sizeof(content), "%s%u",
			 values[next_random(seed) % ARRAY_SIZE(values)], value++);
		switch (next_random(seed) % 6) {
		case 0:
			put_file(tree, name, "");
			break;
		case 1:
			put_file(tree, name, NULL_LINK);
			break;
		case 2:
		case 3:
			put_file(tree, name, content);
			break;
		}
	}
}

/* What systemd would read of the tree, one file after the other. */
static void cat_config(const struct tree *tree, const char *output)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "SYSTEMD_COLORS=0 systemd-analyze --no-pager --root=%s cat-config " MAIN " >%s",
		 tree->root, output);
	assert_int_equal(system(command), 0);
}

static void systemd_agrees(void **state)
{
	static struct tree tree;
	unsigned int seed = 1;

	if (system("systemd-analyze --version >/dev/null 2>&1") != 0) {
		print_message("skipped: systemd-analyze is not installed\n");
		skip();
	}
	for (size_t i = 0; i < 16; i++) {
		_cleanup_config_ struct config *ours = NULL, *theirs = NULL;
		char output[96];

		next_tree(&tree, *state, 1000 + i);
		put_random_files(&tree, &seed);
		/* Newer versions of it follow links inside of the tree. */
		put_file(&tree, "dev/null", "");
		snprintf(output, sizeof(output), "%s/output", tree.root);
		cat_config(&tree, output);
		ours = tree_load(&tree, NULL);
		assert_int_equal(tree.n_problems, 0);
		theirs = tree_load(&tree, output);
		assert_int_equal(tree.n_problems, 0);
		config_diff(ours, theirs, tree_differ, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_files_count),
		cmocka_unit_test(what_cannot_be_read_is_told),
		cmocka_unit_test(every_file_is_judged),
		cmocka_unit_test(systemd_agrees),
	};

	return cmocka_run_group_tests(tests, tree_setup, tree_teardown);
}
