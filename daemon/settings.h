/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's keys, those of the probes derived from their descriptors, and their values. */
#pragma once

#include "config.h"
#include "object.h"
#include "recorder.h"
#include "reporter.h"
#include "subscriptions.h"
#include "varlink.h"

enum {
	SETTINGS_PROBES_MAX = 32,
};

/* The origin of what options set: a reload keeps it. */
#define SETTINGS_COMMAND_LINE "command line"

/* What a configuration means. Strings are owned by the configuration it was read from. */
struct settings {
	const char *pin_path, *socket_path, *user, *group;
	int log_priority;
	uint32_t subjects_max;
	uint64_t settled_max;
	struct varlink_limits limits;
	struct recorder_settings history;
	uint64_t events_bytes;	     /* of the ring buffer */
	uint64_t events_queue_bytes; /* of events that somebody has not taken yet */
	struct subscription_limits subscriptions;
	struct reporter_settings journal;
	struct em_constants constants;			    /* those that are settings of probes */
	struct object_settings probes[SETTINGS_PROBES_MAX]; /* as probes[] */
};

/* A configuration with the daemon's keys, all at their defaults. */
int settings_config_new(struct config **ret_config);
void settings_read(const struct config *config, struct settings *ret_settings);
