/* SPDX-License-Identifier: GPL-2.0-only */
/* One probe at run time: object.h. hook.c does the single hook, this file the choice between them. */
#include "object.h"

#include "gaps.h"
#include "hook.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

const char *object_state_name(enum object_state state)
{
	static const char *const names[] = {
		[OBJECT_RUNNING] = "running",
		[OBJECT_DEGRADED] = "degraded",
		[OBJECT_UNSUPPORTED] = "unsupported",
		[OBJECT_DISABLED] = "disabled",
	};

	return names[state];
}

const char *attachment_name(const struct attachment *attachment, char *buffer, size_t size)
{
	return hook_name(attachment->hook, attachment->target, buffer, size);
}

/* --- one way ----------------------------------------------------------------------------------- */

/* A way being tried: its hooks, with what is found and made for each. */
struct trial {
	const struct object_context *context;
	const struct probe *probe;
	const struct way *way;
	struct bpf_object *bpf;
	struct hook_run runs[PROBE_HOOKS_MAX];
};

static void trial_done(struct trial *trial)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++)
		hook_run_release(&trial->runs[i]);
	bpf_object__close(trial->bpf);
}

/* Which hooks this kernel has, and which of them are attached and pinned already. */
static int trial_survey(struct trial *trial, bool with_optional, struct problem *problem)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];
		int r;

		run->hook = &trial->way->hooks[i];
		run->target = hook_target(run->hook, trial->context->btf);
		run->wanted = run->target && (with_optional || !run->hook->optional);
		if (!run->target && !run->hook->optional)
			return problem_set(problem, ENOENT, "this kernel has no %s",
					   run->hook->targets[0]);
		if (!run->wanted)
			continue;
		r = hook_find_pinned(trial->context, run, problem);
		if (r < 0)
			return r;
	}
	return 0;
}

static int trial_load(struct trial *trial, struct problem *problem)
{
	size_t size;
	const void *elf = trial->probe->elf(&size);
	int r;

	trial->bpf = bpf_object__open_mem(elf, size, NULL);
	if (!trial->bpf)
		return problem_set(problem, errno, "cannot read the built-in BPF object: %m");
	r = hook_select(trial->context, trial->bpf, trial->runs, trial->way->n_hooks);
	if (!r)
		r = bpf_object__load(trial->bpf);
	if (r < 0) {
		char name[64];

		hook_name(trial->runs[0].hook, trial->runs[0].target, name, sizeof(name));
		return problem_set(problem, -r, "cannot load %s: %s", name, strerror(-r));
	}
	return 0;
}

static int trial_attach(struct trial *trial, struct problem *problem)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];
		int r;

		if (!run->wanted)
			continue;
		r = hook_attach(trial->context, trial->probe, trial->bpf, run, problem);
		if (r < 0 && run->hook->optional)
			run->wanted = false;
		else if (r < 0)
			return r;
	}
	return 0;
}

/* What began to be attached in vain must not stay. */
static void trial_undo(struct trial *trial)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];

		if (run->link_fd >= 0 && !run->pinned)
			pins_drop_hook(trial->context->pins, run->hook->program, NULL);
	}
}

static void trial_keep(struct trial *trial, struct object *object)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];

		if (!run->wanted)
			continue;
		object->coverage |= run->hook->coverage;
		object->attachments[object->n_attachments++] = (struct attachment){
			.hook = run->hook,
			.target = run->target,
			.program_fd = TAKE_FD(run->program_fd),
			.link_fd = TAKE_FD(run->link_fd),
		};
	}
}

/* 0: the way counts. -EUCLEAN, -EPERM of a pin: refuse to start. Others: another way may do. */
static int try_way(const struct object_context *context, const struct way *way, bool with_optional,
		   struct object *object, struct problem *problem)
{
	CLEANUP(trial_done)
	struct trial trial = { .context = context, .probe = object->probe, .way = way };
	int r;

	for (size_t i = 0; i < way->n_hooks; i++)
		hook_run_init(&trial.runs[i]);
	r = trial_survey(&trial, with_optional, problem);
	if (!r)
		r = trial_load(&trial, problem);
	if (r < 0)
		return r;
	r = trial_attach(&trial, problem);
	if (r < 0) {
		trial_undo(&trial);
		return r;
	}
	trial_keep(&trial, object);
	return 0;
}

/* --- one job ----------------------------------------------------------------------------------- */

/* Whether the pins of @way's first hook are there: it is what counts now. */
static bool way_in_use(const struct object_context *context, const struct way *way)
{
	_cleanup_close_ int fd = -1;

	return pins_get(context->pins, PIN_LINK, way->hooks[0].program, &fd, NULL) == 0;
}

/* Takes off the hooks of all ways of @job but @keep. */
static int drop_others(const struct object_context *context, const struct probe *probe,
		       const struct job *job, const struct way *keep, const char *reason,
		       struct problem *problem)
{
	for (size_t w = 0; w < job->n_ways; w++) {
		const struct way *way = &job->ways[w];

		if (way == keep)
			continue;
		for (size_t i = 0; i < way->n_hooks; i++) {
			int r = hook_drop(context, probe, &way->hooks[i], reason, problem);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool way_allowed(const struct job *job, const struct way *way, enum config_switch setting)
{
	return !way->every_syscall || job->syscalls_by_default || setting == CONFIG_YES;
}

static bool has_optional(const struct way *way)
{
	for (size_t i = 0; i < way->n_hooks; i++)
		if (way->hooks[i].optional)
			return true;
	return false;
}

/* The best way that works; what counts already goes on before anything better is tried. */
static int start_job(const struct object_context *context, const struct job *job,
		     enum config_switch setting, struct object *object, const struct way **ret_way,
		     struct problem *why, struct problem *problem)
{
	for (int pinned = 1; pinned >= 0; pinned--) {
		for (size_t w = 0; w < job->n_ways; w++) {
			const struct way *way = &job->ways[w];
			struct problem failed = { 0 };
			int r;

			if (!way_allowed(job, way, setting) || way_in_use(context, way) != pinned)
				continue;
			r = drop_others(context, object->probe, job, way, "another hook took over",
					problem);
			if (r < 0)
				return r;
			r = try_way(context, way, true, object, &failed);
			if (r < 0 && r != -EUCLEAN && has_optional(way))
				r = try_way(context, way, false, object, &failed);
			if (!r) {
				*ret_way = way;
				return 0;
			}
			if (r == -EUCLEAN) {
				*problem = failed;
				return r;
			}
			if (!why->error)
				*why = failed;
		}
	}
	return 0;
}

/* Why what is pinned is not the preferred way: found out by loading that one, not attaching it. */
static void why_not_first(const struct object_context *context, const struct job *job,
			  const struct object *object, struct problem *why)
{
	const struct way *way = &job->ways[0];
	CLEANUP(trial_done)
	struct trial trial = { .context = context, .probe = object->probe, .way = way };

	for (size_t i = 0; i < way->n_hooks; i++)
		hook_run_init(&trial.runs[i]);
	if (trial_survey(&trial, false, why) == 0 && trial_load(&trial, why) == 0)
		problem_set(
			why, EALREADY,
			"a better hook would work now; a start after 'ebpfmond --unpin' uses it");
}

static void PRINTF_LIKE(2, 3) add_reason(struct object *object, const char *fmt, ...)
{
	size_t length = strlen(object->reason);
	va_list args;

	if (length && length + 2 < sizeof(object->reason)) {
		memcpy(object->reason + length, "; ", 3);
		length += 2;
	}
	va_start(args, fmt);
	vsnprintf(object->reason + length, sizeof(object->reason) - length, fmt, args);
	va_end(args);
}

/* Says what is second best, and what would help. */
static void explain(struct object *object, const struct job *job, const struct way *way,
		    const struct problem *why)
{
	char name[64];

	if (!way) {
		bool setting_helps = false;

		for (size_t w = 0; w < job->n_ways; w++)
			setting_helps |= job->ways[w].every_syscall && !job->syscalls_by_default;
		add_reason(object, "%s are not counted: %s%s%s%s", job->what, why->text,
			   setting_helps ? "; [" : "", setting_helps ? object->probe->name : "",
			   setting_helps ? "] Failures=yes counts them at the cost of every system "
					   "call"
					 : "");
		return;
	}
	if (way == &job->ways[0] || !way->lacks)
		return;
	attachment_name(&object->attachments[object->n_attachments - 1], name, sizeof(name));
	add_reason(object, "%s%susing %s: %s", why->text, why->text[0] ? "; " : "", name,
		   way->lacks);
}

static int run_job(const struct object_context *context, const struct job *job,
		   enum config_switch setting, struct object *object, struct problem *problem)
{
	const struct way *way = NULL;
	struct problem why = { 0 };
	int r;

	if (setting == CONFIG_NO)
		return drop_others(context, object->probe, job, NULL,
				   "switched off by configuration", problem);
	r = start_job(context, job, setting, object, &way, &why, problem);
	if (r < 0)
		return r;
	for (size_t i = 0; way && i < job->n_slots; i++)
		object->slots |= 1U << job->slots[i];
	if (way && way != &job->ways[0] && !why.error)
		why_not_first(context, job, object, &why);
	explain(object, job, way, &why);
	return 0;
}

/* --- the probe --------------------------------------------------------------------------------- */

int object_start(const struct object_context *context, const struct probe *probe,
		 const struct object_settings *settings, struct object *object,
		 struct problem *problem)
{
	*object = (struct object){ .probe = probe };
	for (size_t i = 0; i < probe->n_jobs; i++) {
		enum config_switch setting = settings->enabled ? settings->jobs[i] : CONFIG_NO;
		int r = run_job(context, &probe->jobs[i], setting, object, problem);

		if (r < 0)
			return r;
	}
	if (!settings->enabled)
		object->state = OBJECT_DISABLED;
	else if (!object->n_attachments)
		object->state = OBJECT_UNSUPPORTED;
	else if (object->reason[0])
		object->state = OBJECT_DEGRADED;
	return 0;
}

void object_release(struct object *object)
{
	for (size_t i = 0; i < object->n_attachments; i++) {
		object->attachments[i].program_fd = close_fd(object->attachments[i].program_fd);
		object->attachments[i].link_fd = close_fd(object->attachments[i].link_fd);
	}
	object->n_attachments = 0;
}

int object_misses(const struct object *object, uint64_t *ret_misses)
{
	uint64_t sum = 0, misses;

	for (size_t i = 0; i < object->n_attachments; i++) {
		int r = hook_misses(object->attachments[i].program_fd, &misses);

		if (r < 0)
			return r;
		sum += misses;
	}
	*ret_misses = sum;
	return 0;
}
