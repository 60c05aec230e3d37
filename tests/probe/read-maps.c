/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * read-maps DIRECTORY: looks up every entry of every map pinned there by bpf(2), again and again
 * until it is killed, as bpftool and exporters do. Opens nothing after its start, so that it is not
 * counted itself; knows no map.
 */
#include "util.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum {
	MAPS_MAX = 16,
	KEY_BYTES = 64,
	VALUE_BYTES = 65536,
};

/* 0 or -errno. A map of maps cannot be read like others by all kernels: left out. */
static int open_map(const char *directory, const char *name, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS || info.key_size > KEY_BYTES ||
	    info.value_size > VALUE_BYTES)
		return -ENOENT;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static size_t open_maps(const char *path, int fds[static MAPS_MAX])
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	if (!directory) {
		perror(path);
		return 0;
	}
	while (n < MAPS_MAX && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' && open_map(path, entry->d_name, &fds[n]) == 0)
			n++;
	closedir(directory);
	return n;
}

static void read_map(int fd)
{
	static char value[VALUE_BYTES];
	char key[KEY_BYTES], next[KEY_BYTES];
	const void *last = NULL;

	while (bpf_map_get_next_key(fd, last, next) == 0) {
		bpf_map_lookup_elem(fd, next, value);
		memcpy(key, next, sizeof(key));
		last = key;
	}
}

int main(int argc, char **argv)
{
	int fds[MAPS_MAX] = { 0 };
	size_t n = argc == 2 ? open_maps(argv[1], fds) : 0;

	if (!n) {
		fprintf(stderr, "usage: read-maps DIRECTORY, which holds pinned maps\n");
		return EXIT_FAILURE;
	}
	for (;;)
		for (size_t i = 0; i < n; i++)
			read_map(fds[i]);
}
