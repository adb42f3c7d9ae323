#!/bin/sh
# Builds the simulator and lives many lives:
#
#     sh tests/sim/run.sh [--lives N] [--seed S] [--jobs J]
#     sh tests/sim/run.sh --mistakes [--seed S] [--jobs J]
#     sh tests/sim/run.sh --seed S --lives 1 --trace [--keep LIST]
#
#   --lives N     lives to live; 2,000
#   --seed S      the first of N seeds, one a life; what TTG_SEED says, or else 1
#   --jobs J      at the same time; one a processor
#   --mistakes    instead: switches on mistakes planted in journal, core, daemon and client, one at
#                 a time, and prints within how many lives each was found (2,000 at most)
#   --trace       instead: lives one life and prints what happens; with --keep only those steps
#
# A failing life is printed as the shortest list of steps that still fails, with the options that
# repeat it. Exit status 1 when a life failed, or a mistake was not found.
set -u

cd "$(dirname "$0")/../.." || exit 2
lives=2000
seed=${TTG_SEED:-1}
jobs=$(nproc 2>/dev/null || echo 2)
mistakes=
rest=
while [ $# -gt 0 ]; do
	case $1 in
	--lives | --seed | --jobs | --keep)
		[ $# -ge 2 ] || exec "$0" --help
		case $1 in
		--lives) lives=$2 ;;
		--seed) seed=$2 ;;
		--jobs) jobs=$2 ;;
		--keep) rest="$rest --keep $2" ;;
		esac
		shift
		;;
	--mistakes) mistakes=1 ;;
	--trace | --twice | --no-shrink) rest="$rest $1" ;;
	*)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2
		exit 2
		;;
	esac
	shift
done

# build DIRECTORY OPTIONS...: quiet unless it fails.
build() {
	directory=$1
	shift
	mkdir -p build
	if cmake -S . -B "$directory" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@" \
		>"$directory.log" 2>&1 &&
		cmake --build "$directory" --target ttg_sim >>"$directory.log" 2>&1; then
		return 0
	fi
	tail -n 40 "$directory.log"
	exit 1
}

if [ -z "$mistakes" ]; then
	build build/sim
	# shellcheck disable=SC2086 # a list of options
	exec build/sim/tests/ttg_sim --lives "$lives" --seed "$seed" --jobs "$jobs" $rest
fi

build build/planted -DTTG_PLANT=ON
missed=0
found=0
printf '%-24s %s\n' mistake 'found in life'
for name in $(build/planted/tests/ttg_sim --mistakes); do
	out=$(build/planted/tests/ttg_sim --mistake "$name" --lives 2000 --seed "$seed" \
		--jobs "$jobs" --no-shrink --stop)
	first=$(printf '%s\n' "$out" | sed -n 's/^FAILED seed \([0-9]*\): \(.*\)/\1 \2/p' | head -n 1)
	if [ -n "$first" ]; then
		found=$((found + 1))
		printf '%-24s %s: %s\n' "$name" $((${first%% *} - seed + 1)) "${first#* }"
	else
		missed=$((missed + 1))
		printf '%-24s NOT FOUND in 2000 lives\n' "$name"
	fi
done
echo "$found passed, $missed failed"
[ "$missed" -eq 0 ]
