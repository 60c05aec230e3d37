/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Says in plain words what was not counted. Knows the members of "losses" by name, and shows those
 * it does not know as well.
 */
#pragma once

#include "counts.h"
#include "output.h"

/*
 * Appends "nothing lost", or that something was and a line for each loss, indented by @indent; and
 * a newline.
 */
void losses_append(struct text *text, const struct counts *counts, const struct output *output,
		   const char *indent);
