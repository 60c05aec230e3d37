/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One hook: finds its place in the kernel, goes on with its pins or attaches it anew, and puts a
 * new body behind its dispatcher. Uses libbpf; loads and chooses nothing.
 */
#pragma once

#include "pins.h"
#include "probe.h"

struct object_context;
struct bpf_object;
struct btf;

enum {
	HOOK_NAME_MAX = 64,
};

/* What is known and held of a hook while it is started. */
struct hook_run {
	const struct hook *hook;
	const char *target;
	bool wanted;
	bool pinned;   /* it is attached already; the descriptors are those of its pins */
	bool attached; /* by us, just now */
	int link_fd, program_fd, jump_fd;
};

void hook_run_init(struct hook_run *run);
void hook_run_release(struct hook_run *run);

/* The first of its targets that the kernel has, or NULL. */
const char *hook_target(const struct hook *hook, const struct btf *btf);
/*
 * Whether the kernel takes programs of this kind at all, by one that does nothing: 0 or -errno. A
 * real one costs far more to be refused, since libbpf reads all of the kernel's types for it.
 */
int hook_refused(const struct hook *hook, const char *target, const struct btf *btf);
/* "fexit/do_filp_open", into @buffer; without a target the first possible one. */
const char *hook_name(const struct hook *hook, const char *target, char *buffer, size_t size);

/* Names within the BPF object of what comes with the hook's program, into @buffer. */
const char *hook_dispatcher(const struct hook *hook, char buffer[static HOOK_NAME_MAX]);
const char *hook_jump_map(const struct hook *hook, char buffer[static HOOK_NAME_MAX]);

/*
 * Fills @run with the hook's pins if they are complete and belong together. Pins without a link
 * are left from a start that did not end: they are removed. -EUCLEAN: they do not fit together.
 */
int hook_find_pinned(const struct object_context *context, struct hook_run *run,
		     struct problem *problem);

/* After loading: makes the new body count, attaching and pinning the dispatcher if needed. */
int hook_attach(const struct object_context *context, struct bpf_object *object,
		struct hook_run *run, struct problem *problem);

/* Ends a pinned hook. 1: it counted until now; 0: it was not there; -EUCLEAN: it is not ours. */
int hook_drop(const struct object_context *context, const struct hook *hook,
	      struct problem *problem);

/* Id of the program that a dispatcher jumps to by this map, 0 for none. 0 or -errno: nobody knows. */
int hook_body(int jump_fd, uint32_t *ret_id);

/* Skipped runs of the program. -ENODATA: the kernel does not tell (before 5.12, 9ed9e9ba2337). */
int hook_misses(int program_fd, uint64_t *ret_misses);
