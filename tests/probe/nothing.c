/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that the exec cases run: opens nothing, touches no library, and tells by its exit
 * status that it ran, and whether as a set-uid program.
 */
#include "nothing.h"
#include "bare.h"

void _start(void);

void _start(void)
{
	long uid = system_call(SYSTEM_CALL_GETUID, 0, 0, 0);

	if (system_call(SYSTEM_CALL_GETEUID, 0, 0, 0) == uid)
		system_call(SYSTEM_CALL_EXIT, NOTHING_RAN, 0, 0);
	system_call(SYSTEM_CALL_EXIT, NOTHING_RAN_SET_UID, 0, 0);
	__builtin_unreachable();
}
