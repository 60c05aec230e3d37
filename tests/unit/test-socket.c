/* SPDX-License-Identifier: GPL-2.0-only */
/* The listening socket: made, taken over from a dead daemon, refused, or passed by systemd. */
#include "socket.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

enum {
	FIRST_PASSED_FD = 3, /* sd_listen_fds(3) */
};

struct folder {
	char path[64];
	char socket[128];
	struct problem problem;
};

static int setup(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	*state = folder;
	strcpy(folder->path, "/tmp/ebpfmon-test-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	snprintf(folder->socket, sizeof(folder->socket), "%s/socket", folder->path);
	return 0;
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

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_true(strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	return address;
}

static int bound(int type, const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* 0 or -errno. */
static int try_connect(const char *path)
{
	struct sockaddr_un address = address_of(path);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static void assert_listening(int fd)
{
	int flag = 0, flags = fcntl(fd, F_GETFL);
	socklen_t size = sizeof(flag);

	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &flag, &size), 0);
	assert_int_equal(flag, 1);
	assert_true(flags & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* Refused with @error and one line that has @wanted in it. */
static void assert_refused(struct folder *folder, const char *path, int error, const char *wanted)
{
	memset(&folder->problem, 0, sizeof(folder->problem));
	assert_int_equal(socket_listen(path, &folder->problem), -error);
	assert_int_equal(folder->problem.error, error);
	assert_non_null(strstr(folder->problem.text, path));
	assert_non_null(strstr(folder->problem.text, wanted));
	assert_null(strchr(folder->problem.text, '\n'));
}

/* --- our own ----------------------------------------------------------------------------------- */

static void everybody_may_connect(void **state)
{
	struct folder *folder = *state;
	mode_t mask = umask(077);
	_cleanup_close_ int fd = socket_listen(folder->socket, &folder->problem);
	struct stat st;

	assert_int_equal(umask(mask), 077); /* put back */
	assert_listening(fd);
	assert_int_equal(lstat(folder->socket, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_int_equal(try_connect(folder->socket), 0);
}

static void stale_one_is_replaced(void **state)
{
	struct folder *folder = *state;
	_cleanup_close_ int fd = -1;

	/* As a killed daemon leaves it. */
	close(socket_listen(folder->socket, &folder->problem));
	assert_int_equal(access(folder->socket, F_OK), 0);
	assert_int_equal(try_connect(folder->socket), -ECONNREFUSED);
	fd = socket_listen(folder->socket, &folder->problem);
	assert_listening(fd);
	assert_int_equal(try_connect(folder->socket), 0);
}

static void served_one_is_left(void **state)
{
	struct folder *folder = *state;
	_cleanup_close_ int fd = socket_listen(folder->socket, &folder->problem);

	assert_refused(folder, folder->socket, EADDRINUSE, "another process serves");
	assert_int_equal(try_connect(folder->socket), 0);
}

/* Its backlog is full: it is served all the same. */
static void busy_one_is_left(void **state)
{
	struct folder *folder = *state;
	_cleanup_close_ int fd = bound(SOCK_STREAM, folder->socket);
	int clients[8], n = 0;

	assert_int_equal(listen(fd, 0), 0);
	do {
		struct sockaddr_un address = address_of(folder->socket);

		clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(clients[n++], (struct sockaddr *)&address, sizeof(address)) < 0)
			break;
	} while (n < (int)ARRAY_SIZE(clients));
	assert_int_equal(try_connect(folder->socket), -EAGAIN);
	assert_refused(folder, folder->socket, EADDRINUSE, "another process serves");
	assert_int_equal(access(folder->socket, F_OK), 0);
	while (n--)
		close(clients[n]);
}

static void other_sockets_are_left(void **state)
{
	struct folder *folder = *state;
	_cleanup_close_ int fd = bound(SOCK_DGRAM, folder->socket);

	assert_refused(folder, folder->socket, EPROTOTYPE, "cannot tell whether");
	assert_int_equal(access(folder->socket, F_OK), 0);
}

static void file_is_left(void **state)
{
	struct folder *folder = *state;
	char text[16] = "";
	FILE *file = fopen(folder->socket, "w");

	assert_non_null(file);
	fputs("precious", file);
	assert_int_equal(fclose(file), 0);
	assert_refused(folder, folder->socket, EEXIST, "no socket");
	file = fopen(folder->socket, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "precious");
}

static void directory_is_left(void **state)
{
	struct folder *folder = *state;

	assert_int_equal(mkdir(folder->socket, 0700), 0);
	assert_refused(folder, folder->socket, EEXIST, "no socket");
}

/* Even one that leads to a stale socket: whose it is cannot be told. */
static void link_is_left(void **state)
{
	struct folder *folder = *state;
	char target[128];
	struct stat st;

	snprintf(target, sizeof(target), "%s/target", folder->path);
	close(bound(SOCK_STREAM, target));
	assert_int_equal(symlink(target, folder->socket), 0);
	assert_refused(folder, folder->socket, EEXIST, "no socket");
	assert_int_equal(lstat(folder->socket, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(access(target, F_OK), 0);
}

/* Root could take them over; who made them would be surprised, or meant it to. */
static void strangers_sockets_are_left(void **state)
{
	struct folder *folder = *state;

	if (geteuid() != 0)
		skip();
	close(bound(SOCK_STREAM, folder->socket));
	assert_int_equal(chown(folder->socket, 23, 29), 0);
	assert_refused(folder, folder->socket, EPERM, "socket belongs to uid 23");
	assert_int_equal(access(folder->socket, F_OK), 0);
	assert_int_equal(unlink(folder->socket), 0);
	assert_int_equal(chown(folder->path, 23, 29), 0);
	assert_refused(folder, folder->socket, EPERM, "belongs to uid 23, who could replace");
	assert_int_equal(access(folder->socket, F_OK), -1);
}

/* A link of ours is as good as what it leads to. */
static void open_folders_are_refused(void **state)
{
	struct folder *folder = *state;
	char path[160], link[128];

	snprintf(link, sizeof(link), "%s/link", folder->path);
	snprintf(path, sizeof(path), "%s/open/socket", folder->path);
	assert_int_equal(socket_make_folder(path, geteuid(), getegid(), &folder->problem), 0);
	assert_int_equal(symlink("open", link), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(chmod(path, 0775), 0);
	strcat(path, "/socket");
	assert_refused(folder, path, EPERM, "/open can be written by others (mode 0775)");
	snprintf(path, sizeof(path), "%s/socket", link);
	assert_refused(folder, path, EPERM, "/link can be written by others (mode 0775)");
	assert_int_equal(chmod(link, 01777), 0);
	close(socket_listen(path, &folder->problem));
	assert_int_equal(access(path, F_OK), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(lchown(link, 23, 29), 0);
	assert_refused(folder, path, EPERM, "/link belongs to uid 23");
}

static void long_paths_are_refused(void **state)
{
	struct folder *folder = *state;
	const size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	_cleanup_close_ int fd = -1;
	char path[128];

	snprintf(path, sizeof(path), "%s/", folder->path);
	memset(path + strlen(path), 'x', sizeof(path) - strlen(path));
	path[longest + 1] = '\0';
	assert_refused(folder, path, ENAMETOOLONG, "108 bytes, 107 are possible");
	path[longest] = '\0';
	fd = socket_listen(path, &folder->problem);
	assert_listening(fd);
	assert_int_equal(try_connect(path), 0);
}

static void missing_folder_is_told(void **state)
{
	struct folder *folder = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/none/socket", folder->path);
	assert_refused(folder, path, ENOENT, "No such file");
}

/* --- its folder -------------------------------------------------------------------------------- */

/* For everybody to pass, whatever mask the daemon was started with. */
static void folder_is_made(void **state)
{
	struct folder *folder = *state;
	char path[160], parent[128];
	mode_t mask = umask(077);
	struct stat st;

	snprintf(parent, sizeof(parent), "%s/run", folder->path);
	snprintf(path, sizeof(path), "%s/socket", parent);
	assert_int_equal(socket_make_folder(path, geteuid(), getegid(), &folder->problem), 0);
	assert_int_equal(umask(mask), 077);
	assert_int_equal(stat(parent, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(access(path, F_OK), -1);
}

static void folder_is_given_away(void **state)
{
	struct folder *folder = *state;
	char path[160], parent[128];
	struct stat st;

	snprintf(parent, sizeof(parent), "%s/run", folder->path);
	snprintf(path, sizeof(path), "%s/socket", parent);
	if (geteuid() != 0) {
		assert_int_equal(socket_make_folder(path, 23, 29, &folder->problem), -EPERM);
		assert_non_null(strstr(folder->problem.text, "to uid 23"));
		return;
	}
	assert_int_equal(socket_make_folder(path, 23, 29, &folder->problem), 0);
	assert_int_equal(stat(parent, &st), 0);
	assert_int_equal(st.st_uid, 23);
	assert_int_equal(st.st_gid, 29);
}

static void folder_that_is_there_stays(void **state)
{
	struct folder *folder = *state;
	struct stat before, after;

	assert_int_equal(chmod(folder->path, 0700), 0);
	assert_int_equal(stat(folder->path, &before), 0);
	assert_int_equal(socket_make_folder(folder->socket, 23, 29, &folder->problem), 0);
	assert_int_equal(stat(folder->path, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
}

static void only_the_last_folder_is_made(void **state)
{
	struct folder *folder = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/a/b/socket", folder->path);
	assert_int_equal(socket_make_folder(path, geteuid(), getegid(), &folder->problem), -ENOENT);
	assert_int_equal(folder->problem.error, ENOENT);
	assert_non_null(strstr(folder->problem.text, "/a/b"));
	snprintf(path, sizeof(path), "%s/a", folder->path);
	assert_int_equal(access(path, F_OK), -1);
}

/* --- systemd's --------------------------------------------------------------------------------- */

/* socket_activated() in a process that was passed @fds; its result, and the flags of the socket. */
static void activate(const int *fds, int n, int *ret_result, int *ret_flags)
{
	int results[2] = { 0, 0 }, ends[2], status;
	char text[16];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct problem problem = { 0 };
		int high[4], out = fcntl(ends[1], F_DUPFD, 100);

		for (int i = 0; i < n; i++)
			high[i] = fcntl(fds[i], F_DUPFD, 50);
		for (int i = 0; i < n; i++)
			dup2(high[i], FIRST_PASSED_FD + i);
		snprintf(text, sizeof(text), "%d", getpid());
		setenv("LISTEN_PID", text, 1);
		snprintf(text, sizeof(text), "%d", n);
		setenv("LISTEN_FDS", text, 1);
		results[0] = socket_activated(&problem);
		if (results[0] < 0 && results[0] != -problem.error)
			results[0] = -ENOTRECOVERABLE;
		results[1] = fcntl(FIRST_PASSED_FD, F_GETFL);
		_exit(write(out, results, sizeof(results)) == sizeof(results) ? 0 : 1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], results, sizeof(results)), sizeof(results));
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	*ret_result = results[0];
	*ret_flags = results[1];
}

static void no_socket_is_passed(void **state)
{
	struct folder *folder = *state;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	assert_int_equal(socket_activated(&folder->problem), -ENOENT);
	assert_int_equal(folder->problem.error, 0);
}

static void passed_socket_is_used(void **state)
{
	struct folder *folder = *state;
	_cleanup_close_ int fd = bound(SOCK_STREAM, folder->socket);
	int result, flags;

	assert_int_equal(listen(fd, 1), 0);
	activate(&fd, 1, &result, &flags);
	assert_int_equal(result, FIRST_PASSED_FD);
	assert_true(flags & O_NONBLOCK);
}

static void two_sockets_are_one_too_many(void **state)
{
	struct folder *folder = *state;
	_cleanup_close_ int fd = bound(SOCK_STREAM, folder->socket);
	int fds[] = { fd, fd }, result, flags;

	assert_int_equal(listen(fd, 1), 0);
	activate(fds, 2, &result, &flags);
	assert_int_equal(result, -EINVAL);
}

static void other_sockets_cannot_be_used(void **state)
{
	struct folder *folder = *state;
	int result, flags, pair[2];
	int fd;

	fd = bound(SOCK_DGRAM, folder->socket);
	activate(&fd, 1, &result, &flags);
	assert_int_equal(result, -EINVAL);
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	activate(&fd, 1, &result, &flags);
	assert_int_equal(result, -EINVAL);
	close(fd);

	/* Connected, not listening: what Accept=yes would pass. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	activate(&pair[0], 1, &result, &flags);
	assert_int_equal(result, -EINVAL);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everybody_may_connect, setup, teardown),
		cmocka_unit_test_setup_teardown(stale_one_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(served_one_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(busy_one_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(other_sockets_are_left, setup, teardown),
		cmocka_unit_test_setup_teardown(file_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(directory_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(link_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(strangers_sockets_are_left, setup, teardown),
		cmocka_unit_test_setup_teardown(open_folders_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(long_paths_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_folder_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(folder_is_made, setup, teardown),
		cmocka_unit_test_setup_teardown(folder_is_given_away, setup, teardown),
		cmocka_unit_test_setup_teardown(folder_that_is_there_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(only_the_last_folder_is_made, setup, teardown),
		cmocka_unit_test_setup_teardown(no_socket_is_passed, setup, teardown),
		cmocka_unit_test_setup_teardown(passed_socket_is_used, setup, teardown),
		cmocka_unit_test_setup_teardown(two_sockets_are_one_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(other_sockets_cannot_be_used, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
