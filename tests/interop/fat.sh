#!/usr/bin/env bash
# FAT volumes of many shapes, read by fsck.fat and mtools: fat.sh INGOT
# make_fat stands beside the program, in the same build folder.
set -euo pipefail
# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
make_fat=$(dirname -- "$ingot")/tests/make_fat
export MTOOLSRC=/dev/null TZ=UTC LC_ALL=C.UTF-8

# Clean, and without a warning.
clean() {
	if ! fsck.fat -nv image >fsck.log 2>&1 ||
		grep -qiE 'warning|differ|wrong|dirty' fsck.log; then
		cat fsck.log
		return 1
	fi
}

# same PATH=FILE...: mtools reads every file back.
same() {
	local pair
	for pair in "$@"; do
		mcopy -n -i image "::${pair%%=*}" - >got || return 1
		cmp got "${pair#*=}" || return 1
	done
}

# volume WORDS SIZE SECTOR PATH=FILE...
volume() {
	local words="$1, $2 in sectors of $3" size=$2 sector=$3
	shift 3
	check "$words: made" "$make_fat" "$size" "$sector" EFI-SYSTEM 1767225600 image "$@"
	check "$words: fsck.fat" clean
	check "$words: mcopy" same "$@"
}

# listed COUNT PATTERN: mdir shows so many lines of the kind
listed() {
	mdir -/ -i image :: >mdir.log
	[ "$(grep -c "$2" mdir.log)" = "$1" ]
}

: >empty
printf 'hello\n' >hello
head -c 4096 /dev/zero | tr '\0' 'p' >page
seq 200000 >big

for shape in 34M:512 128M:512 260M:512 17M:4096 128M:4096 256M:4096 257M:4096 300M:4096; do
	volume "empty" "${shape%:*}" "${shape#*:}"
	volume "a few files" "${shape%:*}" "${shape#*:}" EFI/BOOT/BOOTX64.EFI=big \
		loader/loader.conf=hello empty=empty PAGE=page
done

# More names than one cluster has room for, each with a long name.
many=()
for i in $(seq 300); do
	many+=("many/Some rather long name, number $i.conf=hello")
done
volume "300 long names" 128M 512 "${many[@]}"
check "300 long names: mdir" listed 300 '^SOM.*number [0-9]*\.conf$'
volume "300 long names" 128M 4096 "${many[@]}"
check "300 long names: mdir" listed 300 '^SOM.*number [0-9]*\.conf$'

volume "folders in folders, foreign and long names" 64M 512 \
	"$(printf 'd%d/' $(seq 40))file=hello" "Grüße/naïve.txt=hello" \
	"日本語/ファイル.conf=page" "$(printf 'x%.0s' $(seq 255))=hello"

# 34 MiB, less 32 sectors, two tables of 536 sectors and a cluster for the root.
truncate -s $(((34 * 2048 - 32 - 2 * 536 - 1) * 512)) full
volume "exactly full" 34M 512 FULL=full
check "exactly full: mdir" listed 1 ' 0 bytes free'
truncate -s +1 full
check "one byte more is refused" not "$make_fat" 34M 512 E 0 refused FULL=full
check "... and nothing is left" not test -e refused

check "made" "$make_fat" 34M 512 E 1767225600 one a=big b/c=hello
other() {
	umask 077
	TZ=Asia/Tokyo LC_ALL=C "$make_fat" 34M 512 E 1767225600 two b/c=hello a=big
}
check "made by somebody else" other
check "the same bytes" cmp one two
verdict
