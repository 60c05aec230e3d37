/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface's table of methods and what several of them use: api.h. */
#include "api.h"

#include "log-ids.h"
#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char description[] =
#include "io.ebpfmon.Monitor.varlink.h"
	;

static const char *const dimensions[] = { "uid", "login", "unit", NULL };

static const struct varlink_parameter stats_parameters[] = {
	{ "by", VARLINK_ENUM, .nullable = true, .choices = dimensions },
	{ "uid", VARLINK_INT, .nullable = true },
	{ "since", VARLINK_INT, .nullable = true },
	{ NULL },
};

static const struct varlink_parameter subscribe_parameters[] = {
	{ "probes", VARLINK_STRING_ARRAY, .nullable = true },
	{ "uid", VARLINK_INT, .nullable = true },
	{ "login", VARLINK_INT, .nullable = true },
	{ "unit", VARLINK_STRING, .nullable = true },
	{ "comm", VARLINK_STRING, .nullable = true },
	{ "path", VARLINK_STRING, .nullable = true },
	{ "pid", VARLINK_INT, .nullable = true },
	{ "children", VARLINK_BOOL, .nullable = true },
	{ "failed", VARLINK_BOOL, .nullable = true },
	{ "minDuration", VARLINK_INT, .nullable = true },
	{ NULL },
};

static const struct varlink_method methods[] = {
	{ "GetStats", stats_parameters, api_get_stats },
	{ "ListProbes", NULL, api_list_probes },
	{ "GetStatus", NULL, api_get_status },
	{ "Subscribe", subscribe_parameters, api_subscribe, .streams = true },
	{ "Reload", NULL, api_reload },
	{ NULL },
};

const struct varlink_interface api_interface = {
	.name = "io.ebpfmon.Monitor",
	.description = description,
	.methods = methods,
};

bool api_privileged(const struct api *api, const struct varlink_call *call)
{
	const struct varlink_peer *peer = varlink_call_peer(call);

	if (peer->uid == 0 || peer->uid == geteuid())
		return true;
	return api->group != (gid_t)-1 && varlink_peer_in_group(peer, api->group);
}

uint32_t api_slots(const struct api *api)
{
	uint32_t slots = 0;

	for (size_t i = 0; i < api->probeset->n_objects; i++)
		slots |= api->probeset->objects[i].slots;
	return slots;
}

void api_check_books(struct api *api, const struct ledger_sample *sample, uint64_t *ret_unaccounted)
{
	uint64_t now = now_monotonic_usec();

	for (size_t i = 0; i < EM_SLOTS_USED; i++) {
		ret_unaccounted[i] = ledger_unaccounted(api->check, sample, i, now);
		if (!ret_unaccounted[i] || api->breach_logged[i])
			continue;
		api->breach_logged[i] = true;
		log_write(LOG_ERR, &(struct log_context){ .message_id = LOG_ID_BREACH },
			  "the books of '%s' do not balance: %llu events are not accounted for; "
			  "somebody wrote to the pinned maps, or the kernel lost them",
			  probe_slot_name(i), (unsigned long long)ret_unaccounted[i]);
	}
}

void api_write_time(struct json *reply, const char *key, uint64_t realtime_usec)
{
	time_t seconds = (time_t)(realtime_usec / 1000000);
	char date[32], text[64];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof(text), "%s.%06uZ", date, (unsigned int)(realtime_usec % 1000000));
	json_string(reply, key, text);
}

/* Without the dashes the kernel writes, as journald's _BOOT_ID. */
void api_read_boot_id(struct api *api)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[36];
	size_t n = 0;

	if (fd >= 0 && read(fd, text, sizeof(text)) == sizeof(text))
		for (size_t i = 0; i < sizeof(text) && n < sizeof(api->boot_id) - 1; i++)
			if (text[i] != '-')
				api->boot_id[n++] = text[i];
	api->boot_id[n] = '\0';
}

void api_write_identity(const struct api *api, struct json *reply)
{
	const struct em_state *state = maps_state(api->maps);
	char epoch[2 * sizeof(state->epoch) + 1];

	for (size_t i = 0; i < sizeof(state->epoch); i++)
		snprintf(epoch + 2 * i, 3, "%02x", state->epoch[i]);
	json_string(reply, "bootId", api->boot_id);
	json_string(reply, "epoch", epoch);
	api_write_time(reply, "since", state->since_usec);
	json_u64(reply, "generation", state->generation);
}
