/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The methods of io.ebpfmon.Monitor. Walks probes, rows and descriptors and writes replies;
 * decides who may see what; knows neither libbpf nor how the daemon is run.
 */
#pragma once

#include "ledger.h"
#include "probeset.h"
#include "recorder.h"
#include "reporter.h"
#include "settle.h"
#include "subscriptions.h"
#include "unit.h"
#include "varlink.h"

/* What the methods work on: the manager's, lent. */
struct api {
	const struct maps *maps;
	const char *pin_path;
	struct probeset *probeset;
	struct units *units;
	const struct settle *settle;
	struct recorder *recorder;
	struct ledger_check *check;
	const struct event_maps *event_maps; /* NULL: no events */
	struct listeners *listeners;	     /* likewise */
	struct subscriptions *subscriptions; /* likewise */
	struct reporter *reporter;	     /* likewise */
	struct varlink_server *server;
	gid_t group; /* its members see everything */
	uint64_t started_usec;
	char boot_id[33];
	bool breach_logged[EM_SLOTS_USED];
	/* Reads the configuration again; writes Reload()'s reply. */
	int (*reload)(struct json *reply, void *userdata);
	void *userdata;
};

extern const struct varlink_interface api_interface;

/* Whether the caller sees everything and may change things; otherwise just the own user's. */
bool api_privileged(const struct api *api, const struct varlink_call *call);

/* Bit per counter that is being counted now. */
uint32_t api_slots(const struct api *api);

/*
 * Whether the books of every counter balance, as every reading has to ask: how many events are not
 * accounted for, EM_SLOTS_USED numbers. A breach is logged once.
 */
void api_check_books(struct api *api, const struct ledger_sample *sample,
		     uint64_t *ret_unaccounted);

/* One line on all probes: for systemctl status and GetStatus(). */
void api_status_line(const struct probeset *probeset, char *buffer, size_t size);

/* Once: a reading must not open files, which would be counted. */
void api_read_boot_id(struct api *api);

/* The identity of the counts: bootId, epoch, since, generation. */
void api_write_identity(const struct api *api, struct json *reply);

/* As RFC 3339 in UTC with microseconds. */
void api_write_time(struct json *reply, const char *key, uint64_t realtime_usec);

int api_get_stats(struct varlink_call *call, struct json_object *parameters, void *userdata);
int api_list_probes(struct varlink_call *call, struct json_object *parameters, void *userdata);
int api_get_status(struct varlink_call *call, struct json_object *parameters, void *userdata);
int api_subscribe(struct varlink_call *call, struct json_object *parameters, void *userdata);
int api_reload(struct varlink_call *call, struct json_object *parameters, void *userdata);
