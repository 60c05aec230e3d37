/* SPDX-License-Identifier: GPL-2.0-only */
/* cgroup id -> systemd unit: unit.h. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum {
	CGROUPS_MAX = 524288, /* twice what the largest table of subjects has room for */
	NAMES_MAX = 131072,
	NAMES_KEPT_MAX = NAMES_MAX / 4, /* on request, not because they are in use */
	DEPTH_MAX = 32,			/* of the walk */
	ROOT_ID = 1,
	FIRST_PLACES = 256, /* of both hashes */
};

#define ROOT_UNIT "-.slice"

/* Open addressing, at most half full. */
struct entry {
	uint64_t cgroup; /* 0: free */
	uint32_t unit;
	uint32_t round; /* in which it was needed last */
};

struct name {
	char *text;    /* NULL: free */
	uint32_t next; /* of the free ones; 0: the last */
	bool kept;     /* while forgetting */
};

struct units {
	char *root;  /* NULL: this machine has no unified hierarchy */
	bool walked; /* since units_begin() */
	unit_source source;
	void *userdata;
	struct entry *entries;
	size_t n_entries, size; /* size: a power of two */
	uint32_t round;
	struct name *names; /* by number; 0 is UNIT_UNKNOWN */
	uint32_t n_names, free_name;
	uint32_t n_kept;  /* by units_keep() */
	uint32_t *places; /* hash of a name -> number; 0: free; at most half full */
	size_t n_places;  /* a power of two */
};

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC;
}

int units_new(const char *root, unit_source source, void *userdata, struct units **ret_units)
{
	CLEANUP(units_freep) struct units *units = calloc(1, sizeof(*units));

	if (!units)
		return -ENOMEM;
	units->source = source;
	units->userdata = userdata;
	if (!root && is_cgroup2("/sys/fs/cgroup"))
		root = "/sys/fs/cgroup";
	if (!root && is_cgroup2("/sys/fs/cgroup/unified"))
		root = "/sys/fs/cgroup/unified"; /* systemd's hybrid hierarchy */
	if (root) {
		units->root = strdup(root);
		if (!units->root)
			return -ENOMEM;
	}
	units->names = calloc(FIRST_PLACES / 2, sizeof(*units->names));
	if (!units->names)
		return -ENOMEM;
	units->n_names = 1;
	units->n_places = FIRST_PLACES;
	units->places = calloc(units->n_places, sizeof(*units->places));
	if (!units->places)
		return -ENOMEM;
	*ret_units = TAKE_PTR(units);
	return 0;
}

struct units *units_free(struct units *units)
{
	if (!units)
		return NULL;
	for (uint32_t i = 0; i < units->n_names; i++)
		free(units->names[i].text);
	free(units->names);
	free(units->places);
	free(units->entries);
	free(units->root);
	free(units);
	return NULL;
}

/* --- paths ------------------------------------------------------------------------------------- */

static bool has_suffix(const char *name, size_t length, const char *suffix)
{
	size_t n = strlen(suffix);

	return length > n && !memcmp(name + length - n, suffix, n);
}

static bool is_unit(const char *name, size_t length)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount",
						".swap" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (has_suffix(name, length, suffixes[i]))
			return true;
	return false;
}

void unit_of_child(const char *parent, const char *name, char *buffer, size_t size)
{
	bool slice = has_suffix(parent, strlen(parent), ".slice");
	/* systemd puts '_' before names that would clash with the kernel's files. */
	const char *unit = name + (name[0] == '_');
	size_t length = strlen(unit);

	if (strchr(parent, '/'))
		snprintf(buffer, size, "%s/%s", parent, name);
	else if (!slice)
		snprintf(buffer, size, "%s", parent);
	else if (is_unit(unit, length) || has_suffix(unit, length, ".slice"))
		snprintf(buffer, size, "%s", unit);
	else
		snprintf(buffer, size, "%s/%s", strcmp(parent, ROOT_UNIT) ? parent : "", name);
}

/* --- what is known ----------------------------------------------------------------------------- */

static struct entry *place_of(const struct units *units, uint64_t cgroup)
{
	size_t at = cgroup * 0x9e3779b97f4a7c15ULL >> 32 & (units->size - 1);

	while (units->entries[at].cgroup && units->entries[at].cgroup != cgroup)
		at = (at + 1) & (units->size - 1);
	return &units->entries[at];
}

static int grow(struct units *units)
{
	struct units bigger = { .size = units->size ? units->size * 2 : FIRST_PLACES };

	bigger.entries = calloc(bigger.size, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -ENOMEM;
	for (size_t i = 0; i < units->size; i++)
		if (units->entries[i].cgroup)
			*place_of(&bigger, units->entries[i].cgroup) = units->entries[i];
	free(units->entries);
	units->entries = bigger.entries;
	units->size = bigger.size;
	return 0;
}

/* FNV-1a: short keys, nobody to defend against (units are made by the administrator). */
static size_t hash_name(const char *name)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

/* The place of @name in the hash of names: its own, or a free one. */
static uint32_t *name_place(const struct units *units, const char *name)
{
	size_t at = hash_name(name) & (units->n_places - 1);

	while (units->places[at] && strcmp(units->names[units->places[at]].text, name))
		at = (at + 1) & (units->n_places - 1);
	return &units->places[at];
}

static void index_names(struct units *units)
{
	for (uint32_t i = 1; i < units->n_names; i++)
		if (units->names[i].text)
			*name_place(units, units->names[i].text) = i;
}

static int grow_names(struct units *units)
{
	size_t n_places = units->n_places * 2;
	uint32_t *places = calloc(n_places, sizeof(*places));
	struct name *names = reallocarray(units->names, n_places / 2, sizeof(*names));

	if (names)
		units->names = names;
	if (!places || !names) {
		free(places);
		return -ENOMEM;
	}
	free(units->places);
	units->places = places;
	units->n_places = n_places;
	index_names(units);
	return 0;
}

/* A number that is free, or UNIT_UNKNOWN. */
static uint32_t free_number(struct units *units)
{
	uint32_t number = units->free_name;

	if (number) {
		units->free_name = units->names[number].next;
		return number;
	}
	if (units->n_names >= NAMES_MAX ||
	    (units->n_names >= units->n_places / 2 && grow_names(units) < 0))
		return UNIT_UNKNOWN;
	return units->n_names++;
}

uint32_t units_number(struct units *units, const char *name)
{
	uint32_t number = *name_place(units, name);
	char *copy;

	if (number)
		return number;
	copy = strdup(name);
	if (!copy)
		return UNIT_UNKNOWN;
	number = free_number(units);
	if (number == UNIT_UNKNOWN) {
		free(copy);
		return UNIT_UNKNOWN;
	}
	units->names[number] = (struct name){ .text = copy };
	*name_place(units, copy) = number;
	return number;
}

static int remember(struct units *units, uint64_t cgroup, uint32_t unit)
{
	struct entry *entry;

	if (!cgroup)
		return 0;
	if (units->n_entries * 2 >= units->size) {
		int r = units->n_entries < CGROUPS_MAX ? grow(units) : -ENOSPC;

		if (r < 0)
			return r;
	}
	entry = place_of(units, cgroup);
	if (!entry->cgroup)
		units->n_entries++;
	*entry = (struct entry){ cgroup, unit, units->round };
	return 0;
}

static bool known(const struct units *units, uint64_t cgroup)
{
	return units->size && place_of(units, cgroup)->cgroup;
}

/* --- the walk ---------------------------------------------------------------------------------- */

static uint32_t known_unit(const struct units *units, uint64_t cgroup)
{
	struct entry *entry;

	if (!known(units, cgroup))
		return UNIT_UNKNOWN;
	entry = place_of(units, cgroup);
	entry->round = units->round;
	return entry->unit;
}

/* Remembers @cgroup, called @name below one of unit @parent, and returns its unit. */
static uint32_t learn(struct units *units, uint64_t cgroup, uint32_t parent, const char *name)
{
	uint32_t unit = known_unit(units, cgroup);
	char text[UNIT_NAME_BYTES];

	if (unit != UNIT_UNKNOWN)
		return unit;
	if (parent == UNIT_UNKNOWN)
		unit = units_number(units, ROOT_UNIT);
	else
		unit = parent;
	if (name) {
		unit_of_child(units->names[unit].text, name, text, sizeof(text));
		unit = units_number(units, text);
	}
	remember(units, cgroup, unit);
	return unit;
}

static void walk_directory(struct units *units, int parent_fd, const char *name, uint32_t unit,
			   unsigned int depth);

static void walk_entries(struct units *units, DIR *directory, uint32_t unit, unsigned int depth)
{
	struct dirent *entry;

	while ((entry = readdir(directory))) {
		uint32_t child;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		child = learn(units, entry->d_ino, unit, entry->d_name);
		walk_directory(units, dirfd(directory), entry->d_name, child, depth + 1);
	}
}

static void walk_directory(struct units *units, int parent_fd, const char *name, uint32_t unit,
			   unsigned int depth)
{
	DIR *directory;
	int fd;

	if (depth > DEPTH_MAX)
		return;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return; /* gone meanwhile */
	directory = fdopendir(fd);
	if (!directory) {
		close_fd(fd);
		return;
	}
	walk_entries(units, directory, unit, depth);
	closedir(directory);
}

int units_refresh(struct units *units)
{
	uint32_t root = learn(units, ROOT_ID, UNIT_UNKNOWN, NULL);

	units->walked = true;
	if (units->root)
		walk_directory(units, AT_FDCWD, units->root, root, 0);
	return root == UNIT_UNKNOWN ? -ENOMEM : 0;
}

/* What was noted when the cgroup was made, up to an ancestor that is known. */
static uint32_t ask_source(struct units *units, uint64_t cgroup, unsigned int depth)
{
	char name[UNIT_NAME_BYTES];
	uint64_t parent;
	uint32_t unit;

	if (!units->source || depth > DEPTH_MAX ||
	    units->source(cgroup, &parent, name, units->userdata) < 0)
		return UNIT_UNKNOWN;
	unit = known_unit(units, parent);
	if (unit == UNIT_UNKNOWN)
		unit = ask_source(units, parent, depth + 1);
	return unit == UNIT_UNKNOWN ? UNIT_UNKNOWN : learn(units, cgroup, unit, name);
}

void units_begin(struct units *units)
{
	units->walked = false;
}

uint32_t units_find(struct units *units, uint64_t cgroup)
{
	uint32_t unit;

	if (known(units, cgroup))
		return known_unit(units, cgroup);
	unit = ask_source(units, cgroup, 0);
	if (unit != UNIT_UNKNOWN)
		return unit;
	if (!units->walked)
		units_refresh(units);
	if (!known(units, cgroup))
		remember(units, cgroup, UNIT_UNKNOWN); /* ids never come back: asked once */
	return known_unit(units, cgroup);
}

const char *units_name(const struct units *units, uint32_t unit)
{
	return unit < units->n_names ? units->names[unit].text : NULL;
}

/* --- forgetting -------------------------------------------------------------------------------- */

/* Only the entries that were needed in this round or the one before. */
static void forget_cgroups(struct units *units)
{
	struct units kept = { .size = units->size };

	kept.entries = calloc(kept.size, sizeof(*kept.entries));
	if (!kept.entries)
		return; /* next time */
	for (size_t i = 0; i < units->size; i++) {
		const struct entry *entry = &units->entries[i];

		if (!entry->cgroup || entry->round + 1 < units->round)
			continue;
		*place_of(&kept, entry->cgroup) = *entry;
		kept.n_entries++;
	}
	free(units->entries);
	units->entries = kept.entries;
	units->n_entries = kept.n_entries;
}

static void forget_names(struct units *units)
{
	for (uint32_t i = 1; i < units->n_names; i++) {
		struct name *name = &units->names[i];

		if (!name->kept && name->text) {
			free(name->text);
			*name = (struct name){ .next = units->free_name };
			units->free_name = i;
		}
		name->kept = false;
	}
	memset(units->places, 0, units->n_places * sizeof(*units->places));
	index_names(units);
}

bool units_keep(struct units *units, uint32_t unit)
{
	if (unit == UNIT_UNKNOWN || unit >= units->n_names)
		return false;
	if (units->names[unit].kept)
		return true;
	if (units->n_kept == NAMES_KEPT_MAX)
		return false;
	units->names[unit].kept = true;
	units->n_kept++;
	return true;
}

void units_forget(struct units *units, const uint32_t *kept, size_t n_kept)
{
	forget_cgroups(units);
	for (size_t i = 0; i < n_kept; i++)
		units->names[kept[i]].kept = true;
	for (size_t i = 0; i < units->size; i++)
		units->names[units->entries[i].unit].kept = true;
	forget_names(units);
	units->n_kept = 0;
	units->round++;
}
