/* SPDX-License-Identifier: GPL-2.0-only */
/* One configuration file -> its assignments. Knows no keys, no directories and no merging. */
#pragma once

#include "config.h"

/* Where problems are told, and how many there were. @tell may be NULL. */
struct config_report {
	config_problem tell;
	void *userdata;
	unsigned int count;
};

/* Tells "FILE:LINE: ..." (@line 0: "FILE: ...") and counts. Always returns -EINVAL. */
int config_report(struct config_report *report, const char *file, unsigned int line,
		  const char *fmt, ...) PRINTF_LIKE(4, 5);

/* KEY=VALUE as it stands in a file. */
struct config_assignment {
	const char *section; /* NULL: before the first */
	unsigned int section_line;
	const char *name;
	const char *value; /* without the quotes around it; "" when there is none */
	unsigned int line;
};

/*
 * Calls @visit for every assignment of @path in the file's order, after the whole file was found
 * well-formed; -ENOMEM from @visit ends the walk. A link to /dev/null is an empty file.
 *
 * 0: visited. -ENOENT: there is no such file, not told. -EINVAL: the file is left out, told.
 * -ENOMEM: not told.
 */
int config_file_read(const char *path, struct config_report *report,
		     int (*visit)(const struct config_assignment *assignment, void *userdata),
		     void *userdata);
