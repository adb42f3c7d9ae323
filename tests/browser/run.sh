#!/bin/sh
# Browser tests: the real programs, Debian's Chromium driven by Playwright, axe for WCAG 2.2 AA.
# Screenshots go to BUILD/browser/screenshots.
#
# usage: sh tests/browser/run.sh --build DIR
set -u
if [ $# -ne 2 ] || [ "$1" != --build ]; then
	echo "usage: sh tests/browser/run.sh --build DIR" >&2
	exit 2
fi
build=$(cd "$2" && pwd) || exit 2
here=$(cd "$(dirname "$0")" && pwd)
work=$build/browser
mkdir -p "$work" || exit 1

# The sources and the packages lie side by side in the build folder: nothing is put beside the tests.
cp "$here"/*.mjs "$here/package.json" "$here/package-lock.json" "$work/" || exit 1
if ! cmp -s "$work/package-lock.json" "$work/installed-lock.json"; then
	(cd "$work" && npm ci --omit=optional --no-audit --no-fund >npm.log 2>&1) || {
		tail -n 20 "$work/npm.log" >&2
		echo "The packages of the browser tests cannot be installed." >&2
		exit 1
	}
	cp "$work/package-lock.json" "$work/installed-lock.json"
fi
rm -rf "$work/screenshots"
mkdir "$work/screenshots" || exit 1
cd "$work" || exit 1
TTG_SOURCE=$(cd "$here/../.." && pwd) TTG_BIN=$build/bin exec node --test --test-reporter=tap --test-concurrency=1 \
	./*.test.mjs
