/* SPDX-License-Identifier: GPL-2.0-only */
/* Methods of systemd on the daemon's server. */
#pragma once

#include "varlink.h"

extern const struct varlink_interface twin_database_interface;	/* io.systemd.UserDatabase */
extern const struct varlink_interface twin_oom_interface;	/* io.systemd.ManagedOOM */
extern const struct varlink_interface twin_service_interface;	/* io.systemd.service */
extern const struct varlink_interface twin_extension_interface; /* io.systemd.sysext */
