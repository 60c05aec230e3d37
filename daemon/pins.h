/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pin tree on bpffs. Owns its layout, its verification and its lock; knows no map's shape.
 *
 *   PATH/            ours, 0700, and locked by the one daemon that runs
 *   PATH/v1/         one layout (EM_LAYOUT), complete
 *     maps/ jumps/ programs/ links/
 *   PATH/new/        a layout being built; renamed to v1 when complete, removed if found at start
 *
 * Without a tree (NULL), as for a trial run, nothing is pinned and nothing is found.
 */
#pragma once

#include "util.h"

#include <stdbool.h>
#include <sys/types.h>

struct pins;

enum pin_kind {
	PIN_MAP,
	PIN_JUMP,    /* the map a dispatcher jumps through, named as the body */
	PIN_PROGRAM, /* a dispatcher, named as its body */
	PIN_LINK,    /* its attachment, likewise */
	PIN_KINDS,
};

/*
 * Opens PATH, creating its last component for @owner, and takes the lock. Everything on the way
 * must not be a symbolic link, PATH must be a directory of @owner on bpffs that nobody else can
 * write. To be called before privileges are dropped: whatever else is done goes through the
 * descriptor that is opened here. -EBUSY: another daemon holds it.
 */
int pins_open(const char *path, uid_t owner, gid_t group, struct pins **ret_pins,
	      struct problem *problem);
/* As pins_open(), but never creates anything: -ENOENT and a problem when there is nothing. */
int pins_open_existing(const char *path, uid_t owner, struct pins **ret_pins,
		       struct problem *problem);
struct pins *pins_free(struct pins *pins);
static inline void pins_freep(struct pins **pins)
{
	pins_free(*pins);
}

/* Opens the layout if it is there (pins_adopted() is true then), or begins to build a new one. */
int pins_begin(struct pins *pins, struct problem *problem);
bool pins_adopted(const struct pins *pins);

/* What was built becomes the layout, at once or not at all. Nothing to do after an adoption. */
int pins_commit(struct pins *pins, struct problem *problem);

/* Descriptor of a pin whose owner and mode are right. -ENOENT, without a problem: there is none. */
int pins_get(struct pins *pins, enum pin_kind kind, const char *name, int *ret_fd,
	     struct problem *problem);
int pins_put(struct pins *pins, enum pin_kind kind, const char *name, int fd,
	     struct problem *problem);
/* Removes link, program and jump map of a hook, in this order; absent ones are fine. */
int pins_drop_hook(struct pins *pins, const char *name, struct problem *problem);

/* Calls @visit with the name of every pinned link. A negative return ends it. */
int pins_each_link(struct pins *pins, int (*visit)(const char *name, void *userdata),
		   void *userdata);

/* Removes every layout, links first, and PATH itself where its parent allows that. */
int pins_remove_all(struct pins *pins, struct problem *problem);

/* The path of a pin as users see it, in a static buffer that the next call overwrites. */
const char *pins_name(const struct pins *pins, enum pin_kind kind, const char *name);
const char *pins_path(const struct pins *pins);
