# SPDX-License-Identifier: GPL-2.0-only
# On top of lib.sh: users who do a lot all the time, and know exactly how much. NOTHING is what they
# execute. Sourced.
# shellcheck shell=bash disable=SC2034,SC2153
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"

load=  # its pid while there is one
epoch= # of the counts; the test sets it
load_users=3
load_first=$fresh_uid
# With sanitizers no time is the program's own.
sanitized=$(ldd "$EBPFMOND" | grep -c libasan)
install -m 755 "$NOTHING" "$folder/nothing"
: >"$folder/made"

leave_load() {
	[[ $load ]] && kill -KILL "$load"
	cleanup
}
trap leave_load EXIT

# begin_load OPTION...
begin_load() {
	"$LOAD" "$@" "$load_first" "$load_users" "$folder/nothing" >"$folder/made.part" &
	load=$!
}

# end_load: what was made is added to what was made before
end_load() {
	kill "$load"
	wait "$load"
	same 'the load: exit code' 0 $?
	load=
	cat "$folder/made.part" >>"$folder/made"
}

# made_rates: of the last load
made_rates() {
	jq -r '.seconds as $s | [.users | map(.opens, .execs, .openFailures) | _nwise(3)] |
		transpose | map(add / $s | floor) |
		"\(.[0]) opens/s, \(.[1]) execs/s, \(.[2]) failures/s for \($s | floor) s"' \
		"$folder/made.part"
}

# difference: of each user's counts from what the loads made, summed up without signs
difference() {
	ctl stats -j >"$folder/stats" || return
	# shellcheck disable=SC2016
	jq -n --slurpfile made "$folder/made" --slurpfile stats "$folder/stats" '
		($stats[0].rows | map({ key: "\(.uid)", value: .counters }) | from_entries) as $told |
		[$made[].users[]] | group_by(.uid) | map(
			$told["\(.[0].uid)"] as $told |
			(map(.opens) | add) - ($told.opens // 0),
			(map(.execs) | add) - ($told.execs // 0),
			(map(.openFailures) | add) - ($told.openFailures // 0) | fabs) | add // 0'
}

# losses: what must be all zero, of the last stats
losses() {
	jq -c '.losses | [.overflow, .unaccounted, .dispatchMisses, (.updateErrors, .misses |
		[.[] | numbers] | add // 0)]' "$folder/stats"
}

# exact NAME: nothing is lost, and everything is told
exact() {
	same "$1: difference" 0 "$(difference)"
	same "$1: overflow, unaccounted, dispatch misses, update errors, misses" '[0,0,0,0,0]' \
		"$(losses)"
	same "$1: epoch, gaps" "$epoch []" "$(jq -rc '"\(.epoch) \(.gaps)"' "$folder/stats")"
}

# draw LIMIT: a number below it into $drawn; the same ones for the same $seed
seed=${EBPFMON_SEED:-$((EPOCHSECONDS % 32768))}
RANDOM=$seed
draw() {
	drawn=$(((RANDOM << 15 | RANDOM) % $1))
}

# percentile P VALUE...
percentile() {
	local p=$1 sorted
	shift
	mapfile -t sorted < <(printf '%s\n' "$@" | sort -n)
	echo "${sorted[$# * p / 100]}"
}
