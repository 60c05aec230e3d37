/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event as an entry of the journal: a line for people, fields to search by, and all of it as
 * JSON. Pure; knows no journald.
 */
#pragma once

#include "event-json.h"

/* Appends the fields to @entry; @unit may be NULL. */
void event_entry_write(const struct event *event, const struct probe *probe, const char *unit,
		       struct event_clock *clock, struct json *entry);
