/* SPDX-License-Identifier: GPL-2.0-only */
/* Polls and checks the books: poller.h. */
#include "poller.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	ANSWER_MSEC = 10000,
	ANSWER_BYTES = 64 * 1024 * 1024,
	ANSWER_DEPTH = 16,
};

const char *const slot_names[EM_SLOTS_USED] = {
#define SLOT(name, number, json) [EM_##name] = json,
	EM_SLOT_LIST(SLOT)
#undef SLOT
};

int poller_open(struct poller *poller, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*poller = (struct poller){ .fd = -1, .buffer.max = ANSWER_BYTES };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	poller->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (poller->fd < 0 ||
	    connect(poller->fd, (const struct sockaddr *)&address, sizeof(address))) {
		int r = -errno;

		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return r;
	}
	return 0;
}

void poller_close(struct poller *poller)
{
	poller->fd = close_fd(poller->fd);
	message_buffer_done(&poller->buffer);
	json_object_put(poller->stats);
	poller->stats = NULL;
}

static int receive_some(struct poller *poller)
{
	struct pollfd fd = { .fd = poller->fd, .events = POLLIN };
	ssize_t received;
	size_t size;
	char *space;
	int r;

	if (poll(&fd, 1, ANSWER_MSEC) <= 0)
		return -ETIMEDOUT;
	r = message_buffer_reserve(&poller->buffer, &space, &size);
	if (r < 0)
		return r;
	received = recv(poller->fd, space, size, 0);
	if (received <= 0)
		return received < 0 ? -errno : -ECONNRESET;
	message_buffer_commit(&poller->buffer, (size_t)received);
	return 0;
}

static int ask(struct poller *poller, struct json_object **ret_answer)
{
	static const char call[] = "{\"method\":\"io.ebpfmon.Monitor.GetStats\"}";
	size_t length;
	char *text;
	int r;

	if (send(poller->fd, call, sizeof(call), MSG_NOSIGNAL) != sizeof(call))
		return -EIO;
	while ((r = message_buffer_next(&poller->buffer, &text, &length)) == 0) {
		r = receive_some(poller);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : message_parse(text, length, ANSWER_DEPTH, ret_answer);
}

static int wrong(const char *what, const char *name)
{
	fprintf(stderr, "GetStats: %s: %s\n", name, what);
	return -EBADMSG;
}

/* Member @name of @object as an unsigned number; false: it is null. */
static int number_of(struct json_object *object, const char *name, uint64_t *ret_number,
		     bool *ret_covered)
{
	struct json_object *number;

	if (!json_object_object_get_ex(object, name, &number))
		return wrong("missing", name);
	*ret_covered = number != NULL;
	*ret_number = 0;
	if (!number)
		return 0;
	if (!json_object_is_type(number, json_type_int))
		return wrong("no number", name);
	*ret_number = json_object_get_uint64(number);
	return 0;
}

static int read_counts(struct json_object *counters, struct counts *ret_counts)
{
	int r = 0;

	for (size_t slot = 0; slot < EM_SLOTS_USED && r == 0; slot++)
		r = number_of(counters, slot_names[slot], &ret_counts->value[slot],
			      &ret_counts->covered[slot]);
	return r;
}

static struct json_object *member(struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, type)) {
		wrong("missing, or of another type", name);
		return NULL;
	}
	return value;
}

static int check_sum(enum em_slot slot, const struct counts *sum, const struct counts *overflow,
		     const struct counts *total)
{
	if (!total->covered[slot])
		return 0;
	if (sum->value[slot] + overflow->value[slot] == total->value[slot])
		return 0;
	fprintf(stderr, "GetStats: %s: rows %llu + overflow %llu != total %llu\n", slot_names[slot],
		(unsigned long long)sum->value[slot], (unsigned long long)overflow->value[slot],
		(unsigned long long)total->value[slot]);
	return -EBADMSG;
}

/* total == sum of the rows + overflow, for every counter that is covered. */
static int check_sums(struct json_object *stats)
{
	struct json_object *rows = member(stats, "rows", json_type_array);
	struct json_object *totals = member(stats, "totals", json_type_object);
	struct json_object *lost = member(stats, "overflow", json_type_object);
	struct counts sum = { 0 }, row, total, overflow;
	int r;

	if (!rows || !totals || !lost || read_counts(totals, &total) < 0 ||
	    read_counts(lost, &overflow) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *counters =
			member(json_object_array_get_idx(rows, i), "counters", json_type_object);

		if (!counters || read_counts(counters, &row) < 0)
			return -EBADMSG;
		for (size_t slot = 0; slot < EM_SLOTS_USED; slot++)
			sum.value[slot] += row.value[slot];
	}
	for (size_t slot = 0; slot < EM_SLOTS_USED; slot++) {
		r = check_sum(slot, &sum, &overflow, &total);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_nothing_lost(struct json_object *stats)
{
	struct json_object *losses = member(stats, "losses", json_type_object);
	struct json_object *gaps = member(stats, "gaps", json_type_array);
	uint64_t unaccounted;
	bool known;

	if (!losses || !gaps || number_of(losses, "unaccounted", &unaccounted, &known) < 0)
		return -EBADMSG;
	if (!known || unaccounted != 0)
		return wrong("not 0", "losses.unaccounted");
	return json_object_array_length(gaps) ? wrong("not empty", "gaps") : 0;
}

int poller_poll(struct poller *poller)
{
	_cleanup_json_object_ struct json_object *answer = NULL;
	struct json_object *stats;
	int r = ask(poller, &answer);

	if (r < 0) {
		fprintf(stderr, "GetStats: %s\n", strerror(-r));
		return r;
	}
	stats = member(answer, "parameters", json_type_object);
	if (!stats || check_sums(stats) < 0 || check_nothing_lost(stats) < 0)
		return -EBADMSG;
	json_object_put(poller->stats);
	poller->stats = json_object_get(stats);
	poller->polls++;
	return 0;
}

static int row_of(struct json_object *rows, uid_t uid, struct json_object **ret_row)
{
	*ret_row = NULL;
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		uint64_t number;
		bool known;

		if (number_of(row, "uid", &number, &known) < 0)
			return -EBADMSG;
		if (!known || number != uid)
			continue;
		if (*ret_row)
			return wrong("two rows", "rows");
		*ret_row = row;
	}
	return 0;
}

int counts_of(struct json_object *stats, uid_t uid, struct counts *ret_counts)
{
	struct json_object *rows = member(stats, "rows", json_type_array);
	struct json_object *totals = member(stats, "totals", json_type_object);
	struct json_object *row, *counters;

	if (!rows || !totals || read_counts(totals, ret_counts) < 0 || row_of(rows, uid, &row) < 0)
		return -EBADMSG;
	memset(ret_counts->value, 0, sizeof(ret_counts->value));
	if (!row)
		return 0;
	counters = member(row, "counters", json_type_object);
	return counters ? read_counts(counters, ret_counts) : -EBADMSG;
}
