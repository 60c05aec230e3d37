/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registry, and what every descriptor promises: names that fit, limits, one owner for each
 * counter, and programs and maps that are really in its BPF object. Holds for probes to come.
 */
#include "probe.h"
#include "programs.h"

#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
	PROGRAM_LETTERS_MAX = 10, /* with "_hook" the kernel's 15 */
};

/* --- names of numbers -------------------------------------------------------------------------- */

static void counters_have_names(void **state)
{
	static const char *const names[] = {
		[EM_EXECS] = "execs",
		[EM_EXEC_FAILURES] = "execFailures",
		[EM_OPENS] = "opens",
		[EM_OPEN_FAILURES] = "openFailures",
		[EM_OPEN_DENIALS] = "openDenials",
		[EM_EXITS] = "exits",
		[EM_ABNORMAL_EXITS] = "abnormalExits",
		[EM_EXITS_UNDER_1MS] = "exitsUnder1ms",
		[EM_EXITS_UNDER_10MS] = "exitsUnder10ms",
		[EM_EXITS_UNDER_100MS] = "exitsUnder100ms",
		[EM_EXITS_UNDER_1S] = "exitsUnder1s",
		[EM_EXITS_UNDER_10S] = "exitsUnder10s",
		[EM_EXITS_UNDER_1MIN] = "exitsUnder1min",
		[EM_EXITS_UNDER_1H] = "exitsUnder1h",
		[EM_EXITS_FROM_1H] = "exitsFrom1h",
		[EM_FORKS] = "forks",
		[EM_THREADS] = "threads",
		[EM_UNLINKS] = "unlinks",
		[EM_UNLINK_FAILURES] = "unlinkFailures",
		[EM_RENAMES_OVER] = "renamesOver",
	};

	(void)state;
	assert_int_equal(EM_SLOTS_USED, ARRAY_SIZE(names));
	for (size_t slot = 0; slot < ARRAY_SIZE(names); slot++)
		assert_string_equal(probe_slot_name(slot), names[slot]);
}

static void coverages_have_names(void **state)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} names[] = {
		{ COVERAGE_IO_URING, "ioUring" },   { COVERAGE_COMPAT, "compat" },
		{ COVERAGE_BY_HANDLE, "byHandle" }, { COVERAGE_FAILED, "failed" },
		{ COVERAGE_O_PATH, "oPath" },	    { COVERAGE_EARLY, "earlyFailures" },
	};
	unsigned int number;

	(void)state;
	for (number = 0; number < ARRAY_SIZE(names); number++) {
		assert_int_equal(names[number].bit, 1U << number);
		assert_string_equal(probe_coverage_name(number), names[number].name);
	}
	assert_null(probe_coverage_name(number));
	assert_null(probe_coverage_name(31));
}

static void possible_coverage_is_that_of_all_jobs(void **state)
{
	const struct job jobs[] = { { .coverage = COVERAGE_COMPAT },
				    { .coverage = COVERAGE_EARLY | COVERAGE_COMPAT },
				    { .coverage = COVERAGE_IO_URING } };
	const struct probe probe = { .jobs = jobs, .n_jobs = 2 };
	const struct probe idle = { 0 };

	(void)state;
	assert_int_equal(probe_coverage_possible(&probe), COVERAGE_COMPAT | COVERAGE_EARLY);
	assert_int_equal(probe_coverage_possible(&idle), 0);
}

/* --- the registry ------------------------------------------------------------------------------ */

static void probes_are_sorted(void **state)
{
	(void)state;
	assert_non_null(probes[0]);
	for (size_t i = 1; probes[i]; i++)
		assert_true(strcmp(probes[i - 1]->name, probes[i]->name) < 0);
}

static const struct probe *find(const char *name)
{
	for (size_t i = 0; probes[i]; i++)
		if (!strcmp(probes[i]->name, name))
			return probes[i];
	return NULL;
}

static void known_probes_are_there(void **state)
{
	(void)state;
	assert_non_null(find("cgroup"));
	assert_non_null(find("exec"));
	assert_non_null(find("exit"));
	assert_non_null(find("fork"));
	assert_non_null(find("open"));
	assert_non_null(find("unlink"));
	assert_int_equal(probe_coverage_possible(find("exec")), COVERAGE_COMPAT | COVERAGE_FAILED);
	assert_int_equal(probe_coverage_possible(find("open")),
			 COVERAGE_IO_URING | COVERAGE_COMPAT | COVERAGE_BY_HANDLE |
				 COVERAGE_FAILED | COVERAGE_O_PATH | COVERAGE_EARLY);
	assert_int_equal(probe_coverage_possible(find("unlink")),
			 COVERAGE_IO_URING | COVERAGE_COMPAT | COVERAGE_FAILED | COVERAGE_EARLY);
	assert_int_equal(probe_coverage_possible(find("cgroup")), 0);
	assert_int_equal(probe_coverage_possible(find("exit")), 0);
	assert_int_equal(probe_coverage_possible(find("fork")), 0);
}

static void assert_line(const char *text)
{
	assert_non_null(text);
	assert_true(text[0] && !strchr(text, '\n'));
}

static void assert_job(const struct job *job)
{
	assert_line(job->what);
	assert_true(job->n_ways > 0 && job->n_ways <= PROBE_WAYS_MAX);
	for (size_t w = 0; w < job->n_ways; w++) {
		const struct way *way = &job->ways[w];

		assert_true(way->n_hooks > 0 && way->n_hooks <= PROBE_HOOKS_MAX);
		assert_false(way->hooks[0].optional); /* its pins say whether the way is in use */
		for (size_t h = 0; h < way->n_hooks; h++) {
			assert_non_null(way->hooks[h].targets[0]);
			/* What a hook sees must be listed, or nobody is told when it is missing. */
			assert_int_equal(way->hooks[h].coverage & ~job->coverage, 0);
		}
	}
}

static void descriptors_are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; probes[i]; i++) {
		const struct probe *probe = probes[i];

		assert_true(strlen(probe->name) < EM_NAME);
		assert_line(probe->summary);
		assert_true(probe->n_jobs > 0 && probe->n_jobs <= PROBE_JOBS_MAX);
		for (size_t j = 0; j < probe->n_jobs; j++)
			assert_job(&probe->jobs[j]);
	}
}

/* Two jobs that count into one slot would count twice. */
static void counters_have_one_owner(void **state)
{
	unsigned int owners[EM_SLOTS_USED] = { 0 };

	(void)state;
	for (size_t i = 0; probes[i]; i++)
		for (size_t j = 0; j < probes[i]->n_jobs; j++)
			for (size_t s = 0; s < probes[i]->jobs[j].n_slots; s++) {
				assert_in_range(probes[i]->jobs[j].slots[s], 0, EM_SLOTS_USED - 1);
				owners[probes[i]->jobs[j].slots[s]]++;
			}
	for (size_t slot = 0; slot < EM_SLOTS_USED; slot++)
		assert_int_equal(owners[slot], 1);
}

/* --- programs ---------------------------------------------------------------------------------- */

static void visit_hooks(void (*visit)(const struct probe *probe, const struct hook *hook,
				      void *userdata),
			void *userdata)
{
	for (size_t i = 0; probes[i]; i++)
		for (size_t j = 0; j < probes[i]->n_jobs; j++)
			for (size_t w = 0; w < probes[i]->jobs[j].n_ways; w++) {
				const struct way *way = &probes[i]->jobs[j].ways[w];

				for (size_t h = 0; h < way->n_hooks; h++)
					visit(probes[i], &way->hooks[h], userdata);
			}
}

struct programs {
	const char *names[256];
	size_t count;
};

static void note_program(const struct probe *probe, const struct hook *hook, void *userdata)
{
	struct programs *programs = userdata;

	(void)probe;
	assert_in_range(strlen(hook->program), 1, PROGRAM_LETTERS_MAX);
	assert_null(strpbrk(hook->program, "./")); /* not possible on bpffs */
	for (size_t i = 0; i < programs->count; i++)
		assert_string_not_equal(programs->names[i], hook->program);
	assert_true(programs->count < ARRAY_SIZE(programs->names));
	programs->names[programs->count++] = hook->program;
}

/* Pins are named by program, over all probes. */
static void programs_have_names_of_their_own(void **state)
{
	struct programs programs = { 0 };

	(void)state;
	visit_hooks(note_program, &programs);
	assert_true(programs.count > 0);
}

/* Body and dispatcher are of the hook's kind, with one jump map between them. */
static void look_for_program(const struct probe *probe, const struct hook *hook, void *userdata)
{
	static const char *const prefixes[] = { [HOOK_TP_BTF] = "tp_btf/", [HOOK_FEXIT] = "fexit" };
	const struct bpf_object *object = userdata;
	const struct bpf_program *program;
	const struct bpf_map *map;
	char name[64];

	(void)probe;
	for (int dispatcher = 0; dispatcher < 2; dispatcher++) {
		snprintf(name, sizeof(name), "%s%s", hook->program, dispatcher ? "_hook" : "");
		program = bpf_object__find_program_by_name(object, name);
		assert_non_null(program);
		snprintf(name, sizeof(name), "%s%s", prefixes[hook->kind],
			 hook->kind == HOOK_TP_BTF ? hook->targets[0] : "");
		assert_string_equal(bpf_program__section_name(program), name);
	}
	snprintf(name, sizeof(name), "jump_%s", hook->program);
	map = bpf_object__find_map_by_name(object, name);
	assert_non_null(map);
	assert_int_equal(bpf_map__type(map), BPF_MAP_TYPE_PROG_ARRAY);
	assert_int_equal(bpf_map__max_entries(map), 1);
}

static void the_object_holds_what_descriptors_name(void **state)
{
	size_t size = 0;
	const void *elf = programs_elf(&size);
	struct bpf_object *object = bpf_object__open_mem(elf, size, NULL);

	(void)state;
	assert_non_null(object);
	visit_hooks(look_for_program, object);
	bpf_object__close(object);
}

/* As many can be attached at a time as the state has room to remember. */
static void hooks_can_be_remembered(void **state)
{
	size_t most = 0;

	(void)state;
	for (size_t i = 0; probes[i]; i++)
		for (size_t j = 0; j < probes[i]->n_jobs; j++) {
			size_t largest = 0;

			for (size_t w = 0; w < probes[i]->jobs[j].n_ways; w++)
				if (probes[i]->jobs[j].ways[w].n_hooks > largest)
					largest = probes[i]->jobs[j].ways[w].n_hooks;
			most += largest;
		}
	assert_in_range(most, 1, EM_HOOKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_have_names),
		cmocka_unit_test(coverages_have_names),
		cmocka_unit_test(possible_coverage_is_that_of_all_jobs),
		cmocka_unit_test(probes_are_sorted),
		cmocka_unit_test(known_probes_are_there),
		cmocka_unit_test(descriptors_are_complete),
		cmocka_unit_test(counters_have_one_owner),
		cmocka_unit_test(programs_have_names_of_their_own),
		cmocka_unit_test(the_object_holds_what_descriptors_name),
		cmocka_unit_test(hooks_can_be_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
