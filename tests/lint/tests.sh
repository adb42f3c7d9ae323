#!/bin/sh
# A test that cannot fail is a defect, and so is one that sleeps for a fixed time: every function
# registered with cmocka_unit_test must reach an assertion (assert_*, fail_msg, a must_* helper of
# tests/support, or a function of its own file that does), and no test calls sleep and its kin.
# Waiting for a condition with a deadline is wait.c's business.
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

sources tests >"$findings.files"
while read -r file; do
	awk -f "$lint_dir/strip.awk" "$file" | awk -v file="$file" '
	file !~ /^tests\/support\/wait[.]c$/ &&
	match($0, /(^|[^A-Za-z_0-9])(sleep|usleep|nanosleep|clock_nanosleep|thrd_sleep|alarm)[ \t]*\(/) {
		print file ":" NR ": a fixed sleep; wait for the condition instead"
	}
	/^[A-Za-z_].*\(/ && !/;[ \t]*$/ {
		name = $0
		sub(/[ \t]*\(.*/, "", name)
		sub(/.*[ \t*]/, "", name)
		line[name] = NR
	}
	/^[{]/ { inside = 1 }
	/^[}]/ { inside = 0 }
	inside { body[name] = body[name] " " $0 }
	# A macro that wraps cmocka_unit_test registers too.
	/^[ \t]*#[ \t]*define/ { macro = $2; sub(/\(.*/, "", macro) }
	/^[ \t]*#/ || continued {
		if (/cmocka_unit_test/)
			register = register "|" macro
		continued = /\\$/
		next
	}
	{
		rest = $0
		pattern = "(cmocka_unit_test[a-z_]*|STAGE_TEST" register ")[ \t]*[(][ \t]*[A-Za-z_0-9]+"
		while (match(rest, pattern)) {
			test = substr(rest, RSTART, RLENGTH)
			sub(/.*\([ \t]*/, "", test)
			rest = substr(rest, RSTART + RLENGTH)
			registered[test] = NR
		}
	}
	END {
		for (f in body)
			if (body[f] ~ /(^|[^A-Za-z_0-9])(assert_[a-z_]+|fail_msg|fail|must_[a-z_]+)[ \t]*\(/)
				asserts[f] = 1
		do {
			changed = 0
			for (f in body) {
				if (f in asserts)
					continue
				for (g in asserts)
					if (body[f] ~ "(^|[^A-Za-z_0-9])" g "[ \t]*[(]") {
						asserts[f] = 1
						changed = 1
						break
					}
			}
		} while (changed)
		for (t in registered) {
			n++
			if (!(t in body))
				print file ":" registered[t] ": test " t " is not in this file"
			else if (!(t in asserts))
				print file ":" line[t] ": test " t " asserts nothing"
		}
		if (n == 0 && file ~ /\/test_[a-z_0-9]+[.]c$/)
			print file ":1: registers no test"
	}'
done <"$findings.files" >>"$findings"

finish tests
