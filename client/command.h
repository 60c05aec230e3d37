/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command that is run to be watched: started when somebody looks, its orphans kept, its exit
 * code. Knows nothing of what is watched.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Zero-initialise. */
struct command {
	pid_t pid; /* 0: none */
	int go_fd; /* its start waits for a byte from here */
	bool started, ended;
	int code; /* as a shell would tell it */
};

/*
 * Makes the process, which does nothing until command_go(). What it starts and leaves behind is
 * ours from then on, so that all its descendants are descendants of ours. An exit code.
 */
int command_prepare(struct command *command, char *const words[]);
void command_go(struct command *command);

/* Takes note of children that have ended; orphans among them. */
void command_reap(struct command *command);

/* Until the command has ended, if it was started. */
void command_wait(struct command *command);
