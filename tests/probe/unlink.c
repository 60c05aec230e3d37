/* SPDX-License-Identifier: GPL-2.0-only */
/* Truth table of probe "unlink": as it comes, and counted at any price. */
#include "truth.h"

int main(void)
{
	static const char *const configurations[] = { "", "[unlink]\nUnlinks=yes\n", NULL };
	static const struct truth_load loads[] = {
		{ "unlinkat", { 20011, 20021 } },
		{ "unlinkat-ENOENT", { 20011, 20021 } },
		{ "rename-over", { 20011, 20021 } },
		{ 0 },
	};
	const struct truth truth = {
		.probe = "unlink",
		.first_uid = 66000,
		.configurations = configurations,
		.loads = loads,
	};

	return truth_run(&truth);
}
