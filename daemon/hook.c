/* SPDX-License-Identifier: GPL-2.0-only */
/* One hook: hook.h. */
#include "hook.h"

#include "object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

enum {
	PROGRAM_MAPS_MAX = 16, /* ids asked for; a dispatcher uses two maps */
};

/* How each kind looks to users and in BTF. */
static const struct {
	const char *prefix;	/* of names shown */
	const char *btf_prefix; /* of the type that proves the target exists */
	uint32_t btf_kind;
} kinds[] = {
	[HOOK_TP_BTF] = { "tp_btf/", "btf_trace_", BTF_KIND_TYPEDEF },
	[HOOK_FEXIT] = { "fexit/", "", BTF_KIND_FUNC },
};

void hook_run_init(struct hook_run *run)
{
	*run = (struct hook_run){ .link_fd = -1, .program_fd = -1, .jump_fd = -1 };
}

void hook_run_release(struct hook_run *run)
{
	run->link_fd = close_fd(run->link_fd);
	run->program_fd = close_fd(run->program_fd);
	run->jump_fd = close_fd(run->jump_fd);
}

static int target_type(const struct hook *hook, const char *target, const struct btf *btf)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s", kinds[hook->kind].btf_prefix, target);
	return btf__find_by_name_kind(btf, name, kinds[hook->kind].btf_kind);
}

const char *hook_target(const struct hook *hook, const struct btf *btf)
{
	for (size_t i = 0; i < PROBE_TARGETS_MAX && hook->targets[i]; i++)
		if (target_type(hook, hook->targets[i], btf) > 0)
			return hook->targets[i];
	return NULL;
}

int hook_refused(const struct hook *hook, const char *target, const struct btf *btf)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT);
	int fd;

	if (hook->kind != HOOK_FEXIT)
		return 0;
	options.attach_btf_id = (uint32_t)target_type(hook, target, btf);
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "nothing", "GPL", nothing, ARRAY_SIZE(nothing),
			   &options);
	if (fd < 0)
		return -errno;
	close_fd(fd);
	return 0;
}

const char *hook_name(const struct hook *hook, const char *target, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s%s", kinds[hook->kind].prefix,
		 target ? target : hook->targets[0]);
	return buffer;
}

const char *hook_dispatcher(const struct hook *hook, char buffer[static HOOK_NAME_MAX])
{
	snprintf(buffer, HOOK_NAME_MAX, "%s_hook", hook->program);
	return buffer;
}

const char *hook_jump_map(const struct hook *hook, char buffer[static HOOK_NAME_MAX])
{
	snprintf(buffer, HOOK_NAME_MAX, "jump_%s", hook->program);
	return buffer;
}

/* --- pins of an earlier daemon ----------------------------------------------------------------- */

static int open_pins(const struct object_context *context, struct hook_run *run,
		     struct problem *problem)
{
	const char *name = run->hook->program;
	int r;

	r = pins_get(context->pins, PIN_LINK, name, &run->link_fd, problem);
	if (!r)
		r = pins_get(context->pins, PIN_PROGRAM, name, &run->program_fd, problem);
	if (!r)
		r = pins_get(context->pins, PIN_JUMP, name, &run->jump_fd, problem);
	return r;
}

/* What the kernel says of the three. */
struct identity {
	struct bpf_link_info link;
	struct bpf_prog_info program;
	struct bpf_map_info jump;
	uint32_t map_ids[PROGRAM_MAPS_MAX];
};

static int identify(const struct hook_run *run, struct identity *id)
{
	uint32_t size = sizeof(id->link);

	if (bpf_obj_get_info_by_fd(run->link_fd, &id->link, &size) < 0)
		return -errno;
	id->program.nr_map_ids = PROGRAM_MAPS_MAX;
	id->program.map_ids = (uint64_t)(uintptr_t)id->map_ids;
	size = sizeof(id->program);
	if (bpf_obj_get_info_by_fd(run->program_fd, &id->program, &size) < 0)
		return -errno;
	size = sizeof(id->jump);
	if (bpf_obj_get_info_by_fd(run->jump_fd, &id->jump, &size) < 0)
		return -errno;
	return 0;
}

/* The link runs this dispatcher, which jumps through this map and counts into our tables. */
static bool fits(const struct object_context *context, const struct hook_run *run,
		 const struct identity *id)
{
	size_t n_ids = id->program.nr_map_ids < PROGRAM_MAPS_MAX ? id->program.nr_map_ids
								 : PROGRAM_MAPS_MAX;
	int type = target_type(run->hook, run->target, context->btf);
	bool jumps = false;
	char name[64];

	for (size_t i = 0; i < n_ids; i++)
		jumps |= id->map_ids[i] == id->jump.id;
	/*
	 * attach_btf_id is told from 5.19 on. Without a name: libbpf gives none when its question
	 * whether the kernel takes names failed, for want of memory maybe.
	 */
	return id->link.prog_id == id->program.id && id->program.type == BPF_PROG_TYPE_TRACING &&
	       (!id->program.name[0] || !strncmp(id->program.name, hook_dispatcher(run->hook, name),
						 BPF_OBJ_NAME_LEN - 1)) &&
	       (!id->program.attach_btf_id || (int)id->program.attach_btf_id == type) &&
	       id->jump.type == BPF_MAP_TYPE_PROG_ARRAY && id->jump.max_entries == 1 && jumps &&
	       maps_used_by(context->maps, id->map_ids, n_ids);
}

int hook_find_pinned(const struct object_context *context, struct hook_run *run,
		     struct problem *problem)
{
	struct identity id = { 0 };
	int r = open_pins(context, run, problem);

	if (r == -ENOENT) {
		bool had_link = run->link_fd >= 0;

		hook_run_release(run);
		if (had_link)
			return problem_set(
				problem, EUCLEAN,
				"%s is pinned, but not its program and jump map: left "
				"untouched; 'ebpfmond --unpin' removes all pins and counts",
				pins_name(context->pins, PIN_LINK, run->hook->program));
		return pins_drop_hook(context->pins, run->hook->program, problem);
	}
	if (r < 0)
		return -EUCLEAN; /* with the problem that pins_get() told */
	r = identify(run, &id);
	if (r < 0 || !fits(context, run, &id))
		return problem_set(
			problem, EUCLEAN,
			"%s and what is pinned with it are not ebpfmond's: left untouched; "
			"'ebpfmond --unpin' removes all pins and counts",
			pins_name(context->pins, PIN_LINK, run->hook->program));
	run->pinned = true;
	return 0;
}

/* --- attaching --------------------------------------------------------------------------------- */

static int put_pins(const struct object_context *context, const struct hook_run *run,
		    struct problem *problem)
{
	const char *name = run->hook->program;
	int r;

	/* The link last: with it the set is complete, without it the rest is litter. */
	r = pins_put(context->pins, PIN_JUMP, name, run->jump_fd, problem);
	if (!r)
		r = pins_put(context->pins, PIN_PROGRAM, name, run->program_fd, problem);
	if (!r)
		r = pins_put(context->pins, PIN_LINK, name, run->link_fd, problem);
	return r;
}

static int attach_new(const struct object_context *context, struct bpf_object *object,
		      struct hook_run *run, struct problem *problem)
{
	struct bpf_program *program;
	struct bpf_link *link;
	char name[64];

	program = bpf_object__find_program_by_name(object, hook_dispatcher(run->hook, name));
	link = bpf_program__attach(program);
	if (!link) {
		int error = errno;

		return problem_set(problem, error, "cannot attach %s: %s",
				   hook_name(run->hook, run->target, name, sizeof(name)),
				   strerror(error));
	}
	run->link_fd = dup(bpf_link__fd(link));
	bpf_link__destroy(link); /* the kernel's link lives on through our copy */
	run->program_fd = dup(bpf_program__fd(program));
	if (run->link_fd < 0 || run->program_fd < 0)
		return problem_set(problem, errno, "cannot keep %s: %m",
				   hook_name(run->hook, run->target, name, sizeof(name)));
	run->attached = true;
	return put_pins(context, run, problem);
}

int hook_attach(const struct object_context *context, struct bpf_object *object,
		struct hook_run *run, struct problem *problem)
{
	struct bpf_program *body = bpf_object__find_program_by_name(object, run->hook->program);
	struct bpf_map *jump;
	uint32_t zero = 0;
	int body_fd = bpf_program__fd(body);
	char name[64];

	jump = bpf_object__find_map_by_name(object, hook_jump_map(run->hook, name));
	if (!run->pinned)
		run->jump_fd = dup(bpf_map__fd(jump));
	if (bpf_map_update_elem(run->jump_fd, &zero, &body_fd, BPF_ANY) < 0) {
		int error = errno;

		return problem_set(problem, error, "cannot install the program of %s: %s",
				   hook_name(run->hook, run->target, name, sizeof(name)),
				   strerror(error));
	}
	return run->pinned ? 0 : attach_new(context, object, run, problem);
}

int hook_drop(const struct object_context *context, const struct hook *hook,
	      struct problem *problem)
{
	_cleanup_close_ int fd = -1;
	int r = pins_get(context->pins, PIN_LINK, hook->program, &fd, problem);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return -EUCLEAN; /* with the problem that pins_get() told */
	r = pins_drop_hook(context->pins, hook->program, problem);
	return r < 0 ? r : 1;
}

int hook_body(int jump_fd, uint32_t *ret_id)
{
	uint32_t zero = 0;

	*ret_id = 0;
	return bpf_map_lookup_elem(jump_fd, &zero, ret_id) < 0 && errno != ENOENT ? -errno : 0;
}

int hook_misses(int program_fd, uint64_t *ret_misses)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program_fd, &info, &size) < 0)
		return -errno;
	if (size < offsetof(struct bpf_prog_info, recursion_misses) + sizeof(info.recursion_misses))
		return -ENODATA;
	*ret_misses = info.recursion_misses;
	return 0;
}
