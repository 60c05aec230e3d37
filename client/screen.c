/* SPDX-License-Identifier: GPL-2.0-only */
/* ncurses: screen.h. */
#include "screen.h"
#include "complaint.h"

#include <curses.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#define INSTEAD "use 'ebpfctl top -b' for lines, or 'ebpfctl stats --watch'"

enum {
	ESCAPE_MS = 25, /* that the rest of a key's sequence may take */
};

int screen_check(void)
{
	const char *kind = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return complain(CODE_FAILURE, "top needs a terminal: " INSTEAD);
	if (!kind || !*kind || !strcmp(kind, "dumb"))
		return complain(CODE_FAILURE,
				"top needs a terminal with a cursor, but TERM is '%s': " INSTEAD,
				kind ? kind : "");
	return CODE_OK;
}

/* Through a descriptor: a handler could run just before the wait for it begins. */
static int resize_watch(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGWINCH);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

int screen_open(struct screen *screen)
{
	screen->resize_fd = resize_watch();
	screen->terminal = newterm(NULL, stdout, stdin);
	if (screen->resize_fd < 0 || !screen->terminal) {
		screen->resize_fd = close_fd(screen->resize_fd);
		return complain(CODE_FAILURE, "the terminal '%s' is not known here: " INSTEAD,
				getenv("TERM"));
	}
	screen->open = true;
	cbreak();
	noecho();
	nonl();
	set_escdelay(ESCAPE_MS);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	screen->width = (unsigned int)COLS;
	screen->height = (unsigned int)LINES;
	return CODE_OK;
}

void screen_close(struct screen *screen)
{
	if (!screen->open)
		return;
	endwin();
	delscreen(screen->terminal);
	screen->resize_fd = close_fd(screen->resize_fd);
	screen->open = false;
}

void screen_clear(const struct screen *screen)
{
	(void)screen;
	erase();
}

void screen_line(const struct screen *screen, unsigned int y, const struct text *text,
		 enum screen_style style)
{
	static const attr_t attributes[] = { A_NORMAL, A_BOLD, A_REVERSE };

	if (y >= screen->height || !text->data)
		return;
	attrset((int)attributes[style]);
	mvaddnstr((int)y, 0, text->data, (int)text_fit(text->data, text->length, screen->width));
	attrset(A_NORMAL);
}

void screen_show(const struct screen *screen)
{
	(void)screen;
	refresh();
}

unsigned int screen_key(const struct screen *screen)
{
	static const struct {
		int key;
		enum screen_key means;
	} keys[] = {
		{ KEY_UP, SCREEN_UP },	       { KEY_DOWN, SCREEN_DOWN },
		{ KEY_LEFT, SCREEN_LEFT },     { KEY_RIGHT, SCREEN_RIGHT },
		{ KEY_PPAGE, SCREEN_PAGE_UP }, { KEY_NPAGE, SCREEN_PAGE_DOWN },
		{ KEY_HOME, SCREEN_HOME },
	};
	int key = screen->open ? getch() : ERR;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == key)
			return keys[i].means;
	return key == ERR ? SCREEN_NO_KEY : (unsigned int)key;
}

void screen_resize(struct screen *screen)
{
	struct signalfd_siginfo signal;
	struct winsize size;

	if (read(screen->resize_fd, &signal, sizeof(signal)) < 0 ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return;
	resizeterm(size.ws_row, size.ws_col);
	clear();
	screen->width = size.ws_col;
	screen->height = size.ws_row;
}
