/* SPDX-License-Identifier: GPL-2.0-only */
/* Probes at run time: object.h. trial.c does a single way, this file the choice between them. */
#include "object.h"

#include "gaps.h"
#include "hook.h"
#include "log.h"
#include "programs.h"
#include "trial.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

struct btf *object_btf(struct problem *problem)
{
	struct btf *btf = btf__load_vmlinux_btf();
	_cleanup_close_ int fd = -1;

	if (btf)
		return btf;
	/* Whatever it was, libbpf says ESRCH. */
	fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		problem_set(problem, ENOENT,
			    "there is no /sys/kernel/btf/vmlinux: this kernel needs "
			    "CONFIG_DEBUG_INFO_BTF=y");
	else if (fd < 0)
		problem_set(problem, errno, "cannot read /sys/kernel/btf/vmlinux: %m");
	else
		problem_set(problem, ENOMEM,
			    "cannot read /sys/kernel/btf/vmlinux: most likely there is not enough "
			    "memory for its 5 to 10 MiB");
	return NULL;
}

const char *attachment_name(const struct attachment *attachment, char *buffer, size_t size)
{
	return hook_name(attachment->hook, attachment->target, buffer, size);
}

/* --- one job ----------------------------------------------------------------------------------- */

/* Something a probe counts, being started. */
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

/* Takes off the hooks of all ways but @keep; with a @reason, counting is not to go on otherwise. */
static int drop_others(const struct task *task, const struct way *keep, const char *reason,
		       struct problem *problem)
{
	struct em_state *state = maps_state(task->context->maps);
	int dropped = 0;

	for (size_t w = 0; w < task->job->n_ways; w++) {
		const struct way *way = &task->job->ways[w];

		for (size_t i = 0; way != keep && i < way->n_hooks; i++) {
			int r = hook_drop(task->context, &way->hooks[i], problem);

			if (r < 0)
				return r;
			dropped |= r;
			if (r && reason && task->job->n_slots)
				gaps_stopped(state, task->object->probe->name,
					     way->hooks[i].program, reason, now_realtime_usec());
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
		add_reason(object, "%s are not counted: %s", job->what, task->why.text);
		if (setting_helps(job))
			add_reason(object,
				   "[%s] %s=yes counts them at the cost of every system call",
				   object->probe->name, job->setting);
		return;
	}
	if (object->eventless.error)
		add_reason(object, "%s are counted, but tell no events: %s", job->what,
			   object->eventless.text);
	object->eventless.error = 0;
	if (task->kept.error)
		add_reason(object, "%s; the program of an earlier start counts on",
			   task->kept.text);
	if (way == &job->ways[0] || !way->lacks)
		return;
	attachment_name(&object->attachments[object->n_attachments - 1], name, sizeof(name));
	add_reason(object, "%s%susing %s: %s", task->why.text, task->why.text[0] ? "; " : "", name,
		   way->lacks);
}

static int run_job(struct task *task, struct problem *problem)
{
	const struct way *way = NULL;
	int r;

	if (task->setting == CONFIG_NO)
		return drop_others(task, NULL, "switched off by configuration", problem);
	r = find_way(task, &way, problem);
	if (r < 0)
		return r;
	for (size_t i = 0; way && i < task->job->n_slots; i++)
		task->object->slots |= 1U << task->job->slots[i];
	if (way && way != &task->job->ways[0] && !task->why.error)
		why_not_first(task);
	explain(task, way);
	return 0;
}

/* Whether @probe would count something if a setting said so: then it is not the kernel's fault. */
static bool is_withheld(const struct probe *probe, const struct object_settings *settings)
{
	for (size_t i = 0; i < probe->n_jobs; i++)
		if (settings->jobs[i] == CONFIG_AUTO && setting_helps(&probe->jobs[i]))
			return true;
	return false;
}

/* --- what can be foreseen ---------------------------------------------------------------------- */

/* Programs that will be wanted, as far as can be told before anything is tried. */
struct forecast {
	struct hook_run *runs;
	size_t n_runs, size;
};

static void forecast_way(struct forecast *forecast, struct trial *trial)
{
	for (size_t i = 0; i < trial->way->n_hooks && forecast->n_runs < forecast->size; i++) {
		hook_run_release(&trial->runs[i]); /* descriptors are few, and not needed for it */
		forecast->runs[forecast->n_runs++] = trial->runs[i];
	}
}

/* The way that find_way() comes to first and that this kernel seems to have. */
static void forecast_job(struct forecast *forecast, const struct object_context *context,
			 const struct probe *probe, const struct job *job,
			 enum config_switch setting)
{
	for (int pinned = 1; pinned >= 0; pinned--) {
		for (size_t w = 0; w < job->n_ways; w++) {
			const struct way *way = &job->ways[w];
			CLEANUP(trial_done) struct trial trial;
			struct problem problem;

			trial_init(&trial, context, probe, way);
			if (!way_allowed(job, way, setting) ||
			    way_in_use(context, way, &problem) != pinned ||
			    trial_survey(&trial, true, &problem) < 0)
				continue;
			forecast_way(forecast, &trial);
			return;
		}
	}
}

/* NULL is no failure: each way then loads its own, and finds out what does not work. */
static struct bpf_object *load_foreseen(const struct object_context *context,
					const struct object_settings *settings, size_t n_probes)
{
	struct forecast forecast = { .size = n_probes * OBJECT_ATTACHMENTS_MAX };
	struct bpf_object *object = NULL;

	forecast.runs = calloc(forecast.size, sizeof(*forecast.runs));
	if (!forecast.runs)
		return NULL;
	for (size_t p = 0; p < n_probes; p++)
		for (size_t i = 0; settings[p].enabled && i < probes[p]->n_jobs; i++)
			if (settings[p].jobs[i] != CONFIG_NO)
				forecast_job(&forecast, context, probes[p], &probes[p]->jobs[i],
					     settings[p].jobs[i]);
	if (programs_load(context, context->constants, forecast.runs, forecast.n_runs, &object) < 0)
		log_debug("not all programs that were foreseen can be loaded: each by itself then");
	free(forecast.runs);
	return object;
}

/* --- the probe --------------------------------------------------------------------------------- */

static int object_start(const struct object_context *context, const struct probe *probe,
			const struct object_settings *settings, struct object *object,
			struct problem *problem)
{
	*object = (struct object){ .probe = probe, .pins = context->pins };
	for (size_t i = 0; i < probe->n_jobs; i++) {
		struct task task = {
			.context = context,
			.job = &probe->jobs[i],
			.setting = settings->enabled ? settings->jobs[i] : CONFIG_NO,
			.object = object,
		};
		int r = run_job(&task, problem);

		if (r < 0)
			return r;
	}
	if (!settings->enabled)
		object->state = OBJECT_DISABLED;
	else if (!object->n_attachments && !is_withheld(probe, settings))
		object->state = OBJECT_UNSUPPORTED;
	else if (object->reason[0])
		object->state = OBJECT_DEGRADED;
	return 0;
}

int objects_start(const struct object_context *context, const struct object_settings *settings,
		  size_t n_probes, struct object *objects, size_t *ret_n_objects,
		  struct problem *problem)
{
	struct object_context with = *context;
	int r = 0;

	with.foreseen = load_foreseen(context, settings, n_probes);
	*ret_n_objects = 0;
	for (size_t i = 0; !r && i < n_probes; i++) {
		r = object_start(&with, probes[i], &settings[i], &objects[i], problem);
		*ret_n_objects = i + 1;
	}
	bpf_object__close(with.foreseen);
	programs_forget();
	return r;
}

void object_release(struct object *object)
{
	for (size_t i = 0; i < object->n_attachments; i++) {
		object->attachments[i].program_fd = close_fd(object->attachments[i].program_fd);
		object->attachments[i].link_fd = close_fd(object->attachments[i].link_fd);
		object->attachments[i].jump_fd = close_fd(object->attachments[i].jump_fd);
	}
	object->n_attachments = 0;
}

/* The first of its pins that is not there, or NULL. */
static const char *missing_pin(const struct object *object)
{
	static const enum pin_kind kinds[] = { PIN_LINK, PIN_PROGRAM, PIN_JUMP };

	for (size_t i = 0; i < object->n_attachments; i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			const char *name = object->attachments[i].hook->program;

			if (!pins_has(object->pins, kinds[k], name))
				return pins_name(object->pins, kinds[k], name);
		}
	return NULL;
}

/* The kernel has no way to detach such a link while somebody holds it, and this process does. */
bool object_unpinned(struct object *object)
{
	const char *missing = object->unpinned ? NULL : missing_pin(object);

	if (!missing)
		return false;
	add_reason(object,
		   "somebody removed %s: it is counted until ebpfmond ends, and then not "
		   "before it starts again",
		   missing);
	object->state = OBJECT_DEGRADED;
	object->unpinned = true;
	return true;
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
