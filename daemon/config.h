/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration files and drop-ins -> values with their origin. Owns where files are looked for,
 * how they are merged and how a value is written; which keys exist is the caller's table.
 */
#pragma once

#include "util.h"

#include <stdbool.h>
#include <stdio.h>

enum config_type {
	CONFIG_BOOL,   /* yes no true false on off 1 0 -> 0 or 1 */
	CONFIG_SWITCH, /* auto, or a boolean -> enum config_switch */
	CONFIG_UINT,   /* decimal */
	CONFIG_SIZE,   /* bytes, suffix K M G T (powers of 1024) */
	CONFIG_TIME,   /* as systemd.time(7): "5s", "1min 30s"; a bare number is seconds -> usec */
	CONFIG_PATH,   /* absolute, normalised, at most 4095 bytes */
	CONFIG_CHOICE, /* one of @choices -> its index */
	CONFIG_NAME,   /* a user or group name, or a number */
	CONFIG_SET,    /* any of @choices, separated by spaces -> a bit each */
	CONFIG_TEXT,   /* without control characters and double quotes; may be empty */
};

/* The number of an optional value that is empty. */
#define CONFIG_NONE UINT64_MAX

enum config_switch {
	CONFIG_AUTO,
	CONFIG_NO,
	CONFIG_YES,
};

/* One key: a row of the caller's table. */
struct config_key {
	const char *section;
	const char *name;
	enum config_type type;
	const char *fallback;	    /* the default, written as in a file; must be valid */
	uint64_t min, max;	    /* UINT, SIZE and TIME, inclusive; both 0: any */
	const char *const *choices; /* CHOICE and SET: NULL-terminated */
	bool live;		    /* a reload applies it; otherwise it needs a restart */
	bool optional;		    /* may be empty as well */
};

struct config;

/* @keys must outlive the configuration; every value starts at its default. 0 or -errno. */
int config_new(const struct config_key *keys, size_t n_keys, struct config **ret_config);
struct config *config_free(struct config *config);
static inline void config_freep(struct config **config)
{
	config_free(*config);
}
#define _cleanup_config_ CLEANUP(config_freep)

/*
 * Reads @file alone, or (NULL) ebpfmon/ebpfmond.conf from the first of /etc, /run,
 * /usr/local/lib, /usr/lib that has it and then all drop-ins ebpfmon/ebpfmond.conf.d/X.conf of
 * those directories in the order of their names; of two with the same name the one from the
 * earlier directory counts, and one that is empty or a link to /dev/null masks the others.
 * @root is put before those directories (tests, cat-config of another tree); NULL: "".
 *
 * Every problem is told to @problem as one clear line, "FILE:LINE: ..." first, and counted in
 * *ret_problems: an unknown section or key, a bad value (the value keeps what it had), a file
 * that cannot be read or parsed (it is left out whole; not existing is no problem unless @file
 * was given). Returns 0, or -errno when nothing could be done at all (memory).
 */
typedef void (*config_problem)(const char *line, void *userdata);
int config_load(struct config *config, const char *file, const char *root, config_problem problem,
		void *userdata, unsigned int *ret_problems);

/* The key must be in the table: asserted. Text is owned by the configuration. */
uint64_t config_number(const struct config *config, const char *section, const char *name);
const char *config_text(const struct config *config, const char *section, const char *name);

/* Sets one value from the command line ("--pins"); -EINVAL: not a valid value for that key. */
int config_set(struct config *config, const char *section, const char *name, const char *value,
	       const char *origin);

/*
 * What was set with @origin in @from holds in @to as well (same table): a reload reads files
 * again, and the command line goes on overriding them. 0 or -ENOMEM.
 */
int config_inherit(struct config *to, const struct config *from, const char *origin);

/* Calls @visit for every key whose value differs between the two (same table). */
void config_diff(const struct config *before, const struct config *after,
		 void (*visit)(const struct config_key *key, const char *was, const char *is,
			       void *userdata),
		 void *userdata);

/* Every key with its value and, as a comment, where it comes from; valid as a file again. */
void config_print(const struct config *config, FILE *out);
