# SPDX-License-Identifier: GPL-2.0-only
# On top of query.sh: listeners, and what they were told. Sourced.
# shellcheck shell=bash disable=SC2034,SC2153
# shellcheck source=tests/system/query.sh
. "$(dirname "$0")/query.sh"

listener=
others=0
install -m 755 "$DEEDS" "$folder/deeds"
chmod 0755 "$folder"
deeds=$folder/deeds

leave() {
	[[ $listener ]] && kill -KILL "$listener" 2>/dev/null
	cleanup
}
trap leave EXIT

# listen ARGUMENT...: in the background, until hear(); returns when nothing is missed any more. With
# $others there are so many others who do.
listen() {
	"$client" --socket="$socket" events -j "$@" >"$folder/events" 2>"$folder/summary" &
	listener=$!
	until_true subscribed $((others + 1))
}

# subscribed NUMBER
subscribed() {
	[[ $(ctl status -j | jq .events.subscribers) == "$1" ]]
}

# hear [COMMAND...]: all that happened so far is in $folder/events, and COMMAND is true
hear() {
	ctl status >/dev/null # what was counted has been read
	until_true "${@:-arrived}"
	kill -INT "$listener"
	wait "$listener"
	same 'an interrupted client: exit code' 0 $?
	listener=
}

# Nothing comes any more, and what came are whole lines.
arrived() {
	local size
	size=$(stat -c %s "$folder/events")
	sleep 0.2
	[[ $size == "$(stat -c %s "$folder/events")" ]]
}

# told NAME WANTED FILTER: what jq makes of all that came, as an array
told() {
	same "$1" "$2" "$(jq -src "$3" "$folder/events")"
}

# watch OPTION... -- COMMAND...: its events are in $folder/events, its exit code in code
watch() {
	(cd "$folder" && "$client" --socket="$socket" events -j "$@") >"$folder/events" 2>"$folder/summary" </dev/null
	code=$?
}
