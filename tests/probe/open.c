/* SPDX-License-Identifier: GPL-2.0-only */
/* Truth table of probe "open". */
#include "truth.h"

int main(void)
{
	static const char *const configurations[] = { "", NULL };
	static const struct truth_load loads[] = {
		{ "openat", { 50021, 50023 } },	      { "ENOENT", { 50021, 50023 } },
		{ "EACCES", { 20011, 20021 } },	      { "io_uring-openat", { 20011, 20021 } },
		{ "io_uring-async", { 5003, 5009 } }, { 0 },
	};
	const struct truth truth = {
		.probe = "open",
		.first_uid = 62000,
		.configurations = configurations,
		.loads = loads,
	};

	return truth_run(&truth);
}
