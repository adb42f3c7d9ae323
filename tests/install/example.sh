#!/bin/sh
# Installs libttg into a directory of its own, builds docs/example.c against it with pkg-config,
# shared and static, and checks that no foreign name leaves the library.
set -eu
source_dir=$1
build_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build_dir" --component libttg --prefix "$work/shared" >/dev/null
lib=$(dirname "$(find "$work/shared" -name libttg.a)")
libdir=${lib#"$work/shared/"}
sed -i "s|^prefix=.*|prefix=$work/shared|" "$lib/pkgconfig/ttg.pc"
cp -R "$work/shared" "$work/static"
sed -i "s|^prefix=.*|prefix=$work/static|" "$work/static/$libdir/pkgconfig/ttg.pc"
rm "$work/static/$libdir"/libttg.so*

build() {
	# The flags are words of the shell on purpose.
	# shellcheck disable=SC2046,SC2086
	cc -std=c17 -Wall -Wextra -Werror -D_GNU_SOURCE "$source_dir/docs/example.c" -o "$work/$1-example" \
		$(PKG_CONFIG_PATH="$work/$1/$libdir/pkgconfig" pkg-config --cflags --libs $2)
	if LD_LIBRARY_PATH="$work/$1/$libdir" "$work/$1-example" 2>"$work/said"; then
		echo "$1: the example should ask for its arguments" >&2
		exit 1
	fi
	grep -q '^usage: example' "$work/said" || {
		echo "$1: the example did not run: $(cat "$work/said")" >&2
		exit 1
	}
}
build shared ttg
# Only libttg itself is static here: what it needs is given by name, because a static libzmq
# would want a dozen libraries that are not ours.
build static "ttg libzmq libcrypto"

leaked=$(nm -D --defined-only "$lib/libttg.so" | awk '$3 !~ /^ttg_/ { print $3 }'
	nm -g --defined-only "$lib/libttg.a" | awk 'NF == 3 && $3 !~ /^ttg_/ { print $3 }')
if [ -n "$leaked" ]; then
	echo "names that leave the library: $leaked" >&2
	exit 1
fi
nm -D --defined-only "$lib/libttg.so" | grep -q ' ttg_client_publish$'
objdump -p "$lib/libttg.so" | grep -q 'SONAME *libttg.so.0$'
# Every function of the headers is there.
sed -n 's/^[a-z].*[ *]\(ttg_[a-z_0-9]*\)(.*/\1/p' "$work"/shared/include/ttg/*.h | while read -r name; do
	nm -D --defined-only "$lib/libttg.so" | grep -q " $name\$" || {
		echo "declared but not in the library: $name" >&2
		exit 1
	}
done
