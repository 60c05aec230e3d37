/* SPDX-License-Identifier: GPL-2.0-only */
/* Probes at run time: object.h. */
#include "object.h"

#include "choice.h"
#include "hook.h"
#include "log.h"
#include "programs.h"

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

static bool is_withheld(const struct probe *probe, const struct object_settings *settings)
{
	for (size_t i = 0; i < probe->n_jobs; i++)
		if (choice_withheld(&probe->jobs[i], settings->jobs[i]))
			return true;
	return false;
}

/* --- what can be foreseen ---------------------------------------------------------------------- */

/* Programs that will be wanted, as far as can be told before anything is tried. */
struct forecast {
	struct hook_run *runs;
	size_t n_runs, size;
};

static void forecast_job(struct forecast *forecast, const struct object_context *context,
			 const struct probe *probe, const struct job *job,
			 enum config_switch setting)
{
	struct trial trial;

	if (!choice_foresee(context, probe, job, setting, &trial))
		return;
	for (size_t i = 0; i < trial.way->n_hooks && forecast->n_runs < forecast->size; i++) {
		hook_run_release(&trial.runs[i]); /* descriptors are few, and not needed for it */
		forecast->runs[forecast->n_runs++] = trial.runs[i];
	}
	trial_done(&trial);
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
		enum config_switch setting = settings->enabled ? settings->jobs[i] : CONFIG_NO;
		int r = choice_run(context, &probe->jobs[i], setting, object, problem);

		if (r < 0)
			return r;
	}
	if (!settings->enabled)
		object->state = OBJECT_DISABLED;
	else if (!object->n_attachments && !is_withheld(probe, settings))
		object->state = OBJECT_UNSUPPORTED;
	else if (object->reason[0])
		object->state = OBJECT_DEGRADED;
	object->lasting = strlen(object->reason);
	object->lasting_state = object->state;
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

void object_add_reason(struct object *object, const char *fmt, ...)
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

const struct attachment *object_function(const struct object *object)
{
	for (size_t i = 0; i < object->n_attachments; i++)
		if (object->attachments[i].hook->kind == HOOK_FEXIT)
			return &object->attachments[i];
	return NULL;
}

/* The first whose dispatcher jumps elsewhere than it did, or NULL. */
static const struct attachment *exchanged_body(const struct object *object)
{
	for (size_t i = 0; i < object->n_attachments; i++) {
		const struct attachment *attachment = &object->attachments[i];
		uint32_t id;

		if (attachment->body_id && hook_body(attachment->jump_fd, &id) == 0 &&
		    id != attachment->body_id)
			return attachment;
	}
	return NULL;
}

/* What lasts until a start: the kernel has no way to detach a link that somebody holds, as this process. */
static bool find_damage(struct object *object)
{
	const struct attachment *exchanged = object->exchanged ? NULL : exchanged_body(object);
	const char *missing = object->unpinned ? NULL : missing_pin(object);
	char name[HOOK_NAME_MAX];

	if (!missing && !exchanged)
		return false;
	object->reason[object->lasting] = '\0';
	if (missing) {
		object_add_reason(
			object,
			"somebody removed %s: it is counted until ebpfmond ends, and then "
			"not before it starts again",
			missing);
		object->unpinned = true;
	}
	if (exchanged) {
		object_add_reason(object,
				  "somebody exchanged the program of %s: it counts what that one "
				  "does until ebpfmond is started again",
				  attachment_name(exchanged, name, sizeof(name)));
		object->exchanged = exchanged;
	}
	object->lasting = strlen(object->reason);
	object->lasting_state = OBJECT_DEGRADED;
	return true;
}

static void add_uncalled(struct object *object)
{
	char name[HOOK_NAME_MAX];

	object_add_reason(object,
			  "%s is not called while kernel.ftrace_enabled is 0: 'sysctl "
			  "kernel.ftrace_enabled=1'",
			  attachment_name(object_function(object), name, sizeof(name)));
	object->state = OBJECT_DEGRADED;
}

bool object_look(struct object *object, bool functions_called)
{
	bool damaged = find_damage(object);
	bool uncalled = !functions_called && object_function(object);

	if (!damaged && uncalled == object->uncalled)
		return false;
	object->uncalled = uncalled;
	object->reason[object->lasting] = '\0';
	object->state = object->lasting_state;
	if (uncalled)
		add_uncalled(object);
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
