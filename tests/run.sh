#!/bin/sh
# Builds throughgate and runs every test. From a fresh clone, with no network but Debian's packages:
#
#     sh tests/run.sh [--quick] [--only REGEX]
#
#   --quick        development build, unit and lint tests only
#   --only REGEX   only tests whose ctest name matches, for example system.test_kill
#
# Three builds: release (unit, lint and system tests), asan (AddressSanitizer, leak detection and
# UndefinedBehaviorSanitizer: unit and system tests), tsan (ThreadSanitizer: what has threads).
# The last line is "N passed, N failed", every test function counted. Exit status 1 when a test
# failed or a build did not succeed, 2 for a wrong option.
set -u

usage() {
	echo "usage: sh tests/run.sh [--quick] [--only REGEX]" >&2
	exit 2
}

quick=
only=.
while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=1 ;;
	--only)
		[ $# -ge 2 ] || usage
		only=$2
		shift
		;;
	-h | --help)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	*) usage ;;
	esac
	shift
done

cd "$(dirname "$0")/.." || exit 1
sh tests/packages.sh || exit 1

passed=0
failed=0
skipped=0
jobs=$(nproc 2>/dev/null || echo 2)
export ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:${UBSAN_OPTIONS:-}"

# build PRESET: quiet unless it fails; a build that fails counts as one failed test.
build() {
	echo "== building $1"
	mkdir -p build
	if cmake --preset "$1" >"build/$1.log" 2>&1 &&
		cmake --build --preset "$1" -j "$jobs" >>"build/$1.log" 2>&1; then
		return 0
	fi
	grep -n -A 8 -E 'error:|FAILED:|CMake Error' "build/$1.log" | head -80
	echo "The $1 build failed; its whole output is in build/$1.log."
	failed=$((failed + 1))
	return 1
}

# run PRESET CTEST-ARGUMENTS...
run() {
	preset=$1
	shift
	echo "== testing $preset"
	log=build/$preset/Testing/Temporary/LastTest.log
	rm -f "$log"
	ctest --test-dir "build/$preset" --output-on-failure --timeout 300 -j "$jobs" \
		--no-tests=ignore "$@"
	[ -f "$log" ] || return 0
	awk -v list=1 -f tests/count.awk "$log" >"build/$preset.count"
	counts=$(tail -n 1 "build/$preset.count")
	if [ "$(wc -l <"build/$preset.count")" -gt 1 ]; then
		echo "failed in the $preset build:"
		sed '$d' "build/$preset.count"
	fi
	# shellcheck disable=SC2086 # three numbers
	set -- $counts
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

# step PRESET CTEST-ARGUMENTS...
step() {
	build "$1" || return 0
	preset=$1
	shift
	run "$preset" -R "$only" "$@"
}

began=$(date +%s)
if [ -n "$quick" ]; then
	step dev -E '^(system|sim)[.]' -LE slow
else
	step release
	step asan -E '^(lint|analysis)[.]'
	step tsan -L tsan
fi

echo "took $(($(date +%s) - began)) s"
if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then
	echo "no test matches '$only'"
	failed=1
fi
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ]
