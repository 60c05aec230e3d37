# SPDX-License-Identifier: GPL-2.0-only
# Completion of ebpfctl(1) for bash.

_ebpfctl() {
	local current=${COMP_WORDS[COMP_CWORD]} option='' verb='' i
	local verbs='stats top events probes status reload help'
	local global='--socket= --json= -j --no-legend --no-pager --help -h --version'

	# bash splits --by=uid into three words.
	if [[ $current == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]}
		current=''
	elif ((COMP_CWORD >= 2)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} =~ ^--(by|uid|since|sort|delay|number|login|unit|comm|path|pid|output|socket|json)$ ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]}
	fi

	for ((i = 1; i < COMP_CWORD; i++)); do
		# What follows is a command with arguments of its own.
		if [[ ${COMP_WORDS[i]} == -- && $verb == events ]]; then
			mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
			return
		fi
		[[ -z $verb ]] || continue
		if [[ ${COMP_WORDS[i]} == = || ${COMP_WORDS[i - 1]} =~ ^(=|--(by|uid|since|sort|delay|number|login|unit|comm|path|pid|output|socket|json))$ ]]; then
			continue
		fi
		if [[ " $verbs " == *" ${COMP_WORDS[i]} "* ]]; then
			verb=${COMP_WORDS[i]}
		fi
	done

	COMPREPLY=()
	case $option in
	--by) mapfile -t COMPREPLY < <(compgen -W 'uid login unit command' -- "$current") ;;
	--uid | --login) mapfile -t COMPREPLY < <(compgen -u -- "$current") ;;
	--watch) mapfile -t COMPREPLY < <(compgen -W '0.5 1 2 5 10 60' -- "$current") ;;
	--since) mapfile -t COMPREPLY < <(compgen -W '1m 10m 1h 1d' -- "$current") ;;
	--sort)
		mapfile -t COMPREPLY < <(compgen -W 'execs execFailures opens openFailures openDenials name' \
			-- "$current")
		;;
	--delay) mapfile -t COMPREPLY < <(compgen -W '0.5 1 2 5 10 60' -- "$current") ;;
	--number) mapfile -t COMPREPLY < <(compgen -W '1 2 5 10' -- "$current") ;;
	--json) mapfile -t COMPREPLY < <(compgen -W 'short pretty off' -- "$current") ;;
	--unit) mapfile -t COMPREPLY < <(systemctl list-units --plain --no-legend 2>/dev/null |
		cut -d' ' -f1 | compgen -W "$(cat)" -- "$current") ;;
	--output) mapfile -t COMPREPLY < <(compgen -W 'short full cat' -- "$current") ;;
	--min-duration) mapfile -t COMPREPLY < <(compgen -W '10ms 100ms 1s 10s 1m' -- "$current") ;;
	--comm | --pid) ;;
	--socket | --path)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		;;
	*)
		if [[ $current == -* ]]; then
			if [[ -z $verb || $verb == stats ]]; then
				global="--by= --uid= --all --watch --since= --rate $global"
			elif [[ $verb == top ]]; then
				global="--by= --uid= --sort= --delay= -d --number= -n --batch -b $global"
			elif [[ $verb == events ]]; then
				global="--uid= --login= --unit= --comm= --path= --pid= --children --failed
					--min-duration= --number= -n --since-start --output= -o $global"
			fi
			mapfile -t COMPREPLY < <(compgen -W "$global" -- "$current")
			if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
				compopt -o nospace 2>/dev/null
			fi
		elif [[ $verb == events ]]; then
			mapfile -t COMPREPLY < <(compgen -W 'exec exit fork open unlink' -- "$current")
		elif [[ -z $verb || $verb == help ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$current")
		fi
		;;
	esac
}

complete -F _ebpfctl ebpfctl
