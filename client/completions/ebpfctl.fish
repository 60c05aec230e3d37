# SPDX-License-Identifier: GPL-2.0-only
# Completion of ebpfctl(1) for fish.

set -l verbs stats top probes status reload help
set -l counts "not __fish_seen_subcommand_from top probes status reload help"
set -l rows "not __fish_seen_subcommand_from probes status reload help"

complete -c ebpfctl -f
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a stats -d "execs and file opens per user"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a top -d "who runs and opens most right now"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a probes -d "what is counted, and by which hooks"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a status -d "the daemon: version, memory, losses"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a reload -d "let the daemon read its configuration again"
complete -c ebpfctl -n "not __fish_seen_subcommand_from $verbs" -a help -d "help on a verb"
complete -c ebpfctl -n "__fish_seen_subcommand_from help" -a "$verbs"

complete -c ebpfctl -n "$rows" -l by -x -a "uid login unit" -d "one row per user, login or unit"
complete -c ebpfctl -n "$rows" -l uid -x -a "(__fish_complete_users)" -d "only this user"
complete -c ebpfctl -n "$counts" -l all -d "all counters"
complete -c ebpfctl -n "$counts" -l watch -d "again and again"
complete -c ebpfctl -n "$counts" -l since -x -a "1m 10m 1h 1d" -d "only the last"
complete -c ebpfctl -n "$counts" -l rate -d "how many per second"

complete -c ebpfctl -n "__fish_seen_subcommand_from top" -l sort -x -a "execs execFailures opens openFailures openDenials name" -d "who is on top"
complete -c ebpfctl -n "__fish_seen_subcommand_from top" -s d -l delay -x -d "between two tables"
complete -c ebpfctl -n "__fish_seen_subcommand_from top" -s n -l iterations -x -d "ends after so many tables"
complete -c ebpfctl -n "__fish_seen_subcommand_from top" -s b -l batch -d "lines for scripts, not a screen"

complete -c ebpfctl -l socket -r -F -d "socket of the daemon"
complete -c ebpfctl -l json -x -a "short pretty off" -d "the answer as JSON"
complete -c ebpfctl -s j -d "the answer as JSON, on one line"
complete -c ebpfctl -l no-legend -d "rows only"
complete -c ebpfctl -l no-pager -d "no pager on a terminal"
complete -c ebpfctl -s h -l help -d "help"
complete -c ebpfctl -l version -d "the version"
