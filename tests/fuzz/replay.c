/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a fuzz target on the files given, where there is no libFuzzer: the corpus as a test. Fails
 * when no file was given, so that an empty corpus is noticed.
 */
#include "util.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	int fd _cleanup_close_ = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data _cleanup_free_ = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* Exactly as large as the file, so that ASan sees a read beyond it. */
	data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (!data)
		return -ENOMEM;
	n = read(fd, data, (size_t)st.st_size);
	if (n < 0)
		return -errno;
	if (n != st.st_size)
		return -EIO;
	LLVMFuzzerTestOneInput(data, (size_t)n);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int r = replay(argv[i]);

		if (r < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
			return EXIT_FAILURE;
		}
	}
	if (argc < 2) {
		fprintf(stderr, "%s: no input given\n", argv[0]);
		return EXIT_FAILURE;
	}
	printf("%d inputs\n", argc - 1);
	return EXIT_SUCCESS;
}
