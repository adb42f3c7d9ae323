#!/bin/sh
# cppcheck over the product's sources with the compile commands of a build: cppcheck.sh ROOT BUILD.
# What it is wrong about stands in cppcheck.txt, with the reason.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
build=${2:?"usage: $0 ROOT BUILD"}
build=${build#"$PWD/"} # below here: file names as the filters have them

[ -f "$build/compile_commands.json" ] || {
	echo "no compile_commands.json in $build"
	exit 2
}
mkdir -p "$build/cppcheck"
cppcheck --project="$build/compile_commands.json" --cppcheck-build-dir="$build/cppcheck" \
	--file-filter="lib/*" --file-filter="daemon/*" \
	--file-filter="adapters/*" \
	--enable=warning,performance,portability --inline-suppr --quiet -j "$(nproc)" \
	--suppressions-list="$lint_dir/cppcheck.txt" --suppress="*:$build/*" \
	--template='{file}:{line}: {id}: {message}' >"$findings" 2>&1
finish cppcheck
