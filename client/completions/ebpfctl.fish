# SPDX-License-Identifier: GPL-2.0-only
# Completion of ebpfctl(1) for fish.

set -l verbs stats top events probes status reload help
set -l counts "not __fish_seen_subcommand_from top events probes status reload help"
set -l rows "not __fish_seen_subcommand_from events probes status reload help"

complete -c ebpfctl -f
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a stats -d "execs and file opens per user"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a top -d "who runs and opens most right now"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a events -d "what is run, opened, ended ..., as it happens"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a probes -d "what is counted, and by which hooks"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a status -d "the daemon: version, memory, losses"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a reload -d "let the daemon read its configuration again"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a help -d "help on a verb"
complete -c ebpfctl -n "__fish_seen_subcommand_from help" -a "$verbs"

complete -c ebpfctl -n "$rows" -l by -x -a "uid login unit command" -d "one row per user, login, unit or command"
complete -c ebpfctl -n "$rows" -l uid -x -a "(__fish_complete_users)" -d "only this user"
complete -c ebpfctl -n "$counts" -l all -d "all counters"
complete -c ebpfctl -n "$counts" -l watch -d "again and again"
complete -c ebpfctl -n "$counts" -l since -x -a "1m 10m 1h 1d" -d "only the last"
complete -c ebpfctl -n "$counts" -l rate -d "how many per second"

complete -c ebpfctl -n "__fish_seen_subcommand_from top" -l sort -x -a "execs execFailures opens openFailures openDenials name" -d "who is on top"
complete -c ebpfctl -n "__fish_seen_subcommand_from top" -s d -l delay -x -d "between two tables"
complete -c ebpfctl -n "__fish_seen_subcommand_from top" -s n -l number -x -d "ends after so many tables"
complete -c ebpfctl -n "__fish_seen_subcommand_from top" -s b -l batch -d "lines for scripts, not a screen"

set -l events "__fish_seen_subcommand_from events"
complete -c ebpfctl -n "$events" -a "exec exit fork open unlink"
complete -c ebpfctl -n "$events" -l uid -x -a "(__fish_complete_users)" -d "only this user"
complete -c ebpfctl -n "$events" -l login -x -a "(__fish_complete_users)" -d "only who logged in as"
complete -c ebpfctl -n "$events" -l unit -x -d "only this systemd unit"
complete -c ebpfctl -n "$events" -l comm -x -d "only this command name"
complete -c ebpfctl -n "$events" -l path -r -F -d "only this file or below"
complete -c ebpfctl -n "$events" -l pid -x -a "(__fish_complete_pids)" -d "only this process"
complete -c ebpfctl -n "$events" -l children -d "and all that it starts"
complete -c ebpfctl -n "$events" -l failed -d "only what failed"
complete -c ebpfctl -n "$events" -l min-duration -x -a "10ms 100ms 1s 10s 1m" -d "only processes that ended and lived"
complete -c ebpfctl -n "$events" -s n -l number -x -d "end after so many"
complete -c ebpfctl -n "$events" -l since-start -d "times as seconds since the start"
complete -c ebpfctl -n "$events" -s o -l output -x -a "short full cat" -d "how each is shown"

complete -c ebpfctl -l socket -r -F -d "socket of the daemon"
complete -c ebpfctl -l json -x -a "short pretty off" -d "the answer as JSON"
complete -c ebpfctl -s j -d "the answer as JSON, on one line"
complete -c ebpfctl -l no-legend -d "rows only"
complete -c ebpfctl -l no-pager -d "no pager on a terminal"
complete -c ebpfctl -s h -l help -d "help"
complete -c ebpfctl -l version -d "the version"
