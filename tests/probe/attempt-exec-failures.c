/* SPDX-License-Identifier: GPL-2.0-only */
/* The exec cases that end with an error: one failure each, wherever in the kernel it is noticed. */
#include "attempt.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum {
	TOO_LONG_ARGUMENT_BYTES = 200 * 1024, /* above MAX_ARG_STRLEN, 128 KiB */
	SCRIPTS_TOO_DEEP = 7,		      /* the kernel follows 5 */
	BAD_FLAG = 0x40000000,
};

static long exec_prepared_path(struct attempt *attempt)
{
	return outcome(syscall(SYS_execve, attempt->data, ARGUMENTS, ENVIRONMENT));
}

static long exec_bad_path(struct attempt *attempt)
{
	(void)attempt;
	return outcome(syscall(SYS_execve, NO_POINTER, ARGUMENTS, ENVIRONMENT));
}

static long exec_bad_arguments(struct attempt *attempt)
{
	return outcome(syscall(SYS_execve, attempt->test->path, NO_POINTER, ENVIRONMENT));
}

static long exec_bad_environment(struct attempt *attempt)
{
	return outcome(syscall(SYS_execve, attempt->test->path, ARGUMENTS, NO_POINTER));
}

static long exec_bad_directory(struct attempt *attempt)
{
	return outcome(
		syscall(SYS_execveat, INT_MAX, attempt->test->path, ARGUMENTS, ENVIRONMENT, 0));
}

static void prepare_garbage(struct attempt *attempt)
{
	write_file(attempt, "garbage", "garbage\n", 0755);
}

static void prepare_long_name(struct attempt *attempt)
{
	static char name[NAME_MAX + 2];

	memset(name, 'a', NAME_MAX + 1);
	attempt->data = name;
}

static void prepare_long_path(struct attempt *attempt)
{
	static char path[PATH_MAX + 1];

	memset(path, '/', PATH_MAX);
	attempt->data = path;
}

static void prepare_too_long_argument(struct attempt *attempt)
{
	static char text[TOO_LONG_ARGUMENT_BYTES + 1];
	static char *arguments[] = { text, NULL };

	memset(text, 'a', TOO_LONG_ARGUMENT_BYTES);
	attempt->data = arguments;
}

static void prepare_orphan_script(struct attempt *attempt)
{
	write_file(attempt, "orphan", "#!/tmp/missing\n", 0755);
}

static void prepare_deep_scripts(struct attempt *attempt)
{
	char name[] = "script0", text[] = "#!/tmp/script0\n";

	copy_helper(attempt, "nothing", name, 0755);
	for (char i = '1'; i < '1' + SCRIPTS_TOO_DEEP; i++) {
		name[strlen(name) - 1] = i;
		write_file(attempt, name, text, 0755);
		text[strlen(text) - 2] = i;
	}
}

static void prepare_secret_descriptor(struct attempt *attempt)
{
	attempt->fd = (int)must(attempt, "secret", open("secret", O_RDONLY | O_CLOEXEC));
}

/* The loader that this program names is missing; noticed after every security check. */
static void prepare_no_loader(struct attempt *attempt)
{
	copy_helper(attempt, "interpreted", "no-loader", 0755);
}

static void prepare_forbidding_mount(struct attempt *attempt)
{
	must(attempt, "forbidding", mkdir("forbidding", 0755));
	must(attempt, "forbidding",
	     mount("forbidding", "forbidding", "tmpfs", MS_NOEXEC, "mode=0755"));
	copy_helper(attempt, "nothing", "forbidding/nothing", 0755);
}

/*
 * A program whose segments lie where no user memory is: the kernel notices after the old program
 * is gone, so exec fails and the process is killed, there being nobody to return to.
 */
static void prepare_fatal(struct attempt *attempt)
{
	Elf64_Ehdr *header;
	Elf64_Phdr *segments;
	struct stat status;
	char *image;
	int fd;

	copy_helper(attempt, "nothing", "fatal", 0755);
	fd = (int)must(attempt, "fatal", open("fatal", O_RDWR | O_CLOEXEC));
	must(attempt, "fatal", fstat(fd, &status));
	image = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED)
		fail(attempt, "mmap", -errno);
	header = (Elf64_Ehdr *)image;
	segments = (Elf64_Phdr *)(image + header->e_phoff);
	for (int i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD)
			segments[i].p_vaddr |= 0xffff800000000000;
	munmap(image, (size_t)status.st_size);
	close(fd);
}

#define FAILING .needs = NEEDS_FAILED, .attempt = spawn
#define EARLY	.needs = NEEDS_FAILED | NEEDS_EARLY, .attempt = spawn

const struct attempt_case exec_failure_cases[] = {
	{ "execve-ENOENT", "missing", FAILING, .exec = exec_execve, UNEXECUTED(ENOENT) },
	{ "execve-EACCES", "file", FAILING, .exec = exec_execve, UNEXECUTED(EACCES) },
	{ "execve-EACCES-search", "locked/file", FAILING, .exec = exec_execve, UNEXECUTED(EACCES) },
	{ "execve-EACCES-directory", "directory", FAILING, .exec = exec_execve,
	  UNEXECUTED(EACCES) },
	{ "execve-EACCES-noexec", "forbidding/nothing", FAILING,
	  .prepare = prepare_forbidding_mount, .exec = exec_execve, UNEXECUTED(EACCES) },
	{ "execve-ENOEXEC", "garbage", FAILING, .prepare = prepare_garbage, .exec = exec_execve,
	  UNEXECUTED(ENOEXEC) },
	{ "execve-ENOTDIR", "file/nothing", FAILING, .exec = exec_execve, UNEXECUTED(ENOTDIR) },
	{ "execve-ELOOP", "loop", FAILING, .exec = exec_execve, UNEXECUTED(ELOOP) },
	{ "execve-EFAULT-argv", "nothing", FAILING, .exec = exec_bad_arguments,
	  UNEXECUTED(EFAULT) },
	{ "execve-EFAULT-envp", "nothing", FAILING, .exec = exec_bad_environment,
	  UNEXECUTED(EFAULT) },
	{ "execve-E2BIG", "nothing", FAILING, .prepare = prepare_too_long_argument,
	  .exec = exec_execve_arguments, UNEXECUTED(E2BIG) },
	{ "execve-ENAMETOOLONG", FAILING, .prepare = prepare_long_name, .exec = exec_prepared_path,
	  UNEXECUTED(ENAMETOOLONG) },
	{ "execve-ENAMETOOLONG-path", EARLY, .prepare = prepare_long_path,
	  .exec = exec_prepared_path, UNEXECUTED(ENAMETOOLONG) },
	{ "execve-EFAULT", EARLY, .exec = exec_bad_path, UNEXECUTED(EFAULT) },
	{ "execve-ENOENT-empty", "", EARLY, .exec = exec_execve, UNEXECUTED(ENOENT) },
	{ "script-ENOENT", "orphan", FAILING, .prepare = prepare_orphan_script, .exec = exec_execve,
	  UNEXECUTED(ENOENT) },
	{ "script-ELOOP", "script7", FAILING, .prepare = prepare_deep_scripts, .exec = exec_execve,
	  UNEXECUTED(ELOOP) },
	{ "interpreted-ENOENT", "no-loader", FAILING, .prepare = prepare_no_loader,
	  .exec = exec_execve, UNEXECUTED(ENOENT) },
	{ "fatal", "fatal", FAILING, .prepare = prepare_fatal, .exec = exec_execve,
	  .error = EOWNERDEAD,
	  .counted = { [EM_EXEC_FAILURES] = 1, [EM_ABNORMAL_EXITS] = 1, SPAWNED } },
	{ "execveat-ENOENT", "missing", FAILING, .exec = exec_execveat, UNEXECUTED(ENOENT) },
	{ "execveat-EBADF", "nothing", FAILING, .exec = exec_bad_directory, UNEXECUTED(EBADF) },
	{ "execveat-EINVAL", "nothing", BAD_FLAG, FAILING, .exec = exec_execveat,
	  UNEXECUTED(EINVAL) },
	{ "fexecve-EACCES", FAILING, .prepare = prepare_secret_descriptor, .exec = exec_fexecve,
	  UNEXECUTED(EACCES) },
	{ "execve-vfork-ENOENT", "missing", .needs = NEEDS_FAILED, .attempt = spawn_vfork,
	  .exec = exec_execve, UNEXECUTED(ENOENT) },
	{ "execve-thread-ENOENT", "missing", .needs = NEEDS_FAILED, .attempt = spawn_thread,
	  .exec = exec_execve, .error = ENOENT,
	  .counted = { [EM_EXEC_FAILURES] = 1, [EM_THREADS] = 1, SPAWNED } },
	{ 0 },
};
