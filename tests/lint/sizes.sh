#!/bin/sh
# A file has at most 600 lines, a header at most 150, a function at most 70 (docs/testing.md).
# Exceptions stand in sizes.txt, with the reason: PATH or PATH:FUNCTION, limit, reason.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

all_sources >"$findings.files"
while read -r file; do
	awk -f "$lint_dir/strip.awk" "$file" | awk -v file="$file" -v exceptions="$lint_dir/sizes.txt" '
	BEGIN {
		while ((getline line <exceptions) > 0)
			if (line !~ /^#/ && split(line, part, "\t") == 3)
				limit[part[1]] = part[2]
		of_file = file in limit ? limit[file] : (file ~ /[.]h$/ ? 150 : 600)
	}
	/^[A-Za-z_].*\(/ && !/;[ \t]*$/ {
		name = $0
		sub(/[ \t]*\(.*/, "", name)
		sub(/.*[ \t*]/, "", name)
	}
	/^[{]/ { start = NR }
	/^[}]/ {
		if (start) {
			lines = NR - start - 1
			key = file ":" name
			bound = key in limit ? limit[key] : 70
			if (lines > bound)
				print key ": line " start ": function of " lines " lines, at most " bound
		}
		start = 0
	}
	END {
		if (NR > of_file)
			print file ":" NR ": " NR " lines, at most " of_file
	}'
done <"$findings.files" >>"$findings"

finish sizes
