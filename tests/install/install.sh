#!/usr/bin/env bash
# Install into a folder and use what is there as a stranger would: install.sh BUILD-FOLDER
set -euo pipefail
# shellcheck source=../tally.sh
. "$(dirname "$0")/../tally.sh"
build=$1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check "cmake --install" env DESTDIR="$work" cmake --install "$build"
library=$(dirname "$(find "$work" -name libingot.so)")
prefix=$work$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")
export PKG_CONFIG_PATH=$library/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work
export LD_LIBRARY_PATH=$library

cat >"$work/user.c" <<'END'
#include <stdio.h>

#include <base/guid.h>
#include <base/version.h>

int main(void)
{
	return printf("%s\n", ingot_version()) < 0;
}
END
compile() {
	local flags
	flags=$(pkg-config --cflags --libs ingot)
	# shellcheck disable=SC2086 # words on purpose
	gcc -Wall -Wextra -Werror -o "$work/user" "$work/user.c" $flags
}
headers() {
	local header flags
	flags=$(pkg-config --cflags ingot)
	while read -r header; do
		# shellcheck disable=SC2086
		gcc -D_GNU_SOURCE -fsyntax-only -x c $flags "$header" || return 1
	done < <(find "$prefix/include" -name '*.h')
}
same() {
	[ "$("$work/user")" = "$1" ]
}
check "a program against the library compiles" compile
check "it runs, and says pkg-config's version" \
	same "$(pkg-config --modversion ingot)"
check "every header stands on its own" headers
check "the installed program runs" "$prefix/bin/ingot" --version
check "the layouts are installed" test -s "$prefix/share/ingot/layouts/flatcar.yaml"
check "the vendors are installed" test -s "$prefix/share/ingot/oem/ami.yaml"
verdict
