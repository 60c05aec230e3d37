/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF programs of all probes: one embedded object, of which is loaded what is wanted. Uses
 * libbpf. Attaches nothing.
 */
#pragma once

#include "hook.h"

struct em_constants;

/*
 * Loads the bodies of the wanted @runs, and dispatchers for those that are not pinned, with @constants (rows are added). 0 or -errno;
 * bpf_object__close() it. libbpf reads all of the kernel's types for each such object, which takes
 * longer than all else: load much at once.
 */
int programs_load(const struct object_context *context, const struct em_constants *constants,
		  const struct hook_run *runs, size_t n_runs, struct bpf_object **ret_object);

/* Whether @object was loaded with all of the wanted @runs. */
bool programs_include(const struct bpf_object *object, const struct hook_run *runs, size_t n_runs);

/* The object as it is embedded. */
const void *programs_elf(size_t *ret_size);

/* What is embedded has been read and is not read again: its pages need not be resident. */
void programs_forget(void);
