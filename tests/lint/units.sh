#!/bin/sh
# The units for systemd, as installed, under `systemd-analyze security`: 2.0 at most each, which stands
# for little that a unit could still do to the machine.
#
#     sh tests/lint/units.sh ROOT [BUILD]
# shellcheck source=tests/lint/lib.sh
. "$(dirname "$0")/lib.sh"

build=${2:-$root/build/release}
: >"$findings"
for unit in ttgd.service ttg-signer.service ttg-adapter@.service \
	ttg-partner@.service ttg-desk.service; do
	file=$build/etc/$unit
	[ -f "$file" ] || {
		echo "$file:1: is not there" >>"$findings"
		continue
	}
	mkdir -p "$findings.units"
	# An instance has a name; the program need not be installed for what is asked here.
	sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$file" >"$findings.units/$unit"
	if ! systemd-analyze security --no-pager --offline=true --threshold=20 \
		"$findings.units/$unit" >"$findings.out" 2>&1; then
		sed -n "s|.*Overall exposure level.*: |etc/systemd/$unit.in:1: exposed more than 2.0: |p" \
			"$findings.out" >>"$findings"
		grep -q "Overall exposure" "$findings.out" || sed "s|^|$unit: |" "$findings.out" >>"$findings"
	else
		sed -n "s|.*Overall exposure level for||p" "$findings.out"
	fi
done
rm -rf "$findings.units"
finish units
