# Shared by the checks of this folder; read with ".". Each check takes the root of a source tree
# and ends with status 0 when it found nothing, 1 with one line "path:line: what" a finding.
# shellcheck shell=sh
set -u
LC_ALL=C
export LC_ALL
# shellcheck disable=SC2034 # used by the checks
lint_dir=$(cd "$(dirname "$0")" && pwd)
root=${1:?"usage: $0 ROOT"}
cd "$root" || exit 2

# sources DIRECTORY... : the C files and headers below them, without generated and bad samples.
sources() {
	for directory in "$@"; do
		[ -d "$directory" ] || continue
		find "$directory" \( -path tests/lint/bad -prune \) -o \
			\( -name '*.[ch]' -type f -print \)
	done | sort
}

# all_sources: everything written in C here.
all_sources() {
	sources include lib daemon adapters etc tests
}

findings=$(mktemp) || exit 2
trap 'rm -f "$findings" "$findings".*' EXIT

# finish NAME: prints what was found and ends.
finish() {
	if [ -s "$findings" ]; then
		cat "$findings"
		echo "$1: $(wc -l <"$findings") finding(s)"
		exit 1
	fi
	echo "$1: fine"
	exit 0
}
