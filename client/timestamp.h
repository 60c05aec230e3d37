/* SPDX-License-Identifier: GPL-2.0-only */
/* Times as the daemon writes them (RFC 3339) and as people read them. */
#pragma once

#include "text.h"

/* Appends "2026-03-01 06:42:10 UTC (3 days)" in local time; what is no time as it is, made safe. */
void timestamp_since(struct text *text, const char *time);

/* The same without the age. */
void timestamp_at(struct text *text, const char *time);
