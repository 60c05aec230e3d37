# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What tools/quickstart and tests/run share: telling what happens, getting packages, building. Sourced,
# never run; the sourcing script sets SOURCE, the checkout, and TRANSCRIPT, a file.

say() {
	printf '%s: %s\n' "${0##*/}" "$*"
}

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# transcript_error: the line that most likely says why a command failed.
transcript_error() {
	grep -m 1 -E '^E: |CMake Error|error: ' "$TRANSCRIPT" || tail -n 1 "$TRANSCRIPT"
}

# run WHAT COMMAND...: says what happens; how it went is in the transcript. In the background, because
# left of "||" a function would not end at its first error.
run() {
	local what=$1

	shift
	say "$what"
	"$@" >"$TRANSCRIPT" 2>&1 </dev/null &
	wait $! || fail "$what: failed: $(transcript_error) (all of it: $TRANSCRIPT)"
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

# install_packages PROFILES: what debian/control asks for with these build profiles.
install_packages() {
	if (cd "$SOURCE" && dpkg-checkbuilddeps -P "$1") &>/dev/null; then
		say 'all packages needed are installed'
		return
	fi
	command -v apt-get >/dev/null || fail 'no apt-get here: only Debian and its relatives are supported'
	run 'reading the lists of packages' apt_get update
	run 'installing the packages needed (listed in debian/control)' \
		apt_get build-dep -y --no-install-recommends -P "$1" "$SOURCE"
}

# Afresh when need be: the checkout may have been moved.
configure() {
	local into=$1

	shift
	cmake -S "$SOURCE" -B "$into" "$@" || cmake --fresh -S "$SOURCE" -B "$into" "$@"
}

# build INTO CMAKE-OPTION...
build() {
	run "configuring $1" configure "$@"
	run "building $1" cmake --build "$1" --parallel "$(nproc)"
}

is_bpffs() {
	[[ $(stat -f -c %t /sys/fs/bpf 2>/dev/null) == cafe4a11 ]]
}

mount_bpffs() {
	is_bpffs || run 'mounting the BPF file system' mount -t bpf -o mode=0700 bpf /sys/fs/bpf
}
