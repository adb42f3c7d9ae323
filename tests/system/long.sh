#!/bin/sh
# Real processes for long: builds release and runs the long forms of the system tests, one after the
# other, each with a line of figures. Exit status 1 when one failed.
#
#     sh tests/system/long.sh [--build FOLDER] [--kills N] [--backlog N] [--only NAME]
#
#   --build FOLDER  of programs that are built already, for example build/dev; else build/release is
#                   built first
#   --kills N       SIGKILLs of daemon and adapters, and as many of the daemon under a stream (200)
#   --backlog N     events of a mailbox nobody reads (5000000)
#   --only NAME     one of: kill kill_all full slow stop chain crowd many backlog
#
# TTG_SEED repeats the kills of an earlier run. Memory is the daemon's, resident; p99_ms is of others'
# events from publishing to delivery, with/without, and ratio says how much longer it took.
# About half an hour; nothing else should run meanwhile.
set -u

usage() {
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

root=$(cd "$(dirname "$0")/../.." && pwd)
build=
kills=200
backlog=5000000
only=
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage
	case $1 in
	--build) build=$(cd "$2" && pwd) || exit 2 ;;
	--kills) kills=$2 ;;
	--backlog) backlog=$2 ;;
	--only) only=$2 ;;
	*) usage ;;
	esac
	shift 2
done

if [ -z "$build" ]; then
	cd "$root" || exit 1
	sh tests/packages.sh || exit 1
	if ! cmake --preset release >/dev/null || ! cmake --build --preset release >/dev/null; then
		echo "The release build failed."
		exit 1
	fi
	build=$root/build/release
fi

# On a disk: temporary folders are often in memory.
place=${TMPDIR:-/var/tmp}
log=$(mktemp "$place/ttg-long.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT INT TERM
failed=0

# finish NAME STATUS SECONDS: the figures of $log, or all of it.
finish() {
	if [ "$2" -eq 0 ]; then
		printf '%-10s fine, %s s\n' "$1" "$3"
		sed -n 's/^figures: /           /p; s/^TTG_SEED=/           TTG_SEED=/p' "$log"
	else
		printf '%-10s FAILED, %s s\n' "$1" "$3"
		cat "$log"
		failed=1
	fi
}

wanted() {
	[ -z "$only" ] || [ "$only" = "$1" ]
}

# long NAME: the test program system_NAME in its long form.
long() {
	wanted "$1" || return 0
	began=$(date +%s)
	TMPDIR=$place TTG_BIN=$build/bin TTG_LONG=1 TTG_KILLS=$kills "$build/tests/system_$1" \
		>"$log" 2>&1
	status=$?
	finish "$1" "$status" $(($(date +%s) - began))
}

# The bench's generator: a mailbox that is away while events come, and then collects them all; each
# once and in order, or it fails.
bench() {
	wanted backlog || return 0
	began=$(date +%s)
	(
		"$build/tests/ttg-bench" memory --backlog "$backlog" --bin "$build/bin" --place "$place" &&
			"$build/tests/ttg-bench" catchup --backlog "$backlog" --bin "$build/bin" \
				--place "$place"
	) 2>&1 | sed 's/^{/figures: {/' >"$log"
	status=0
	[ "$(grep -c '^figures' "$log")" -eq 2 ] || status=1
	finish backlog "$status" $(($(date +%s) - began))
}

printf 'processors %s, memory %s MiB, kills %s, backlog %s\n' "$(nproc)" \
	"$(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)" "$kills" "$backlog"
for name in kill kill_all full slow stop chain crowd many; do
	long "$name"
done
bench
exit "$failed"
