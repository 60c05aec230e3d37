/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When it is settled: hears the bell that programs ring, lets clients have their turn in between,
 * and tries again what failed. Knows neither the steps of settling nor when one is due: settle.h.
 */
#pragma once

#include "settle.h"

#include <systemd/sd-event.h>

struct settler;

/*
 * Hears the bell from now on, and looks once, for whatever it rang before. That settling fails is
 * logged and no error. Everything is lent. 0 or, with a problem, -errno.
 */
int settler_new(sd_event *event, const struct maps *maps, struct settle *settle,
		struct settler **ret_settler, struct problem *problem);
struct settler *settler_free(struct settler *settler);
