/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small answers as json-c objects, read without failing: what is missing or of another type reads
 * as null. Knows no member by name.
 */
#pragma once

#include "connection.h"

/* An exit code, and the parameters of @reply to be released by the caller. */
int answer_parse(const struct connection *connection, const struct reply *reply,
		 struct json_object **ret_object);

/* Appends a string, number or boolean, safe for a terminal; "-" for null. */
void answer_append(struct text *text, struct json_object *object, const char *key);

/* Appends the strings of an array with @separator between them, "-" for none. */
void answer_list(struct text *text, struct json_object *object, const char *key,
		 const char *separator);

/* 0 for null. */
uint64_t answer_number(struct json_object *object, const char *key);

/* NULL for null, and unless it is of @type. */
struct json_object *answer_member(struct json_object *object, const char *key, json_type type);
