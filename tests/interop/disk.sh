#!/bin/bash
# Partition tables against sfdisk and sgdisk: disk.sh INGOT
#
# sgdisk takes the sector size from the kernel and an image file has none, so it reads
# 512-byte tables only; 4096 is checked with sfdisk (fdisk where sfdisk is older than 2.39).
set -u
ingot=$(realpath "$1")
root=$(realpath "$(dirname "$0")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
export LC_ALL=C
passed=0 failed=0

# check NAME COMMAND...: the command succeeds
check() {
	local name=$1
	shift
	if "$@" >check.log 2>&1; then
		echo "ok    $name"
		passed=$((passed + 1))
	else
		echo "FAIL  $name"
		sed "s/^/      /" check.log
		failed=$((failed + 1))
	fi
}

# same NAME WANT FOUND: two texts are equal
same() {
	printf '%s\n' "$2" >want
	printf '%s\n' "$3" >found
	check "$1" diff want found
}

# refuses NAME WORDS OPTION...: exit 2, one sentence with the words, no output file
refuses() {
	local name=$1 words=$2 status
	shift 2
	rm -f refused.img
	"$ingot" disk "$@" --output refused.img >log 2>&1
	status=$?
	check "$name" test "$status" = 2 -a ! -e refused.img
	check "$name: says so" grep -qF -- "$words" log
}

hash=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
seed=00112233445566778899aabbccddeeff
head -c 3000000 /dev/zero | openssl enc -aes-128-ctr -K $seed -iv $seed >usr
head -c 16384 usr >sig
discoverable=(--layout discoverable --image-name demo --image-version 1 --root-hash "$hash")

# --- flatcar, 512 ----------------------------------------------------------------------

"$ingot" disk --layout flatcar --seed $seed --partition USR-A=usr --partition OEM=sig \
	--output f.img || exit 2
check "flatcar: sfdisk --verify" sfdisk --verify f.img
check "flatcar: sfdisk has no complaint" sh -c 'sfdisk --verify f.img | grep -q "No errors detected"'
sgdisk -v f.img >sgdisk.txt 2>&1
check "flatcar: sgdisk -v" grep -q '^No problems found' sgdisk.txt
check "flatcar: sgdisk warns of nothing" sh -c '! grep -iE "warning|caution|problem:" sgdisk.txt'

# Number, label, start, sectors, type, UUID, attributes as sfdisk reads them; a UUID that is
# derived from the seed is shown as a dash.
table() {
	jq -r '.partitiontable.partitions[] | [(.node | sub(".*img"; "")), .name, .start, .size,
		.type, .uuid, (.attrs // "-")] | join(" ")'
}
fixed='7130C94A-213A-4E5A-8E26-6CCE9662F132|E03DD35C-7C2D-4A47-B3FE-27F15780A57C'
hide() {
	sed -E "/$fixed/!s/[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12} ([^ ]*|Req.*)\$/- \\2/"
}
same "flatcar: table by sfdisk" "\
1 EFI-SYSTEM 4096 262144 C12A7328-F81F-11D2-BA4B-00A0C93EC93B - -
2 BIOS-BOOT 266240 4096 21686148-6449-6E6F-744E-656564454649 - -
3 USR-A 270336 2097152 5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6 7130C94A-213A-4E5A-8E26-6CCE9662F132 GUID:48,56
4 USR-B 2367488 2097152 5DFBF5F4-2848-4BAC-AA5E-0D9A20B745A6 E03DD35C-7C2D-4A47-B3FE-27F15780A57C -
6 OEM 4464640 262144 0FC63DAF-8483-4772-8E79-3D69D8477DE4 - -
7 OEM-CONFIG 4726784 131072 C95DC21A-DF0E-4340-8D7B-26CBFA9A03E0 - -
9 ROOT 4857856 3526656 3884DD41-8582-4404-B9A8-E9B84F2DF50E - -" \
	"$(sfdisk -J f.img | table | hide)"
same "flatcar: disk by sfdisk" "00000000-0000-0000-0000-000000000001 34 8388574 512" \
	"$(sfdisk -J f.img | jq -r '.partitiontable | [.id, .firstlba, .lastlba,
		(.sectorsize // 512)] | join(" ")')"
same "flatcar: attribute bits by sgdisk" "Attribute flags: 0101000000000000" \
	"$(sgdisk -i 3 f.img | grep '^Attribute')"
same "flatcar: size" 4294967296 "$(stat -c %s f.img)"
check "flatcar: sparse" test "$(stat -c %b f.img)" -lt 8192
check "flatcar: USR-A's bytes" cmp -n 3000000 -i 0:138412032 usr f.img
check "flatcar: OEM's bytes" cmp -n 16384 -i 0:2285895680 sig f.img
check "flatcar: zero behind USR-A's file" cmp -n 1000000 -i 0:141412032 /dev/zero f.img

# --- discoverable, both architectures ----------------------------------------------------

for arch in x86-64 arm64; do
	"$ingot" disk "${discoverable[@]}" --architecture $arch --partition demo_1=usr \
		--partition demo_1_verity_sig=sig --output d-$arch.img || exit 2
	check "discoverable $arch: sfdisk --verify" sfdisk --verify d-$arch.img
	sgdisk -v d-$arch.img >sgdisk.txt 2>&1
	check "discoverable $arch: sgdisk -v" grep -q '^No problems found' sgdisk.txt
	check "discoverable $arch: sgdisk warns of nothing" \
		sh -c '! grep -iE "warning|caution|problem:" sgdisk.txt'
done
# systemd's names of the types, as sfdisk knows them, must be what they are meant for.
types() {
	sfdisk -l -o Type "$1" | sed '1,/^Type/d'
}
same "discoverable x86-64: types" "EFI System
Linux /usr (x86-64)
Linux /usr verity (x86-64)
Linux /usr verity sign. (x86-64)
Linux root (x86-64)" "$(types d-x86-64.img)"
same "discoverable arm64: types" "EFI System
Linux /usr (ARM-64)
Linux /usr verity (ARM-64)
Linux /usr verity sign. (ARM-64)
Linux root (ARM-64)" "$(types d-arm64.img)"
same "discoverable: UUIDs are the halves of the root hash" "\
00010203-0405-0607-0809-0A0B0C0D0E0F
10111213-1415-1617-1819-1A1B1C1D1E1F" \
	"$(sfdisk -J d-x86-64.img | jq -r '.partitiontable.partitions[1,2].uuid')"
same "discoverable: attributes" "GUID:60 GUID:60 GUID:60 GUID:59" \
	"$(sfdisk -J d-x86-64.img | jq -r '.partitiontable.partitions[1:][].attrs' | xargs)"

# --- names above U+FFFF ------------------------------------------------------------------

smile=$(printf '\360\237\230\200')
cat >wide.yaml <<YAML
name: wide
size: 4M
partitions:
  - {number: 1, label: "${smile}a", type: linux-data, size: 1M}
YAML
"$ingot" disk --layout wide.yaml --seed $seed --output wide.img || exit 2
check "wide name: sfdisk --verify" sfdisk --verify wide.img
check "wide name: sgdisk -v" sh -c 'sgdisk -v wide.img | grep -q "^No problems found"'
same "wide name: as sfdisk reads it" "${smile}a" \
	"$(LC_ALL=C.UTF-8 sfdisk -J wide.img | jq -r '.partitiontable.partitions[0].name')"

# --- 4096 --------------------------------------------------------------------------------

"$ingot" disk --layout flatcar --seed $seed --sector-size 4096 --partition USR-A=usr \
	--output f4.img || exit 2
if sfdisk --help | grep -q -- --sector-size; then
	list() { sfdisk --sector-size 4096 -l -o Device,Start,Sectors,UUID,Attrs "$1"; }
	check "flatcar 4096: sfdisk --verify" sfdisk --sector-size 4096 --verify f4.img
else
	list() { fdisk -b 4096 -l -o Device,Start,Sectors,UUID,Attrs "$1"; }
	check "flatcar 4096: fdisk's verify" sh -c 'printf "v\nq\n" | fdisk -b 4096 f4.img |
		grep -q "No errors detected"'
fi
same "flatcar 4096: table" "\
f4.img1 512 32768
f4.img2 33280 512
f4.img3 33792 262144
f4.img4 295936 262144
f4.img6 558080 32768
f4.img7 590848 16384
f4.img9 607232 440832" "$(list f4.img | awk '/^f4.img/ {print $1, $2, $3}')"
same "flatcar 4096: USR-A" "7130C94A-213A-4E5A-8E26-6CCE9662F132 GUID:48,56" \
	"$(list f4.img | awk '/^f4.img3/ {print $4, $5}')"
check "flatcar 4096: USR-A's bytes" cmp -n 3000000 -i 0:138412032 usr f4.img

# --- the same bytes ----------------------------------------------------------------------

again() {
	local name=$1
	shift
	rm -f again.img
	"$@" "$ingot" disk --layout flatcar --seed $seed --partition USR-A=usr \
		--partition OEM=sig --output again.img
	check "same bytes: $name" cmp f.img again.img
}
again "a second time"
again "TZ" env TZ=Asia/Kathmandu
again "no locale" env -u LC_ALL LC_ALL=POSIX
again "a UTF-8 locale" env LC_ALL=C.UTF-8
again "umask 077" sh -c 'umask 077; exec "$@"' sh
again "another date" env ASAN_OPTIONS=verify_asan_link_order=0 faketime '2001-02-03 04:05:06'
"$ingot" disk --layout flatcar --seed $seed --partition OEM=sig --partition USR-A=usr -j1 \
	--output - >again.img
check "same bytes: standard output, -j1, another order" cmp f.img again.img
"$ingot" disk --layout flatcar --seed ff112233445566778899aabbccddeeff --output other.img
check "another seed gives other UUIDs" sh -c '! cmp -s -n 17408 f.img other.img'

# --- what is refused -----------------------------------------------------------------------

truncate -s 3M big
refuses "a file too large" "'big' has 3 MiB (3145728 bytes), the partition has room for 2 MiB" \
	--layout flatcar --partition BIOS-BOOT=big
refuses "an unknown label" "no partition has the label 'USR' (there are: EFI-SYSTEM, BIOS-BOOT" \
	--layout flatcar --partition USR=usr
refuses "a reserved partition" "no partition has the label 'ROOT-C'" \
	--layout flatcar --partition ROOT-C=usr
refuses "a label twice" "--partition OEM is given twice" \
	--layout flatcar --partition OEM=usr --partition OEM=usr
refuses "no file" "No such file" --layout flatcar --partition OEM=nowhere
refuses "no LABEL=FILE" "is not LABEL=FILE" --layout flatcar --partition OEM
refuses "an unknown layout" "no layout 'falcon' is built in" --layout falcon
refuses "a small disk" "the disk is too small" --layout flatcar --size 2G
refuses "an odd disk" "not a multiple of the sector size" --layout flatcar --size 5000000001
refuses "no root hash" "its UUID comes from the root hash" --layout discoverable \
	--image-name demo --image-version 1
refuses "no name" "wants the image's name" --layout discoverable --root-hash $hash
refuses "a short seed" "too few" --layout flatcar --seed 00
refuses "a sector size" "--sector-size is 512 or 4096" --layout flatcar --sector-size 1024
cat >bad.yaml <<'YAML'
name: bad
sise: 1G
partitions:
  - {number: 1, label: a, type: esp, size: 1M, attributes: {priority: 99}}
  - {number: 1, label: a, type: espp, size: 1000}
YAML
refuses "a bad layout" "'bad.yaml' is not a usable layout" --layout bad.yaml
same "a bad layout: every mistake at once" "\
bad.yaml:2:1: unknown key 'sise', did you mean 'size'?
bad.yaml:4:71: priority is 0 to 15
bad.yaml:5:5: label 'a' stands twice, first in line 4
bad.yaml:5:5: number 1 stands twice, first in line 4
bad.yaml:5:33: 'espp' is neither a GUID nor one of: esp, xbootldr, bios-boot, linux-data, swap
bad.yaml:5:45: size is not a multiple of the sector size, 512" "$(grep ^bad.yaml: log)"
echo old >kept.img
"$ingot" disk --layout flatcar --partition OEM=nowhere --output kept.img 2>log
same "an old output is kept" old "$(cat kept.img)"

# The size that the guide and the help of mkfs tell: hash tree and data fill USR-A, no more.
guide=$root/docs/build-your-own.md
size=$(grep -o -- '--size [0-9A-Z]*' "$guide" | cut -d' ' -f2)
same "guide: the tree begins where the data ends" "$size
$size" "$(grep -o -- '--hash-offset [0-9]*' "$guide" | cut -d' ' -f2)"
check "mkfs --help: the same size" sh -c "'$ingot' mkfs --help | grep -q -- '--size $size '"
mkdir guide && echo data >guide/file
check "guide: mkfs" "$ingot" mkfs --from guide --size "$size" --epoch 0 --output usr.img
check "guide: verity format" "$ingot" verity format usr.img --hash-offset "$size"
check "guide: disk" "$ingot" disk --layout flatcar --partition USR-A=usr.img --output disk.img

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
