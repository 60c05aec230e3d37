/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of eras: tables.h. */
#include "tables.h"

#include <bpf/bpf.h>
#include <stdio.h>

enum {
	ROWS_PER_SUBJECT = 2, /* rows stay half empty, so that a place is found quickly */
	NAME_BYTES = 16,
};

static const struct map_shape outer_shapes[TABLE_PARTS] = {
	[TABLE_ROWS] = { "rows", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, EM_ERAS, 0, .in_probes = true },
	[TABLE_CLAIMS] = { "claims", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, EM_ERAS, 0,
			   .in_probes = true },
};

/* But for the name: a number is added. */
static const struct map_shape inner_shapes[TABLE_PARTS] = {
	[TABLE_ROWS] = { "rows", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct em_row), 0, BPF_F_MMAPABLE },
	[TABLE_CLAIMS] = { "claims", BPF_MAP_TYPE_HASH, 4, 4, 0, 0 },
};

/* "rows_0" */
static const char *part_name(enum table_part part, uint32_t slot, char buffer[static NAME_BYTES])
{
	snprintf(buffer, NAME_BYTES, "%s_%u", inner_shapes[part].name, slot);
	return buffer;
}

void tables_init(struct tables *tables)
{
	for (int part = 0; part < TABLE_PARTS; part++) {
		tables->outer[part].fd = -1;
		for (int slot = 0; slot < EM_ERAS; slot++)
			tables->inner[slot][part].fd = -1;
	}
}

void tables_release(struct tables *tables)
{
	for (int part = 0; part < TABLE_PARTS; part++) {
		map_release(&tables->outer[part]);
		for (int slot = 0; slot < EM_ERAS; slot++)
			map_release(&tables->inner[slot][part]);
	}
}

/* --- sizes ------------------------------------------------------------------------------------- */

uint32_t tables_rows(uint32_t subjects_max)
{
	uint32_t row_count = ROWS_PER_SUBJECT;

	while (row_count < subjects_max * ROWS_PER_SUBJECT)
		row_count *= 2;
	return row_count;
}

int tables_rows_fd(const struct tables *tables, uint32_t era)
{
	return tables->inner[era % EM_ERAS][TABLE_ROWS].fd;
}

bool tables_fit(const struct tables *tables, uint32_t era, uint32_t subjects_max)
{
	const struct map *table = tables->inner[era % EM_ERAS];

	return table[TABLE_ROWS].entries == tables_rows(subjects_max) &&
	       table[TABLE_CLAIMS].entries == subjects_max;
}

uint64_t tables_kernel_bytes(const struct tables *tables, uint32_t subjects_max)
{
	uint64_t bytes = 0;

	for (uint32_t era = 0; era < EM_ERAS; era++)
		if (tables_rows_fd(tables, era) >= 0)
			bytes += (uint64_t)tables_rows(subjects_max) * sizeof(struct em_row) +
				 (uint64_t)subjects_max * (MAP_HASH_ELEMENT_BYTES + 16);
	return bytes;
}

/* --- creating ---------------------------------------------------------------------------------- */

int tables_create(struct tables *tables, uint32_t era, uint32_t subjects_max)
{
	static const char *const names[] = { "rows_0", "claims_0", NULL };
	struct map *table = tables->inner[era % EM_ERAS];

	return map_create_core(names, (struct map *[]){ &table[TABLE_ROWS], &table[TABLE_CLAIMS] },
			       tables_rows(subjects_max), subjects_max);
}

/*
 * The template is an inner map itself: what an outer map holds must equal its template in
 * entries (arrays), and on 5.15 to 6.1 even in having BTF (timer_off in bpf_map_meta_equal()).
 */
static int create_outer(struct tables *tables, enum table_part part)
{
	const struct map_shape *shape = &outer_shapes[part];
	LIBBPF_OPTS(bpf_map_create_opts, options,
		    .inner_map_fd = (uint32_t)tables->inner[0][part].fd);

	tables->outer[part].fd = bpf_map_create(shape->type, shape->name, shape->key_bytes,
						shape->value_bytes, shape->entries, &options);
	return tables->outer[part].fd < 0 ? -errno : 0;
}

int tables_create_outer(struct tables *tables)
{
	int r = 0;

	for (int part = 0; !r && part < TABLE_PARTS; part++)
		r = create_outer(tables, part);
	return r;
}

int tables_pin_outer(struct tables *tables, struct pins *pins, struct problem *problem)
{
	int r = 0;

	for (int part = 0; !r && part < TABLE_PARTS; part++)
		r = map_pin(&tables->outer[part], &outer_shapes[part], pins, problem);
	return r;
}

/* --- use --------------------------------------------------------------------------------------- */

int tables_install(struct tables *tables, uint32_t era, struct pins *pins, struct problem *problem)
{
	uint32_t slot = era % EM_ERAS;

	for (int part = 0; part < TABLE_PARTS; part++) {
		struct map *map = &tables->inner[slot][part];
		char name[NAME_BYTES];
		int r;

		part_name(part, slot, name);
		r = pins_replace(pins, PIN_MAP, name, map->fd, problem);
		if (!r)
			r = map_check(map, &inner_shapes[part], pins_name(pins, PIN_MAP, name),
				      problem);
		if (r < 0)
			return r;
		if (bpf_map_update_elem(tables->outer[part].fd, &slot, &map->fd, 0))
			return problem_set(problem, errno, "cannot use the new table %s: %m", name);
	}
	return 0;
}

int tables_drop(struct tables *tables, uint32_t era, struct pins *pins, struct problem *problem)
{
	uint32_t slot = era % EM_ERAS;

	for (int part = 0; part < TABLE_PARTS; part++) {
		char name[NAME_BYTES];
		int r;

		part_name(part, slot, name);
		if (bpf_map_delete_elem(tables->outer[part].fd, &slot) < 0 && errno != ENOENT)
			return problem_set(problem, errno, "cannot let go of the table %s: %m",
					   name);
		r = pins_drop(pins, PIN_MAP, name, problem);
		if (r < 0)
			return r;
		map_release(&tables->inner[slot][part]);
	}
	return 0;
}

int tables_share(const struct tables *tables, struct bpf_object *object)
{
	int r = 0;

	for (int part = 0; !r && part < TABLE_PARTS; part++)
		r = map_share(&tables->outer[part], &outer_shapes[part], object);
	return r;
}

/* The kernel returns from an update of an outer map only then: maybe_wait_bpf_programs(). */
int tables_wait_programs(const struct tables *tables, uint32_t era)
{
	uint32_t slot = era % EM_ERAS;

	return bpf_map_update_elem(tables->outer[TABLE_ROWS].fd, &slot,
				   &tables->inner[slot][TABLE_ROWS].fd, 0) < 0
		       ? -errno
		       : 0;
}

/* --- adopting ---------------------------------------------------------------------------------- */

/* Which of the tables have to be there is found out with the state. */
int tables_adopt(struct tables *tables, struct pins *pins, struct problem *problem)
{
	char name[NAME_BYTES];
	int r = 0;

	for (int part = 0; !r && part < TABLE_PARTS; part++)
		r = map_adopt_needed(&tables->outer[part], &outer_shapes[part], pins, problem);
	for (uint32_t slot = 0; !r && slot < EM_ERAS; slot++)
		for (int part = 0; !r && part < TABLE_PARTS; part++) {
			r = map_adopt(&tables->inner[slot][part], &inner_shapes[part],
				      part_name(part, slot, name), pins, problem);
			if (r == -ENOENT)
				r = 0;
		}
	return r;
}

/* The outer map must hold the very map that is pinned. */
static int check_inner(const struct tables *tables, enum table_part part, uint32_t slot,
		       struct pins *pins, struct problem *problem)
{
	char name[NAME_BYTES];
	uint32_t id = 0;

	if (bpf_map_lookup_elem(tables->outer[part].fd, &slot, &id) < 0 ||
	    id != tables->inner[slot][part].id)
		return problem_set(problem, EUCLEAN,
				   "%s does not hold the map pinned as '%s': left untouched; "
				   "'ebpfmond --unpin' removes both and their counts",
				   pins_name(pins, PIN_MAP, outer_shapes[part].name),
				   part_name(part, slot, name));
	return 0;
}

int tables_check(const struct tables *tables, uint32_t era, struct pins *pins,
		 struct problem *problem)
{
	uint32_t slot = era % EM_ERAS;
	char name[NAME_BYTES];

	for (int part = 0; part < TABLE_PARTS; part++) {
		int r;

		if (tables->inner[slot][part].fd < 0)
			return map_missing(pins_name(pins, PIN_MAP, part_name(part, slot, name)),
					   problem);
		r = check_inner(tables, part, slot, pins, problem);
		if (r < 0)
			return r;
	}
	return 0;
}
