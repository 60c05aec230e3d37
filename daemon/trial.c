/* SPDX-License-Identifier: GPL-2.0-only */
/* A way of a probe's job being tried: trial.h. */
#include "trial.h"

#include "hook.h"

#include <bpf/libbpf.h>
#include <string.h>

void trial_init(struct trial *trial, const struct object_context *context,
		const struct probe *probe, const struct way *way)
{
	*trial = (struct trial){ .context = context, .probe = probe, .way = way };
	for (size_t i = 0; i < way->n_hooks; i++)
		hook_run_init(&trial->runs[i]);
}

void trial_done(struct trial *trial)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++)
		hook_run_release(&trial->runs[i]);
	if (trial->bpf != trial->context->foreseen)
		bpf_object__close(trial->bpf);
}

static int cannot_load(const struct hook_run *run, int r, struct problem *problem)
{
	char name[HOOK_NAME_MAX];

	hook_name(run->hook, run->target, name, sizeof(name));
	return problem_set(problem, -r, "cannot load %s: %s", name, strerror(-r));
}

int trial_survey(struct trial *trial, bool with_optional, struct problem *problem)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];
		char name[HOOK_NAME_MAX];
		int r;

		run->hook = &trial->way->hooks[i];
		run->target = hook_target(run->hook, trial->context->btf);
		if (!run->target && !run->hook->optional)
			return problem_set(problem, ENOENT, "this kernel has no %s",
					   run->hook->targets[0]);
		if (!run->target)
			continue;
		if (run->hook->kind == HOOK_FEXIT && !trial->context->functions_called)
			return problem_set(problem, EOPNOTSUPP,
					   "%s is not called while kernel.ftrace_enabled is 0",
					   hook_name(run->hook, run->target, name, sizeof(name)));
		r = hook_find_pinned(trial->context, run, problem);
		if (r < 0)
			return r;
		run->wanted = with_optional || !run->hook->optional || run->pinned;
		r = run->hook->optional || run->pinned
			    ? 0
			    : hook_refused(run->hook, run->target, trial->context->btf);
		if (r < 0)
			return cannot_load(run, r, problem);
	}
	return 0;
}

/* From what was loaded for all probes, if it is there, or by itself. */
static int load_with(struct trial *trial, const struct em_constants *constants,
		     struct problem *problem)
{
	const struct object_context *context = trial->context;
	int r;

	if (context->foreseen && constants->events == context->constants->events &&
	    programs_include(context->foreseen, trial->runs, trial->way->n_hooks)) {
		trial->bpf = context->foreseen;
		return 0;
	}
	r = programs_load(context, constants, trial->runs, trial->way->n_hooks, &trial->bpf);
	return r < 0 ? cannot_load(&trial->runs[0], r, problem) : 0;
}

/* The verifier never says EPERM; and what did not help once is not tried again. */
int trial_load(struct trial *trial, int *refused, struct problem *problem)
{
	struct em_constants constants = *trial->context->constants;
	struct problem first = { 0 };
	int r = load_with(trial, &constants, &first);

	if (r < 0 && r != -ENOMEM && r != -EPERM && r != *refused &&
	    constants.events != EM_EVENTS_NONE) {
		constants.events = EM_EVENTS_NONE;
		r = load_with(trial, &constants, problem);
		if (!r)
			trial->eventless = first;
		*refused = r;
	} else if (r < 0) {
		*problem = first;
	}
	return r;
}

static int attach_all(struct trial *trial, struct problem *problem)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];
		int r;

		if (!run->wanted)
			continue;
		r = hook_attach(trial->context, trial->bpf, run, problem);
		if (r < 0 && run->hook->optional)
			run->wanted = false;
		else if (r < 0)
			return r;
	}
	return 0;
}

/* What began to be attached in vain must not stay. */
static void undo(struct trial *trial)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];

		if (run->link_fd >= 0 && !run->pinned)
			pins_drop_hook(trial->context->pins, run->hook->program, NULL);
	}
}

int trial_attach(struct trial *trial, struct problem *problem)
{
	int r = attach_all(trial, problem);

	if (r < 0)
		undo(trial);
	return r;
}

void trial_keep(struct trial *trial, struct object *object)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];
		uint32_t body_id;

		if (!run->wanted)
			continue;
		hook_body(run->jump_fd, &body_id);
		if (trial->eventless.error && !object->eventless.error)
			object->eventless = trial->eventless;
		object->coverage |= run->hook->coverage;
		object->attachments[object->n_attachments++] = (struct attachment){
			.hook = run->hook,
			.target = run->target,
			.program_fd = TAKE_FD(run->program_fd),
			.link_fd = TAKE_FD(run->link_fd),
			.body_id = body_id,
			.jump_fd = TAKE_FD(run->jump_fd),
		};
	}
}
