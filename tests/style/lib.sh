# SPDX-License-Identifier: GPL-2.0-only
# What the checkers of this folder share. Each takes the tree to check as its argument, so that
# selftest can give it a bad one, prints what is wrong and exits with 1 then. Sourced.
# shellcheck shell=bash
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 2
tree=$(cd "${1:-$here/../..}" && pwd) || exit 2
cd "$tree" || exit 2
failures=0

# need PROGRAM: skips the test without it
need() {
	command -v "$1" >/dev/null && return
	echo "skipped: $1 is not installed"
	exit 77
}

# wrong MESSAGE...
wrong() {
	printf '%s\n' "$*"
	failures=$((failures + 1))
}

finish() {
	((failures == 0)) && exit 0
	printf '%d found\n' "$failures"
	exit 1
}

# The files of the tree, one a line: those git knows or could add, or all where there is no git.
files() {
	local top
	top=$(git -c safe.directory='*' rev-parse --show-toplevel 2>/dev/null)
	if [[ $top == "$tree" ]]; then
		git -c safe.directory='*' ls-files --cached --others --exclude-standard
	else
		find . -type f -printf '%P\n'
	fi | sort | while IFS= read -r file; do
		[[ -f $file ]] && printf '%s\n' "$file"
	done
}

# C sources and headers of all kinds.
c_files() {
	files | grep -E '^(daemon|bpf|client|tests)/.*\.[ch]$'
}

# some FILE...: none at all is a mistake
some() {
	(($# > 0)) && return
	wrong "found no file to check"
	finish
}

# run COMMAND...: what it prints is what is wrong
run() {
	"$@" || failures=$((failures + 1))
}
