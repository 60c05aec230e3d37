// SPDX-License-Identifier: GPL-2.0-only
/* What the daemon sets before it loads programs: once, for all of them. No program. */
#include "ebpfmon.bpf.h"

const volatile struct em_constants constants = {};
