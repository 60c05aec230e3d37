# SPDX-License-Identifier: GPL-2.0-only
# On top of lib.sh: questions as any user, what they cost, and limits for it. Sourced.
# shellcheck shell=bash disable=SC2034
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

# Others run it, too.
client=$folder/ebpfctl
install -m 755 "$EBPFCTL" "$client"
# With sanitizers neither time nor memory is the program's own.
sanitized=$(ldd "$EBPFMOND" | grep -c libasan)

# cost NAME GOT LIMIT: whole numbers, printed; limited where they are the program's own
cost() {
	echo "$1: $2 (limit $3)"
	((sanitized)) || holds "$1: $2 is below $3" test "$2" -lt "$3"
}

# configure LINE...
configure() {
	printf '%s\n' "$@" >"$config"
}

# query ARGUMENT...: ebpfctl as root; its answer is in out, its exit code in code
query() {
	out=$("$client" --socket="$socket" "$@" 2>"$folder/err")
	code=$?
}

# query_as UID "OPTION..." ARGUMENT...: the same as UID; the options are more of setpriv's
query_as() {
	local uid=$1 more
	read -ra more <<<"$2"
	shift 2
	out=$(setpriv --reuid "$uid" "${more[@]}" "$client" --socket="$socket" "$@" 2>"$folder/err")
	code=$?
}

# is NAME WANTED FILTER: what jq makes of out
is() {
	same "$1" "$2" "$(jq -rc "$3" <<<"$out")"
}

# alone: nobody is connected but who asks
alone() {
	query status -j
	[[ $(jq .clients.connected <<<"$out") == 1 ]]
}

# memory FIELD: of the daemon, KiB; VmRSS, or VmHWM for the most there was
memory() {
	sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$daemon/status"
}
