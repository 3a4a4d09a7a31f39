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
image=$1 root_hash=$2 file=${3:-lib/systemd/systemd}
block=4096

work=$(mktemp -d "$(dirname "$image")/tamper.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
cp --sparse=always "$image" "$work/image"

die() {
	printf 'tamper: %s\n' "$*" >&2
	exit 2
}

# The start and the size in bytes of the partition that a jq expression selects.
partition() {
	sfdisk --json "$image" | jq -r ".partitiontable | .sectorsize as \$sector |
		first(.partitions[] | select($1)) | \"\(.start * \$sector) \(.size * \$sector)\""
}

# cut START SIZE FILE
cut_out() {
	dd if="$image" of="$3" bs=1M iflag=skip_bytes,count_bytes skip="$1" count="$2" \
		conv=sparse status=none
}

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
	[ "$before" != "$3" ] || die "nothing to change at $2"
	put "$2" "$3"
	check "refused: $1 changed at byte $2" stays_down
	put "$2" "$before"
}

read -r usr usr_size < <(partition '.name == "USR-A" or .type == "8484680C-9521-48C6-9C11-B0720656F69E"') ||
	die "no /usr partition"
cut_out "$usr" "$usr_size" "$work/usr"
data_blocks=$(dumpe2fs -h "$work/usr" 2>/dev/null | awk '/^Block count:/ { print $3 }')
number=$(debugfs -R "blocks /$file" "$work/usr" 2>/dev/null | awk '{ print $1; exit }')
[ -n "$number" ] || die "no /usr/$file in the image"

# The tree: after the data, or in a partition of its own. The superblock is its first block.
tree=$((usr + data_blocks * block))
if [ "$(od -An -c -j $tree -N 6 "$image" | tr -d ' ')" != verity ]; then
	read -r tree _ < <(partition '.type == "77FF5F63-E7B6-4633-ACF4-1565B864C0E6"') ||
		die "no hash tree"
fi
[ "$(od -An -c -j "$tree" -N 6 "$image" | tr -d ' ')" = verity ] ||
	die "no verity superblock at $tree"
levels=() count=$data_blocks
while [ "$count" -gt 1 ]; do
	count=$(((count + 127) / 128))
	levels+=("$count")
done
leaves=1 # the superblock, then the levels from the top; levels[0] is the lowest
for ((level = ${#levels[@]} - 1; level > 0; level--)); do
	leaves=$((leaves + levels[level]))
done

refused "/usr/$file" $((usr + number * block)) $(($(byte_at $((usr + number * block))) ^ 1))
at=$((tree + (leaves + number / 128) * block + number % 128 * 32))
refused "the digest of that block" $at $(($(byte_at $at) ^ 1))

read -r esp esp_size < <(partition '.type == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"') ||
	die "no EFI system partition"
cut_out "$esp" "$esp_size" "$work/esp"
offset=$(grep -obUaF "$root_hash" "$work/esp" | head -n 1 | cut -d : -f 1)
[ -n "$offset" ] || die "the root hash is not on the ESP"
digit=0
[ "${root_hash:0:1}" != 0 ] || digit=1
refused "the root hash" $((esp + offset)) $((48 + digit))

verdict
