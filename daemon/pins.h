/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pin tree on bpffs. Owns its layout, its verification and its lock; knows no map's shape.
 *
 *   PATH/            ours, 0700, and locked by the one daemon that runs
 *   PATH/hooks/      what is attached to the kernel, whatever the layout:
 *     maps/ jumps/ programs/ links/
 *   PATH/v1/maps/    one layout's (EM_LAYOUT) counts, complete
 *   PATH/new/        a layout being built; renamed to v1 when complete, removed if found at start
 *   PATH/old/        a layout being removed; likewise
 *
 * Another layout's directory is counts to be taken over. hooks/ without any layout is the rest of
 * a first start that did not end. Without a tree (NULL), as for a trial run, nothing is pinned
 * and nothing is found.
 */
#pragma once

#include "util.h"

#include <stdbool.h>
#include <sys/types.h>

struct pins;

enum pin_kind {
	PIN_MAP,      /* of the layout */
	PIN_HOOK_MAP, /* shared by the dispatchers of all layouts */
	PIN_JUMP,     /* the map a dispatcher jumps through, named as the body */
	PIN_PROGRAM,  /* a dispatcher, named as its body */
	PIN_LINK,     /* its attachment, likewise */
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

/* Opens the layout if it is there, or begins to build a new one. */
int pins_begin(struct pins *pins, struct problem *problem);
/* The layout is a new one, and still to be committed. */
bool pins_building(const struct pins *pins);
/* There were counts before, of this layout or of another, and they go on. */
bool pins_adopted(const struct pins *pins);

/* What was built becomes the layout, at once or not at all. Nothing to do otherwise. */
int pins_commit(struct pins *pins, struct problem *problem);

/* The maps of another layout, for as long as @pins lives; NULL: there is none. */
struct pins *pins_other(const struct pins *pins);
/* Removes the other layout. */
int pins_remove_other(struct pins *pins, struct problem *problem);
/* Removes the layout that was found, because the other one has its counts, and builds a new one. */
int pins_start_over(struct pins *pins, struct problem *problem);

/* Descriptor of a pin whose owner and mode are right. -ENOENT, without a problem: there is none. */
int pins_get(struct pins *pins, enum pin_kind kind, const char *name, int *ret_fd,
	     struct problem *problem);
/* Whether anything is pinned there. Without a tree (NULL) everything is as it should be. */
bool pins_has(const struct pins *pins, enum pin_kind kind, const char *name);
int pins_put(struct pins *pins, enum pin_kind kind, const char *name, int fd,
	     struct problem *problem);
/* Puts @fd in the place of what is pinned as @name, if anything is, in one step. */
int pins_replace(struct pins *pins, enum pin_kind kind, const char *name, int fd,
		 struct problem *problem);
/* Absent ones are fine. */
int pins_drop(struct pins *pins, enum pin_kind kind, const char *name, struct problem *problem);
/* Removes link, program and jump map of a hook, in this order; absent ones are fine. */
int pins_drop_hook(struct pins *pins, const char *name, struct problem *problem);

/* Calls @visit with the name of every pinned link. A negative return ends it. */
int pins_each_link(struct pins *pins, int (*visit)(const char *name, void *userdata),
		   void *userdata);

/* The same for everything in PATH that is no part of a pin tree. */
int pins_each_stranger(struct pins *pins, int (*visit)(const char *name, void *userdata),
		       void *userdata);

/*
 * Removes hooks and every layout, links first, and PATH itself where its parent allows that and
 * nobody else has put anything there.
 */
int pins_remove_all(struct pins *pins, struct problem *problem);

/* The path of a pin as users see it, in a static buffer that the next call overwrites. */
const char *pins_name(const struct pins *pins, enum pin_kind kind, const char *name);
const char *pins_path(const struct pins *pins);
/* "v1" */
const char *pins_layout(const struct pins *pins);
