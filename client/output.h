/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where ebpfctl writes: stdout, through a pager on a terminal. Owns the decision on colours, the
 * pager's process and write errors; knows no verb.
 */
#pragma once

#include "options.h"
#include "text.h"

#include <sys/types.h>

struct output {
	bool terminal; /* stdout is one that understands escape sequences */
	bool colour;
	unsigned int width;  /* columns of the terminal, 0: no terminal */
	unsigned int height; /* lines of the terminal, 0: no terminal */
	pid_t pager;	     /* 0: none was started */
	bool closed;	     /* nobody reads any more (EPIPE): no error, but no use going on */
};

enum style {
	STYLE_HEADING,
	STYLE_GOOD,
	STYLE_WARNING,
	STYLE_BAD,
	STYLE_DIM,
	STYLE_END, /* back to normal */
};

void output_open(struct output *output);

/* From here on through a pager, if that is wanted. */
void output_page(struct output *output, const struct options *options);

/* The escape sequence, "" without colours. */
const char *output_style(const struct output *output, enum style style);

/* Writes all of it: an exit code, after a complaint unless nobody reads any more. */
int output_write(struct output *output, const struct text *text);

/* One JSON value as --json wants it, and a newline. @json has passed message_check(). */
int output_json(struct output *output, enum json_mode mode, struct slice json);

/* Waits for the pager. */
void output_close(struct output *output);
#define _cleanup_output_ CLEANUP(output_close)
