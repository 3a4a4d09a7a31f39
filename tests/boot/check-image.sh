#!/usr/bin/env bash
# Read an image with programs that we did not write: check-image.sh IMAGE MANIFEST
# Ends with "N passed, M failed".
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=../tally.sh
. "$(dirname "$0")/../tally.sh"
image=$1 manifest=$2

work=$(mktemp -d "$(dirname "$image")/check.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM

# run COMMAND...: its output in $said, for the next two
run() {
	local status=0
	said=$("$@" 2>&1) || status=$?
	printf '%s\n' "$said"
	return $status
}

says() {
	local pattern=$1
	shift
	run "$@" && grep -qE -- "$pattern" <<<"$said"
}

# veritysetup verify exits 0 when the root hash is wrong: only silence is good.
silent() {
	run "$@" && [ -z "$said" ]
}

json=$(sfdisk --json "$image")
# cut EXPRESSION FILE: the partition that a jq expression selects; fails if there is none
cut_out() {
	local start size
	read -r start size < <(jq -r ".partitiontable | .sectorsize as \$sector |
		first(.partitions[] | select($1)) | \"\(.start * \$sector) \(.size * \$sector)\"" \
		<<<"$json") || return 1
	dd if="$image" of="$2" bs=1M iflag=skip_bytes,count_bytes skip="$start" count="$size" \
		conv=sparse status=none
}

usr_type=8484680C-9521-48C6-9C11-B0720656F69E
verity_type=77FF5F63-E7B6-4633-ACF4-1565B864C0E6
esp_type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
cut_out ".name == \"USR-A\" or .type == \"$usr_type\"" "$work/usr"
cut_out ".type == \"$esp_type\"" "$work/esp"
cut_out '.name == "ROOT" or .name == "root"' "$work/root"
hash=$work/usr offset=()
if cut_out ".type == \"$verity_type\"" "$work/verity"; then
	hash=$work/verity
else
	blocks=$(dumpe2fs -h "$work/usr" 2>/dev/null | awk '/^Block count:/ { print $3 }')
	offset=("--hash-offset=$((blocks * 4096))")
fi
root_hash=$(jq -re .usr.root_hash "$manifest")

check "sfdisk --verify" says 'No errors detected' sfdisk --verify "$image"
check "sgdisk --verify" says 'No problems found' sgdisk --verify "$image"
check "e2fsck on /usr" e2fsck -fn "$work/usr"
check "e2fsck on ROOT" e2fsck -fn "$work/root"
check "fsck.fat on the ESP" fsck.fat -n "$work/esp"
check "mtools finds the UKI" mdir -b -i "$work/esp" ::EFI/BOOT/BOOTX64.EFI
check "veritysetup verify" silent veritysetup verify "${offset[@]}" "$work/usr" "$hash" "$root_hash"
wrong=$(tr 0-9a-f 1-9a-f0 <<<"$root_hash")
check "veritysetup refuses another root hash" \
	not silent veritysetup verify "${offset[@]}" "$work/usr" "$hash" "$wrong"
mcopy -n -i "$work/esp" ::EFI/BOOT/BOOTX64.EFI "$work/uki.efi"
for section in .osrel .cmdline .linux .initrd; do
	check "objdump finds $section in the UKI" says " $section " objdump -h "$work/uki.efi"
done

verdict
