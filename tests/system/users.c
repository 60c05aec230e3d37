/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * users FIRST COUNT FILE: as each of COUNT users from FIRST on, opens FILE once and nothing else;
 * exits 0 if every one could. Owns nothing; knows nothing of what is counted.
 */
#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a process of its own, because all three ids of a user are gone for good. */
static void open_as(uid_t uid, const char *path)
{
	int fd = -1;

	if (setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	_exit(fd < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	unsigned long first, count;

	if (argc != 4)
		errx(1, "usage: users FIRST COUNT FILE");
	first = strtoul(argv[1], NULL, 10);
	count = strtoul(argv[2], NULL, 10);
	if (setgroups(0, NULL))
		err(1, "setgroups");
	for (unsigned long i = 0; i < count; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			open_as((uid_t)(first + i), argv[3]);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			err(1, "user %lu", first + i);
		if (status)
			errx(1, "user %lu: cannot open %s", first + i, argv[3]);
	}
	return 0;
}
