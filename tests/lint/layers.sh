#!/bin/sh
# Dependencies point downward only (docs/architecture.md): checks every #include of the product
# against layers.txt (ours) and headers.txt (other libraries'), calls that write or sync against
# writes.txt, and that no generated code lies in the source tree.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

sources lib daemon adapters >"$findings.files"
while read -r file; do
	folder=$(dirname "$file")
	awk -v file="$file" -v folder="$folder" -v layers="$lint_dir/layers.txt" \
		-v headers="$lint_dir/headers.txt" '
	BEGIN {
		while ((getline line <layers) > 0) {
			if (line ~ /^#/ || split(line, part, ": ") != 2)
				continue
			if (part[1] == folder)
				allowed = " " part[2] " "
		}
		while ((getline line <headers) > 0) {
			if (line ~ /^#/ || split(line, part, "\t") != 3)
				continue
			n++
			header[n] = part[1]
			place[n] = part[2]
		}
		if (allowed == "")
			print file ":1: the folder " folder " has no line in tests/lint/layers.txt"
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, part, "\"")
		name = part[2]
		if (name ~ /[.][.]/)
			print file ":" NR ": include goes up with ..: " name
		if (name !~ /\//)
			next # of the same folder
		top = name
		sub(/\/.*/, "", top)
		if (index(allowed, " " top " ") == 0)
			print file ":" NR ": " folder " may not include from " top ": " name
	}
	/^[ \t]*#[ \t]*include[ \t]*</ {
		name = $0
		sub(/^[^<]*</, "", name)
		sub(/>.*/, "", name)
		known = fine = 0
		for (i = 1; i <= n; i++)
			if (name ~ "^(" header[i] ")$") {
				known = 1
				if (file ~ "^(" place[i] ")$")
					fine = 1
			}
		if (known && !fine)
			print file ":" NR ": <" name "> is not for this place (tests/lint/headers.txt)"
	}' "$file"
	[ "$file" = lib/base/world_real.c ] && continue
	awk -f "$lint_dir/strip.awk" "$file" |
		awk -v file="$file" -v writes="$lint_dir/writes.txt" '
	BEGIN {
		while ((getline line <writes) > 0) {
			if (line ~ /^#/ || split(line, part, "\t") != 3)
				continue
			if (file ~ "^(" part[2] ")$")
				fine = fine "|" part[1]
		}
		fine = "^(" substr(fine, 2) ")$"
		calls = "write|pwrite|writev|pwritev|fsync|fdatasync|sync|syncfs|sync_file_range|"
		calls = calls "rename|renameat|renameat2|ftruncate|truncate|fallocate|posix_fallocate|"
		calls = calls "fopen|fdopen|freopen|fwrite|sendfile|copy_file_range"
	}
	{
		rest = $0
		while (match(rest, /[A-Za-z_0-9.>]*[A-Za-z_0-9][ \t]*\(/)) {
			name = substr(rest, RSTART, RLENGTH - 1)
			rest = substr(rest, RSTART + RLENGTH)
			sub(/[ \t]+$/, "", name)
			if (name ~ "^(" calls ")$" && name !~ fine)
				print file ":" NR ": " name "() outside the world table (tests/lint/writes.txt)"
		}
	}'
done <"$findings.files" >>"$findings"

find . -name '*.pb-c.[ch]' -not -path './build/*' -not -path './tests/lint/bad/*' -type f |
	sed 's|^[.]/||; s|$|:1: generated code belongs in the build tree|' >>"$findings"

finish layers
