/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * By which of its ways a probe's job is done: what counts already goes on, else the best that this
 * kernel and the settings allow. Takes off the others, and records what is missing meanwhile.
 */
#pragma once

#include "trial.h"

/*
 * Starts @job, and adds what it attached and what it lacks to @object. 0, also if no way works:
 * the reason says why. Negative, with a problem, when pins are not what they should be.
 */
int choice_run(const struct object_context *context, const struct job *job,
	       enum config_switch setting, struct object *object, struct problem *problem);

/* Whether it would be done if its setting said so: then what is missing is not the kernel's fault. */
bool choice_withheld(const struct job *job, enum config_switch setting);

/*
 * The way that choice_run() comes to first and that this kernel seems to have, surveyed; nothing is
 * loaded. True: @ret_trial must be done with trial_done().
 */
bool choice_foresee(const struct object_context *context, const struct probe *probe,
		    const struct job *job, enum config_switch setting, struct trial *ret_trial);
