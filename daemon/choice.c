/* SPDX-License-Identifier: GPL-2.0-only */
/* The choice between the ways of a job: choice.h. */
#include "choice.h"

#include "gaps.h"
#include "hook.h"

#include <string.h>

/* A job being started. */
struct task {
	const struct object_context *context;
	const struct job *job;
	enum config_switch setting;
	struct object *object;
	struct problem why;  /* the first reason why a better way does not work */
	struct problem kept; /* why the programs of an earlier start count on, if they do */
};

/* Whether the pins of @way's first hook are there: it is what counts now. -EUCLEAN: who knows. */
static int way_in_use(const struct object_context *context, const struct way *way,
		      struct problem *problem)
{
	_cleanup_close_ int fd = -1;
	int r = pins_get(context->pins, PIN_LINK, way->hooks[0].program, &fd, problem);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? -EUCLEAN : 1;
}

/*
 * Hook number @i of @way is taken off: a gap until something else counts. What was not called had
 * ended before, all of it at once: the first stands for the others.
 */
static void note_dropped(const struct task *task, const struct way *way, size_t i,
			 const char *reason)
{
	struct em_state *state = maps_state(task->context->maps);
	const char *probe = task->object->probe->name;
	const struct hook *hook = &way->hooks[i];

	if (hook->kind != HOOK_FEXIT || task->context->functions_called) {
		if (reason)
			gaps_stopped(state, probe, hook->program, reason, now_realtime_usec());
	} else if (i == 0) {
		gaps_stopped(state, probe, hook->program, GAPS_UNCALLED, state->verified_usec);
	}
}

/* Takes off the hooks of all ways but @keep; with a @reason, counting is not to go on otherwise. */
static int drop_others(const struct task *task, const struct way *keep, const char *reason,
		       struct problem *problem)
{
	int dropped = 0;

	for (size_t w = 0; w < task->job->n_ways; w++) {
		const struct way *way = &task->job->ways[w];

		for (size_t i = 0; way != keep && i < way->n_hooks; i++) {
			int r = hook_drop(task->context, &way->hooks[i], problem);

			if (r < 0)
				return r;
			dropped |= r;
			if (r && task->job->n_slots)
				note_dropped(task, way, i, reason);
		}
	}
	return dropped;
}

/* Ends the open gaps of everything that did this job before. */
static bool resumed(const struct task *task, uint64_t now_usec)
{
	struct em_state *state = maps_state(task->context->maps);
	bool any = false;

	for (size_t w = 0; w < task->job->n_ways; w++)
		for (size_t i = 0; i < task->job->ways[w].n_hooks; i++)
			any |= gaps_resumed(state, task->job->ways[w].hooks[i].program, now_usec);
	return any;
}

/* Since when what was attached just now has been missing. Names of cgroups are no counts. */
static void record_gaps(const struct task *task, const struct trial *trial, uint64_t dropped_usec)
{
	struct em_state *state = maps_state(task->context->maps);
	uint64_t now = now_realtime_usec();

	if (!pins_adopted(task->context->pins) || !task->job->n_slots || resumed(task, now))
		return;
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		const struct hook_run *run = &trial->runs[i];

		if (!run->attached)
			continue;
		if (dropped_usec)
			gaps_taken_over(state, trial->probe->name, run->hook->program, dropped_usec,
					now);
		else
			gaps_started(state, trial->probe->name, run->hook->program, now);
	}
}

/* Once the programs are loaded, what counted until now makes room. */
static int trial_switch(const struct task *task, struct trial *trial, struct problem *problem)
{
	uint64_t dropped_usec = 0;
	int r = drop_others(task, trial->way, NULL, problem);

	if (r < 0)
		return -EUCLEAN;
	if (r)
		dropped_usec = now_realtime_usec();
	r = trial_attach(trial, problem);
	if (!r)
		record_gaps(task, trial, dropped_usec);
	return r;
}

/* 0: the way counts. -EUCLEAN: pins are not what they should be. Others: another way may do. */
static int try_way(const struct task *task, const struct way *way, bool with_optional,
		   struct problem *problem)
{
	CLEANUP(trial_done) struct trial trial;
	int r;

	trial_init(&trial, task->context, task->object->probe, way);
	r = trial_survey(&trial, with_optional, problem);
	if (!r)
		r = trial_load(&trial, &task->object->refused, problem);
	if (!r)
		r = trial_switch(task, &trial, problem);
	if (!r)
		trial_keep(&trial, task->object);
	return r;
}

/* Whatever keeps us from renewing its programs: those of an earlier start count on, all of them. */
static int keep_way(const struct task *task, const struct way *way, struct problem *problem)
{
	CLEANUP(trial_done) struct trial trial;
	int r;

	trial_init(&trial, task->context, task->object->probe, way);
	r = trial_survey(&trial, false, problem);
	for (size_t i = 0; !r && i < way->n_hooks; i++)
		if (trial.runs[i].wanted && !trial.runs[i].pinned)
			r = -ENOENT;
	if (!r && drop_others(task, way, NULL, problem) < 0)
		r = -EUCLEAN;
	if (!r)
		trial_keep(&trial, task->object);
	return r;
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

/* With all its hooks, or without those that need not be, or as an earlier start left it. */
static int try_somehow(struct task *task, const struct way *way, bool pinned,
		       struct problem *problem)
{
	int r = try_way(task, way, true, problem);

	if (r < 0 && r != -EUCLEAN && has_optional(way))
		r = try_way(task, way, false, problem);
	if (r < 0 && r != -EUCLEAN && pinned) {
		struct problem kept = *problem;

		r = keep_way(task, way, problem);
		if (!r)
			task->kept = kept;
	}
	return r;
}

/* The best way that works; what counts already goes on before anything better is tried. */
static int find_way(struct task *task, const struct way **ret_way, struct problem *problem)
{
	for (int pinned = 1; pinned >= 0; pinned--) {
		for (size_t w = 0; w < task->job->n_ways; w++) {
			const struct way *way = &task->job->ways[w];
			struct problem failed = { 0 };
			int r;

			if (!way_allowed(task->job, way, task->setting))
				continue;
			r = way_in_use(task->context, way, problem);
			if (r < 0)
				return r;
			if (r != pinned)
				continue;
			r = try_somehow(task, way, pinned, &failed);
			if (!r) {
				*ret_way = way;
				return 0;
			}
			if (r == -EUCLEAN) {
				*problem = failed;
				return r;
			}
			if (!task->why.error)
				task->why = failed;
		}
	}
	return drop_others(task, NULL, "no hook that is allowed works", problem);
}

/* Why what is pinned is not the preferred way: found out by loading that one, not attaching it. */
static void why_not_first(struct task *task)
{
	const struct way *way = &task->job->ways[0];
	CLEANUP(trial_done) struct trial trial;

	trial_init(&trial, task->context, task->object->probe, way);
	if (trial_survey(&trial, false, &task->why) == 0 &&
	    trial_load(&trial, &task->object->refused, &task->why) == 0)
		problem_set(&task->why, EALREADY,
			    "a better hook would work; a start after 'ebpfmond --unpin' uses it");
}

/* What would count if the setting said so. */
static bool setting_helps(const struct job *job)
{
	for (size_t w = 0; w < job->n_ways; w++)
		if (job->setting && job->ways[w].every_syscall && !job->syscalls_by_default)
			return true;
	return false;
}

/* Says what is second best, and what would help. */
static void explain(const struct task *task, const struct way *way)
{
	struct object *object = task->object;
	const struct job *job = task->job;
	char name[64];

	if (!way) {
		object_add_reason(object, "%s are not counted: %s", job->what, task->why.text);
		if (setting_helps(job))
			object_add_reason(
				object, "[%s] %s=yes counts them at the cost of every system call",
				object->probe->name, job->setting);
		return;
	}
	if (object->eventless.error)
		object_add_reason(object, "%s are counted, but tell no events: %s", job->what,
				  object->eventless.text);
	object->eventless.error = 0;
	if (task->kept.error)
		object_add_reason(object, "%s; the program of an earlier start counts on",
				  task->kept.text);
	if (way == &job->ways[0] || !way->lacks)
		return;
	attachment_name(&object->attachments[object->n_attachments - 1], name, sizeof(name));
	object_add_reason(object, "%s%susing %s: %s", task->why.text, task->why.text[0] ? "; " : "",
			  name, way->lacks);
}

int choice_run(const struct object_context *context, const struct job *job,
	       enum config_switch setting, struct object *object, struct problem *problem)
{
	struct task task = { .context = context, .job = job, .setting = setting, .object = object };
	const struct way *way = NULL;
	int r;

	if (setting == CONFIG_NO)
		return drop_others(&task, NULL, "switched off by configuration", problem);
	r = find_way(&task, &way, problem);
	if (r < 0)
		return r;
	for (size_t i = 0; way && i < job->n_slots; i++)
		object->slots |= 1U << job->slots[i];
	if (way && way != &job->ways[0] && !task.why.error)
		why_not_first(&task);
	explain(&task, way);
	return 0;
}

bool choice_withheld(const struct job *job, enum config_switch setting)
{
	return setting == CONFIG_AUTO && setting_helps(job);
}

bool choice_foresee(const struct object_context *context, const struct probe *probe,
		    const struct job *job, enum config_switch setting, struct trial *ret_trial)
{
	for (int pinned = 1; pinned >= 0; pinned--) {
		for (size_t w = 0; w < job->n_ways; w++) {
			const struct way *way = &job->ways[w];
			struct problem problem;

			trial_init(ret_trial, context, probe, way);
			if (way_allowed(job, way, setting) &&
			    way_in_use(context, way, &problem) == pinned &&
			    trial_survey(ret_trial, true, &problem) == 0)
				return true;
			trial_done(ret_trial);
		}
	}
	return false;
}
