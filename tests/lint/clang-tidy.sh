#!/bin/sh
# clang-tidy (.clang-tidy) over the product's sources: clang-tidy.sh ROOT BUILD.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
build=${2:?"usage: $0 ROOT BUILD"}

[ -f "$build/compile_commands.json" ] || {
	echo "no compile_commands.json in $build"
	exit 2
}
# The analyser stops at so many states of a function, for time: its own default takes about four
# times as long. What that would find more has not been compared.
nodes="-extra-arg=-Xclang -extra-arg=-analyzer-config -extra-arg=-Xclang -extra-arg=max-nodes=40000"
# shellcheck disable=SC2086 # several arguments
run-clang-tidy -p "$build" -j "$(nproc)" -quiet -extra-arg=-Wno-unknown-warning-option \
	-extra-arg=-Wno-ignored-optimization-argument $nodes \
	"$PWD/(lib|daemon|adapters)/.*[.]c\$" >"$findings.out" 2>&1
status=$?
escape=$(printf '\033')
sed "s|$escape\[[0-9;]*m||g; s|^$PWD/||" "$findings.out" | grep -E '(warning|error): ' | sort -u |
	awk -v known="$lint_dir/clang-tidy.txt" '
	BEGIN {
		while ((getline line <known) > 0)
			if (line !~ /^#/ && split(line, part, "\t") == 3)
				wrong[part[1] " " part[2]] = 1
	}
	{
		path = $0
		sub(/:.*/, "", path)
		check = $0
		sub(/.*\[/, "", check)
		sub(/[],].*/, "", check)
		if (!((path " " check) in wrong))
			print
	}' >"$findings"
# It ends with a status of its own also for what was sorted out above; no file looked at is worse.
if [ "$status" -ne 0 ] && ! grep -q -E '(warning|error): ' "$findings.out"; then
	tail -n 20 "$findings.out" >"$findings"
fi
finish clang-tidy
