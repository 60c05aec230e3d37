/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads one configuration file. libeconf takes sections, assignments and quotes apart; this file
 * decides what is let near it. Knows no keys.
 *
 * libeconf (0.5.1 to 0.8.3) cannot be given the file itself: it answers the first of two
 * assignments to a key where the last must count, cuts values at any '#' (and crashes on some),
 * takes a line without '=' for more of the value above it and then misnames its line, splits or
 * misreads lines over 8 KiB, stops a line at a NUL byte, and needs time quadratic in the number of
 * comments and keys. So it gets a copy in which comments are left out and every key and section
 * is preceded by "LINE:", which makes it unique.
 */
#include "config-file.h"

#include <assert.h>
#include <fcntl.h>
#include <libeconf.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* some editors put it before UTF-8 */

enum {
	FILE_BYTES_MAX = 1 << 20,
	LINE_BYTES_MAX = 4608, /* the longest path and its key; comments may be longer */
	LINES_MAX = 1024,      /* sections and assignments of one file */
};

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

struct text {
	char *bytes; /* may hold NULs */
	size_t size;
};

static void text_done(struct text *text)
{
	free(text->bytes);
}

static void fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static void econf_file_donep(econf_file **file)
{
	if (*file)
		econf_freeFile(*file);
}

static void econf_array_donep(char ***array)
{
	if (*array)
		econf_freeArray(*array);
}

int config_report(struct config_report *report, const char *file, unsigned int line,
		  const char *fmt, ...)
{
	char text[PATH_MAX + 1024]; /* a longer line is cut */
	va_list args;
	int n;

	report->count++;
	if (!report->tell)
		return -EINVAL;
	if (line)
		n = snprintf(text, sizeof(text), "%.*s:%u: ", PATH_MAX, file, line);
	else
		n = snprintf(text, sizeof(text), "%.*s: ", PATH_MAX, file);
	va_start(args, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, args);
	va_end(args);
	report->tell(text, report->userdata);
	return -EINVAL;
}

static bool is_dev_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* Opens @path for reading: *ret_size bytes are to be expected. Errors as config_file_read(). */
static int open_regular(const char *path, struct config_report *report, int *ret_fd,
			size_t *ret_size)
{
	/* O_NONBLOCK: opening a FIFO that nobody writes to would never return. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return config_report(report, path, 0, "cannot be read: %s; it is left out",
				     strerror(errno));
	if (!S_ISREG(st.st_mode) && !is_dev_null(&st))
		return config_report(report, path, 0, "is not a regular file; it is left out");
	if (st.st_size > FILE_BYTES_MAX)
		return config_report(report, path, 0,
				     "has %lld bytes, more than the %d a configuration file may "
				     "have; it is left out",
				     (long long)st.st_size, FILE_BYTES_MAX);
	*ret_fd = TAKE_FD(fd);
	*ret_size = (size_t)st.st_size;
	return 0;
}

static int read_text(const char *path, struct config_report *report, struct text *ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0, done = 0;
	ssize_t n;
	int r = open_regular(path, report, &fd, &size);

	if (r < 0)
		return r;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	while (done < size) {
		n = read(fd, bytes + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return config_report(report, path, 0, "cannot be read: %s; it is left out",
					     strerror(errno));
		if (n == 0)
			break;
		done += (size_t)n;
	}
	ret->bytes = TAKE_PTR(bytes);
	ret->size = done;
	return 0;
}

/*
 * Writes one line to the copy: "LINE:KEY=VALUE", "[LINE:SECTION]", or nothing for a comment or what
 * is neither. Errors are found by their line in the copy, so each line becomes one. 1 when there was
 * anything but a comment.
 */
static int copy_line(const char *path, struct config_report *report, const char *start, size_t size,
		     unsigned int line, FILE *out)
{
	const char *end = start + size;

	if (memchr(start, '\0', size))
		return config_report(report, path, line,
				     "is not text, a byte is 0; the file is left out");
	while (start < end && strchr(" \t\r\v\f", *start))
		start++;
	if (start == end || *start == '#' || *start == ';') {
		fputc('\n', out);
		return 0;
	}
	if (end - start > LINE_BYTES_MAX)
		return config_report(report, path, line,
				     "is longer than %d bytes; the file is left out",
				     LINE_BYTES_MAX);
	if (*start == '[') {
		fprintf(out, "[%u:%.*s\n", line, (int)(end - start - 1), start + 1);
	} else if (memchr(start, '=', (size_t)(end - start))) {
		fprintf(out, "%u:%.*s\n", line, (int)(end - start), start);
	} else {
		config_report(report, path, line,
			      "is neither [SECTION] nor KEY=VALUE; the line is left out");
		fputc('\n', out);
	}
	return 1;
}

static int copy_lines(const char *path, struct config_report *report, const struct text *text,
		      FILE *out)
{
	const char *start = text->bytes, *end = text->bytes + text->size, *newline;
	unsigned int line = 0, count = 0;
	int r;

	if (text->size >= strlen(BYTE_ORDER_MARK) &&
	    !memcmp(start, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)))
		start += strlen(BYTE_ORDER_MARK);
	for (; start < end; start = newline + 1) {
		newline = memchr(start, '\n', (size_t)(end - start));
		if (!newline)
			newline = end;
		r = copy_line(path, report, start, (size_t)(newline - start), ++line, out);
		if (r < 0)
			return r;
		count += (unsigned int)r;
		if (count > LINES_MAX)
			return config_report(report, path, line,
					     "more than %d settings; the file is left out",
					     LINES_MAX);
	}
	return 0;
}

/* A file in memory for the copy; NULL: no memory. */
static FILE *open_copy(void)
{
	/* Kernels that know the flag complain without it, or (vm.memfd_noexec=2) refuse. */
	_cleanup_close_ int fd = memfd_create("ebpfmond.conf", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	FILE *copy;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("ebpfmond.conf", MFD_CLOEXEC);
	copy = fd < 0 ? NULL : fdopen(fd, "w");
	if (copy)
		(void)TAKE_FD(fd); /* the stream closes it */
	return copy;
}

/* Has libeconf parse the copy. Errors as config_file_read(). */
static int parse_copy(const char *path, struct config_report *report, FILE *copy, econf_file **ret)
{
	_cleanup_free_ char *location = NULL;
	char name[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	uint64_t line = 0;
	econf_err error;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fileno(copy));
	/* No line holds a newline: as the comment character it switches comments off. */
	error = econf_readFile(ret, name, "=", "\n");
	switch (error) {
	case ECONF_SUCCESS:
		return 0;
	case ECONF_NOMEM:
		return -ENOMEM;
	case ECONF_NOFILE:
		return config_report(report, path, 0,
				     "cannot be read without /proc; it is left out");
	default:
		econf_errLocation(&location, &line);
		return config_report(report, path, (unsigned int)line,
				     "is neither [SECTION] nor KEY=VALUE; the file is left out");
	}
}

struct walk {
	econf_file *parsed;
	int (*visit)(const struct config_assignment *assignment, void *userdata);
	void *userdata;
};

/* "LINE:NAME" -> both. */
static const char *split_mark(const char *marked, unsigned int *ret_line)
{
	char *end;

	*ret_line = (unsigned int)strtoul(marked, &end, 10);
	assert(*end == ':');
	return end + 1;
}

static int walk_section(const struct walk *walk, const char *section)
{
	CLEANUP(econf_array_donep) char **names = NULL;
	struct config_assignment assignment = { .section = NULL };
	size_t n = 0;
	int r;

	if (econf_getKeys(walk->parsed, section, &n, &names) == ECONF_NOMEM)
		return -ENOMEM;
	for (size_t i = 0; names && i < n; i++) {
		_cleanup_free_ char *value = NULL;

		if (econf_getStringValue(walk->parsed, section, names[i], &value) == ECONF_NOMEM)
			return -ENOMEM;
		if (section)
			assignment.section = split_mark(section, &assignment.section_line);
		assignment.name = split_mark(names[i], &assignment.line);
		assignment.value = value ? value : "";
		r = walk->visit(&assignment, walk->userdata);
		if (r < 0)
			return r;
	}
	return 0;
}

static int walk_sections(const struct walk *walk)
{
	CLEANUP(econf_array_donep) char **sections = NULL;
	size_t n = 0;
	int r = walk_section(walk, NULL);

	if (r < 0)
		return r;
	if (econf_getGroups(walk->parsed, &n, &sections) == ECONF_NOMEM)
		return -ENOMEM;
	for (size_t i = 0; sections && i < n; i++) {
		r = walk_section(walk, sections[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_file_read(const char *path, struct config_report *report,
		     int (*visit)(const struct config_assignment *assignment, void *userdata),
		     void *userdata)
{
	CLEANUP(text_done) struct text text = { .bytes = NULL };
	CLEANUP(fclosep) FILE *copy = NULL;
	CLEANUP(econf_file_donep) econf_file *parsed = NULL;
	int r = read_text(path, report, &text);

	if (r < 0)
		return r;
	copy = open_copy();
	if (!copy)
		return -ENOMEM;
	r = copy_lines(path, report, &text, copy);
	if (r < 0)
		return r;
	if (fflush(copy) != 0 || ferror(copy))
		return -ENOMEM;
	r = parse_copy(path, report, copy, &parsed);
	if (r < 0)
		return r;
	return walk_sections(&(struct walk){ parsed, visit, userdata });
}
