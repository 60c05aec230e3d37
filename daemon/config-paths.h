/* SPDX-License-Identifier: GPL-2.0-only */
/* Where configuration files are looked for and which of them count. Reads none of them. */
#pragma once

#include "config-file.h"

/* Zero-initialise, release with config_paths_done(). */
struct config_paths {
	char **items;
	size_t count;
};

void config_paths_done(struct config_paths *paths);

/* Both: @root is put before every path ("": none). 0 or -ENOMEM. */

/* Where the main file may be: the first that exists counts alone. */
int config_paths_main(const char *root, struct config_paths *paths);

/*
 * The drop-ins that count, in the order of their names. A directory that cannot be read is told to
 * @report and left out.
 */
int config_paths_dropins(const char *root, struct config_report *report,
			 struct config_paths *paths);
