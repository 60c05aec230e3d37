// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe "cgroup": remembers the names of cgroups when they are made, so that counts of a unit that
 * came and went between two looks still have its name. Counts nothing.
 */
#include "ebpfmon.bpf.h"

EM_HOOK(cgroup_new, "tp_btf/cgroup_mkdir", struct cgroup *cgrp, const char *path)
{
	struct em_cgroup made = { .parent = 0 };
	struct cgroup_subsys_state *parent = cgrp->self.parent;

	if (parent)
		made.parent = parent->cgroup->kn->id;
	bpf_probe_read_kernel_str(made.name, sizeof(made.name), cgrp->kn->name);
	cgroup_remember(cgrp->kn->id, &made);
	return 0;
}
