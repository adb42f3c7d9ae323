#!/bin/sh
# Measures ttgd, and peers when asked, on the same work: prints tables of medians and ratios and
# leaves results.jsonl, results.csv, report.md and plots (SVG, when gnuplot is there) in build/bench.
#
#     sh tests/bench/run.sh [--rounds N] [--peers LIST|all] [--growth] [--events N]
#                           [--build FOLDER] [--out FOLDER] [--place FOLDER] [--quick]
#
#   --rounds N      rounds of everything, brokers taking turns (5)
#   --peers LIST    redis or all: installs their Debian packages (asks for root) but runs them itself,
#                   on the loopback, in a temporary folder
#   --growth        ttgd alone with more agencies, persons, backlog and other sizes of events, too
#   --events N      events of a throughput measurement (200000)
#   --build FOLDER  of programs that are built already, for example build/dev; else build/release is
#                   built first
#   --place FOLDER  on the disk to measure (/var/tmp)
#   --quick         one small round of ttgd, in seconds: does it run, is nothing lost? No figures.
#
# Nothing else should run meanwhile. docs/performance.md explains what is measured.
set -u

usage() {
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=5
events=200000
peers=
growth=
build=
out=$root/build/bench
place=/var/tmp
quick=
while [ $# -gt 0 ]; do
	case $1 in
	--rounds | --peers | --events | --build | --out | --place)
		[ $# -ge 2 ] || usage
		eval "${1#--}=\$2"
		shift
		;;
	--growth) growth=1 ;;
	--quick) quick=1 ;;
	*) usage ;;
	esac
	shift
done
[ "$peers" != all ] || peers=redis

if [ -z "$build" ]; then
	build=$root/build/release
	(cd "$root" && cmake --preset release && cmake --build --preset release \
		--target ttgd ttg-bench) >"$root/build/bench-build.log" 2>&1 || {
		echo "the build failed: see build/bench-build.log" >&2
		exit 1
	}
fi
build=$(cd "$build" && pwd) || exit 1
bench=$build/tests/ttg-bench
failed=0

# measure LABEL BROKER MODE OPTIONS...: one line into results.jsonl
measure() {
	label=$1
	broker=$2
	mode=$3
	shift 3
	[ "$broker" = disk ] || set -- --broker "$broker" "$@"
	if line=$("$bench" "$mode" --bin "$build/bin" --place "$place" "$@"); then
		echo "$line" | sed "s/^{/{\"round\":$round,\"label\":\"$label\",/" >>"$results"
	else
		echo "round $round: $broker $label failed" >&2
		failed=1
	fi
}

if [ -n "$quick" ]; then
	results=$(mktemp) || exit 1
	trap 'rm -f "$results"' EXIT
	round=1
	measure throughput ttgd throughput --events 4000 --warm-up 500
	measure latency ttgd latency --rate 400 --seconds 1
	measure memory ttgd memory --backlog 3000
	measure catchup ttgd catchup --backlog 3000 --rate 200
	measure recovery ttgd recovery --backlog 3000
	measure sizes ttgd throughput --events 300 --warm-up 10 --bytes 65536 --window 8
	measure small ttgd throughput --events 2000 --warm-up 10 --bytes 64
	measure agencies ttgd throughput --events 2000 --warm-up 10 --agencies 40 --publishers 8
	cat "$results"
	exit "$failed"
fi

# packages_of PEER
packages_of() {
	case $1 in
	redis) echo redis-server ;;
	*) usage ;;
	esac
}

brokers=ttgd
wanted="gnuplot-nox openssl"
for peer in $(echo "$peers" | tr , ' '); do
	wanted="$wanted $(packages_of "$peer")"
	brokers="$brokers $peer"
done
if [ -n "$peers" ]; then
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root=sudo
	# Debian starts what it installs; here nothing may run but what is measured.
	# shellcheck disable=SC2086 # one argument a package
	RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q \
		--no-install-recommends $wanted >"$root/build/bench-packages.log" 2>&1 || {
		echo "packages could not be installed: see build/bench-packages.log" >&2
		exit 1
	}
	for peer in $(echo "$peers" | tr , ' '); do
		service=$(packages_of "$peer")
		$as_root service "$service" stop >/dev/null 2>&1 || true
	done
fi

mkdir -p "$out"
results=$out/results.jsonl
: >"$results"

# machine: what the figures are of
machine() {
	echo "- date: $(date -u +%Y-%m-%d)"
	echo "- kernel: $(uname -sr)"
	echo "- processors: $(nproc), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
	echo "- memory: $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
	echo "- disk: $(df -T "$place" | awk 'NR == 2 { print $2 " on " $1 }')"
	echo "- others' load when it began: $(cut -d ' ' -f 1-3 /proc/loadavg)"
	for program in redis-server libzmq5; do
		dpkg-query -W -f '- ${Package} ${Version}\n' "$program" 2>/dev/null
	done
	return 0
}
machine >"$out/machine.md"

round=1
while [ "$round" -le "$rounds" ]; do
	echo "round $round of $rounds" >&2
	measure disk-4k disk disk --bytes 4096 --seconds 3
	measure disk-64k disk disk --bytes 65536 --seconds 3
	measure throughput zmq throughput --events "$events"
	for broker in $brokers; do
		measure throughput "$broker" throughput --events "$events"
	done
	for rate in 200 2000 20000; do
		for broker in $brokers; do
			measure "latency-$rate" "$broker" latency --rate "$rate" --seconds 10
		done
	done
	measure memory ttgd memory --backlog 200000
	measure catchup ttgd catchup --backlog 500000 --rate 2000
	measure recovery-200000 ttgd recovery --backlog 200000
	if [ -n "$growth" ]; then
		for n in 2 50 500; do
			measure "agencies-$n" ttgd throughput --events "$events" --agencies "$n"
		done
		measure publishers-490 ttgd throughput --events "$events" --agencies 500 \
			--publishers 490 --window 2
		for n in 64 256 1024 4096 16384 65536; do
			measure "bytes-$n" ttgd throughput --bytes "$n" \
				--events "$((events * 64 / (64 + n / 32)))"
		done
		for n in 1000 30000 1000000; do
			measure "persons-$n" ttgd throughput --events "$events" --persons "$n"
		done
		for n in 1000000 5000000; do
			measure "memory-$n" ttgd memory --backlog "$n"
			measure "recovery-$n" ttgd recovery --backlog "$n"
		done
	fi
	round=$((round + 1))
done

awk -v what=csv -f "$here/report.awk" "$results" >"$out/results.csv"
{
	cat "$out/machine.md"
	echo
	awk -v what=table -f "$here/report.awk" "$results"
} >"$out/report.md"
cat "$out/report.md"

if command -v gnuplot >/dev/null; then
	awk -v what=plot -v "out=$out" -f "$here/report.awk" "$results" | gnuplot || failed=1
fi
exit "$failed"
