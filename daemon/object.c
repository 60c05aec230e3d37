/* SPDX-License-Identifier: GPL-2.0-only */
/* One probe at run time: object.h. hook.c does the single hook, this file the choice between them. */
#include "object.h"

#include "gaps.h"
#include "hook.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* --- one way ----------------------------------------------------------------------------------- */

/* A way being tried: its hooks, with what is found and made for each. */
struct trial {
	const struct object_context *context;
	const struct probe *probe;
	struct object *object;
	const struct way *way;
	struct bpf_object *bpf;
	struct hook_run runs[PROBE_HOOKS_MAX];
	struct problem eventless; /* why it counts, but tells no events, if so */
};

static void trial_done(struct trial *trial)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++)
		hook_run_release(&trial->runs[i]);
	bpf_object__close(trial->bpf);
}

static int cannot_load(const struct hook_run *run, int r, struct problem *problem)
{
	char name[64];

	hook_name(run->hook, run->target, name, sizeof(name));
	return problem_set(problem, -r, "cannot load %s: %s", name, strerror(-r));
}

/* Which hooks this kernel has, and which of them are attached and pinned already. */
static int trial_survey(struct trial *trial, bool with_optional, struct problem *problem)
{
	for (size_t i = 0; i < trial->way->n_hooks; i++) {
		struct hook_run *run = &trial->runs[i];
		int r;

		run->hook = &trial->way->hooks[i];
		run->target = hook_target(run->hook, trial->context->btf);
		if (!run->target && !run->hook->optional)
			return problem_set(problem, ENOENT, "this kernel has no %s",
					   run->hook->targets[0]);
		if (!run->target)
			continue;
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

static int trial_load_with(struct trial *trial, const struct em_constants *constants,
			   struct problem *problem)
{
	struct object_context context = *trial->context;
	size_t size;
	const void *elf = trial->probe->elf(&size);
	int r;

	trial->bpf = bpf_object__open_mem(elf, size, NULL);
	if (!trial->bpf)
		return problem_set(problem, errno, "cannot read the built-in BPF object: %m");
	context.constants = constants;
	r = hook_select(&context, trial->bpf, trial->runs, trial->way->n_hooks);
	if (!r)
		r = bpf_object__load(trial->bpf);
	return r < 0 ? cannot_load(&trial->runs[0], r, problem) : 0;
}

/*
 * Counts do not depend on events: what the verifier does not take with them is tried without. It
 * never says EPERM; and when that did not help once, it is the kind of program that is not taken.
 */
static int trial_load(struct trial *trial, struct problem *problem)
{
	struct em_constants constants = *trial->context->constants;
	struct problem first = { 0 };
	int r = trial_load_with(trial, &constants, &first);

	if (r < 0 && r != -ENOMEM && r != -EPERM && r != trial->object->refused &&
	    constants.events != EM_EVENTS_NONE) {
		constants.events = EM_EVENTS_NONE;
		bpf_object__close(trial->bpf);
		trial->bpf = NULL;
		r = trial_load_with(trial, &constants, problem);
		if (!r)
			trial->eventless = first;
		trial->object->refused = r;
	} else if (r < 0) {
		*problem = first;
	}
	return r;
}

static int trial_attach(struct trial *trial, struct problem *problem)
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
		if (trial->eventless.error && !object->eventless.error)
			object->eventless = trial->eventless;
		object->coverage |= run->hook->coverage;
		object->attachments[object->n_attachments++] = (struct attachment){
			.hook = run->hook,
			.target = run->target,
			.program_fd = TAKE_FD(run->program_fd),
			.link_fd = TAKE_FD(run->link_fd),
			.jump_fd = TAKE_FD(run->jump_fd),
		};
	}
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
	if (r < 0) {
		trial_undo(trial);
		return r;
	}
	record_gaps(task, trial, dropped_usec);
	return 0;
}

/* 0: the way counts. -EUCLEAN: pins are not what they should be. Others: another way may do. */
static int try_way(const struct task *task, const struct way *way, bool with_optional,
		   struct problem *problem)
{
	CLEANUP(trial_done)
	struct trial trial = { .context = task->context,
			       .probe = task->object->probe,
			       .object = task->object,
			       .way = way };
	int r;

	for (size_t i = 0; i < way->n_hooks; i++)
		hook_run_init(&trial.runs[i]);
	r = trial_survey(&trial, with_optional, problem);
	if (!r)
		r = trial_load(&trial, problem);
	if (!r)
		r = trial_switch(task, &trial, problem);
	if (!r)
		trial_keep(&trial, task->object);
	return r;
}

/* Whatever keeps us from renewing its programs: those of an earlier start count on, all of them. */
static int keep_way(const struct task *task, const struct way *way, struct problem *problem)
{
	CLEANUP(trial_done)
	struct trial trial = { .context = task->context,
			       .probe = task->object->probe,
			       .object = task->object,
			       .way = way };
	int r;

	for (size_t i = 0; i < way->n_hooks; i++)
		hook_run_init(&trial.runs[i]);
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
	CLEANUP(trial_done)
	struct trial trial = { .context = task->context,
			       .probe = task->object->probe,
			       .object = task->object,
			       .way = way };

	for (size_t i = 0; i < way->n_hooks; i++)
		hook_run_init(&trial.runs[i]);
	if (trial_survey(&trial, false, &task->why) == 0 && trial_load(&trial, &task->why) == 0)
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

/* --- the probe --------------------------------------------------------------------------------- */

/* The embedded programs have been read and are not read again: their pages need not be resident. */
static void forget_elf(const struct probe *probe)
{
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)probe->elf(&size), end = (from + size) & ~(page - 1);

	from = (from + page - 1) & ~(page - 1);
	if (from < end)
		madvise((void *)from, end - from, MADV_DONTNEED);
}

int object_start(const struct object_context *context, const struct probe *probe,
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
	forget_elf(probe);
	return 0;
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
