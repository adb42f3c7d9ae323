#!/bin/sh
# The demonstration: builds throughgate, starts the broker and the adapters of four agencies on this
# machine, and plays an invented cohort's days from files as the agencies' own systems write them.
# What the One Service receives is printed as it comes: when, what, who, and how many milliseconds
# it took from publish to the case store. The duty desk runs beside it: its address and who may sign
# in are printed first.
#
#     sh etc/demo/run.sh [--seconds N] [--dir DIR] [--build DIR] [--seed N]
#
#   --seconds N   end after N seconds with a summary; without it, Ctrl-C ends
#   --dir DIR     keep configuration, keys and data in DIR, which must be empty or new
#   --build DIR   use the programs of this build directory, build nothing
#   --seed N      another cohort
#
# Exit status: 0 everything that was sent arrived, 1 something was lost or failed, 2 wrong use.
set -u
umask 077

usage() {
	echo "usage: sh etc/demo/run.sh [--seconds N] [--dir DIR] [--build DIR] [--seed N]" >&2
	exit 2
}

is_number() {
	case $1 in
	'' | *[!0-9]*) return 1 ;;
	esac
}

seconds=0
dir=
build=
seed=1
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help)
		sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	--seconds | --dir | --build | --seed) [ $# -ge 2 ] || usage ;;
	*) usage ;;
	esac
	case $1 in
	--seconds | --seed)
		is_number "$2" || usage
		if [ "$1" = --seed ]; then seed=$2; else seconds=$2; fi
		;;
	--dir) dir=$2 ;;
	--build) build=$2 ;;
	esac
	shift 2
done
if [ "$seconds" -gt 0 ] && [ "$seconds" -lt 20 ]; then
	echo "--seconds: at least 20, so that something happens before it ends" >&2
	exit 2
fi

source_dir=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
cd "$source_dir" || exit 1

# --- packages and build

if [ -z "$build" ]; then
	sh tests/packages.sh --build || exit 1
	build=$source_dir/build/release
	mkdir -p build
	echo "Building (the log is build/demo.log) ..."
	if ! { cmake --preset release && cmake --build --preset release --target \
		ttgd ttgctl ttg-prison ttg-police ttg-probation ttg-oneservice ttg-desk ttg-pub \
		ttg-sub ttg-demo; } >build/demo.log 2>&1; then
		tail -n 30 build/demo.log
		echo "The build failed; its whole output is in build/demo.log." >&2
		exit 1
	fi
fi
build=$(cd "$build" && pwd) || exit 2
bin=$build/bin
for program in ttgd ttgctl ttg-prison ttg-police ttg-probation ttg-oneservice ttg-desk ttg-pub \
	ttg-sub ttg-demo; do
	[ -x "$bin/$program" ] || {
		echo "$bin/$program is not there; build it first, or leave --build out" >&2
		exit 2
	}
done

# --- a place for everything

kept=1
if [ -z "$dir" ]; then
	dir=$(mktemp -d "${TMPDIR:-/tmp}/throughgate-demo.XXXXXX") || exit 1
	kept=
else
	mkdir -p "$dir" || exit 2
	if [ -n "$(ls -A "$dir")" ]; then
		echo "$dir is not empty; name a new folder, or remove it first" >&2
		exit 2
	fi
	dir=$(cd "$dir" && pwd)
	chmod 700 "$dir"
fi
etc=$dir/etc
log=$dir/log
run=$dir/run
for folder in "$etc/keys" "$log" "$run" "$dir/journal"; do
	mkdir -p "$folder" || exit 1
done
for adapter in prison police probation oneservice; do
	mkdir -p "$dir/$adapter/spool" "$dir/$adapter/state" "$dir/$adapter/out" || exit 1
done

# set_option FILE KEY VALUE: changes or uncomments one option of a sample.
set_option() {
	sed -i -E "s|^([[:space:]]*)#?[[:space:]]*($2)[[:space:]]*=[[:space:]]*[^;]*;|\\1\\2 = $3;|" \
		"$1"
	grep -Eq "^[[:space:]]*$2 = " "$1" || {
		echo "the sample of $1 has no option $2" >&2
		exit 1
	}
}

# set_folder FILE GROUP VALUE: the option `directory` of one group.
set_folder() {
	sed -i -E "/^$2 = \{/,/^\};/s|^([[:space:]]*)#?[[:space:]]*directory[[:space:]]*=[[:space:]]*[^;]*;|\1directory = $3;|" \
		"$1"
	grep -q "directory = $3;" "$1" || {
		echo "the sample of $1 has no folder of $2" >&2
		exit 1
	}
}

write_configuration() {
	ports=$("$bin/ttg-demo" ports 3) || exit 1
	port=${ports%% *}
	ports=${ports#* }
	http_port=${ports% *}
	desk_port=${ports#* }
	cp etc/ttgd.conf "$etc/ttgd.conf"
	cp -R etc/agencies.d etc/agreements.d "$etc/"
	set_option "$etc/ttgd.conf" endpoint "\"tcp://127.0.0.1:$port\""
	set_option "$etc/ttgd.conf" http_port "$http_port"
	set_option "$etc/ttgd.conf" control_socket "\"$run/control\""
	set_folder "$etc/ttgd.conf" journal "\"$dir/journal\""
	set_folder "$etc/ttgd.conf" archive "\"$dir/archive\""
	set_folder "$etc/ttgd.conf" keys "\"$dir/keys\""
	set_option "$etc/ttgd.conf" master_file '"keys/master.key"'
	for adapter in prison police probation oneservice; do
		file=$etc/$adapter.conf
		cp "etc/adapters/$adapter.conf" "$file"
		agency=$(sed -n -E 's/^agency = "([^"]*)";.*/\1/p' "$file")
		set_option "$file" broker "\"tcp://127.0.0.1:$port\""
		set_option "$file" server_key_file "\"$etc/keys/broker.pub\""
		set_option "$file" key_file "\"$etc/keys/$agency.key\""
		set_option "$file" state_dir "\"$dir/$adapter/state\""
		set_option "$file" dir "\"$dir/$adapter/spool\""
		[ "$adapter" = oneservice ] || set_option "$file" out_dir "\"$dir/$adapter/out\""
	done
	cp etc/adapters/desk.conf "$etc/desk.conf"
	set_option "$etc/desk.conf" path "\"$dir/oneservice/state/case.db\""
	set_option "$etc/desk.conf" dir "\"$dir/oneservice/spool\""
	set_option "$etc/desk.conf" users_file "\"$etc/desk.users\""
	set_option "$etc/desk.conf" port "$desk_port"
}

# Somebody who may sign in at the desk, with a password of this demonstration's own.
make_user() {
	desk_password=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
	printf '%s\n' "$desk_password" | "$bin/ttg-desk" user add demo --role manager \
		--name "J. Okafor" --file "$etc/desk.users"
}

make_keys() {
	"$bin/ttgctl" keygen --server --out "$etc/keys" &&
		"$bin/ttgctl" keygen --journal --out "$etc/keys" &&
		"$bin/ttgctl" keygen --master --out "$etc/keys" || return 1
	for file in "$etc"/agencies.d/*.conf; do
		"$bin/ttgctl" keygen --agency "$(basename "$file" .conf)" --out "$etc/keys" || return 1
	done
}

ctl() {
	"$bin/ttgctl" --config "$etc/ttgd.conf" "$@"
}

# --- processes: each in a session of its own, so that Ctrl-C reaches this script alone

# start NAME IN OUT COMMAND...: IN and OUT are files, or - for this script's own output; standard
# error goes to the log.
start() {
	name=$1
	in=$2
	out=$3
	shift 3
	(
		[ "$out" = - ] || exec >"$out"
		exec setsid "$@" <"$in" 2>"$log/$name.log"
	) &
	eval "pid_$name=$!"
}

is_running() {
	eval "kill -0 \"\${pid_$1:-0}\" 2>/dev/null" && eval "[ -n \"\${pid_$1:-}\" ]"
}

# stop NAME...: asks in this order and waits; what does not end in 15 s is killed and told.
stop() {
	for name in "$@"; do
		eval "pid=\${pid_$name:-}"
		[ -n "$pid" ] || continue
		kill -TERM "$pid" 2>/dev/null
		tries=0
		while kill -0 "$pid" 2>/dev/null && [ $tries -lt 150 ]; do
			sleep 0.1
			tries=$((tries + 1))
		done
		if kill -KILL "$pid" 2>/dev/null; then
			echo "$name did not stop when asked and was killed" >&2
			failed=1
		fi
		wait "$pid" 2>/dev/null
		eval "pid_$name="
	done
}

failed=
ended=

finish() {
	[ -z "$ended" ] || return
	ended=1
	stop player desk mind_in mind_desk mind_out oneservice prison police probation tail ttgd
	[ -n "$kept" ] || rm -rf "$dir"
}
trap finish EXIT

# show NAME: why a process ended.
show() {
	echo "$1 ended unexpectedly; the last lines of its log:" >&2
	tail -n 15 "$log/$1.log" >&2
}

wait_for_broker() {
	tries=0
	until ctl --json status >"$run/status.jsonl" 2>/dev/null; do
		is_running ttgd || {
			show ttgd
			return 1
		}
		tries=$((tries + 1))
		[ $tries -lt 100 ] || {
			echo "the broker does not answer" >&2
			return 1
		}
		sleep 0.1
	done
}

start_all() {
	start ttgd /dev/null "$log/ttgd.out" "$bin/ttgd" --config "$etc/ttgd.conf"
	wait_for_broker || return 1
	for agreement in "$etc"/agreements.d/*.conf; do
		ctl --json agreements "$(basename "$agreement" .conf)" || return 1
	done >"$run/grants.jsonl"
	start tail /dev/null "$run/tail.jsonl" "$bin/ttgctl" --config "$etc/ttgd.conf" --json tail \
		--count 1000 --follow
	start oneservice /dev/null - "$bin/ttg-oneservice" --config "$etc/oneservice.conf"
	for adapter in prison police probation; do
		start $adapter /dev/null "$log/$adapter.out" "$bin/ttg-$adapter" \
			--config "$etc/$adapter.conf"
	done
	start_provider
	tries=0
	until [ -s "$dir/oneservice/state/case.db" ] || [ $tries -ge 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	start desk /dev/null "$log/desk.out" "$bin/ttg-desk" --config "$etc/desk.conf"
}

# A provider with nothing but the two general tools: referrals in, answers out.
start_provider() {
	mkfifo "$run/mind-in" "$run/mind-out" || return 1
	access="--broker tcp://127.0.0.1:$port --server-key $etc/keys/broker.pub --key $etc/keys/mind.key"
	# shellcheck disable=SC2086 # several arguments
	start mind_in /dev/null "$run/mind-in" "$bin/ttg-sub" $access --mailbox in
	start mind_desk "$run/mind-in" "$run/mind-out" "$bin/ttg-demo" answer --provider mind \
		--expected "$run/answers.jsonl"
	# shellcheck disable=SC2086 # several arguments
	start mind_out "$run/mind-out" "$run/outcomes.jsonl" "$bin/ttg-pub" $access
}

# compare [--explain]: 0 when everything that was sent arrived and nothing is under way.
compare() {
	"$bin/ttg-demo" check --store "$dir/oneservice/state/case.db" \
		--expected "$run/played.jsonl" --expected "$run/answers.jsonl" \
		--status "$dir/prison/state/status.json" --status "$dir/police/state/status.json" \
		--status "$dir/probation/state/status.json" \
		--status "$dir/oneservice/state/status.json" --outcomes "$run/outcomes.jsonl" \
		--tail "$run/tail.jsonl" --grants "$run/grants.jsonl" \
		--mailboxes "$run/mailboxes.jsonl" "$@"
}

has_arrived() {
	ctl --json mailboxes >"$run/mailboxes.jsonl" 2>/dev/null && compare >"$run/check.out" 2>&1
}

# --- the demonstration

echo "Configuration and keys in $etc"
write_configuration
make_keys >"$log/keygen.out" 2>&1 || {
	cat "$log/keygen.out" >&2
	exit 1
}
make_user >"$log/user.out" 2>&1 || {
	cat "$log/user.out" >&2
	exit 1
}
ctl check >"$log/check.out" 2>&1 || {
	cat "$log/check.out" >&2
	exit 1
}
start_all || exit 1

cat <<END
The duty desk is at http://127.0.0.1:$desk_port - user demo, password $desk_password
END
if [ -n "$kept" ]; then
	cat <<END
The broker listens on tcp://127.0.0.1:$port. In another terminal:
  $bin/ttgctl --config $etc/ttgd.conf status
  $bin/ttgctl --config $etc/ttgd.conf mailboxes
  $bin/ttg-sub --broker tcp://127.0.0.1:$port --server-key $etc/keys/broker.pub \\
      --key $etc/keys/probation.key --mailbox in --no-ack
  $bin/ttg-oneservice publish --config $etc/oneservice.conf FILE
Files put into $dir/prison/spool (police, probation, oneservice) are taken at once.
END
fi
echo "One day every two seconds; what the One Service receives:"
echo

limit=
[ "$seconds" -eq 0 ] || limit="--seconds $((seconds - 12))"
# shellcheck disable=SC2086 # several arguments
start player /dev/null "$log/player.out" "$bin/ttg-demo" play --prison "$dir/prison/spool" --police "$dir/police/spool" \
	--probation "$dir/probation/spool" --oneservice "$dir/oneservice/spool" \
	--expected "$run/played.jsonl" --seed "$seed" $limit

interrupted=
trap 'interrupted=1' INT TERM
while [ -z "$interrupted" ] && is_running player; do
	for name in ttgd oneservice desk prison police probation mind_in mind_desk mind_out tail; do
		is_running $name || {
			show $name
			exit 1
		}
	done
	sleep 0.5
done
stop player
grep -q . "$log/player.log" && {
	cat "$log/player.log" >&2
	failed=1
}

# Everything that was played gets ten seconds to arrive.
tries=0
until has_arrived || [ $tries -ge 20 ]; do
	sleep 0.5
	tries=$((tries + 1))
done

# The agencies first, then the provider's tools from their input on, the broker last: the final
# numbers are those of processes that ended in order.
ctl --json mailboxes >"$run/mailboxes.jsonl" || failed=1
stop desk prison police probation mind_in mind_desk mind_out oneservice tail ttgd
echo
cat "$log/player.out"
compare --explain || failed=1
[ -z "$failed" ]
