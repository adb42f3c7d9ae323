#!/bin/sh
# clang-tidy (.clang-tidy) over the product's sources: clang-tidy.sh ROOT BUILD.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
build=${2:?"usage: $0 ROOT BUILD"}

[ -f "$build/compile_commands.json" ] || {
	echo "no compile_commands.json in $build"
	exit 2
}
run-clang-tidy -p "$build" -j "$(nproc)" -quiet -extra-arg=-Wno-unknown-warning-option \
	"$PWD/(lib|daemon|adapters)/.*[.]c\$" >"$findings.out" 2>&1
status=$?
grep -E '(warning|error): ' "$findings.out" | sed "s|^$PWD/||" | sort -u >"$findings"
if [ "$status" -ne 0 ] && [ ! -s "$findings" ]; then
	tail -n 20 "$findings.out" >"$findings"
fi
finish clang-tidy
