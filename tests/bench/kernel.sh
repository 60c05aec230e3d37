# SPDX-License-Identifier: GPL-2.0-only
# On top of lib.sh: what the kernel has of the daemon that runs, by its pins. Sourced.
# shellcheck shell=bash disable=SC2154

# body NAME: the id of the program that is jumped to, whose bytes bpftool has in the machine's order
body() {
	bpftool map lookup pinned "$pins/hooks/jumps/$1" key 0 0 0 0 -j |
		jq '.value | if type == "number" then . else
			[.[] | ltrimstr("0x") | explode | map(if . > 96 then . - 87 else . - 48 end) |
			 .[0] * 16 + .[1]] | .[0] + 256 * (.[1] + 256 * (.[2] + 256 * .[3])) end'
}

# map_ids: of all maps that the daemon or its programs hold
map_ids() {
	local pin

	for pin in "$pins"/v1/maps/* "$pins"/hooks/maps/*; do
		bpftool map show pinned "$pin" -j | jq .id
	done
	sed -n 's/^map_id:[[:space:]]*//p' "/proc/$daemon"/fdinfo/*
	for pin in "$pins"/hooks/jumps/*; do
		bpftool prog show id "$(body "${pin##*/}")" -j | jq '.map_ids[]?'
		bpftool prog show pinned "$pins/hooks/programs/${pin##*/}" -j | jq '.map_ids[]?'
	done
}

# map_bytes: of them all, as the kernel says; fails when one has just been replaced
map_bytes() {
	local id bytes sum=0

	for id in $(map_ids | sort -u); do
		bytes=$(bpftool map show id "$id" -j | jq '.bytes_memlock // empty')
		[[ $bytes ]] || return 1
		sum=$((sum + bytes))
	done
	echo "$sum"
}

# memory_of FIELD: of the daemon, bytes; VmRSS, or VmHWM for the most there was
memory_of() {
	sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$daemon/status" | awk '{ print $1 * 1024 }'
}
