/* SPDX-License-Identifier: GPL-2.0-only */
/* How one value is written: text -> number or checked text. Knows no file and no table. */
#pragma once

#include "config.h"

/*
 * Reads @text as a value of @key: its number, and an owned copy of it (a path comes out
 * normalised). 0, -ENOMEM, or -EINVAL: not a value for that key. Both results are untouched then.
 */
int config_value_parse(const struct config_key *key, const char *text, uint64_t *ret_number,
		       char **ret_text);

/* Writes to @out what a value of @key looks like, to follow "is not": "a size from 1K to 1M". */
void config_value_describe(const struct config_key *key, char *out, size_t size);

/* Whether a value of this type is its text; of the others it is the number. */
bool config_value_is_text(enum config_type type);
