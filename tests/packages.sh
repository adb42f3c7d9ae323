#!/bin/sh
# Installs the Debian packages of tests/packages.txt that are missing, and only those. Used by
# tests/run.sh, and with --build (only what building needs) by etc/demo/run.sh; nothing is asked and
# nothing is fetched when all are there.
# node and npm may come from elsewhere than Debian, whose npm would then not go together with them:
# where a node of version 18 or later and an npm run, neither of the two packages is asked for.
# Exit status: 0 all there, 1 they cannot be installed (the message says what to do).
set -u
here=$(cd "$(dirname "$0")" && pwd)

# has_node: both run, and node is new enough.
has_node() {
	npm --version </dev/null >/dev/null 2>&1 && node -e \
		'process.exit(+process.versions.node.split(".")[0] >= 18 ? 0 : 1)' </dev/null 2>/dev/null
}

missing=
while read -r package; do
	case $package in
	'# From here on for the tests only.')
		[ "${1:-}" != --build ] || break
		continue
		;;
	'' | '#'*) continue ;;
	nodejs | npm) ! has_node || continue ;;
	esac
	status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || status=none
	[ "$status" = installed ] || missing="$missing $package"
done <"$here/packages.txt"
[ -n "$missing" ] || exit 0

echo "Missing Debian packages:$missing"
command -v apt-get >/dev/null || {
	echo "There is no apt-get here: install the equivalents of these by hand." >&2
	exit 1
}
as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "Neither root nor sudo: run as root: apt-get install$missing" >&2
		exit 1
	}
	as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q || echo "apt-get update failed; trying with the lists there are." >&2
# The tests start servers of their own: Debian's package is not to make and start one.
no_cluster=
case " $missing " in
*' postgresql '*)
	no_cluster=/etc/postgresql-common/createcluster.d/throughgate.conf
	$as_root mkdir -p "${no_cluster%/*}"
	echo 'create_main_cluster = false' | $as_root tee "$no_cluster" >/dev/null
	;;
esac
# shellcheck disable=SC2086 # one argument a package
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
installed=$?
[ -z "$no_cluster" ] || $as_root rm -f "$no_cluster"
[ "$installed" -eq 0 ] || {
	echo "apt-get could not install:$missing" >&2
	exit 1
}
