#!/bin/sh
# The documents say what is there, no more and no less:
#   - every manual page is understood by scdoc and groff without a warning;
#   - every program has a page and every page of section 1 or 8 a program, each long option of
#     --help stands in it and the other way round;
#   - the options of the configuration stand in the pages of section 5 as `ttgd --options` prints
#     them; the adapters' options as their tables hold them;
#   - links between documents lead somewhere; the example in README.md is docs/example.c;
#   - docs/operations.md names every metric, log event and error code, and none that is not there.
# The second argument is the folder of the programs, ROOT/bin when it is left out; programs in
# docs.txt are not for users and have no page.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"
bin=${2:-bin}

# plain FILE: the text of an scdoc page without its marks.
plain() {
	sed 's/\\\(.\)/\1/g; s/++$//' "$1"
}

# compare WHAT HAVE SAID PATH: two sorted lists; what is on one side only is a finding.
compare() {
	comm -23 "$2" "$3" | sed "s|^|$4:1: does not tell of $1 |" >>"$findings"
	comm -13 "$2" "$3" | sed "s|^|$4:1: tells of $1 that is not there: |" >>"$findings"
}

check_pages() {
	for page in docs/man/*.scd; do
		[ -f "$page" ] || continue
		{
			scdoc <"$page" >"$findings.roff" &&
				groff -man -ww -z -T utf8 "$findings.roff"
		} 2>&1 | head -n 3 | sed "s|^|$page:1: |" >>"$findings"
	done
}

# long_options: the --words of standard input.
long_options() {
	grep -oE '(^|[^a-z-])--[a-z][a-z-]*' | sed 's/^[^-]*//' | sort -u
}

check_programs() {
	for program in "$bin"/*; do
		name=$(basename "$program")
		grep -qxF "$name" "$lint_dir/docs.txt" && continue
		page=$(find docs/man -name "$name.[18].scd")
		if [ -z "$page" ]; then
			echo "$name:1: has no manual page in docs/man" >>"$findings"
			continue
		fi
		"$program" --help </dev/null 2>&1 | long_options >"$findings.have"
		# What the page defines stands in bold where a line begins.
		plain "$page" | grep -E '^[[:space:]]*\*' | long_options >"$findings.said"
		compare option "$findings.have" "$findings.said" "$page"
	done
	for page in docs/man/*.[18].scd; do
		name=$(basename "${page%.[18].scd}")
		[ -x "$bin/$name" ] || [ ! -f "$page" ] ||
			echo "$page:1: is about a program that is not built" >>"$findings"
	done
}

# One line an option: name|restart or not|range and default.
printed_options() {
	"$bin/ttgd" --options | awk '
	/^[^ ].*[.]conf$/ { next }
	/^[a-z]/ { name = $0; n = 0; next }
	/^ / {
		sub(/^ +/, "")
		if (++n == 1) restart = / [(]restart[)]$/ ? "restart" : ""
		else print name "|" restart "|" $0
	}' | sort
}

described_options() {
	for page in docs/man/ttgd.conf.5.scd docs/man/ttg-agencies.5.scd \
		docs/man/ttg-agreements.5.scd; do
		[ -f "$page" ] && plain "$page"
	done | awk '
	/^[*][a-z_]+[.][a-z_.]+[*]( [(]restart[)])?$/ {
		name = $0; sub(/^[*]/, "", name); sub(/[*].*/, "", name)
		restart = / [(]restart[)]$/ ? "restart" : ""
		next
	}
	/^\t/ { last = $0; sub(/^\t/, "", last); next }
	name != "" { print name "|" restart "|" last; name = "" }
	' | sort
}

check_options() {
	[ -x "$bin/ttgd" ] || return 0
	printed_options >"$findings.have"
	described_options >"$findings.said"
	compare option "$findings.have" "$findings.said" docs/man/ttgd.conf.5.scd
}

# Names only: what a table entry of the adapters begins with, and what their pages define.
check_adapter_options() {
	page=docs/man/ttg-adapter.conf.5.scd
	[ -f "$page" ] || return 0
	find adapters -name '*.c' -exec cat {} + |
		grep -oE '\{ "[a-z_.]+", CONFIG_[A-Z_]+' | cut -d '"' -f 2 | sort -u >"$findings.have"
	for conf in docs/man/ttg-*.conf.5.scd; do
		# One line may define two: *summary.from*, *summary.to*
		plain "$conf" | grep -E '^\*[a-z_.]+\*(, \*[a-z_.]+\*)*$' | grep -oE '[a-z_.]+'
	done | sort -u >"$findings.said"
	compare option "$findings.have" "$findings.said" "$page"
}

# anchors FILE: the fragments that lead to its headings.
anchors() {
	awk '/^```/ { code = !code } /^#/ && !code' "$1" | sed 's/^#* *//' | tr 'A-Z ' 'a-z-' |
		sed 's/[^a-z0-9_-]//g'
}

check_links() {
	find . \( -path ./build -o -path ./tests/lint/bad -o -name .git \) -prune -o -name '*.md' -print |
		sort | while read -r file; do
		file=${file#./}
		awk '/^```/ { code = !code } !code { gsub(/`[^`]*`/, ""); print }' "$file" |
			grep -oE '\]\([^)]*\)' | sed 's/^](//; s/)$//' | while read -r link; do
			case $link in
			http://* | https://*) continue ;;
			esac
			target=${link%%#*}
			path=$(dirname "$file")/$target
			[ -n "$target" ] || path=$file
			if [ ! -e "$path" ]; then
				echo "$file:1: link to $link leads nowhere"
			elif [ "$link" != "${link#*#}" ] && ! anchors "$path" | grep -qxF "${link#*#}"; then
				echo "$file:1: link to $link: no such heading"
			fi
		done
	done >>"$findings"
}

# The example that readers copy is the one that is compiled.
check_example() {
	[ -f docs/example.c ] || return 0
	awk '/^```$/ { code = 0 } code; /^```c$/ { code = 1 }' README.md | cmp -s - docs/example.c ||
		echo "README.md:1: the example is not docs/example.c" >>"$findings"
}

# words SECTION: what is in `code` in the first column of the tables under that heading.
words() {
	awk -v section="$1" '
	/^#/ { inside = ($0 ~ "^#+ " section "$"); next }
	inside && /^\| *`/ { split($0, cell, "|"); print cell[2] }' docs/operations.md |
		grep -oE '`[a-z_]+' | tr -d '`' | sort -u
}

# log_events FOLDER: first words of log lines in its source.
log_events() {
	find "$1" -name '*.c' -exec cat {} + | tr '\n\t;' '  \n' |
		grep -E '(log_write|sink[.]note)\(' | sed -E 's/.*(log_write|sink[.]note)\(//' |
		grep -oE '"[a-z_]+"' | tr -d '"' | sort -u
}

check_operations() {
	[ -f docs/operations.md ] || return 0
	grep -ohE '"ttgd_[a-z_]+' daemon/net/metrics.c | tr -d '"' | sort -u >"$findings.have"
	words Metrics >"$findings.said"
	compare metric "$findings.have" "$findings.said" docs/operations.md
	log_events daemon >"$findings.have"
	words 'Log events' >"$findings.said"
	compare 'log event' "$findings.have" "$findings.said" docs/operations.md
	log_events adapters >"$findings.have"
	words 'Log events of adapters' >"$findings.said"
	compare 'log event of adapters' "$findings.have" "$findings.said" docs/operations.md
	grep -ohE '\{ TTG_[A-Z_]+, "[a-z_]+"' lib/base/error.c | cut -d '"' -f 2 | grep -vx ok |
		sort -u >"$findings.have"
	words 'Error codes' >"$findings.said"
	compare 'error code' "$findings.have" "$findings.said" docs/operations.md
}

check_pages
check_programs
check_options
check_adapter_options
check_links
check_example
check_operations
finish docs
