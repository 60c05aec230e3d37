/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration in force: each value with its origin, and what is wrong in the files. Knows
 * neither where files are, nor their syntax, nor that of values.
 */
#include "config.h"

#include "config-file.h"
#include "config-paths.h"
#include "config-value.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

enum {
	SHOWN_BYTES_MAX = 64,	  /* of a name or value in a message */
	TYPO_DISTANCE_MAX = 2,	  /* edits between what was written and what is suggested */
	SUGGESTED_BYTES_MAX = 64, /* longer names have no typo, they are something else */
};

struct value {
	uint64_t number;
	char *text;   /* as written; paths normalised */
	char *origin; /* "FILE:LINE", "command line"; NULL: the default */
};

struct config {
	const struct config_key *keys;
	size_t n_keys;
	struct value values[];
};

/* --- the table --------------------------------------------------------------------------------- */

static const struct config_key *find_key(const struct config *config, const char *section,
					 const char *name)
{
	for (size_t i = 0; i < config->n_keys; i++)
		if (!strcmp(config->keys[i].section, section) &&
		    !strcmp(config->keys[i].name, name))
			return &config->keys[i];
	return NULL;
}

static struct value *value_of(struct config *config, const struct config_key *key)
{
	return &config->values[key - config->keys];
}

static const struct value *get_value(const struct config *config, const char *section,
				     const char *name)
{
	const struct config_key *key = find_key(config, section, name);

	assert(key);
	return &config->values[key - config->keys];
}

/* Untouched on failure: -EINVAL, -ENOMEM. @origin NULL: the default. */
static int set_value(struct config *config, const struct config_key *key, const char *text,
		     const char *origin)
{
	struct value *value = value_of(config, key);
	_cleanup_free_ char *new_text = NULL, *new_origin = NULL;
	uint64_t number;
	int r = config_value_parse(key, text, &number, &new_text);

	if (r < 0)
		return r;
	if (origin) {
		new_origin = strdup(origin);
		if (!new_origin)
			return -ENOMEM;
	}
	free(value->text);
	free(value->origin);
	*value = (struct value){ number, TAKE_PTR(new_text), TAKE_PTR(new_origin) };
	return 0;
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < config->n_keys; i++) {
		free(config->values[i].text);
		free(config->values[i].origin);
	}
	free(config);
	return NULL;
}

int config_new(const struct config_key *keys, size_t n_keys, struct config **ret_config)
{
	_cleanup_config_ struct config *config = NULL;
	int r;

	config = calloc(1, sizeof(*config) + n_keys * sizeof(config->values[0]));
	if (!config)
		return -ENOMEM;
	config->keys = keys;
	config->n_keys = n_keys;
	for (size_t i = 0; i < n_keys; i++) {
		r = set_value(config, &keys[i], keys[i].fallback, NULL);
		assert(r != -EINVAL);
		if (r < 0)
			return r;
	}
	*ret_config = TAKE_PTR(config);
	return 0;
}

uint64_t config_number(const struct config *config, const char *section, const char *name)
{
	return get_value(config, section, name)->number;
}

const char *config_text(const struct config *config, const char *section, const char *name)
{
	return get_value(config, section, name)->text;
}

int config_set(struct config *config, const char *section, const char *name, const char *value,
	       const char *origin)
{
	const struct config_key *key = find_key(config, section, name);

	assert(key);
	return set_value(config, key, value, origin);
}

int config_inherit(struct config *to, const struct config *from, const char *origin)
{
	for (size_t i = 0; i < from->n_keys; i++) {
		const struct value *value = &from->values[i];
		int r;

		if (!value->origin || strcmp(value->origin, origin))
			continue;
		r = set_value(to, &from->keys[i], value->text, origin);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool values_equal(enum config_type type, const struct value *a, const struct value *b)
{
	if (config_value_is_text(type))
		return !strcmp(a->text, b->text);
	return a->number == b->number;
}

void config_diff(const struct config *before, const struct config *after,
		 void (*visit)(const struct config_key *key, const char *was, const char *is,
			       void *userdata),
		 void *userdata)
{
	assert(before->keys == after->keys && before->n_keys == after->n_keys);
	for (size_t i = 0; i < before->n_keys; i++) {
		const struct value *was = &before->values[i], *is = &after->values[i];

		if (!values_equal(before->keys[i].type, was, is))
			visit(&before->keys[i], was->text, is->text, userdata);
	}
}

/* --- suggestions ------------------------------------------------------------------------------- */

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Edits that make one of the other, letter case aside (Levenshtein); UINT_MAX: too long. */
static unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[SUGGESTED_BYTES_MAX + 1];
	size_t n;

	assert(a && b);
	n = strlen(b);
	if (n > SUGGESTED_BYTES_MAX || strlen(a) > SUGGESTED_BYTES_MAX)
		return UINT32_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned int)j;
	for (unsigned int i = 1; *a; i++, a++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			bool same = tolower((unsigned char)*a) == tolower((unsigned char)b[j - 1]);
			unsigned int above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1, diagonal + !same);
			diagonal = above;
		}
	}
	return row[n];
}

/*
 * The row that was probably meant: with @section the nearest name in it or else the very same name
 * in another section; without @name the nearest section. NULL: nothing is near.
 */
static const struct config_key *suggest(const struct config *config, const char *section,
					const char *name)
{
	const struct config_key *best = NULL;
	unsigned int best_distance = TYPO_DISTANCE_MAX + 1, distance;

	for (size_t i = 0; i < config->n_keys; i++) {
		const struct config_key *key = &config->keys[i];

		if (!name)
			distance = edit_distance(section, key->section);
		else if (section && !strcmp(section, key->section))
			distance = edit_distance(name, key->name);
		else
			distance = strcmp(name, key->name) ? UINT32_MAX : TYPO_DISTANCE_MAX;
		if (distance < best_distance) {
			best = key;
			best_distance = distance;
		}
	}
	return best;
}

/* --- files ------------------------------------------------------------------------------------- */

/* One config_load(). */
struct load {
	struct config *config;
	struct config_report report;
	const char *path;	   /* of the file being read */
	unsigned int section_told; /* the line of the last unknown section told; 0: none */
};

struct shown {
	char text[SHOWN_BYTES_MAX + sizeof("...")];
};

/* @text as messages show it, not longer than anybody wants to read. */
static struct shown show(const char *text)
{
	struct shown shown;

	snprintf(shown.text, sizeof(shown.text), "%.*s%s", SHOWN_BYTES_MAX, text,
		 strlen(text) > SHOWN_BYTES_MAX ? "..." : "");
	return shown;
}

static void tell_no_section(struct load *load, const struct config_assignment *assignment)
{
	const struct config_key *near = suggest(load->config, NULL, assignment->name);

	config_report(&load->report, load->path, assignment->line,
		      "%s= is before the first section and is ignored%s%s%s",
		      show(assignment->name).text, near ? "; put it below [" : "",
		      near ? near->section : "", near ? "]" : "");
}

/* Once for all that is in it. */
static void tell_unknown_section(struct load *load, const struct config_assignment *assignment)
{
	const struct config_key *near = suggest(load->config, assignment->section, NULL);

	if (load->section_told == assignment->section_line)
		return;
	load->section_told = assignment->section_line;
	config_report(&load->report, load->path, assignment->section_line,
		      "[%s] is not a known section, all in it is ignored%s%s%s",
		      show(assignment->section).text, near ? "; did you mean [" : "",
		      near ? near->section : "", near ? "]?" : "");
}

static void tell_unknown_key(struct load *load, const struct config_assignment *assignment)
{
	const struct config_key *near =
		suggest(load->config, assignment->section, assignment->name);

	if (near)
		config_report(&load->report, load->path, assignment->line,
			      "[%s] %s= is not a known key and is ignored; did you mean [%s] %s=?",
			      assignment->section, show(assignment->name).text, near->section,
			      near->name);
	else
		config_report(&load->report, load->path, assignment->line,
			      "[%s] %s= is not a known key and is ignored", assignment->section,
			      show(assignment->name).text);
}

static void tell_bad_value(struct load *load, const struct config_assignment *assignment,
			   const struct config_key *key)
{
	bool comment = strstr(assignment->value, " #") || strstr(assignment->value, " ;");
	char expected[512];

	config_value_describe(key, expected, sizeof(expected));
	config_report(&load->report, load->path, assignment->line,
		      "[%s] %s=%s is not %s; keeping %s%s", key->section, key->name,
		      show(assignment->value).text, expected,
		      show(value_of(load->config, key)->text).text,
		      comment ? " (a comment needs a line of its own)" : "");
}

static bool has_section(const struct config *config, const char *section)
{
	for (size_t i = 0; i < config->n_keys; i++)
		if (!strcmp(config->keys[i].section, section))
			return true;
	return false;
}

/* config_file_read() calls it for every assignment. */
static int apply(const struct config_assignment *assignment, void *userdata)
{
	_cleanup_free_ char *origin = NULL;
	struct load *load = userdata;
	const struct config_key *key;
	int r;

	if (!assignment->section) {
		tell_no_section(load, assignment);
		return 0;
	}
	if (!has_section(load->config, assignment->section)) {
		tell_unknown_section(load, assignment);
		return 0;
	}
	key = find_key(load->config, assignment->section, assignment->name);
	if (!key) {
		tell_unknown_key(load, assignment);
		return 0;
	}
	if (asprintf(&origin, "%s:%u", load->path, assignment->line) < 0)
		return -ENOMEM;
	r = set_value(load->config, key, assignment->value, origin);
	if (r == -EINVAL) {
		tell_bad_value(load, assignment, key);
		return 0;
	}
	return r;
}

/* 0, also for a file that was left out; -ENOENT, -ENOMEM. */
static int load_file(struct load *load, const char *path)
{
	int r;

	load->path = path;
	load->section_told = 0;
	r = config_file_read(path, &load->report, apply, load);
	return r == -EINVAL ? 0 : r;
}

/* A file that was asked for, or seen in its directory. */
static int load_existing_file(struct load *load, const char *path)
{
	int r = load_file(load, path);

	if (r == -ENOENT) {
		config_report(&load->report, path, 0, "cannot be read: %s; it is left out",
			      strerror(ENOENT));
		return 0;
	}
	return r;
}

/* The first that there is. */
static int load_main_file(struct load *load, const char *root)
{
	CLEANUP(config_paths_done) struct config_paths paths = { .items = NULL };
	int r = config_paths_main(root, &paths);

	for (size_t i = 0; r == 0 && i < paths.count; i++) {
		r = load_file(load, paths.items[i]);
		if (r != -ENOENT)
			return r;
		r = 0;
	}
	return r;
}

static int load_dropins(struct load *load, const char *root)
{
	CLEANUP(config_paths_done) struct config_paths paths = { .items = NULL };
	int r = config_paths_dropins(root, &load->report, &paths);

	for (size_t i = 0; r == 0 && i < paths.count; i++)
		r = load_existing_file(load, paths.items[i]);
	return r;
}

int config_load(struct config *config, const char *file, const char *root, config_problem problem,
		void *userdata, unsigned int *ret_problems)
{
	struct load load = { .config = config,
			     .report = { .tell = problem, .userdata = userdata } };
	int r;

	if (!root)
		root = "";
	if (file) {
		r = load_existing_file(&load, file);
	} else {
		r = load_main_file(&load, root);
		if (r == 0)
			r = load_dropins(&load, root);
	}
	if (r < 0)
		return r;
	*ret_problems = load.report.count;
	return 0;
}

/* --- printing ---------------------------------------------------------------------------------- */

/* A file's name can hold a newline, which would end the comment. */
static void print_origin(const char *origin, FILE *out)
{
	fputs("# ", out);
	for (; *origin; origin++)
		fputc(iscntrl((unsigned char)*origin) ? '?' : *origin, out);
	fputc('\n', out);
}

/* Spaces at either end would be lost without quotes. */
static void print_value(const char *text, FILE *out)
{
	size_t length = strlen(text);
	bool quote = length && (text[0] == ' ' || text[length - 1] == ' ');

	fprintf(out, quote ? "\"%s\"\n" : "%s\n", text);
}

void config_print(const struct config *config, FILE *out)
{
	const char *section = "";

	for (size_t i = 0; i < config->n_keys; i++) {
		const struct config_key *key = &config->keys[i];
		const struct value *value = &config->values[i];

		if (strcmp(section, key->section))
			fprintf(out, "%s[%s]\n", i ? "\n" : "", key->section);
		section = key->section;
		print_origin(value->origin ? value->origin : "default", out);
		fprintf(out, "%s=", key->name);
		print_value(value->text, out);
	}
}
