/* SPDX-License-Identifier: GPL-2.0-only */
/* Owns everything the running daemon has: manager.h. */
#include "manager.h"

#include "api.h"
#include "clock.h"
#include "gaps.h"
#include "log-ids.h"
#include "log.h"
#include "privileges.h"
#include "probeset.h"
#include "recorder.h"
#include "reload.h"
#include "reporter.h"
#include "settle.h"
#include "settler.h"
#include "socket.h"
#include "subscriptions.h"
#include "takeover.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum {
	LARGE_BYTES = 128 * 1024, /* given back to the kernel when freed */
	SPARE_DESCRIPTORS = 8,	  /* without which no client could be served */
};

struct manager {
	struct reload *reload;
	const struct settings *settings; /* in force: reload's */
	struct identity_ids ids;
	struct pins *pins;
	bool adopted; /* counts that were there go on */
	struct maps *maps;
	struct probeset probeset;
	struct takeover *takeover; /* of counts of another layout, until it is done */
	struct units *units;
	struct settle *settle;
	struct recorder *recorder;
	struct settler *settler;
	struct clock_watch *clock;
	struct event_maps *event_maps; /* NULL: no events, which is no reason not to count */
	struct problem eventless;      /* why not */
	struct listeners *listeners;   /* likewise */
	struct subscriptions *subscriptions;
	struct reporter *reporter;
	struct ledger_check check;
	sd_event *event;
	struct varlink_server *server;
	int socket_fd;	  /* until it is served; -1 */
	char *own_socket; /* path to remove at the end; NULL: systemd's */
	struct api api;
};

/* --- starting ---------------------------------------------------------------------------------- */

/* All that needs root's reach, before it is given up. */
static int open_outside(struct manager *manager, struct problem *problem)
{
	const struct settings *settings = manager->settings;
	int r;

	r = privileges_check(problem);
	if (!r)
		r = privileges_target(settings->user, &manager->ids, problem);
	if (r < 0)
		return r;
	manager->api.group = privileges_group(settings->group);
	if (manager->api.group == (gid_t)-1)
		log_warning("there is no group '%s': only root sees everybody's numbers; create it "
			    "or set Group=",
			    settings->group);
	r = pins_open(settings->pin_path, manager->ids.uid, manager->ids.gid, &manager->pins,
		      problem);
	if (r < 0)
		return r;
	if (sd_listen_fds(0) <= 0)
		r = socket_make_folder(settings->socket_path, manager->ids.uid, manager->ids.gid,
				       problem);
	return r;
}

static int start_hooks(struct manager *manager, struct problem *problem)
{
	struct probeset *probeset = &manager->probeset;
	int r;

	event_maps_new(manager->settings->events_bytes, &manager->event_maps, &manager->eventless);
	probeset->pins = manager->pins;
	probeset->maps = manager->maps;
	r = probeset_start(probeset, manager->settings, manager->event_maps, problem);
	if (manager->event_maps)
		event_maps_close_shared(manager->event_maps);
	if (!r && manager->adopted)
		r = probeset_drop_unknown(probeset, problem);
	return r;
}

static int warn_of_stranger(const char *name, void *userdata)
{
	const char *path = pins_path(((const struct manager *)userdata)->pins);

	log_warning("%s/%s is not ebpfmond's: left untouched; move it away", path, name);
	return 0;
}

static int start_tables(struct manager *manager, struct problem *problem)
{
	uint32_t subjects_max = manager->settings->subjects_max;
	int r = pins_begin(manager->pins, problem);

	if (r < 0)
		return r;
	manager->adopted = pins_adopted(manager->pins);
	r = pins_each_stranger(manager->pins, warn_of_stranger, manager);
	if (r < 0)
		return problem_set(problem, -r, "cannot read %s: %s", pins_path(manager->pins),
				   strerror(-r));
	r = maps_new(manager->pins, subjects_max, &manager->maps, problem);
	if (!r && pins_other(manager->pins))
		r = takeover_begin(manager->pins, subjects_max, &manager->maps, &manager->takeover,
				   problem);
	return r;
}

/* From here on it is counted. */
static int start_counting(struct manager *manager, struct problem *problem)
{
	int r = start_hooks(manager, problem);

	if (r < 0)
		return r;
	maps_state(manager->maps)->generation++;
	probeset_verified(&manager->probeset);
	r = pins_commit(manager->pins, problem);
	if (r < 0)
		return r;
	log_write(LOG_INFO, &(struct log_context){ .message_id = LOG_ID_STARTED },
		  manager->adopted ? "going on with the counts in %s"
				   : "counting into %s, from zero",
		  pins_path(manager->pins));
	probeset_report(&manager->probeset);
	if (manager->eventless.error)
		log_warning("%s; nobody can subscribe", manager->eventless.text);
	return 0;
}

static int find_cgroup(uint64_t id, uint64_t *ret_parent, char *name, void *userdata)
{
	const struct manager *manager = userdata;
	struct em_cgroup cgroup;
	int r = maps_cgroup(manager->maps, id, &cgroup);

	if (r < 0)
		return r;
	*ret_parent = cgroup.parent;
	memcpy(name, cgroup.name, UNIT_NAME_BYTES);
	return 0;
}
_Static_assert((int)UNIT_NAME_BYTES == (int)EM_CGROUP_NAME, "one copies into the other");

/* Completes what an earlier start began, takes over, and listens for the bell from then on. */
static int start_settling(struct manager *manager, struct problem *problem)
{
	int r = units_new(NULL, find_cgroup, manager, &manager->units);

	if (!r)
		r = units_refresh(manager->units);
	if (r < 0)
		return problem_set(problem, -r, "cannot read the cgroup tree: %s", strerror(-r));
	r = settle_new(manager->maps, manager->pins, manager->units, manager->settings->settled_max,
		       &manager->settle, problem);
	if (!r)
		r = settle_recover(manager->settle, problem);
	if (!r && manager->takeover) {
		r = takeover_finish(manager->takeover, manager->maps, manager->settle, problem);
		manager->takeover = takeover_free(manager->takeover);
		if (!r)
			r = pins_remove_other(manager->pins, problem);
	}
	if (r < 0)
		return r;
	return settler_new(manager->event, manager->maps, manager->settle, &manager->settler,
			   problem);
}

static void on_clock_set(uint64_t was_usec, uint64_t now_usec, void *userdata)
{
	struct manager *manager = userdata;

	gaps_clock_set(maps_state(manager->maps), was_usec, now_usec);
	log_notice("the clock was set by %+.3f s: times told before are off by that",
		   (double)(int64_t)(now_usec - was_usec) / 1e6);
}

static int start_clock(struct manager *manager, struct problem *problem)
{
	int r = clock_watch_new(manager->event, on_clock_set, manager, &manager->clock);

	return r < 0 ? problem_set(problem, -r, "cannot watch the clock: %s", strerror(-r)) : 0;
}

static int start_recording(struct manager *manager, struct problem *problem)
{
	int r = recorder_new(manager->event, manager->maps, manager->units, manager->settle,
			     &manager->recorder);

	if (r < 0)
		return problem_set(problem, -r, "cannot keep a history: %s", strerror(-r));
	recorder_configure(manager->recorder, &manager->settings->history);
	return 0;
}

/* --- serving ----------------------------------------------------------------------------------- */

/* Before anything is counted: a start that cannot serve must leave nothing behind. */
static int open_socket(struct manager *manager, struct problem *problem)
{
	int *fd = &manager->socket_fd;

	*fd = socket_activated(problem);
	if (*fd != -ENOENT)
		return *fd < 0 ? *fd : 0;
	*fd = socket_listen(manager->settings->socket_path, problem);
	if (*fd < 0)
		return *fd;
	manager->own_socket = strdup(manager->settings->socket_path);
	return manager->own_socket ? 0 : problem_set(problem, ENOMEM, "out of memory");
}

/* Who can neither accept anybody nor say that it is ready had better end, and say why. */
static int check_descriptors(struct problem *problem)
{
	int spare[SPARE_DESCRIPTORS], n = 0, r = 0;

	while (!r && n < SPARE_DESCRIPTORS) {
		spare[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
		if (spare[n] < 0)
			r = -errno;
		else
			n++;
	}
	while (n > 0)
		close(spare[--n]);
	return r < 0 ? problem_set(problem, -r, "no file descriptors are left for clients: %s",
				   strerror(-r))
		     : 0;
}

static int start_serving(struct manager *manager, struct problem *problem)
{
	static const struct varlink_interface *const interfaces[] = { &api_interface, NULL };
	static const struct varlink_info info = { "ebpfmon", "ebpfmond", EBPFMON_VERSION,
						  "https://github.com/ebpfmon/ebpfmon" };
	int r = 0;

	if (manager->event_maps)
		r = listeners_new(manager->event, manager->event_maps, manager->units,
				  manager->settings->events_queue_bytes, &manager->listeners);
	if (!r && manager->listeners)
		r = subscriptions_new(manager->listeners, &manager->settings->subscriptions,
				      &manager->subscriptions);
	if (!r && manager->listeners)
		r = reporter_new(manager->event, manager->listeners, &manager->reporter);
	if (r < 0)
		return problem_set(problem, -r, "cannot serve: %s", strerror(-r));
	r = varlink_server_new(manager->event, interfaces, &info, &manager->settings->limits,
			       &manager->api, &manager->server);
	if (!r)
		r = varlink_server_listen_fd(manager->server, manager->socket_fd);
	if (r < 0)
		return problem_set(problem, -r, "cannot serve: %s", strerror(-r));
	TAKE_FD(manager->socket_fd);
	return check_descriptors(problem);
}

/* --- reloading --------------------------------------------------------------------------------- */

static void apply(const struct settings *settings, void *userdata)
{
	struct manager *manager = userdata;

	log_set_priority(settings->log_priority);
	varlink_server_set_limits(manager->server, &settings->limits);
	if (manager->subscriptions)
		subscriptions_set_limits(manager->subscriptions, &settings->subscriptions);
	if (manager->reporter)
		reporter_configure(manager->reporter, &settings->journal);
	settle_set_rows_max(manager->settle, settings->settled_max);
	recorder_configure(manager->recorder, &settings->history);
}

static void notify_status(const struct manager *manager, const char *prefix)
{
	char line[256];

	api_status_line(&manager->probeset, line, sizeof(line));
	sd_notifyf(0, "%sSTATUS=%s", prefix, line);
}

static int reload(struct json *reply, void *userdata)
{
	struct manager *manager = userdata;
	int r;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now_monotonic_usec());
	r = reload_read(manager->reload, reply);
	notify_status(manager, "READY=1\n");
	return r;
}

/* --- running ----------------------------------------------------------------------------------- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	(void)userdata;
	log_debug("stopping on signal %u", info->ssi_signo);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	_cleanup_json_ struct json reply = { 0 };
	int r = reload(&reply, userdata);

	(void)source;
	(void)info;
	if (r < 0)
		log_error("cannot reload: %s", strerror(-r));
	return 0;
}

static int prepare_event(struct manager *manager, struct problem *problem)
{
	static const struct {
		int number;
		sd_event_signal_handler_t handler;
	} signals[] = { { SIGTERM, on_stop }, { SIGINT, on_stop }, { SIGHUP, on_reload } };
	sigset_t mask;
	int r;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i].number);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	r = sd_event_new(&manager->event);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
		r = sd_event_add_signal(manager->event, NULL, signals[i].number, signals[i].handler,
					manager);
	if (r >= 0)
		r = sd_event_set_watchdog(manager->event, true);
	if (r < 0)
		return problem_set(problem, -r, "cannot prepare the event loop: %s", strerror(-r));
	return 0;
}

static void fill_api(struct manager *manager)
{
	struct api *api = &manager->api;

	api->maps = manager->maps;
	api->pin_path = pins_path(manager->pins);
	api->probeset = &manager->probeset;
	api->units = manager->units;
	api->settle = manager->settle;
	api->recorder = manager->recorder;
	api->check = &manager->check;
	api->event_maps = manager->event_maps;
	api->listeners = manager->listeners;
	api->subscriptions = manager->subscriptions;
	api->reporter = manager->reporter;
	api->server = manager->server;
	api->started_usec = now_realtime_usec();
	api_read_boot_id(api);
	api->reload = reload;
	api->userdata = manager;
}

static int become_user(struct manager *manager, struct problem *problem)
{
	return privileges_drop(&manager->ids, problem);
}

static int start_reporting(struct manager *manager, struct problem *problem)
{
	(void)problem;
	if (manager->reporter)
		reporter_configure(manager->reporter, &manager->settings->journal);
	return 0;
}

/* In this order; --log-level debug tells how long each took. */
static const struct {
	const char *name;
	int (*run)(struct manager *manager, struct problem *problem);
} phases[] = {
	{ "event loop", prepare_event }, { "pins", open_outside },
	{ "privileges", become_user },	 { "socket", open_socket },
	{ "tables", start_tables },	 { "programs", start_counting },
	{ "settling", start_settling },	 { "clock", start_clock },
	{ "history", start_recording },	 { "server", start_serving },
	{ "journal", start_reporting },
};

static int start(struct manager *manager, struct problem *problem)
{
	uint64_t begun = now_monotonic_usec(), before = begun;

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		int r = phases[i].run(manager, problem);
		uint64_t now = now_monotonic_usec();

		if (r < 0)
			return r;
		log_debug("start: %s: %llu us, at %llu us", phases[i].name,
			  (unsigned long long)(now - before), (unsigned long long)(now - begun));
		before = now;
	}
	fill_api(manager);
	/*
	 * The kernel's types were 6 MB, often: of such large buffers glibc has learnt to keep one.
	 * From here on none is to stay when it is freed.
	 */
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	malloc_trim(0);
	return 0;
}

int manager_new(struct config *config, const char *file, struct manager **ret_manager,
		struct problem *problem)
{
	CLEANUP(manager_freep) struct manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (!manager)
		return problem_set(problem, ENOMEM, "out of memory");
	manager->socket_fd = -1;
	r = reload_new(config, file, apply, manager, &manager->reload);
	if (r < 0)
		return problem_set(problem, -r, "out of memory");
	manager->settings = reload_settings(manager->reload);
	r = start(manager, problem);
	if (r < 0)
		return r;
	*ret_manager = TAKE_PTR(manager);
	return 0;
}

struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	varlink_server_free(manager->server);
	if (manager->own_socket)
		unlink(manager->own_socket);
	free(manager->own_socket);
	close_fd(manager->socket_fd);
	subscriptions_free(manager->subscriptions);
	reporter_free(manager->reporter);
	listeners_free(manager->listeners);
	clock_watch_free(manager->clock);
	settler_free(manager->settler);
	recorder_free(manager->recorder);
	settle_free(manager->settle);
	takeover_free(manager->takeover);
	units_free(manager->units);
	probeset_release(&manager->probeset);
	event_maps_free(manager->event_maps);
	maps_free(manager->maps);
	sd_event_unref(manager->event); /* its descriptors may be all that there are */
	pins_free(manager->pins);
	reload_free(manager->reload);
	free(manager);
	return NULL;
}

int manager_run(struct manager *manager)
{
	int r;

	notify_status(manager, "READY=1\n");
	r = sd_event_loop(manager->event);
	sd_notify(0, "STOPPING=1");
	if (r >= 0) {
		probeset_look(&manager->probeset);
		probeset_verified(&manager->probeset);
	}
	return r;
}
