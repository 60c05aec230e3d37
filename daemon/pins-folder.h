/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directories of the pin tree: opens one if it is ours, reads it, removes it with all that is in it.
 * Knows nothing of what they are for, but that links go first.
 */
#pragma once

#include "util.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>

/* The name of directories of links. */
#define PINS_FOLDER_LINKS "links"

/*
 * Descriptor of directory @name in @parent, shown as @path, which must be on bpffs and @owner's
 * alone; made, with @create, if absent. -ENOENT, without a problem: there is none.
 */
int pins_folder_open(int parent, const char *name, const char *path, uid_t owner, bool create,
		     struct problem *problem);

/* For readdir() and closedir(). NULL: errno says why. */
DIR *pins_folder_list(int parent, const char *name);

/* Removes the files in @folder whose names end in @suffix, but are more than that. 0 or -errno. */
int pins_folder_drop_suffix(int folder, const char *suffix);

/*
 * Removes @name, in @parent, and what is in it. Links before everything else: a program must not
 * run on with half of its maps unpinned. An absent one is fine. 0 or -errno.
 */
int pins_folder_remove(int parent, const char *name);
/* Removes what is in @directory and not @spared (NULL: all), but not that itself. 0 or -errno. */
int pins_folder_empty(DIR *directory, bool (*spared)(const char *name));
