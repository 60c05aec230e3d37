/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration in force, and how another one takes its place: all or nothing, when its files
 * are read again. Knows from the table of keys which of them need a restart, and not who uses them.
 */
#pragma once

#include "json.h"
#include "settings.h"

struct reload;

/* @settings changed: what is live in them is to be used from now on. */
typedef void (*reload_apply)(const struct settings *settings, void *userdata);

/*
 * Takes over @config, whatever is returned; @file is where it came from (NULL: the standard
 * places). 0 or -ENOMEM.
 */
int reload_new(struct config *config, const char *file, reload_apply apply, void *userdata,
	       struct reload **ret_reload);
struct reload *reload_free(struct reload *reload);

/* Those in force. The struct stays, its strings until the next reload. */
const struct settings *reload_settings(const struct reload *reload);

/*
 * Reads the files again and writes Reload()'s reply: what needs a restart, and the problems, any of
 * which leaves all as it was. Both are logged. 0 or -errno.
 */
int reload_read(struct reload *reload, struct json *reply);
