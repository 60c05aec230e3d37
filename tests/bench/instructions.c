/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * instructions CASE: the daemon's work on one fixed input, inside of measured() and nowhere else, so
 * that a tool can count its instructions. What the kernel would do is done here: records are in
 * memory that is no ring buffer, rows are put into the table by hand, and no program is loaded.
 * Prints how many times the work was done; checks that it was. Without CASE: what this was compiled
 * with, and the cases.
 */
#include "api.h"

#include <bpf/bpf.h>
#include <err.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

enum {
	SUBJECTS = 16384,
	SETTLED = 262144,
	EVENTS = 1000,
	RING_BYTES = 4 << 20,
	SOCKET_BYTES = 64 << 20, /* an answer is sent in one piece */
	FIRST_UID = 1000,
	STRIDE = 7919, /* a prime: users are not in order */
	CGROUP = 4711,
	FOREVER_USEC = 2000000000,
};

struct bench {
	sd_event *loop;
	struct maps *maps;
	struct units *units;
	struct settle *settle;
	struct event_maps *event_maps;
	struct listeners *listeners;
	struct reporter *reporter;
	struct subscriptions *subscriptions;
	struct varlink_server *server;
	struct api api;
	struct ledger_check check;
	struct probeset probeset;
};

/* What stands in for the kernel. */
static struct {
	int ring, readable;
	struct em_totals totals[EM_SHARDS];
} kernel;

struct bench_case {
	const char *name;
	int (*run)(struct bench *bench, const struct bench_case *one); /* how many times */
	const char *request;
	enum em_event_kind kind;
	int number; /* of rows, or of subscribers */
};

/* --- in the place of the kernel (ld --wrap) ----------------------------------------------------- */

int __wrap_event_maps_ring_fd(const struct event_maps *maps);
const struct em_totals *__wrap_maps_totals(const struct maps *maps);
int __real_sd_event_add_io(sd_event *loop, sd_event_source **ret_source, int fd, uint32_t events,
			   sd_event_io_handler_t callback, void *userdata);
int __wrap_sd_event_add_io(sd_event *loop, sd_event_source **ret_source, int fd, uint32_t events,
			   sd_event_io_handler_t callback, void *userdata);
int __real_sd_event_add_time_relative(sd_event *loop, sd_event_source **ret_source, clockid_t clock,
				      uint64_t usec, uint64_t accuracy,
				      sd_event_time_handler_t callback, void *userdata);
int __wrap_sd_event_add_time_relative(sd_event *loop, sd_event_source **ret_source, clockid_t clock,
				      uint64_t usec, uint64_t accuracy,
				      sd_event_time_handler_t callback, void *userdata);

int __wrap_event_maps_ring_fd(const struct event_maps *maps)
{
	(void)maps;
	return kernel.ring;
}

const struct em_totals *__wrap_maps_totals(const struct maps *maps)
{
	(void)maps;
	return kernel.totals;
}

/* Memory cannot be waited for. */
int __wrap_sd_event_add_io(sd_event *loop, sd_event_source **ret_source, int fd, uint32_t events,
			   sd_event_io_handler_t callback, void *userdata)
{
	return __real_sd_event_add_io(loop, ret_source, fd == kernel.ring ? kernel.readable : fd,
				      events, callback, userdata);
}

/* Nothing is due: how often it would be depends on how fast this machine is. */
int __wrap_sd_event_add_time_relative(sd_event *loop, sd_event_source **ret_source, clockid_t clock,
				      uint64_t usec, uint64_t accuracy,
				      sd_event_time_handler_t callback, void *userdata)
{
	return __real_sd_event_add_time_relative(loop, ret_source, clock, usec + FOREVER_USEC,
						 accuracy, callback, userdata);
}

/* --- the daemon, but for its programs ------------------------------------------------------------ */

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, strerror(-r));
}

static int find_cgroup(uint64_t id, uint64_t *ret_parent, char *name, void *userdata)
{
	(void)userdata;
	if (id != CGROUP)
		return -ENOENT;
	*ret_parent = 1;
	snprintf(name, UNIT_NAME_BYTES, "measured.service");
	return 0;
}

static void start_probes(struct bench *bench)
{
	struct probeset *set = &bench->probeset;

	set->maps = bench->maps;
	for (size_t i = 0; i < ARRAY_SIZE(set->objects) && probes[i]; i++) {
		struct object *object = &set->objects[set->n_objects++];

		*object = (struct object){ .probe = probes[i], .state = OBJECT_RUNNING };
		for (size_t j = 0; j < probes[i]->n_jobs; j++)
			for (size_t s = 0; s < probes[i]->jobs[j].n_slots; s++)
				object->slots |= 1U << probes[i]->jobs[j].slots[s];
	}
}

static void start_tables(struct bench *bench)
{
	struct problem problem = { 0 };
	char empty[] = "/tmp/instructions-XXXXXX";

	if (maps_new(NULL, SUBJECTS, &bench->maps, &problem) < 0)
		errx(1, "%s", problem.text);
	maps_state(bench->maps)->seed = STRIDE;
	if (!mkdtemp(empty))
		err(1, "mkdtemp");
	must(units_new(empty, find_cgroup, NULL, &bench->units), "units");
	must(units_refresh(bench->units), "units");
	rmdir(empty);
	if (settle_new(bench->maps, NULL, bench->units, SETTLED, &bench->settle, &problem) < 0 ||
	    event_maps_new(RING_BYTES, &bench->event_maps, &problem) < 0)
		errx(1, "%s", problem.text);
	kernel.readable = eventfd(0, EFD_CLOEXEC);
	kernel.ring = memfd_create("ring", MFD_CLOEXEC);
	if (kernel.ring < 0 || ftruncate(kernel.ring, 2 * getpagesize() + RING_BYTES))
		err(1, "memfd_create");
}

static void start(struct bench *bench)
{
	static const struct varlink_interface *const interfaces[] = { &api_interface, NULL };
	static const struct varlink_info info = { "vendor", "product", "1", "https://example.org" };
	static const struct varlink_limits limits = { 65536,	    32,		128, 128,
						      SOCKET_BYTES, 3600000000, 16 };
	static const struct subscription_limits subscribers = { SUBSCRIPTIONS_MAX,
								SUBSCRIPTIONS_MAX };

	must(sd_event_new(&bench->loop), "event loop");
	start_tables(bench);
	start_probes(bench);
	must(listeners_new(bench->loop, bench->event_maps, bench->units, RING_BYTES,
			   &bench->listeners),
	     "listeners");
	must(subscriptions_new(bench->listeners, &subscribers, &bench->subscriptions),
	     "subscriptions");
	bench->api.maps = bench->maps;
	bench->api.pin_path = "/sys/fs/bpf/ebpfmon";
	bench->api.probeset = &bench->probeset;
	bench->api.units = bench->units;
	bench->api.settle = bench->settle;
	bench->api.check = &bench->check;
	bench->api.event_maps = bench->event_maps;
	must(reporter_new(bench->loop, bench->listeners, &bench->reporter), "reporter");
	bench->api.listeners = bench->listeners;
	bench->api.reporter = bench->reporter;
	bench->api.subscriptions = bench->subscriptions;
	bench->api.group = (gid_t)-1;
	bench->api.started_usec = 1;
	must(varlink_server_new(bench->loop, interfaces, &info, &limits, &bench->api,
				&bench->server),
	     "server");
	bench->api.server = bench->server;
}

static void stop(struct bench *bench)
{
	varlink_server_free(bench->server);
	reporter_free(bench->reporter);
	subscriptions_free(bench->subscriptions);
	listeners_free(bench->listeners);
	settle_free(bench->settle);
	event_maps_free(bench->event_maps);
	units_free(bench->units);
	maps_free(bench->maps);
	sd_event_unref(bench->loop);
	close(kernel.ring);
	close(kernel.readable);
}

/* --- clients ------------------------------------------------------------------------------------ */

static int connect_client(const struct bench *bench)
{
	int pair[2], bytes = SOCKET_BYTES;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) ||
	    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		err(1, "socketpair");
	must(varlink_server_add_connection(bench->server, pair[1]), "connection");
	return pair[0];
}

static void ask(int client, const char *request)
{
	size_t size = strlen(request) + 1;

	if (send(client, request, size, 0) != (ssize_t)size)
		err(1, "send");
}

/* Until there is nothing to do. */
static void settle_down(const struct bench *bench)
{
	while (sd_event_run(bench->loop, 0) > 0)
		;
}

/* How often @text is in what the client got. */
static int got(int client, const char *text, size_t length)
{
	_cleanup_free_ char *answer = malloc(SOCKET_BYTES);
	size_t size = 0;
	ssize_t n;
	int count = 0;

	while (answer && (n = recv(client, answer + size, SOCKET_BYTES - size, 0)) > 0)
		size += (size_t)n;
	for (char *at = answer; at && (at = memmem(at, size - (size_t)(at - answer), text, length));
	     at += length)
		count++;
	return count;
}

/* --- requests ----------------------------------------------------------------------------------- */

/* By itself, and not to be optimised into anything else: its name is what tools look for. */
__attribute__((noinline)) static void measured(struct bench *bench)
{
	listeners_read(bench->listeners); /* nothing without subscribers */
	settle_down(bench);
}

/* Users in the first @n rows, and the totals that go with them. */
static void fill_table(const struct bench *bench, int n)
{
	int fd = maps_rows_fd(bench->maps, 0);

	for (uint32_t i = 0; i < (uint32_t)n; i++) {
		struct em_row row = { .subject = { FIRST_UID + i * STRIDE % (uint32_t)n,
						   (__u32)EM_LOGIN_UNSET, CGROUP } };

		row.tag = em_subject_tag(&row.subject, maps_state(bench->maps)->seed);
		for (uint32_t slot = 0; slot < EM_SLOTS_USED; slot++) {
			row.counters[slot] = (i * STRIDE + slot * 104729) % 1000000;
			kernel.totals[0].seen[slot] += row.counters[slot];
		}
		if (bpf_map_update_elem(fd, &i, &row, BPF_ANY))
			err(1, "cannot fill a row");
	}
}

static int run_request(struct bench *bench, const struct bench_case *one)
{
	int client = connect_client(bench), rows;

	fill_table(bench, one->number);
	settle_down(bench);
	ask(client, one->request);
	measured(bench);
	rows = got(client, "\"counters\":", strlen("\"counters\":"));
	close(client);
	if (strstr(one->request, "GetStats") && rows != one->number)
		errx(1, "%d rows instead of %d", rows, one->number);
	return 1;
}

/* --- events ------------------------------------------------------------------------------------- */

/* A record under construction; strings in their order. */
struct record {
	struct em_event event;
	char bytes[512];
	size_t size;
};

static void add(struct record *record, enum em_event_string index, const char *bytes, size_t size,
		unsigned int flags)
{
	memcpy(record->bytes + record->size, bytes, size);
	record->size += size;
	record->event.strings[index] =
		(struct em_event_part){ (__u16)size, (__u16)(flags | EM_STRING_KNOWN) };
}

static void make_record(enum em_event_kind kind, uint64_t time_ns, struct record *record)
{
	static const char path[] = "libc.so.6\0x86_64-linux-gnu\0lib\0usr";
	static const char asked[] = "/lib/x86_64-linux-gnu/libc.so.6";
	static const char arguments[] = "ls\0-l\0--color=auto\0/usr/share/doc";

	*record = (struct record){ .event = { .kind = kind,
					      .time_ns = time_ns,
					      .subject = { FIRST_UID, FIRST_UID, CGROUP },
					      .pid = 12345,
					      .tid = 12345,
					      .parent = 1234,
					      .euid = FIRST_UID,
					      .session = 7,
					      .start = 123456,
					      .comm = "ls",
					      .numbers = { O_CLOEXEC, 0, 64769, 1234567 } } };
	add(record, EM_STRING_PATH, path, sizeof(path), EM_STRING_COMPONENTS);
	add(record, EM_STRING_ASKED, asked, sizeof(asked) - 1, 0);
	if (kind != EM_EVENT_EXEC)
		return;
	add(record, EM_STRING_ARGUMENTS, arguments, sizeof(arguments), 0);
	add(record, EM_STRING_FOLDER, "user\0home", sizeof("user\0home"), EM_STRING_COMPONENTS);
	add(record, EM_STRING_PARENT, "bash", strlen("bash"), 0);
}

static void write_records(enum em_event_kind kind)
{
	size_t page = (size_t)getpagesize(), at = 0;
	char *memory = mmap(NULL, 2 * page + RING_BYTES, PROT_WRITE, MAP_SHARED, kernel.ring, 0);
	struct timespec now;
	struct record record;

	if (memory == MAP_FAILED)
		err(1, "mmap");
	clock_gettime(CLOCK_BOOTTIME, &now);
	make_record(kind, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, &record);
	for (int i = 0; i < EVENTS; i++) {
		char *place = memory + 2 * page + at;
		uint32_t size = (uint32_t)(sizeof(record.event) + record.size);

		memcpy(place, &size, sizeof(size));
		memcpy(place + BPF_RINGBUF_HDR_SZ, &record.event, sizeof(record.event));
		memcpy(place + BPF_RINGBUF_HDR_SZ + sizeof(record.event), record.bytes,
		       record.size);
		at += (BPF_RINGBUF_HDR_SZ + size + 7) & ~7U;
	}
	memcpy(memory + page, &at, sizeof(at)); /* the producer's position */
	munmap(memory, 2 * page + RING_BYTES);
}

static int run_events(struct bench *bench, const struct bench_case *one)
{
	int clients[SUBSCRIPTIONS_MAX];
	int wanted = strstr(one->request, "path") ? 0 : EVENTS;

	for (int i = 0; i < one->number; i++) {
		clients[i] = connect_client(bench);
		ask(clients[i], one->request);
		settle_down(bench);
		if (got(clients[i], "", 1) != 1)
			errx(1, "a subscriber was not greeted");
	}
	write_records(one->kind);
	measured(bench);
	for (int i = 0; i < one->number; i++) {
		int events = got(clients[i], "", 1);

		if (events != wanted)
			errx(1, "%d events instead of %d", events, wanted);
		close(clients[i]);
	}
	settle_down(bench);
	return EVENTS;
}

/* --- all of them --------------------------------------------------------------------------------- */

#define METHOD(name) "{\"method\":\"io.ebpfmon.Monitor." name "\"}"
#define SUBSCRIBE(what) \
	"{\"method\":\"io.ebpfmon.Monitor.Subscribe\",\"more\":true,\"parameters\":{" what "}}"
#define STATS(by) "{\"method\":\"io.ebpfmon.Monitor.GetStats\",\"parameters\":{\"by\":\"" by "\"}}"

static const struct bench_case cases[] = {
	{ "event-open", run_events, SUBSCRIBE(""), EM_EVENT_OPEN, 1 },
	{ "event-exec", run_events, SUBSCRIBE(""), EM_EVENT_EXEC, 1 },
	{ "event-open-8-subscribers", run_events, SUBSCRIBE(""), EM_EVENT_OPEN, 8 },
	{ "event-open-unwanted", run_events, SUBSCRIBE("\"path\":\"/srv\""), EM_EVENT_OPEN, 1 },
	{ "stats-10", run_request, STATS("uid"), .number = 10 },
	{ "stats-1000", run_request, STATS("uid"), .number = 1000 },
	{ "stats-10000", run_request, STATS("uid"), .number = 10000 },
	{ "status", run_request, METHOD("GetStatus"), .number = 1000 },
	{ "probes", run_request, METHOD("ListProbes") },
};

#define TEXT(number)  TEXT_OF(number)
#define TEXT_OF(text) #text
#ifdef __clang__
static const char compiler[] = "clang-" TEXT(__clang_major__);
#else
static const char compiler[] = "gcc-" TEXT(__GNUC__);
#endif

int main(int argc, char **argv)
{
	static struct bench bench;

	if (argc == 1) {
		printf("%s-glibc-%s\n", compiler, gnu_get_libc_version());
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
			printf("%s\n", cases[i].name);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (!strcmp(cases[i].name, argv[1])) {
			start(&bench);
			printf("%d\n", cases[i].run(&bench, &cases[i]));
			stop(&bench);
			return 0;
		}
	errx(2, "no such case: %s", argv[1]);
}
