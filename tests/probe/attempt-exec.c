/* SPDX-License-Identifier: GPL-2.0-only */
/* The exec cases that end well: one exec each, whichever way the program is named or started. */
#include "attempt.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { LONG_ARGUMENT_BYTES = 100 * 1024 }; /* below MAX_ARG_STRLEN, 128 KiB */

static long exec_without_arguments(struct attempt *attempt)
{
	return outcome(syscall(SYS_execve, attempt->test->path, ENVIRONMENT, ENVIRONMENT));
}

static long exec_null_arguments(struct attempt *attempt)
{
	return outcome(syscall(SYS_execve, attempt->test->path, NULL, NULL));
}

static long exec_in_directory(struct attempt *attempt)
{
	return outcome(
		syscall(SYS_execveat, attempt->fd, attempt->test->path, ARGUMENTS, ENVIRONMENT, 0));
}

static void prepare_long_argument(struct attempt *attempt)
{
	static char text[LONG_ARGUMENT_BYTES + 1];
	static char *arguments[] = { text, NULL };

	memset(text, 'a', LONG_ARGUMENT_BYTES);
	attempt->data = arguments;
}

static void prepare_descriptor(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "nothing", open("nothing", O_RDONLY | O_CLOEXEC));
}

static void prepare_path_descriptor(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "nothing", open("nothing", O_PATH | O_CLOEXEC));
}

static void prepare_directory(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "/tmp", open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	must(attempt, "own", chdir("own"));
}

static void prepare_memory_file(struct attempt *attempt)
{
	attempt->fd = memory_file(attempt, "nothing");
}

static void prepare_link(struct attempt *attempt)
{
	must(attempt, "nothing-link", symlink("nothing", "nothing-link"));
}

static void prepare_scripts(struct attempt *attempt)
{
	write_file(attempt, "script", "#!/tmp/nothing\n", 0755);
	write_file(attempt, "script2", "#!/tmp/script with argument\n", 0755);
}

static void prepare_script_descriptor(struct attempt *attempt)
{
	prepare_scripts(attempt);
	/* Not O_CLOEXEC: the interpreter is given /dev/fd/N, as fexecve(3) says. */
	attempt->fd = (int)must(attempt, "script", open("script", O_RDONLY));
}

static void prepare_set_uid(struct attempt *attempt)
{
	struct stat status;

	copy_helper(attempt, "nothing", "set-uid", 04755);
	must(attempt, "set-uid", stat("set-uid", &status));
	if (!(status.st_mode & S_ISUID))
		skip(attempt, "no set-uid programs on this file system");
}

/* It names itself as its loader, and that copy is what runs. */
static void prepare_interpreted(struct attempt *attempt)
{
	copy_helper(attempt, "interpreted", "interpreted", 0755);
}

static void prepare_overlay(struct attempt *attempt)
{
	must(attempt, "lower", mkdir("lower", 0755));
	must(attempt, "merged", mkdir("merged", 0755));
	must(attempt, "other", mkdir("other", 0755));
	copy_helper(attempt, "nothing", "lower/nothing", 0755);
	if (mount("overlay", "merged", "overlay", MS_RDONLY, "lowerdir=lower:other"))
		skip(attempt, "no overlayfs here");
}

const struct attempt_case exec_cases[] = {
	{ "execve", "nothing", .attempt = spawn, .exec = exec_execve, EXECUTED },
	{ "execve-absolute", "/tmp/nothing", .attempt = spawn, .exec = exec_execve, EXECUTED },
	{ "execve-empty-argv", "nothing", .attempt = spawn, .exec = exec_without_arguments,
	  EXECUTED },
	{ "execve-null-argv", "nothing", .attempt = spawn, .exec = exec_null_arguments, EXECUTED },
	{ "execve-long-argv", "nothing", .prepare = prepare_long_argument, .attempt = spawn,
	  .exec = exec_execve_arguments, EXECUTED },
	{ "execve-symlink", "nothing-link", .prepare = prepare_link, .attempt = spawn,
	  .exec = exec_execve, EXECUTED },
	{ "execve-vfork", "nothing", .attempt = spawn_vfork, .exec = exec_execve, EXECUTED },
	{ "execve-thread", "nothing", .attempt = spawn_thread, .exec = exec_execve,
	  .counted = { [EM_EXECS] = 1, [EM_THREADS] = 1, SPAWNED } },
	{ "execveat", "nothing", .attempt = spawn, .exec = exec_execveat, EXECUTED },
	{ "execveat-dirfd", "nothing", .prepare = prepare_directory, .attempt = spawn,
	  .exec = exec_in_directory, EXECUTED },
	{ "fexecve", .prepare = prepare_descriptor, .attempt = spawn, .exec = exec_fexecve,
	  EXECUTED },
	{ "fexecve-path", .prepare = prepare_path_descriptor, .attempt = spawn,
	  .exec = exec_fexecve, EXECUTED },
	{ "fexecve-script", .prepare = prepare_script_descriptor, .attempt = spawn,
	  .exec = exec_fexecve, EXECUTED },
	{ "memfd", .prepare = prepare_memory_file, .attempt = spawn, .exec = exec_fexecve,
	  EXECUTED },
	{ "script", "script", .prepare = prepare_scripts, .attempt = spawn, .exec = exec_execve,
	  EXECUTED },
	{ "script-of-script", "script2", .prepare = prepare_scripts, .attempt = spawn,
	  .exec = exec_execve, EXECUTED },
	/* The kernel opens the loader, too. */
	{ "interpreted", "interpreted", .prepare = prepare_interpreted, .attempt = spawn,
	  .exec = exec_execve, EXECUTED },
	{ "set-uid", "set-uid", .set_uid = true, .prepare = prepare_set_uid, .attempt = spawn,
	  .exec = exec_execve, EXECUTED },
	{ "execve-overlay", "merged/nothing", .prepare = prepare_overlay, .attempt = spawn,
	  .exec = exec_execve, EXECUTED },
	{ "execve-user-namespace", "nothing", .start = start_user_namespace, .attempt = spawn,
	  .exec = exec_execve, EXECUTED },
	/* Rows are by the real user. */
	{ "execve-real-uid", "nothing", .set_uid = true, .become = become_real_only,
	  .attempt = spawn, .exec = exec_execve, EXECUTED },
	{ "execve-effective-uid", "nothing", .set_uid = true, .other_user = true,
	  .become = become_effective_only, .attempt = spawn, .exec = exec_execve },
	{ 0 },
};
