# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# What the scripts for guests share: the test server, and no way to pass without the clients.
# Sourced.

SOCKET=/run/interop-server
ADDRESS=unix:$SOCKET

fail() {
	echo "failed: $*"
	exit 1
}

# need COMMAND...
need() {
	local command
	for command; do
		command -v "$command" >/dev/null || fail "$command is not installed"
	done
}

# is_debian NUMBER
is_debian() {
	(. /etc/os-release && [[ ${VERSION_ID:-} == "$1" ]])
}

start_server() {
	"$HERE/interop-server" $SOCKET &
	SERVER=$!
	trap 'kill $SERVER' EXIT
	until [[ -S $SOCKET ]]; do
		kill -0 $SERVER
		sleep 0.1
	done
}
