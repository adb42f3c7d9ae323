#!/bin/sh
# Every shell script of the tree under shellcheck.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

find .ci etc tests -type f \( -name '*.sh' -o -path '.ci/run' \) -not -path 'tests/lint/bad/*' |
	sort >"$findings.files"
xargs shellcheck -x -f gcc <"$findings.files" >"$findings"
finish shellcheck
