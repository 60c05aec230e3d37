/* SPDX-License-Identifier: GPL-2.0-only */
/* Message ids of the journal entries that the catalog (systemd/ebpfmon.catalog) explains. */
#pragma once

#define LOG_ID_STARTED	"7c83884a4bbc4c7ea70f7081c70d0371" /* counting, afresh or adopted */
#define LOG_ID_DEGRADED "579c57030014448fa911f5c76f160e93" /* a probe runs second best or not */
#define LOG_ID_REFUSED	"fce2115da4a04ee0aedb4ef068bb0b15" /* cannot start: the line says why */
#define LOG_ID_BREACH	"c47b1799a50549c0ad0e54a804003cad" /* the books do not balance */
#define LOG_ID_CONFIG	"e3020f49dded459c80f1a1a0b14bfced" /* a problem in the configuration */
#define LOG_ID_EVENT	"9d1f2a6be8c84f0a93d05f7c2b6417de" /* an event of [Journal] */
#define LOG_ID_MISSING	"b7e4c0356a1d4b5f8f12d9a06e83c571" /* those that have no entry */
#define LOG_ID_SETTLE	"6f0d3c6c4b5e4f0c9a6e0d2f7c1b8a35" /* no room in the table of subjects */
