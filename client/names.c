/* SPDX-License-Identifier: GPL-2.0-only */
/* Enumerates and looks up users. */
#include "names.h"
#include "complaint.h"

#include <pwd.h>
#include <string.h>

enum {
	ENUMERATE_ABOVE = 64, /* fewer users are looked up one by one */
	ENUMERATED_MAX = 65536,
	LOOKUPS_MAX = 256,
	MISSES_MAX = 16, /* in a row: these users have no names; a miss costs about 70 us */
	FIRST_CAPACITY = 64,
	USER_MAX = 256, /* bytes in a name */
};

struct name {
	uint32_t uid;
	uint32_t order; /* of two names for one uid the first counts */
	size_t offset;	/* of the name in the text; NO_NAME: looked up, none */
};

#define NO_NAME SIZE_MAX

void names_done(struct names *names)
{
	free(names->entries);
	text_done(&names->text);
	*names = (struct names){};
}

static int name_compare(const void *a, const void *b)
{
	const struct name *one = a, *two = b;

	if (one->uid != two->uid)
		return one->uid < two->uid ? -1 : 1;
	return one->order < two->order ? -1 : one->order > two->order;
}

/* An entry for @uid at @place; @user NULL: it has no name. Without memory it is left out. */
static void names_insert(struct names *names, size_t place, uint32_t uid, const char *user)
{
	size_t capacity = names->capacity ? names->capacity * 2 : FIRST_CAPACITY;
	size_t offset = names->text.length;
	struct name *entries = names->entries;

	if (names->count == names->capacity) {
		entries = reallocarray(names->entries, capacity, sizeof(*entries));
		if (!entries)
			return;
		names->entries = entries;
		names->capacity = capacity;
	}
	if (user) {
		text_safe(&names->text, user, strlen(user));
		text_append(&names->text, "", 1);
		if (names->text.error)
			return;
	}
	memmove(entries + place + 1, entries + place, (names->count - place) * sizeof(*entries));
	entries[place] = (struct name){ uid, (uint32_t)names->count, user ? offset : NO_NAME };
	names->count++;
}

void names_expect(struct names *names, size_t count)
{
	const struct passwd *user;

	if (count <= ENUMERATE_ABOVE || names->count)
		return;
	setpwent();
	while (names->count < ENUMERATED_MAX && (user = getpwent()))
		names_insert(names, names->count, user->pw_uid, user->pw_name);
	endpwent();
	if (names->count)
		qsort(names->entries, names->count, sizeof(*names->entries), name_compare);
}

/* The first entry with @uid or a larger one. */
static size_t names_place(const struct names *names, uint32_t uid)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->entries[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool names_look_up(struct names *names, size_t place, uint32_t uid)
{
	const struct passwd *user;

	if (names->lookups == LOOKUPS_MAX || names->misses == MISSES_MAX)
		return false;
	names->lookups++;
	user = getpwuid(uid);
	names->misses = user ? 0 : names->misses + 1;
	names_insert(names, place, uid, user ? user->pw_name : NULL);
	return place < names->count && names->entries[place].uid == uid;
}

const char *names_get(struct names *names, uint64_t uid)
{
	size_t place;

	if (uid > UINT32_MAX)
		return NULL;
	place = names_place(names, (uint32_t)uid);
	if ((place == names->count || names->entries[place].uid != uid) &&
	    !names_look_up(names, place, (uint32_t)uid))
		return NULL;
	return names->entries[place].offset == NO_NAME
		       ? NULL
		       : names->text.data + names->entries[place].offset;
}

/* All digits, and a user id: 4294967295 is the kernel's "none". */
static bool uid_parse(const char *text, uint64_t *ret_uid)
{
	uint64_t uid = 0;

	for (const char *at = text; *at; at++) {
		uid = uid * 10 + (uint64_t)(*at - '0');
		if (uid >= UINT32_MAX)
			return false;
	}
	*ret_uid = uid;
	return true;
}

int names_find(const char *option, const char *user, uint64_t *ret_uid)
{
	size_t length = strlen(user), digits = strspn(user, "0123456789");
	const struct passwd *entry = NULL;
	bool plausible = length && length <= USER_MAX && *user != '-' && *user != '+';

	for (const char *at = user; plausible && *at; at++)
		plausible = (unsigned char)*at >= ' ' && *at != 0x7f && *at != ':';
	if (!plausible)
		return complain(CODE_USAGE, "--%s takes a user's name or number, not '%s'", option,
				user);

	errno = 0;
	entry = getpwnam(user);
	if (entry) {
		*ret_uid = entry->pw_uid;
		return CODE_OK;
	}
	if (digits == length)
		return uid_parse(user, ret_uid)
			       ? CODE_OK
			       : complain(CODE_USAGE, "--%s: %s is no user id: they end at %u",
					  option, user, UINT32_MAX - 1);
	/* Not found has as many errno values as there are sources of users; this one is none. */
	if (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		return complain(CODE_FAILURE, "cannot look up the user '%s': %s", user,
				strerror(errno));
	return complain(CODE_FAILURE, "there is no user '%s': see 'getent passwd'", user);
}
