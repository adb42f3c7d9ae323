#!/bin/sh
# Runs the fuzz targets, one after the other (needs clang):
#
#     sh tests/fuzz/run.sh [--runs N] [--seconds S] [--merge] [TARGET...]
#
#   TARGET         only these, for example frame journal
#   --target NAME  the same for one
#   --runs N       stop a target after N executions; inputs are then chosen without weighing them by
#                  how rare is what they reach, which costs a third of the time
#   --seconds S    stop a target after S seconds; 60 when neither is given
#   --merge        afterwards copy inputs that reach more code, 4 KiB at most, to corpus/NAME
#
# Builds the preset `fuzz`. A line for each target: executions, seconds, edges of code reached, findings;
# it goes on from the inputs of the run before (build/fuzz/corpus). What was found lies in build/fuzz/found/NAME; copy it to tests/fuzz/crashes/NAME together with the fix.
# Exit status 1 when something was found.
set -u

usage() {
	echo "usage: sh tests/fuzz/run.sh [--runs N] [--seconds S] [--merge] [TARGET...]" >&2
	exit 2
}

only=
runs=
seconds=
merge=
while [ $# -gt 0 ]; do
	case $1 in
	--target | --runs | --seconds)
		[ $# -ge 2 ] || usage
		case $1 in
		--target) only="$only $2" ;;
		--runs) runs=$2 ;;
		--seconds) seconds=$2 ;;
		esac
		shift
		;;
	--merge) merge=1 ;;
	-*) usage ;;
	*) only="$only $1" ;;
	esac
	shift
done
[ -n "$runs$seconds" ] || seconds=60

cd "$(dirname "$0")/../.." || exit 1
here=$PWD/tests/fuzz
for what in $only; do
	[ -e "$here/fuzz_$what.c" ] || {
		echo "There is no target $what." >&2
		exit 2
	}
done
out=$PWD/build/fuzz
mkdir -p build
{ cmake --preset fuzz && cmake --build --preset fuzz; } >build/fuzz.log 2>&1 || {
	tail -n 40 build/fuzz.log
	echo "The build failed; its whole output is in build/fuzz.log."
	exit 1
}
"$out/fuzz/seeds" "$out/seeds" || exit 1

export ASAN_OPTIONS="detect_leaks=1:malloc_context_size=4:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0:${LSAN_OPTIONS:-}"
found=0

for source in "$here"/fuzz_*.c; do
	what=$(basename "$source" .c)
	what=${what#fuzz_}
	case "$only " in
	" " | *" $what "*) ;;
	*) continue ;;
	esac
	log=$out/$what.log
	mkdir -p "$out/corpus/$what" "$out/found/$what" "$here/corpus/$what" "$out/seeds/$what"
	set -- -print_final_stats=1 -timeout=20 -rss_limit_mb=2048 -max_len=8192 \
		-artifact_prefix="$out/found/$what/"
	[ -z "$runs" ] || set -- "$@" -runs="$runs" -entropic=0
	[ -z "$seconds" ] || set -- "$@" -max_total_time="$seconds"
	start=$(date +%s)
	"$out/fuzz/fuzz_$what" "$@" "$out/corpus/$what" "$here/corpus/$what" "$out/seeds/$what" \
		>"$log" 2>&1 || true
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	edges=$(sed -n 's/.*cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	findings=$(find "$out/found/$what" -type f | wc -l)
	found=$((found + findings))
	printf '%-16s %10s executions %6s s %7s edges %4s findings\n' "$what" "${executions:-?}" \
		"$(($(date +%s) - start))" "${edges:-?}" "$findings"
	[ -n "$merge" ] || continue
	rm -rf "$out/small"
	mkdir -p "$out/small"
	find "$out/corpus/$what" "$out/seeds/$what" -type f -size -9 -exec cp {} "$out/small" \;
	"$out/fuzz/fuzz_$what" -merge=1 "$here/corpus/$what" "$out/small" >>"$log" 2>&1 || true
done
[ "$found" -eq 0 ]
