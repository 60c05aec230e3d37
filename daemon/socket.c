/* SPDX-License-Identifier: GPL-2.0-only */
/* The listening socket: socket.h. */
#include "socket.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

enum {
	BACKLOG = 128,
};

int socket_activated(struct problem *problem)
{
	int n = sd_listen_fds(1);

	if (n == 0)
		return -ENOENT;
	if (n < 0)
		return problem_set(problem, -n, "cannot use systemd's sockets: %s", strerror(-n));
	if (n > 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
		return problem_set(problem, EINVAL,
				   "systemd passed %d sockets, wanted is one listening Unix stream "
				   "socket: check ebpfmond.socket",
				   n);
	if (fcntl(SD_LISTEN_FDS_START, F_SETFL, O_NONBLOCK) < 0)
		return problem_set(problem, errno, "cannot use systemd's socket: %m");
	return SD_LISTEN_FDS_START;
}

static bool is_stranger(uid_t uid)
{
	return uid != 0 && uid != geteuid();
}

/*
 * Whoever can rename what leads to the socket can put one of his own in its place, and clients
 * would believe it. Where others may write, the sticky bit keeps them from that.
 */
static int check_component(const char *path, const char *folder, int flags, struct problem *problem)
{
	struct stat st;

	if (fstatat(AT_FDCWD, folder, &st, flags) < 0)
		return problem_set(problem, errno, "cannot use %s: %s: %m", path, folder);
	if (is_stranger(st.st_uid))
		return problem_set(problem, EPERM,
				   "cannot use %s: %s belongs to uid %u, who could replace the "
				   "socket: set Socket= to another path",
				   path, folder, st.st_uid);
	if (S_ISDIR(st.st_mode) && (st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return problem_set(problem, EPERM,
				   "cannot use %s: %s can be written by others (mode %04o), who "
				   "could replace the socket: 'chmod go-w' it or set Socket= to "
				   "another path",
				   path, folder, st.st_mode & 07777);
	return 0;
}

/* Each folder on the way to @path, and each link as well as what it leads to. */
static int check_way(const char *path, struct problem *problem)
{
	_cleanup_free_ char *copy = strdup(path);
	int r = 0;

	if (!copy)
		return problem_set(problem, ENOMEM, "out of memory");
	for (char *end = strchr(copy + 1, '/'); !r && end; end = strchr(end + 1, '/')) {
		*end = '\0';
		r = check_component(path, copy, AT_SYMLINK_NOFOLLOW, problem);
		if (!r)
			r = check_component(path, copy, 0, problem);
		*end = '/';
	}
	return r;
}

/* Whether somebody serves @address; asks by connecting. */
static int is_served(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return 1;
	return errno == ECONNREFUSED ? 0 : -errno;
}

static int remove_stale(const struct sockaddr_un *address, struct problem *problem)
{
	const char *path = address->sun_path;
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : problem_set(problem, errno, "cannot examine %s: %m", path);
	if (!S_ISSOCK(st.st_mode))
		return problem_set(problem, EEXIST,
				   "%s is there and no socket: left untouched; move it away or set "
				   "Socket= to another path",
				   path);
	if (is_stranger(st.st_uid))
		return problem_set(problem, EPERM,
				   "%s belongs to uid %u: left untouched; move it away or set "
				   "Socket= to another path",
				   path, st.st_uid);
	r = is_served(address);
	if (r > 0)
		return problem_set(
			problem, EADDRINUSE,
			"another process serves %s: stop it or set Socket= to another path", path);
	if (r < 0)
		return problem_set(problem, -r, "cannot tell whether %s is in use: %s", path,
				   strerror(-r));
	if (unlink(path) < 0)
		return problem_set(problem, errno, "cannot remove the stale socket %s: %m", path);
	return 0;
}

int socket_listen(const char *path, struct problem *problem)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	if (fd < 0)
		return problem_set(problem, errno, "cannot make a socket: %m");
	if (strlen(path) >= sizeof(address.sun_path))
		return problem_set(problem, ENAMETOOLONG,
				   "the path of the socket is too long: %s has %zu bytes, %zu are "
				   "possible",
				   path, strlen(path), sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	r = check_way(path, problem);
	if (!r)
		r = remove_stale(&address, problem);
	if (r < 0)
		return r;
	mask = umask(0111);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r < 0)
		return problem_set(problem, errno, "cannot create the socket %s: %m", path);
	if (listen(fd, BACKLOG) < 0)
		return problem_set(problem, errno, "cannot listen at %s: %m", path);
	return TAKE_FD(fd);
}

int socket_make_folder(const char *path, uid_t uid, gid_t gid, struct problem *problem)
{
	_cleanup_free_ char *copy = strdup(path);
	const char *folder;
	mode_t mask;
	int r;

	if (!copy)
		return problem_set(problem, ENOMEM, "out of memory");
	folder = dirname(copy);
	mask = umask(022); /* whoever may connect must get there */
	r = mkdir(folder, 0755);
	umask(mask);
	if (r < 0)
		return errno == EEXIST
			       ? 0
			       : problem_set(problem, errno, "cannot create %s: %m", folder);
	if (geteuid() != uid && lchown(folder, uid, gid) < 0)
		return problem_set(problem, errno, "cannot give %s to uid %u: %m", folder, uid);
	return 0;
}
