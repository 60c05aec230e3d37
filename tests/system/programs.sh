# SPDX-License-Identifier: GPL-2.0-only
# The programs that the tests here are about, in variables that are called as they are: EBPFMOND,
# EBPFMOND_LAYOUT_2, LOAD ... ctest sets them; by hand they are those that tests/run built. Sourced.
# shellcheck shell=bash
if [[ ! ${EBPFMOND-} ]]; then
	programs=${EBPFMON_BUILD:-$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../build/tests}
	programs+=/release/tests/system/programs
	if [[ ! -e $programs ]]; then
		echo "nothing is built yet: run 'tests/run --quick' first" >&2
		exit 1
	fi
	set -o allexport
	# shellcheck source=/dev/null
	. "$programs"
	set +o allexport
fi
