#!/bin/sh
# How long the duty desk takes to write each of its pages, and how long they are, with a case store
# of 10,300 people and 1,000,000 events: the median and the slowest of many requests over one
# connection, from the request to the first byte of the answer.
#
# usage: sh tests/bench/desk.sh [--quick] [--build DIR] [--place DIR] [--runs N] [--store FILE]
#
#   --quick        2,300 people, three requests a page; nothing is said about time
#   --build DIR    use the programs of this build directory; build nothing
#   --place DIR    keep the store here (about 700 MB)
#   --runs N       requests of each page (51)
#   --store FILE   a store that an earlier run left with --place
#
# Exit status: 0 every page is there and under 100 KiB (and, without --quick, its median is under
# 50 ms), 1 one is not, 2 wrong use.
set -u
umask 077

usage() {
	echo "usage: sh tests/bench/desk.sh [--quick] [--build DIR] [--place DIR] [--runs N] [--store FILE]" >&2
	exit 2
}

quick=
build=
place=
runs=51
store=
while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=1 runs=3 ;;
	--build | --place | --runs | --store)
		[ $# -ge 2 ] || usage
		case $1 in
		--build) build=$2 ;;
		--place) place=$2 ;;
		--runs) runs=$2 ;;
		--store) store=$2 ;;
		esac
		shift
		;;
	-h | --help)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	*) usage ;;
	esac
	shift
done
cd "$(dirname "$0")/../.." || exit 1
if [ -z "$build" ]; then
	build=build/release
	mkdir -p build
	if ! { cmake --preset release && cmake --build --preset release --target ttg-desk \
		ttg-bench-desk; } >build/bench.log 2>&1; then
		tail -n 20 build/bench.log >&2
		exit 1
	fi
fi
build=$(cd "$build" && pwd) || exit 2

dir=$(mktemp -d "${place:-${TMPDIR:-/tmp}}/ttg-bench-desk.XXXXXX") || exit 1
desk=
# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$desk" ] || { kill "$desk" && wait "$desk"; } 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

men=5000 extra=90
[ -z "$quick" ] || men=1000 extra=0
if [ -z "$store" ]; then
	store=${place:-$dir}/desk-$men.db
	rm -f "$store"
	"$build/tests/ttg-bench-desk" "$store" $men $extra 2>"$dir/fill.log" || {
		cat "$dir/fill.log" >&2
		exit 1
	}
fi
mkdir "$dir/spool"

password="a long enough password"
printf '%s\n' "$password" | "$build/bin/ttg-desk" user add ann --role manager --name "Ann Example" \
	--file "$dir/users" >"$dir/user.log" 2>&1 || {
	cat "$dir/user.log" >&2
	exit 1
}
cat >"$dir/desk.conf" <<END
agency = "one-service";
store = { path = "$store"; };
spool = { dir = "$dir/spool"; };
users_file = "$dir/users";
http = { port = 0; };
local_areas = [ "Peterborough" ];
baselines = [ "150" ];
END
"$build/bin/ttg-desk" --config "$dir/desk.conf" 2>"$dir/desk.log" &
desk=$!
tries=0
until grep -q 'event=ready port=' "$dir/desk.log"; do
	tries=$((tries + 1))
	if [ $tries -gt 600 ] || ! kill -0 $desk 2>/dev/null; then
		tail -n 5 "$dir/desk.log" >&2
		exit 1
	fi
	sleep 0.1
done
at=http://127.0.0.1:$(sed -n 's/.*event=ready port=\([0-9]*\).*/\1/p' "$dir/desk.log")

# Signs in as a browser does: the token of the form, the cookies.
token=$(curl -s -c "$dir/cookies" "$at/sign-in" |
	sed -n 's/.*name="form_token" value="\([^"]*\)".*/\1/p' | head -n 1)
code=$(curl -s -o "$dir/answer" -w '%{http_code}' -b "$dir/cookies" -c "$dir/cookies" -H "Origin: $at" \
	--data-urlencode "form_token=$token" --data-urlencode "user=ann" \
	--data-urlencode "password=$password" "$at/sign-in")
[ "$code" = 303 ] || {
	echo "signing in was answered with $code" >&2
	exit 1
}

# The figures are made beside the pages: without them there would be nothing to show.
tries=0
until curl -s -b "$dir/cookies" "$at/figures/engagement" | grep -q cohort-1; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || {
		echo "the figures were not made in time" >&2
		exit 1
	}
	sleep 0.2
done

alert=$(curl -s -b "$dir/cookies" "$at/alerts" | grep -o '/alerts/[0-9a-f-]\{36\}' | head -n 1)
printf '%-28s %10s %10s %8s\n' page "median ms" "slowest ms" KiB
status=0
for page in /live /alerts "$alert" /diary '/diary?days=today' /diary/print /diary.ics /boards \
	/people '/people?q=B0001CD' /people/7 /people/7/contact /people/7/needs /people/7/referral \
	/people/7/flag /people/new /access /sent /figures /figures/engagement /figures/needs \
	/figures/outcome /figures/referrals /figures/engagement/csv /figures/engagement/plot.svg; do
	urls=
	for _ in $(seq "$runs"); do urls="$urls -o /dev/null $at$page"; done
	# shellcheck disable=SC2086 # several arguments
	curl -s -b "$dir/cookies" -w '%{http_code} %{time_starttransfer} %{size_download}\n' \
		$urls | sort -k 2,2n >"$dir/times"
	awk -v page="$page" -v quick="$quick" '
	$1 != 200 && $1 != 409 { bad = $1 }
	{ ms[NR] = $2 * 1000; if ($3 > size) size = $3 }
	END {
		median = ms[int((NR + 1) / 2)]
		if (bad == "" && size >= 102400) bad = "too long"
		if (bad == "" && !quick && median >= 50) bad = "too slow"
		if (NR == 0) bad = "no answer"
		printf "%-28s %10.1f %10.1f %8.1f%s\n", page, median, ms[NR], size / 1024,
			bad == "" ? "" : "  " bad
		exit bad != ""
	}' "$dir/times" || status=1
done
kill -0 $desk 2>/dev/null || {
	echo "the desk ended" >&2
	status=1
}
exit $status
