/* SPDX-License-Identifier: GPL-2.0-only */
/* Filters of events: event-filter.h. */
#include "event-filter.h"

#include <string.h>

enum {
	TREE_MAX = 8192,     /* processes of a tree remembered; then those alive are found again */
	TREE_PLACES = 16384, /* of their hash; a power of two */
	TREE_FIRST = 64,
};

/* Open addressing, at most half full; pid 0: free. */
struct pid_set {
	size_t n, size;
	struct em_ancestor places[];
};

void event_filter_done(struct event_filter *filter)
{
	free(filter->unit);
	free(filter->comm);
	free(filter->path);
	free(filter->tree);
	*filter = (struct event_filter){ 0 };
}

/* --- process trees ----------------------------------------------------------------------------- */

static struct em_ancestor *place_of(struct pid_set *set, uint32_t pid)
{
	size_t at = (pid * 0x9e3779b1U >> 8) & (set->size - 1);

	while (set->places[at].pid && set->places[at].pid != pid)
		at = (at + 1) & (set->size - 1);
	return &set->places[at];
}

static struct pid_set *pid_set_new(size_t size)
{
	struct pid_set *set = calloc(1, sizeof(*set) + size * sizeof(set->places[0]));

	if (set)
		set->size = size;
	return set;
}

/* Twice as large, or at the limit the same, emptied. NULL: no memory, @set is as it was. */
static struct pid_set *pid_set_grow(struct pid_set *set)
{
	struct pid_set *bigger;

	if (set && set->size >= TREE_PLACES) {
		memset(set->places, 0, set->size * sizeof(set->places[0]));
		set->n = 0;
		return set;
	}
	bigger = pid_set_new(set ? set->size * 2 : TREE_FIRST);
	if (!bigger)
		return NULL;
	for (size_t i = 0; set && i < set->size; i++)
		if (set->places[i].pid) {
			*place_of(bigger, set->places[i].pid) = set->places[i];
			bigger->n++;
		}
	free(set);
	return bigger;
}

static void tree_add(struct event_filter *filter, uint32_t pid, uint32_t start)
{
	struct em_ancestor *place;

	if (!pid)
		return;
	if (!filter->tree || filter->tree->n >= filter->tree->size / 2) {
		struct pid_set *bigger = pid_set_grow(filter->tree);

		if (!bigger)
			return; /* found again by its ancestors, as long as it has them */
		filter->tree = bigger;
	}
	place = place_of(filter->tree, pid);
	if (!place->pid)
		filter->tree->n++;
	*place = (struct em_ancestor){ pid, start };
}
_Static_assert(TREE_MAX <= TREE_PLACES / 2, "half of the places stay free");

static bool tree_has(const struct event_filter *filter, uint32_t pid, uint32_t start)
{
	const struct em_ancestor *place;

	if (pid == filter->pid)
		return true;
	if (!filter->tree || !pid)
		return false;
	place = place_of(filter->tree, pid);
	return place->pid == pid && place->start == start;
}

/* Remembers what it finds, the processes in between as well. */
static bool is_descendant(struct event_filter *filter, const struct event *event)
{
	size_t i = 0;

	if (tree_has(filter, event->record->pid, event->record->start))
		return true;
	while (i < event->n_ancestors &&
	       !tree_has(filter, event->ancestors[i].pid, event->ancestors[i].start))
		i++;
	if (i == event->n_ancestors)
		return false;
	tree_add(filter, event->record->pid, event->record->start);
	while (i-- > 0)
		tree_add(filter, event->ancestors[i].pid, event->ancestors[i].start);
	return true;
}

/* --- the rest ---------------------------------------------------------------------------------- */

static bool is_text(const struct event_string *string, const char *text)
{
	return string->length == strlen(text) && !memcmp(string->text, text, string->length);
}

static bool is_below(const struct event_string *path, const char *folder)
{
	size_t length = strlen(folder);

	while (length && folder[length - 1] == '/')
		length--;
	if (!path->text || path->length < length || memcmp(path->text, folder, length) != 0)
		return false;
	return path->length == length || path->text[length] == '/';
}

/* Of which the beginning is missing it is not known. */
static bool passes_path(const struct event_filter *filter, const struct event *event)
{
	const struct event_string *target = &event->target;

	return !(target->flags & EM_STRING_TRUNCATED) && is_below(target, filter->path);
}

static bool passes_duration(const struct event_filter *filter, const struct em_event *record)
{
	return record->flags & EM_EVENT_DURATION &&
	       record->numbers[0] / 1000 >= filter->min_duration_usec;
}

bool event_filter_passes(struct event_filter *filter, const struct event *event, const char *unit)
{
	const struct em_event *record = event->record;

	if (!(filter->kinds & 1U << record->kind) ||
	    (filter->failed_only && !(record->flags & EM_EVENT_FAILED)) ||
	    (filter->by_uid && filter->uid != record->subject.uid) ||
	    (filter->by_login && filter->login != record->subject.login))
		return false;
	if (filter->min_duration_usec && !passes_duration(filter, record))
		return false;
	if (filter->by_pid && filter->pid != record->pid &&
	    !(filter->children && is_descendant(filter, event)))
		return false;
	if (filter->comm && !is_text(&event->comm, filter->comm))
		return false;
	if (filter->unit && (!unit || strcmp(unit, filter->unit) != 0))
		return false;
	return !filter->path || passes_path(filter, event);
}
