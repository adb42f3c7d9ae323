#!/bin/sh
# Measures ttgd, and peers when asked, on the same work: prints tables of medians and ratios and
# leaves results.jsonl, results.csv, report.md and plots (SVG, when gnuplot is there) in build/bench.
#
#     sh tests/bench/run.sh [--rounds N] [--peers LIST|all] [--modes LIST] [--growth] [--events N]
#                           [--seconds N] [--at-most N] [--largest N] [--build FOLDER]
#                           [--out FOLDER] [--place FOLDER] [--quick]
#
#   --rounds N      rounds of everything, brokers taking turns (5)
#   --peers LIST    of redis, nats, rabbitmq, mosquitto; or all: installs their Debian packages (asks
#                   for root) but runs them itself, on the loopback, in a temporary folder
#   --modes LIST    of limits, throughput, latency, memory, own (limits,throughput,latency,memory,own);
#                   own is what is measured of ttgd alone: catch-up and recovery
#   --growth        ttgd alone with more agencies, persons, backlog, journal, and other sizes of
#                   events, too; in the first two rounds
#   --events N      events of a throughput measurement (200000)
#   --seconds N     of a latency measurement (6)
#   --at-most N     seconds of a throughput or memory measurement; a slow broker gets fewer events (12)
#   --largest N     backlog and journal of --growth (5000000)
#   --build FOLDER  of programs that are built already, for example build/dev; else build/release is
#                   built first
#   --place FOLDER  on the disk to measure (/var/tmp)
#   --quick         one small round of ttgd, in seconds: does it run, is nothing lost? No figures.
#                   With --peers one small measurement of each of them, too.
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
few=2
events=200000
seconds=6
at_most=12
largest=5000000
peers=
modes=limits,throughput,latency,memory,own
growth=
build=
out=$root/build/bench
place=/var/tmp
quick=
while [ $# -gt 0 ]; do
	case $1 in
	--at-most)
		[ $# -ge 2 ] || usage
		at_most=$2
		shift
		;;
	--rounds | --peers | --modes | --events | --seconds | --largest | --build | --out | --place)
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
[ "$peers" != all ] || peers=redis,nats,rabbitmq,mosquitto
peers=$(echo "$peers" | tr , ' ')
PATH=$PATH:/usr/sbin:/sbin # where Debian puts some brokers

# packages_of PEER
packages_of() {
	case $1 in
	redis) echo redis-server ;;
	nats) echo nats-server ;;
	rabbitmq) echo rabbitmq-server librabbitmq-dev ;;
	mosquitto) echo mosquitto ;;
	*) usage ;;
	esac
}

# brokers_of PEER: what ttg-bench calls it, in all its forms
brokers_of() {
	case $1 in
	nats) echo nats nats-synced ;;
	*) echo "$1" ;;
	esac
}

# install_missing PACKAGES...: Debian starts what it installs, now and at each boot; here nothing may run but
# what is measured. What was installed before is left as it is.
install_missing() {
	missing=
	for package in "$@"; do
		status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=none
		[ "$status" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root=sudo
	policy=/usr/sbin/policy-rc.d
	own_policy=
	if [ ! -e "$policy" ]; then
		own_policy=1
		printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
		$as_root chmod 755 "$policy"
	fi
	mkdir -p "$root/build"
	# shellcheck disable=SC2086 # one argument a package
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		$missing >"$root/build/bench-packages.log" 2>&1
	installed=$?
	[ -z "$own_policy" ] || $as_root rm -f "$policy"
	if [ "$installed" -ne 0 ]; then
		echo "packages could not be installed: see build/bench-packages.log" >&2
		exit 1
	fi
	for package in $missing; do
		case $package in
		redis-server | nats-server | rabbitmq-server | mosquitto) ;;
		*) continue ;;
		esac
		if [ -d /run/systemd/system ]; then
			$as_root systemctl disable --now "$package" >/dev/null 2>&1
		elif [ -e "/etc/init.d/$package" ]; then
			$as_root update-rc.d "$package" disable >/dev/null 2>&1
		fi
	done
	return 0
}

brokers=ttgd
if [ -n "$peers" ]; then
	wanted="gnuplot-nox openssl"
	for peer in $peers; do
		wanted="$wanted $(packages_of "$peer")" || exit 2
		brokers="$brokers $(brokers_of "$peer")"
	done
	# shellcheck disable=SC2086 # one argument a package
	install_missing $wanted
fi

if [ -z "$build" ]; then
	build=$root/build/release
	mkdir -p "$root/build"
	(cd "$root" && cmake --preset release && cmake --build --preset release \
		--target ttgd ttg-bench) >"$root/build/bench-build.log" 2>&1 || {
		echo "the build failed: see build/bench-build.log" >&2
		exit 1
	}
fi
build=$(cd "$build" && pwd) || exit 1
bench=$build/tests/ttg-bench
for broker in $brokers; do
	"$bench" --help | grep -q "[( ]${broker}[,)]" || {
		echo "$bench cannot talk to $broker: configure and build again" >&2
		exit 1
	}
done

scratch=$(mktemp -d "$place/ttg-bench-run-XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP
failed=0

# measure LABEL BROKER MODE OPTIONS...: one line into results.jsonl
measure() {
	label=$1
	broker=$2
	mode=$3
	shift 3
	[ "$broker" = disk ] || set -- --broker "$broker" "$@"
	from=$(date +%s)
	if line=$("$bench" "$mode" --bin "$build/bin" --place "$scratch" "$@"); then
		echo "$line" | sed "s/^{/{\"round\":$round,\"label\":\"$label\",\"took_s\":$(($(date +%s) - from)),/" \
			>>"$results"
	else
		echo "round $round: $broker $label failed" >&2
		failed=1
	fi
}

if [ -n "$quick" ]; then
	results=$scratch/results.jsonl
	round=1
	measure throughput ttgd throughput --events 4000 --warm-up 500
	measure latency ttgd latency --rate 400 --seconds 1
	measure memory ttgd memory --backlog 3000
	measure catchup ttgd catchup --backlog 3000 --rate 200 --events 1000 --warm-up 100
	measure recovery ttgd recovery --backlog 3000
	measure sizes ttgd throughput --events 300 --warm-up 10 --bytes 65536 --window 8
	measure small ttgd throughput --events 2000 --warm-up 10 --bytes 64
	measure agencies ttgd throughput --events 2000 --warm-up 10 --agencies 40 --publishers 8
	for broker in $brokers; do
		[ "$broker" != ttgd ] || continue
		measure throughput "$broker" throughput --events 2000 --warm-up 100 --at-most 2
		measure latency "$broker" latency --rate 100 --seconds 1
		measure memory "$broker" memory --backlog 1000 --at-most 2
	done
	cat "$results"
	exit "$failed"
fi

mkdir -p "$out"
results=$out/results.jsonl
: >"$results"

# asked MODE
asked() {
	case ,$modes, in
	*,"$1",*) true ;;
	*) false ;;
	esac
}

# machine: what the figures are of
machine() {
	echo "- date: $(date -u +%Y-%m-%d)"
	echo "- kernel: $(uname -sr)"
	echo "- processors: $(nproc), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
	echo "- memory: $(awk '/^MemTotal/ { print int($2 / 1024) " MB" }' /proc/meminfo)"
	echo "- file system: $(df --output=fstype,source "$place" | tail -n 1)"
	echo "- others' load when it began: $(cut -d ' ' -f 1-3 /proc/loadavg)"
	for package in redis-server nats-server rabbitmq-server erlang-base mosquitto libzmq5 \
		librabbitmq4 libssl3; do
		dpkg-query -W -f '- ${Package} ${Version}\n' "$package" 2>/dev/null
	done
	return 0
}
machine >"$out/machine.md"

# What shows no difference from round to round worth the time is done in the first few only.
in_first_rounds() {
	[ "$round" -le "$few" ]
}

limits() {
	measure disk-4k disk disk --bytes 4096 --seconds 2
	measure disk-64k disk disk --bytes 65536 --seconds 2
	measure throughput zmq throughput --events "$events" --at-most "$at_most"
}

throughput() {
	for broker in $brokers; do
		measure throughput "$broker" throughput --events "$events" --at-most "$at_most"
	done
}

latency() {
	for rate in 200 2000 20000; do
		for broker in $brokers; do
			measure "latency-$rate" "$broker" latency --rate "$rate" --seconds "$seconds"
		done
	done
}

memory() {
	for broker in $brokers; do
		measure memory "$broker" memory --backlog 200000 --at-most "$at_most"
	done
}

own() {
	measure catchup ttgd catchup --backlog 500000 --rate 2000 --events "$events"
	measure recovery ttgd recovery --backlog 200000
}

grow() {
	for n in 2 10 50 200 500; do
		measure "agencies-$n" ttgd throughput --events "$events" --agencies "$n"
	done
	for n in 4 49 490; do
		measure "connected-$n" ttgd throughput --events "$events" --agencies 500 \
			--publishers "$n" --window "$(((1024 + n - 1) / n))" --at-most "$at_most"
	done
	for n in 64 256 1024 4096 16384 65536; do
		measure "bytes-$n" ttgd throughput --bytes "$n" --at-most "$at_most" \
			--events "$((events * 64 / (64 + n / 32)))"
	done
	for n in 1000 10000 100000 1000000; do
		measure "persons-$n" ttgd throughput --events "$events" --persons "$n"
	done
	for n in 0 100000 1000000 5000000; do
		[ "$n" -le "$largest" ] || continue
		measure "backlog-$n" ttgd catchup --backlog "$n" --rate 2000 --events "$events"
	done
	for n in 100000 500000 1000000 5000000; do
		[ "$n" -le "$largest" ] || continue
		measure "journal-$n" ttgd recovery --backlog "$n"
	done
}

began=$(date +%s)
round=1
while [ "$round" -le "$rounds" ]; do
	echo "round $round of $rounds, after $(($(date +%s) - began)) s" >&2
	! asked limits || limits
	! asked throughput || throughput
	! asked latency || latency
	if asked memory && in_first_rounds; then memory; fi
	! asked own || own
	if [ -n "$growth" ] && in_first_rounds; then grow; fi
	round=$((round + 1))
done
echo "- took: $(($(date +%s) - began)) s" >>"$out/machine.md"

report() {
	awk -v "what=$1" -v "out=$out" -f "$here/results.awk" -f "$here/$2.awk" "$results"
}
report csv tables >"$out/results.csv"
{
	cat "$out/machine.md"
	echo
	report tables tables
} >"$out/report.md"
cat "$out/report.md"
if command -v gnuplot >/dev/null; then
	report plots plots | gnuplot || failed=1
fi
exit "$failed"
