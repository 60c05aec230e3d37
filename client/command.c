/* SPDX-License-Identifier: GPL-2.0-only */
/* Forks, waits for the word, runs, reaps: command.h. */
#include "command.h"
#include "complaint.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum {
	CODE_SIGNAL = 128,    /* and the signal's number */
	CODE_NOT_FOUND = 127, /* as shells have it */
	CODE_NOT_RUN = 126,
};

/* In the new process. Without the word, because ours has ended, nothing is run. */
static _Noreturn void become(char *const words[], int go_fd)
{
	sigset_t none;
	ssize_t size;
	char byte;

	do
		size = read(go_fd, &byte, 1);
	while (size < 0 && errno == EINTR);
	if (size != 1)
		_exit(CODE_FAILURE);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(words[0], words);
	complain(CODE_FAILURE, "cannot run '%s': %s", words[0], strerror(errno));
	_exit(errno == ENOENT ? CODE_NOT_FOUND : CODE_NOT_RUN);
}

int command_prepare(struct command *command, char *const words[])
{
	int ends[2];

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe2(ends, O_CLOEXEC))
		return complain(CODE_FAILURE, "cannot prepare '%s': %s", words[0], strerror(errno));
	command->pid = fork();
	if (!command->pid) {
		close(ends[1]);
		become(words, ends[0]);
	}
	close(ends[0]);
	command->go_fd = ends[1];
	if (command->pid < 0) {
		command->pid = 0;
		return complain(CODE_FAILURE, "cannot start '%s': %s", words[0], strerror(errno));
	}
	return CODE_OK;
}

void command_go(struct command *command)
{
	if (!command->pid || write(command->go_fd, "", 1) != 1)
		return;
	command->go_fd = close_fd(command->go_fd);
	command->started = true;
}

static void note_end(struct command *command, pid_t pid, int status)
{
	if (pid != command->pid)
		return;
	command->ended = true;
	command->code = WIFEXITED(status) ? WEXITSTATUS(status) : CODE_SIGNAL + WTERMSIG(status);
}

void command_reap(struct command *command)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		note_end(command, pid, status);
}

void command_wait(struct command *command)
{
	int status;
	pid_t pid;

	while (command->started && !command->ended) {
		pid = waitpid(-1, &status, 0);
		if (pid > 0)
			note_end(command, pid, status);
		else if (errno != EINTR)
			return;
	}
}
