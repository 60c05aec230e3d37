/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfmond --check: tries everything on this kernel, prints what works, and leaves nothing. */
#pragma once

#include "settings.h"

/* 0: every enabled probe would run; 1: some would not; or -errno, with a problem. */
int check_run(const struct settings *settings, struct problem *problem);
