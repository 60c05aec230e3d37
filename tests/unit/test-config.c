/* SPDX-License-Identifier: GPL-2.0-only */
/* One configuration file at a time: its values, their origin, and every way it can be wrong. */
#include "config-tree.h"

#include <sys/socket.h>
#include <sys/un.h>

static void assert_problems(const struct tree *tree, unsigned int count, const char *lines)
{
	assert_string_equal(tree->problems, lines);
	assert_int_equal(tree->n_problems, count);
}

static void defaults_are_in_force_without_files(void **state)
{
	_cleanup_config_ struct config *config = tree_load(*state, NULL);
	_cleanup_free_ char *text = tree_print(config);

	assert_problems(*state, 0, "");
	assert_int_equal(config_number(config, "Daemon", "LogLevel"), 3);
	assert_int_equal(config_number(config, "Daemon", "SubjectsMax"), 16384);
	assert_int_equal(config_number(config, "Server", "MessageSizeMax"), 65536);
	assert_int_equal(config_number(config, "Server", "RequestTimeout"), 10000000);
	assert_int_equal(config_number(config, "exec", "Enabled"), 1);
	assert_int_equal(config_number(config, "exec", "Failures"), CONFIG_AUTO);
	assert_string_equal(config_text(config, "Daemon", "PinPath"), "/sys/fs/bpf/ebpfmon");
	assert_string_equal(config_text(config, "Server", "RequestTimeout"), "10s");
	assert_string_equal(text, "[Daemon]\n"
				  "# default\nPinPath=/sys/fs/bpf/ebpfmon\n"
				  "# default\nUser=ebpfmon\n"
				  "# default\nGroup=ebpfmon\n"
				  "# default\nLogLevel=info\n"
				  "# default\nSubjectsMax=16384\n"
				  "# default\nSettledMax=262144\n"
				  "\n[Server]\n"
				  "# default\nSocket=/run/ebpfmon/io.ebpfmon.Monitor\n"
				  "# default\nConnectionsMax=128\n"
				  "# default\nConnectionsPerUserMax=32\n"
				  "# default\nMessageSizeMax=64K\n"
				  "# default\nQueueSizeMax=16M\n"
				  "# default\nRequestTimeout=10s\n"
				  "\n[History]\n"
				  "# default\nEnabled=no\n"
				  "# default\nInterval=10s\n"
				  "# default\nSpan=1h\n"
				  "# default\nMemoryMax=16M\n"
				  "\n[Events]\n"
				  "# default\nBufferSize=2M\n"
				  "# default\nQueueSize=1M\n"
				  "# default\nSubscribersMax=32\n"
				  "# default\nSubscribersPerUserMax=8\n"
				  "\n[Journal]\n"
				  "# default\nEvents=\n"
				  "# default\nUid=\n"
				  "# default\nLogin=\n"
				  "# default\nUnit=\n"
				  "# default\nCommand=\n"
				  "# default\nPath=\n"
				  "# default\nFailedOnly=no\n"
				  "# default\nMinDuration=0\n"
				  "# default\nInterval=30s\n"
				  "# default\nEntriesMax=1000\n"
				  "# default\nEntriesPerUserMax=500\n"
				  "\n[cgroup]\n"
				  "# default\nEnabled=yes\n"
				  "\n[exec]\n"
				  "# default\nEnabled=yes\n"
				  "# default\nFailures=auto\n"
				  "# default\nArgumentsMax=2K\n"
				  "\n[exit]\n"
				  "# default\nEnabled=yes\n"
				  "\n[fork]\n"
				  "# default\nEnabled=yes\n"
				  "\n[open]\n"
				  "# default\nEnabled=yes\n"
				  "\n[unlink]\n"
				  "# default\nEnabled=yes\n"
				  "# default\nUnlinks=auto\n");
}

/* A key's line in what is printed, with its origin in front: "ORIGIN KEY=VALUE". */
static void assert_printed(const struct tree *tree, const struct config *config, const char *key,
			   const char *expected)
{
	_cleanup_free_ char *text = tree_print(config);
	char line[8192], *start, *end, *origin;

	assert_true(snprintf(line, sizeof(line), "\n%s=", key) < (int)sizeof(line));
	start = strstr(text, line);
	assert_non_null(start);
	end = strchr(start + 1, '\n');
	*start = *end = '\0';
	origin = strrchr(text, '\n');
	assert_non_null(origin);
	origin += strlen("\n# ");
	if (!strncmp(origin, tree->root, strlen(tree->root)))
		origin += strlen(tree->root);
	snprintf(line, sizeof(line), "%s %s", origin, start + 1);
	assert_string_equal(line, expected);
}

/* Content without a problem, and what is printed of one key then. */
static const struct {
	const char *content, *key, *printed;
} good[] = {
	{ "[Daemon]\nLogLevel=debug\n", "LogLevel", "/f:2 LogLevel=debug" },
	{ "[Daemon]\nLogLevel=debug", "LogLevel", "/f:2 LogLevel=debug" },
	{ "\n\n  [Daemon]\t\n\n \tLogLevel \t=  debug \t\n", "LogLevel", "/f:5 LogLevel=debug" },
	{ "[Daemon]\r\nLogLevel=debug\r\n\r\nUser=\"root\"\r\n", "User", "/f:4 User=root" },
	{ "\xef\xbb\xbf[Daemon]\nLogLevel=debug\n", "LogLevel", "/f:2 LogLevel=debug" },
	{ "[Daemon]\nLogLevel=\"debug\"\n", "LogLevel", "/f:2 LogLevel=debug" },
	/* The last of several counts, and its line is the one told. */
	{ "[Daemon]\nLogLevel=error\nLogLevel=debug\n", "LogLevel", "/f:3 LogLevel=debug" },
	{ "[Daemon]\nUser=a\nUser=b\nGroup=x\nUser=a\n", "User", "/f:5 User=a" },
	{ "[Daemon]\nUser=a\n[exec]\nEnabled=no\n[Daemon]\nUser=b\n", "User", "/f:6 User=b" },
	/* The same key in two sections is two keys. */
	{ "[History]\nEnabled=off\n[open]\nEnabled=1\n", "Enabled", "/f:2 Enabled=off" },
	/* Comments are whole lines. */
	{ "# [Daemon]\n; x\n[Daemon]\nUser=a\n  # User=b\n\t; User=c\nGroup=d\n", "User",
	  "/f:4 User=a" },
	{ "[Daemon]\nPinPath=/x#y;z # w\n", "PinPath", "/f:2 PinPath=/x#y;z # w" },
	{ "[Daemon]\nPinPath=\"/x#y\"\n", "PinPath", "/f:2 PinPath=/x#y" },
	{ "[Daemon]\nPinPath=/a=b\n", "PinPath", "/f:2 PinPath=/a=b" },
	{ "[Daemon]\nPinPath=//a/./b/\n", "PinPath", "/f:2 PinPath=/a/b" },
	/* Quotes keep spaces at the ends, also when printed. */
	{ "[Daemon]\nPinPath=\"/x \"\n", "PinPath", "/f:2 PinPath=\"/x \"" },
	{ "[Daemon]\nPinPath=\"/\"x\" \"\n", "PinPath", "/f:2 PinPath=\"/\"x\" \"" },
	{ "[Daemon]\nPinPath=/x\"\n", "PinPath", "/f:2 PinPath=/x\"" },
	{ "[Server]\nRequestTimeout=1min 30s\n", "RequestTimeout", "/f:2 RequestTimeout=1min 30s" },
};

/* config_diff() of what was loaded and of what loading its print gives. */
static void assert_printed_loads_the_same(struct tree *tree, const struct config *config)
{
	_cleanup_free_ char *text = tree_print(config);
	_cleanup_config_ struct config *again = tree_load(tree, tree_put(tree, "printed", text));

	assert_problems(tree, 0, "");
	config_diff(config, again, tree_differ, NULL);
}

static void good_files_are_read(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_config_ struct config *config =
			tree_load(*state, tree_put(*state, "f", good[i].content));

		assert_problems(*state, 0, "");
		assert_printed(*state, config, good[i].key, good[i].printed);
		assert_printed_loads_the_same(*state, config);
	}
}

#define LEVELS	      "one of error, warning, notice, info, debug"
#define NOT_A_LINE    "is neither [SECTION] nor KEY=VALUE; the line is left out\n"
#define NOT_A_SECTION "is neither [SECTION] nor KEY=VALUE; the file is left out\n"
#define DOES_NOT      "is not a known key and is ignored"

/* Content with problems below "[Daemon]\nUser=set\n", whether that User counts, and the lines. */
static const struct {
	const char *content;
	bool counts;
	unsigned int count;
	const char *lines;
} bad[] = {
	{ "LogLevel=loud\n", true, 1,
	  "/f:3: [Daemon] LogLevel=loud is not " LEVELS "; keeping info\n" },
	{ "LogLevel=debug\nLogLevel=loud\n", true, 1,
	  "/f:4: [Daemon] LogLevel=loud is not " LEVELS "; keeping debug\n" },
	{ "LogLevel=debug # loud\n", true, 1,
	  "/f:3: [Daemon] LogLevel=debug # loud is not " LEVELS
	  "; keeping info (a comment needs a line of its own)\n" },
	{ "LogLevel=\n", true, 1, "/f:3: [Daemon] LogLevel= is not " LEVELS "; keeping info\n" },
	{ "LogLevel\nUser\n", true, 2, "/f:3: " NOT_A_LINE "/f:4: " NOT_A_LINE },
	{ "LogLevel=debug\n x\n\"y\"\nLogLevel debug\n", true, 3,
	  "/f:4: " NOT_A_LINE "/f:5: " NOT_A_LINE "/f:6: " NOT_A_LINE },
	{ "SubjectsMax=63\n", true, 1,
	  "/f:3: [Daemon] SubjectsMax=63 is not a whole number from 64 to 262144; "
	  "keeping 16384\n" },
	{ "[Server]\nMessageSizeMax=2M\nRequestTimeout=2h\n", true, 2,
	  "/f:4: [Server] MessageSizeMax=2M is not a size such as \"64K\" from 1K to 1M; "
	  "keeping 64K\n"
	  "/f:5: [Server] RequestTimeout=2h is not a time span such as \"1min 30s\" from 100ms "
	  "to 1h; keeping 10s\n" },
	/* Every assignment is judged, not only the last. */
	{ "LogLevel=loud\nLogLevel=debug\nLogLevel=loud\n", true, 2,
	  "/f:3: [Daemon] LogLevel=loud is not " LEVELS "; keeping info\n"
	  "/f:5: [Daemon] LogLevel=loud is not " LEVELS "; keeping debug\n" },
	{ "Loglevel=debug\nUsr=x\nNothingLikeIt=1\n=1\n", true, 4,
	  "/f:3: [Daemon] Loglevel= " DOES_NOT "; did you mean [Daemon] LogLevel=?\n"
	  "/f:4: [Daemon] Usr= " DOES_NOT "; did you mean [Daemon] User=?\n"
	  "/f:5: [Daemon] NothingLikeIt= " DOES_NOT "\n"
	  "/f:6: [Daemon] = " DOES_NOT "\n" },
	{ "ConnectionsMax=9\n", true, 1,
	  "/f:3: [Daemon] ConnectionsMax= " DOES_NOT "; did you mean [Server] ConnectionsMax=?\n" },
	{ "[Deamon]\nLogLevel=debug\nUser=x\n[Elsewhere]\nX=1\n", true, 2,
	  "/f:3: [Deamon] is not a known section, all in it is ignored; did you mean [Daemon]?\n"
	  "/f:6: [Elsewhere] is not a known section, all in it is ignored\n" },
	{ "LogLevel=de\\\nbug\n", true, 2,
	  "/f:4: " NOT_A_LINE "/f:3: [Daemon] LogLevel=de\\ is not " LEVELS "; keeping info\n" },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab=1\n", true, 1,
	  "/f:3: [Daemon] aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...= " DOES_NOT
	  "\n" },
	/* What belongs to what is not known after a broken section: the whole file is left out. */
	{ "# x\n\n[\n", false, 1, "/f:5: " NOT_A_SECTION },
	{ "User=x\n[exec\n", false, 1, "/f:4: " NOT_A_SECTION },
	{ "User=x\n[exec] x\n", false, 1, "/f:4: " NOT_A_SECTION },
	{ "[\n", false, 1, "/f:3: " NOT_A_SECTION },
};

static void bad_lines_are_told(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_config_ struct config *config = NULL;
		char content[1024];

		snprintf(content, sizeof(content), "[Daemon]\nUser=set\n%s", bad[i].content);
		config = tree_load(*state, tree_put(*state, "f", content));
		assert_problems(*state, bad[i].count, bad[i].lines);
		assert_string_equal(config_text(config, "Daemon", "User"),
				    bad[i].counts ? "set" : "ebpfmon");
		assert_printed_loads_the_same(*state, config);
	}
}

static void lines_before_a_section_are_told(void **state)
{
	_cleanup_config_ struct config *config =
		tree_load(*state, tree_put(*state, "f", "LogLevel=debug\nx=1\n[Daemon]\nUser=a\n"));

	assert_problems(*state, 2,
			"/f:1: LogLevel= is before the first section and is ignored; put it below "
			"[Daemon]\n"
			"/f:2: x= is before the first section and is ignored\n");
	assert_string_equal(config_text(config, "Daemon", "LogLevel"), "info");
	assert_string_equal(config_text(config, "Daemon", "User"), "a");
}

static void binary_files_are_left_out(void **state)
{
	static const char nul[] = "[Daemon]\nUser=a\n# \0\n";
	_cleanup_config_ struct config *config =
		tree_load(*state, tree_put_bytes(*state, "f", nul, sizeof(nul) - 1));

	assert_problems(*state, 1, "/f:3: is not text, a byte is 0; the file is left out\n");
	assert_string_equal(config_text(config, "Daemon", "User"), "ebpfmon");
}

/* Loads @size bytes: @fill again and again, and @last at the end. */
static struct config *load_filled(struct tree *tree, size_t size, const char *fill,
				  const char *last)
{
	_cleanup_free_ char *bytes = malloc(size);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = fill[i % strlen(fill)];
	memcpy(bytes + size - strlen(last), last, strlen(last));
	return tree_load(tree, tree_put_bytes(tree, "f", bytes, size));
}

#define MIB (1 << 20)

static void a_mebibyte_is_the_limit(void **state)
{
	static const char last[] = "\n[Daemon]\nUser=a\n";
	_cleanup_config_ struct config *full = load_filled(*state, MIB, "#\n", last);

	assert_problems(*state, 0, "");
	assert_string_equal(config_text(full, "Daemon", "User"), "a");

	full = config_free(full);
	full = load_filled(*state, MIB + 1, "#\n", last);
	assert_problems(*state, 1,
			"/f: has 1048577 bytes, more than the 1048576 a configuration file may "
			"have; it is left out\n");
	assert_string_equal(config_text(full, "Daemon", "User"), "ebpfmon");

	full = config_free(full);
	assert_int_equal(truncate(tree_path(*state, "f"), 100 * MIB), 0);
	full = tree_load(*state, tree_path(*state, "f"));
	assert_problems(*state, 1,
			"/f: has 104857600 bytes, more than the 1048576 a configuration file may "
			"have; it is left out\n");
}

static void lines_have_limits(void **state)
{
	static const char last[] = "\n[Daemon]\nUser=a\n";
	_cleanup_config_ struct config *config =
		load_filled(*state, 4608 + strlen(last), "x", last);

	/* A key without a section, so long that it is cut when told. */
	assert_int_equal(((struct tree *)*state)->n_problems, 1);
	assert_string_equal(config_text(config, "Daemon", "User"), "a");

	config = config_free(config);
	config = load_filled(*state, 4609 + strlen(last), "x", last);
	assert_problems(*state, 1, "/f:1: is longer than 4608 bytes; the file is left out\n");

	/* 1022 settings and the two lines at the end; then one more. */
	config = config_free(config);
	config = load_filled(*state, 1022 * 4 + strlen(last), "x=1\n", last);
	assert_int_equal(((struct tree *)*state)->n_problems, 1022);
	assert_string_equal(config_text(config, "Daemon", "User"), "a");

	config = config_free(config);
	config = load_filled(*state, 1023 * 4 + strlen(last), "x=1\n", last);
	assert_problems(*state, 1, "/f:1026: more than 1024 settings; the file is left out\n");
}

static void what_is_no_file_is_left_out(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct tree *tree = *state;

	assert_int_equal(mkdir(tree_path(tree, "d"), 0755), 0);
	assert_int_equal(mkfifo(tree_path(tree, "p"), 0644), 0);
	assert_true(strlen(tree_path(tree, "s")) < sizeof(address.sun_path));
	strcpy(address.sun_path, tree_path(tree, "s"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(symlink("nowhere", tree_path(tree, "l")), 0);
	assert_int_equal(symlink("/dev/null", tree_path(tree, "n")), 0);

	config_free(tree_load(*state, tree_path(tree, "d")));
	assert_problems(tree, 1, "/d: is not a regular file; it is left out\n");
	config_free(tree_load(*state, tree_path(tree, "p")));
	assert_problems(tree, 1, "/p: is not a regular file; it is left out\n");
	config_free(tree_load(*state, tree_path(tree, "s")));
	assert_problems(tree, 1, "/s: cannot be read: No such device or address; it is left out\n");
	config_free(tree_load(*state, tree_path(tree, "l")));
	assert_problems(tree, 1, "/l: cannot be read: No such file or directory; it is left out\n");
	config_free(tree_load(*state, tree_path(tree, "x")));
	assert_problems(tree, 1, "/x: cannot be read: No such file or directory; it is left out\n");
	config_free(tree_load(*state, "/dev/zero"));
	assert_problems(tree, 1, "/dev/zero: is not a regular file; it is left out\n");
	config_free(tree_load(*state, tree_path(tree, "n")));
	assert_problems(tree, 0, "");
}

static void unreadable_files_are_left_out(void **state)
{
	const char *path = tree_put(*state, "f", "[Daemon]\nUser=a\n");
	_cleanup_config_ struct config *config = NULL;
	uid_t uid = geteuid();

	assert_int_equal(chmod(path, 0), 0);
	if (uid == 0) {
		assert_int_equal(chmod(((struct tree *)*state)->root, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	config = tree_load(*state, path);
	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_problems(*state, 1, "/f: cannot be read: Permission denied; it is left out\n");
	assert_string_equal(config_text(config, "Daemon", "User"), "ebpfmon");
}

static void the_command_line_sets_values(void **state)
{
	_cleanup_config_ struct config *config =
		tree_load(*state, tree_put(*state, "f", "[Daemon]\nPinPath=/f\n"));

	assert_int_equal(config_set(config, "Daemon", "PinPath", "relative", "command line"),
			 -EINVAL);
	assert_printed(*state, config, "PinPath", "/f:2 PinPath=/f");
	assert_int_equal(config_set(config, "Daemon", "PinPath", "/x y/", "command line"), 0);
	assert_printed(*state, config, "PinPath", "command line PinPath=/x y");
	assert_int_equal(config_set(config, "Server", "RequestTimeout", "90", "command line"), 0);
	assert_int_equal(config_number(config, "Server", "RequestTimeout"), 90000000);
	assert_printed_loads_the_same(*state, config);
}

/* A file name can hold what would end the comment that tells it. */
static void origins_stay_in_their_comment(void **state)
{
	_cleanup_config_ struct config *config =
		tree_load(*state, tree_put(*state, "a\n[exec]\nb", "[Daemon]\nUser=x\n"));

	assert_printed(*state, config, "User", "/a?[exec]?b:2 User=x");
	assert_printed_loads_the_same(*state, config);
}

static void collect(const struct config_key *key, const char *was, const char *is, void *userdata)
{
	char *text = userdata;
	size_t n = strlen(text);

	snprintf(text + n, 512 - n, "%s.%s %s -> %s%s\n", key->section, key->name, was, is,
		 key->live ? "" : " (restart)");
}

static void differences_are_of_values_not_of_spelling(void **state)
{
	_cleanup_config_ struct config *before =
		tree_load(*state, tree_put(*state, "f",
					   "[Daemon]\nUser=a\nLogLevel=error\n"
					   "[Server]\nRequestTimeout=60s\n[exec]\nEnabled=yes\n"));
	_cleanup_config_ struct config *after = tree_load(
		*state, tree_put(*state, "f",
				 "[Daemon]\nUser=b\nLogLevel=debug\nSubjectsMax=016384\n"
				 "[Server]\nRequestTimeout=1min\n[exec]\nEnabled=TRUE\n"));
	char text[512] = "";

	config_diff(before, after, collect, text);
	assert_string_equal(text, "Daemon.User a -> b (restart)\n"
				  "Daemon.LogLevel error -> debug\n");
}

/* A file of the source tree; the caller frees it. */
static char *read_source(const char *name)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], *text = calloc(1, MIB);

	snprintf(path, sizeof(path), TEST_SOURCE_DIR "/../../%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && text);
	assert_true(read(fd, text, MIB - 1) > 0);
	return text;
}

/* The shipped file changes nothing, and without the '#' before its keys it sets all of them. */
static void the_shipped_file_has_every_default(void **state)
{
	_cleanup_free_ char *text = read_source("config/ebpfmond.conf"), *printed = NULL;
	_cleanup_config_ struct config *defaults = tree_load(*state, tree_put(*state, "f", ""));
	_cleanup_config_ struct config *shipped = tree_load(*state, tree_put(*state, "f", text));

	assert_problems(*state, 0, "");
	config_diff(defaults, shipped, tree_differ, NULL);

	for (char *line = text; (line = strstr(line, "\n#")); line++)
		if (line[2] != ' ' && line[2] != '\n')
			line[1] = ' ';
	shipped = config_free(shipped);
	shipped = tree_load(*state, tree_put(*state, "f", text));
	assert_problems(*state, 0, "");
	config_diff(defaults, shipped, tree_differ, NULL);
	printed = tree_print(shipped);
	assert_null(strstr(printed, "# default"));
}

static void the_manual_has_every_key(void **state)
{
	_cleanup_free_ char *manual = read_source("docs/ebpfmond.conf.5");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tree_keys); i++) {
		char section[64], item[64], *start, *end;

		snprintf(section, sizeof(section), ".Ss The [%s] section\n", tree_keys[i].section);
		snprintf(item, sizeof(item), ".It Cm %s Ns = Ns ", tree_keys[i].name);
		start = strstr(manual, section);
		assert_non_null(start);
		start = strstr(start, item);
		if (!start)
			fail_msg("%s is missing", item);
		end = strstr(start,
			     tree_keys[i].live ? "Applied by: reload" : "Applied by: restart");
		start = strstr(start, "Applied by: ");
		assert_ptr_equal(start, end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_in_force_without_files),
		cmocka_unit_test(good_files_are_read),
		cmocka_unit_test(bad_lines_are_told),
		cmocka_unit_test(lines_before_a_section_are_told),
		cmocka_unit_test(binary_files_are_left_out),
		cmocka_unit_test(a_mebibyte_is_the_limit),
		cmocka_unit_test(lines_have_limits),
		cmocka_unit_test(what_is_no_file_is_left_out),
		cmocka_unit_test(unreadable_files_are_left_out),
		cmocka_unit_test(the_command_line_sets_values),
		cmocka_unit_test(origins_stay_in_their_comment),
		cmocka_unit_test(differences_are_of_values_not_of_spelling),
		cmocka_unit_test(the_shipped_file_has_every_default),
		cmocka_unit_test(the_manual_has_every_key),
	};

	return cmocka_run_group_tests(tests, tree_setup, tree_teardown);
}
