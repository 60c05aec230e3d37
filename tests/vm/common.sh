# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What prepare and boot share: where the cache is, and how a missing host package is reported.
# Sourced, never run.

# shellcheck disable=SC2034 # read by the sourcing script
CACHE=${EBPFMON_CACHE:-/var/cache/ebpfmon}

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit "${FAILURE:-1}"
}

# need COMMAND:PACKAGE...: one line naming every missing package, so that they are installed at
# once.
need() {
	local pair missing=()

	for pair; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	((${#missing[@]} == 0)) || die "missing packages: ${missing[*]}"
}
