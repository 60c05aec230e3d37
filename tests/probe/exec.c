/* SPDX-License-Identifier: GPL-2.0-only */
/* Truth table of probe "exec": as it comes, and with failed execs counted at any price. */
#include "truth.h"

int main(void)
{
	static const char *const configurations[] = { "", "[exec]\nFailures=yes\n", NULL };
	static const struct truth_load loads[] = {
		{ "execve", { 997, 1009 } },
		{ "execve-ENOENT", { 997, 1009 } },
		{ 0 },
	};
	const struct truth truth = {
		.probe = "exec",
		.first_uid = 61000,
		.configurations = configurations,
		.loads = loads,
	};

	return truth_run(&truth);
}
