#!/usr/bin/env bash
# What ci/debian13.sh runs inside, in a folder with the source: tests.sh
# Ends with "N passed, M failed".
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../../tests/tally.sh
. "$top/tests/tally.sh"
cd "$top"
ingot=$top/build/release/ingot
logs=$top/build/logs
mkdir -p "$logs"

# Those where a library or a program of another version is asked: OpenSSL, libcryptsetup, libext2fs,
# libarchive; e2fsprogs, QEMU, 7-Zip, util-linux, mtools, sbsigntool, osslsigncode, softhsm.
interop=(verity convert disk build_fec mkfs vendors air-gap-image air-gap repair check_fs ext4 fat
	sign-pe sign-efi sign sign-token sign-file sign-secrets build-signed inspect uki convert-packages)

# compile PRESET: without a warning, whether or not the preset makes errors of them
compile() {
	cmake --preset "$1" || return 1
	if ! cmake --build --preset "$1" >"$logs/$1.log"; then
		cat "$logs/$1.log"
		return 1
	fi
	not grep -A 5 'warning:' "$logs/$1.log"
}

# run NAME...: as many scripts of tests/interop side by side as there are cores
run() {
	printf '%s\n' "$@" | xargs -P "$(nproc)" -I NAME sh -c "
		tests/interop/NAME.sh '$ingot' >'$logs/NAME.log' 2>&1 </dev/null
		echo \$? >'$logs/NAME.status'"
}
replay() {
	printf '\n-- %s\n' "$1"
	cat "$logs/$1.log"
	return "$(cat "$logs/$1.status")"
}

nothing_missing() {
	ci/deps.sh test >"$logs/deps.log" && not grep . "$logs/deps.log"
}

gcc --version | head -n 1
check "ci/deps.sh finds nothing missing" nothing_missing
check "the release preset compiles without a warning" compile release
check "the dev preset compiles without a warning" compile dev
[ "$failed" = 0 ] || verdict
add ctest --preset dev -j "$(nproc)"
run "${interop[@]}"
for name in "${interop[@]}"; do
	add replay "$name"
done
verdict
