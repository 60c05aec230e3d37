/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A way of a probe's job being tried: its hooks, with what is found and made for each. Decides
 * nothing: the steps are taken one by one, and any may fail. Uses libbpf.
 */
#pragma once

#include "object.h"
#include "programs.h"

struct trial {
	const struct object_context *context;
	const struct probe *probe;
	const struct way *way;
	struct bpf_object *bpf;
	struct hook_run runs[PROBE_HOOKS_MAX];
	struct problem eventless; /* why it counts, but tells no events, if so */
};

void trial_init(struct trial *trial, const struct object_context *context,
		const struct probe *probe, const struct way *way);
void trial_done(struct trial *trial);

/* Which hooks this kernel has, and which of them are attached and pinned already. */
int trial_survey(struct trial *trial, bool with_optional, struct problem *problem);

/*
 * Counts do not depend on events: what the verifier does not take with them is tried without.
 * @refused: how such programs were refused before (-errno) or 0; it is kept.
 */
int trial_load(struct trial *trial, int *refused, struct problem *problem);

/* What began to be attached in vain does not stay. */
int trial_attach(struct trial *trial, struct problem *problem);

/* Hands its attachments over to @object. */
void trial_keep(struct trial *trial, struct object *object);
