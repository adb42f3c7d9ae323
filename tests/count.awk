# Counts single tests in ctest's log (Testing/Temporary/LastTest.log): in a program made with
# cmocka every test function, in a run of Node's test runner (TAP) every test, any other program as
# one test. A program that failed without naming
# a failed test (it crashed, leaked, or ran out of time) counts as one failure more.
#
# Prints one line: passed failed skipped. With -v list=1 also the names of what failed, before it.

function flush_program() {
	if (program == "")
		return
	if (verdict == "") # cut off in the middle: ctest was killed
		verdict = "Failed"
	if (!seen) {
		if (verdict == "Passed") ok = 1
	}
	if (verdict != "Passed" && bad == 0) {
		bad = 1
		names = "  " program "\n"
	}
	passed += ok; failed += bad; skipped += skip
	if (bad > 0)
		all_names = all_names names
	program = ""
}

/^[0-9]+\/[0-9]+ Testing: / {
	flush_program()
	program = $0
	sub(/^[0-9]+\/[0-9]+ Testing: /, "", program)
	ok = bad = skip = seen = 0
	verdict = names = ""
	next
}
program == "" { next }
/^\[  PASSED  \] [0-9]+ test\(s\)/ { ok += $4; seen = 1; next }
/^\[  SKIPPED \] [0-9]+ test\(s\)/ { skip += $4; seen = 1; next }
/^\[  FAILED  \] [0-9]+ test\(s\)/ { bad += $4; seen = 1; next }
/^\[  FAILED  \] / && seen { names = names "  " program ": " $4 "\n"; next }
/^# pass [0-9]+$/ { ok += $3; seen = 1; next }
/^# (fail|cancelled) [0-9]+$/ { bad += $3; next }
/^# skipped [0-9]+$/ { skip += $3; next }
/^ *not ok [0-9]+ - / { names = names "  " program ": " $0 "\n"; next }
/^Test Passed\./ { verdict = "Passed" }
/^Test Failed\./ { verdict = "Failed" }

END {
	flush_program()
	if (list && all_names != "")
		printf "%s", all_names
	print passed + 0, failed + 0, skipped + 0
}
