#!/bin/sh
# Public headers (include/ttg/) document every function: a comment in the same paragraph, above it.
# Every C file starts with a comment that says what it is for; every header has a guard.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

sources include >"$findings.files"
while read -r file; do
	awk -v file="$file" '
	/^[ \t]*$/ { commented = 0 }
	/\/\*/ { commented = 1; in_comment = 1 }
	/\/\// { commented = 1 }
	!in_comment && /^[A-Za-z_].*[ *]ttg_[a-z_0-9]+\(/ && !/^#/ {
		if (!commented)
			print file ":" NR ": function without a comment above it"
	}
	/\*\// { in_comment = 0 }' "$file"
done <"$findings.files" >>"$findings"

all_sources >"$findings.files"
while read -r file; do
	awk -v file="$file" '
	NR == 1 && !/^\/\*/ { print file ":1: starts without a comment that says what it is for" }
	NR <= 60 && /^#ifndef [A-Z_0-9]+_H$/ { guard = 1 }
	END {
		if (file ~ /[.]h$/ && !guard)
			print file ":1: header without a guard NAME_H"
	}' "$file"
done <"$findings.files" >>"$findings"

finish headers
