#!/usr/bin/env bash
# Change one byte of an image, at three places, and see that it does not boot any more:
#   tamper.sh IMAGE ROOT-HASH [FILE]
# The places: the first block of FILE in /usr, which the boot must read (lib/systemd/systemd if not
# given); the block of the hash tree that covers it; the root hash on the EFI system partition.
# Ends with "N passed, M failed".
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
here=$(dirname "$0")
# shellcheck source=../tally.sh
. "$here/../tally.sh"
# shellcheck source=verity.sh
. "$here/verity.sh"
image=$1 root_hash=$2 file=${3:-lib/systemd/systemd}

work=$(mktemp -d "$(dirname "$image")/tamper.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
cp --sparse=always "$image" "$work/image"

byte_at() {
	od -An -tu1 -j "$1" -N 1 "$work/image" | tr -d ' '
}

# put OFFSET BYTE
put() {
	printf '%b' "\\x$(printf %02x "$2")" |
		dd of="$work/image" bs=1 seek="$1" conv=notrunc status=none
}

# stays_down: the guest starts, and does not reach the end of the proof
stays_down() {
	! "$here/boot.sh" "$work/image" --log "$work/serial.log" &&
		grep -aqE 'Linux version|EFI stub' "$work/serial.log"
}

# refused WHAT OFFSET BYTE: with BYTE at OFFSET the image does not boot
refused() {
	local before
	before=$(byte_at "$2")
	[ "$before" != "$3" ] || no_verity "nothing to change at $2"
	put "$2" "$3"
	check "refused: $1 changed at byte $2" stays_down
	put "$2" "$before"
}

find_verity "$image" "$work/usr"
number=$(block_of "$work/usr" "$file")
at=$((usr + number * 4096))
refused "/usr/$file" $at $(($(byte_at $at) ^ 1))
at=$(digest_of "$number")
refused "the digest of that block" "$at" $(($(byte_at "$at") ^ 1))

read -r esp esp_size < <(partition "$image" '.type == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"') ||
	no_verity "no EFI system partition"
cut_out "$image" "$esp" "$esp_size" "$work/esp"
offset=$(grep -obUaF "$root_hash" "$work/esp" | head -n 1 | cut -d : -f 1)
[ -n "$offset" ] || no_verity "the root hash is not on the ESP"
digit=0
[ "${root_hash:0:1}" != 0 ] || digit=1
refused "the root hash" $((esp + offset)) $((48 + digit))

verdict
