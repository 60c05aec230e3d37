/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A terminal as a page of lines, and its keys: all there is of ncurses. Knows nothing of what is
 * drawn.
 */
#pragma once

#include "text.h"

#include <stdbool.h>

/* Zero-initialise. There is one at a time. */
struct screen {
	bool open;
	void *terminal; /* ncurses' */
	int resize_fd;	/* readable after the terminal got another size */
	unsigned int width, height;
};

/* Keys that are no characters. */
enum screen_key {
	SCREEN_NO_KEY,
	SCREEN_UP = 0x200000, /* beyond all characters */
	SCREEN_DOWN,
	SCREEN_LEFT,
	SCREEN_RIGHT,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_HOME,
};

enum screen_style { SCREEN_PLAIN, SCREEN_BOLD, SCREEN_REVERSE };

/* Whether there is a terminal at all: an exit code, after a complaint that says what else to do. */
int screen_check(void);
int screen_open(struct screen *screen);
/* Before anything else is written; again is fine. */
void screen_close(struct screen *screen);
#define _cleanup_screen_ CLEANUP(screen_close)

void screen_clear(const struct screen *screen);
/* Line @y of the page, from 0, cut at its width. @text is safe: text.h. */
void screen_line(const struct screen *screen, unsigned int y, const struct text *text,
		 enum screen_style style);
void screen_show(const struct screen *screen);

/* The next key that was pressed, or SCREEN_NO_KEY. */
unsigned int screen_key(const struct screen *screen);

/* To be called when resize_fd is readable. */
void screen_resize(struct screen *screen);
