/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration in force: reload.h. */
#include "reload.h"

#include "log-ids.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

struct reload {
	struct config *config;
	struct config *started; /* in force at the start, once another has replaced it */
	char *file;		/* NULL: the standard places */
	struct settings settings;
	reload_apply apply;
	void *userdata;
};

struct reload *reload_free(struct reload *reload)
{
	if (!reload)
		return NULL;
	config_free(reload->config);
	config_free(reload->started);
	free(reload->file);
	free(reload);
	return NULL;
}

static void reload_freep(struct reload **reload)
{
	reload_free(*reload);
}

int reload_new(struct config *config, const char *file, reload_apply apply, void *userdata,
	       struct reload **ret_reload)
{
	_cleanup_config_ struct config *owned = config;
	CLEANUP(reload_freep) struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return -ENOMEM;
	reload->config = TAKE_PTR(owned);
	reload->apply = apply;
	reload->userdata = userdata;
	settings_read(config, &reload->settings);
	if (file) {
		reload->file = strdup(file);
		if (!reload->file)
			return -ENOMEM;
	}
	*ret_reload = TAKE_PTR(reload);
	return 0;
}

const struct settings *reload_settings(const struct reload *reload)
{
	return &reload->settings;
}

/* --- what is told ------------------------------------------------------------------------------ */

struct lists {
	struct json *restart_needed, *problems;
};

static void add_problem(const char *line, void *userdata)
{
	struct lists *lists = userdata;

	log_write(LOG_WARNING, &(struct log_context){ .message_id = LOG_ID_CONFIG }, "%s", line);
	json_string(lists->problems, NULL, line);
}

static void log_change(const struct config_key *key, const char *was, const char *is,
		       void *userdata)
{
	(void)userdata;
	log_info("[%s] %s: '%s' -> '%s'%s", key->section, key->name, was, is,
		 key->live ? "" : ", not before a restart");
}

static void add_needed(const struct config_key *key, const char *was, const char *is,
		       void *userdata)
{
	struct lists *lists = userdata;
	char name[64];

	(void)was;
	(void)is;
	if (key->live)
		return;
	snprintf(name, sizeof(name), "%s.%s", key->section, key->name);
	json_string(lists->restart_needed, NULL, name);
}

/* --- reading again ----------------------------------------------------------------------------- */

static void replace(struct reload *reload, struct config *config)
{
	if (reload->started)
		config_free(reload->config);
	else
		reload->started = reload->config;
	reload->config = config;
	settings_read(config, &reload->settings);
	reload->apply(&reload->settings, reload->userdata);
}

/* All or nothing: with any problem the configuration in force stays. */
static int read_again(struct reload *reload, struct lists *lists)
{
	_cleanup_config_ struct config *config = NULL;
	unsigned int n_problems = 0;
	int r;

	r = settings_config_new(&config);
	if (!r)
		r = config_load(config, reload->file, NULL, add_problem, lists, &n_problems);
	if (r < 0)
		return r;
	r = config_inherit(config, reload->config, SETTINGS_COMMAND_LINE);
	if (r < 0)
		return r;
	if (n_problems) {
		log_warning("the configuration was left as it was");
		return 0;
	}
	config_diff(reload->config, config, log_change, NULL);
	config_diff(reload->started ? reload->started : reload->config, config, add_needed, lists);
	replace(reload, TAKE_PTR(config));
	return 0;
}

int reload_read(struct reload *reload, struct json *reply)
{
	_cleanup_json_ struct json needed = { 0 }, problems = { 0 };
	struct lists lists = { &needed, &problems };
	int r;

	json_array_begin(&needed, NULL);
	json_array_begin(&problems, NULL);
	r = read_again(reload, &lists);
	json_array_end(&needed);
	json_array_end(&problems);
	if (r < 0)
		return r;
	json_object_begin(reply, NULL);
	json_raw(reply, "restartNeeded", needed.text, needed.length);
	json_raw(reply, "problems", problems.text, problems.length);
	json_object_end(reply);
	return needed.error ? needed.error : problems.error;
}
