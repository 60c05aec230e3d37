# SPDX-License-Identifier: GPL-2.0-only
# What the tests that run a daemon share: one of their own, with its own pins and its own socket.
# Sourced.
# shellcheck shell=bash disable=SC2034
set -u

# shellcheck source=tests/system/programs.sh
. "$(dirname "${BASH_SOURCE[0]}")/programs.sh"

export TZ=UTC LC_ALL=C.UTF-8
unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID LISTEN_FDS LISTEN_PID JOURNAL_STREAM

# skip REASON
skip() {
	echo "skipped: $1"
	exit 77
}

(($(id -u) == 0)) || skip 'not root'
[[ $(stat -f -c %T /sys/fs/bpf) == bpf_fs ]] || skip '/sys/fs/bpf is no BPF file system'
for program in bpftool jq setpriv; do
	command -v "$program" >/dev/null || skip "$program is not installed"
done

folder=$(mktemp -d) || exit 1
chmod 0711 "$folder" # the daemon may be somebody else
config=$folder/ebpfmond.conf
log=$folder/log
socket=$folder/run/socket
pins=/sys/fs/bpf/ebpfmon-test-$$
user=root
wrapper=() # what the daemon is started by
daemon=
fresh_uid=$((2000000000 + $$ * 128)) # the first of 128 that nobody else has
checks=0
failures=0
: >"$config"

cleanup() {
	[[ $daemon ]] && kill -KILL "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null
	unpin >/dev/null 2>&1
	rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# same NAME WANTED GOT
same() {
	checks=$((checks + 1))
	[[ $2 == "$3" ]] && return
	failures=$((failures + 1))
	printf 'not ok: %s\n--- wanted\n%s\n--- got\n%s\n---\n' "$1" "$2" "$3"
}

# holds NAME COMMAND...
holds() {
	local name=$1
	shift
	if "$@"; then
		same "$name" yes yes
	else
		same "$name" yes no
	fi
}

finish() {
	echo "$checks checks, $failures failed"
	((failures == 0))
}

# until_true COMMAND...: waits for a condition, for at most 20 seconds
until_true() {
	local end=$((SECONDS + 20))
	until "$@"; do
		if ((SECONDS > end)); then
			same "waiting for [$*]" 'it happens' 'it does not'
			return 1
		fi
		sleep 0.02
	done
}

# --- the daemon --------------------------------------------------------------------------------

# monitor [OPTION...]: in place of this shell, so that its pid is known
monitor() {
	exec "${wrapper[@]}" "$EBPFMOND" --config "$config" --pins "$pins" --socket "$socket" \
		--user "$user" "$@"
}

ctl() {
	"$EBPFCTL" --socket="$socket" "$@"
}

answers_or_ended() {
	ctl status >/dev/null 2>&1 || [[ ! -d /proc/$daemon ]]
}

# start: a daemon that answers; its messages are in $log, its pid in $daemon
start() {
	monitor >"$log" 2>&1 &
	daemon=$!
	until_true answers_or_ended
	ctl status >/dev/null 2>&1 && return
	same 'it starts' 'it answers' "$(cat "$log")"
	finish
	exit 1
}

# stop: in good order
stop() {
	kill "$daemon"
	wait "$daemon"
	same 'an orderly stop: exit code' 0 $?
	daemon=
}

# die: without any order
die() {
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
}

unpin() {
	(monitor --unpin)
}

# ends NAME CODE LINES [OPTION...]: a daemon that ends by itself; what it said is in $err and $out
ends() {
	local name=$1 wanted=$2 lines=$3
	shift 3
	(wrapper=(timeout -k 1 20 "${wrapper[@]}") && monitor "$@") \
		>"$folder/out" 2>"$folder/err" </dev/null
	same "$name: exit code" "$wanted" $?
	out=$(cat "$folder/out")
	err=$(cat "$folder/err")
	same "$name: lines on stderr" "$lines" "$(wc -l <"$folder/err")"
}

# says NAME TEXT: the last daemon that ended did
says() {
	if [[ $err == *"$2"* ]]; then
		same "$1: says" yes yes
	else
		same "$1: says" "... $2 ..." "$err"
	fi
}

# --- counts ------------------------------------------------------------------------------------

# ask FILTER: what jq makes of the stats; it starts when they have been read, not meanwhile
ask() {
	ctl stats -j >"$folder/stats" && jq -rc "$1" "$folder/stats"
}

# counter NAME UID: "none" if there is no row
counter() {
	ask "[.rows[] | select(.uid == $2) | .counters.$1][0:1] |
	     if . == [] then \"none\" else .[0] end"
}

# attempt UID CASE COUNT: the ground truth
attempt() {
	"$ATTEMPT" --uid "$1" "$2" "$3" || same "attempt $*" 0 $?
}
