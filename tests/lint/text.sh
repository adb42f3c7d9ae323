#!/bin/sh
# Lines of C aim at 100 columns and never pass 110 (a tab is 8), no trailing blanks, no carriage returns, and no
# bytes outside ASCII; shell scripts parse.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

all_sources >"$findings.files"
while read -r file; do
	expand -t 8 "$file" | awk -v file="$file" '
	length($0) > 110 { print file ":" NR ": " length($0) " columns, aim at 100, never over 110" }
	/[ ]$/ { print file ":" NR ": trailing blank" }
	/\r/ { print file ":" NR ": carriage return" }
	/[^\001-\176]/ { print file ":" NR ": byte outside ASCII" }'
done <"$findings.files" >>"$findings"

find .ci etc tests -name '*.sh' -type f -not -path 'tests/lint/bad/*' 2>/dev/null | sort |
	while read -r file; do
		sh -n "$file" 2>&1 | sed "s|^|$file:1: |"
	done >>"$findings"

finish text
