#!/bin/sh
# Shows that the checks can fail: each is run over its sample of bad code in bad/ and must find
# exactly what bad/<check>.expected lists; the counting of test results likewise.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

for check in layers sizes tests headers text docs; do
	sh "$lint_dir/$check.sh" "$lint_dir/bad/$check" | sort >"$findings.got"
	sort "$lint_dir/bad/$check.expected" | diff - "$findings.got" >"$findings.diff" || {
		echo "tests/lint/$check.sh:1: does not find what it should (< expected, > found):"
		cat "$findings.diff"
	} >>"$findings"
done

awk -v list=1 -f tests/count.awk "$lint_dir/bad/count.log" >"$findings.got"
diff "$lint_dir/bad/count.expected" "$findings.got" >"$findings.diff" || {
	echo "tests/count.awk:1: counts wrongly (< expected, > counted):"
	cat "$findings.diff"
} >>"$findings"

finish selftest
