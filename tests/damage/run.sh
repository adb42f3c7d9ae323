#!/bin/sh
# Builds and runs the damage sweep:
#
#     sh tests/damage/run.sh [--step N] [--jobs J]
#
#   --step N   only every N-th bit, length and pair of sectors; 1: all of them, minutes of work
#   --jobs J   at the same time; one a processor
#
# A line for each subject and kind of damage: cases, starts that were refused with file, offset and
# reason, starts that gave everything, starts that took the damage for a write cut short (only where the
# machine itself had stopped, and only the newest batch), and the rest. Exit status 1 when the rest is not 0.
set -u

cd "$(dirname "$0")/../.." || exit 2
step=1
jobs=$(nproc 2>/dev/null || echo 2)
while [ $# -gt 0 ]; do
	case $1 in
	--step | --jobs)
		[ $# -ge 2 ] || exec "$0" --help
		case $1 in
		--step) step=$2 ;;
		--jobs) jobs=$2 ;;
		esac
		shift
		;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2
		exit 2
		;;
	esac
	shift
done
{ cmake --preset release && cmake --build --preset release --target ttg_damage; } >/dev/null || exit 2
exec build/release/tests/ttg_damage --step "$step" --jobs "$jobs"
