/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs. A new one is a row in ebpfctl.c, a declaration here and a file of its own. */
#pragma once

#include "options.h"

struct subcommand {
	const char *name;
	int (*function)(const struct options *options); /* returns an exit code */
	unsigned int options;	 /* bits by enum option_id: those it takes beside the global ones */
	unsigned int operands;	 /* how many may follow the verb */
	const char *placeholder; /* as help shows them */
	const char *summary;
	const char *description;
	bool runs_command; /* what follows "--" is one */
};

/* Ended by a row without a name. */
extern const struct subcommand subcommands[];

/* NULL after a complaint: there is no such verb. */
const struct subcommand *subcommand_find(const char *name);

int events_main(const struct options *options);
int stats_main(const struct options *options);
int top_main(const struct options *options);
int probes_main(const struct options *options);
int status_main(const struct options *options);
int reload_main(const struct options *options);
int help_main(const struct options *options);

/* Help on one verb, on stdout. */
int help_subcommand(const struct options *options, const struct subcommand *subcommand);
