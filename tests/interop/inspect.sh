#!/usr/bin/env bash
# What `ingot inspect` tells of images made by others and by us, beside what sfdisk, dumpe2fs, mtools
# and veritysetup tell: inspect.sh INGOT
set -euo pipefail
# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

export PATH=$PATH:/usr/sbin:/sbin MTOOLSRC=/dev/null TZ=UTC LC_ALL=C.UTF-8
export SOURCE_DATE_EPOCH=1767225600

# same WHAT WANT FOUND
same() {
	printf '%s\n' "$2" >want
	printf '%s\n' "$3" >found
	check "$1" diff want found
}

# report IMAGE STATUS: report.json, and the exit status must be that
report() {
	local status=0
	"$ingot" inspect "$1" --json >report.json 2>complaints || status=$?
	check "$1: exit status $2" test "$status" = "$2"
	[ "$2" != 0 ] || check "$1: no complaint" test ! -s complaints
}

get() {
	jq -r "$1" report.json
}

# --- a disk made by others -------------------------------------------------------------------------

# filesystem FILE SIZE OPTION...
ext() {
	local file=$1 size=$2
	shift 2
	rm -f "$file"
	truncate -s "$size" "$file"
	mke2fs -q -U 01234567-89ab-4cde-8f01-23456789abcd "$@" "$file"
}

mkdir -p files/EFI/BOOT "files/Ein Ordner"
seq 30000 >files/EFI/BOOT/BOOTX64.EFI
seq 100 >"files/Ein Ordner/größer als sonst.conf"
: >files/EMPTY
truncate -s 64M esp
mkfs.fat -F 32 -i c0ffee01 -n 'BOOT DISK' esp >mkfs.log
mcopy -s -i esp files/* ::/

ext data.ext4 8M -t ext4 -L Wurzel -d files
ext usr.ext2 4M -t ext2 -b 4096 -m 0 -L usr -d files
cp usr.ext2 usr
truncate -s 6M usr
veritysetup format usr usr --hash-offset 4194304 --salt=00ff --uuid=00112233-4455-6677-8899-aabbccddeeff \
	--data-blocks 1024 >format.log
veritysetup format data.ext4 tree --salt=- --hash=sha512 >>format.log
truncate -s 1M tree

truncate -s 128M disk
sfdisk -q disk <<'END'
label: gpt
label-id: 11111111-2222-4333-8444-555555555555
start=2048, size=131072, type=U, name=esp
start=133120, size=16384, type=L, name="Größe", attrs="GUID:48,56"
start=149504, size=12288, type=L, name=usr, attrs=GUID:60
start=161792, size=2048, type=L, name=tree
start=163840, size=2048, type=swap
END
put() { # FILE START
	dd if="$1" of=disk bs=512 seek="$2" conv=notrunc status=none
}
put esp 2048
put data.ext4 133120
put usr 149504
put tree 161792

report disk 0
# partitions FILTER: one line each, ours and those of sfdisk
ours='.content.partitions[] | [.number, .label, .start / $sector, .size / $sector,
	(.type | ascii_upcase), (.uuid | ascii_upcase)] | join(" ")'
theirs='.partitiontable.partitions[] | [(.node | sub(".*[^0-9]"; "")), (.name // ""), .start, .size,
	.type, .uuid] | join(" ")'
same "sfdisk: partitions" "$(sfdisk -J disk | jq -r "$theirs")" \
	"$(jq -r --argjson sector 512 "$ours" report.json)"
same "sfdisk: disk" "$(sfdisk -J disk | jq -r '.partitiontable.id')" \
	"$(get '.content.uuid | ascii_upcase')"
same "sfdisk: attributes" "1 true,true" "$(get '.content.partitions | "\(.[1].attributes | .priority)" +
	" \(.[1].attributes.successful),\(.[2].attributes.read_only)"')"
same "kinds" "fat32 ext4 ext2 verity empty" "$(get '[.content.partitions[].content.kind] | join(" ")')"

field() { # FILE NAME
	dumpe2fs -h "$1" 2>/dev/null | sed -n "s/^$2: *//p"
}
told() { # FILE
	local block
	block=$(field "$1" 'Block size')
	echo "$(field "$1" 'Filesystem volume name') $(field "$1" 'Filesystem UUID')" \
		"$(($(field "$1" 'Block count') * block)) $(($(field "$1" 'Free blocks') * block))" \
		"$(field "$1" 'Inode count')"
}
for pair in 1:data.ext4 2:usr.ext2; do
	same "dumpe2fs: ${pair#*:}" "$(told "${pair#*:}")" \
		"$(get ".content.partitions[${pair%:*}].content |
			[.label, .uuid, .size, .free, .inodes] | join(\" \")")"
done

mounted() { # mtools' view of a FAT volume: size and path of every file
	mdir -/ -b -a -i "$1" :: | sed -n 's,^::/,,p' | grep -v '/$' | while IFS= read -r path; do
		printf '%s %s\n' "$(mtype -i "$1" "::/$path" | wc -c)" "$path"
	done | LC_ALL=C sort
}
listed() { # FILTER
	get "$1.files[] | \"\(.size) \(.path)\"" | LC_ALL=C sort
}
same "mtools: files of the ESP" "$(mounted esp)" "$(listed '.content.partitions[0].content')"
same "mlabel, minfo: label and serial number" "BOOT DISK C0FF-EE01" \
	"$(get '.content.partitions[0].content | .label + " " + .volume_id')"

dumped() { # FILE OPTION...: what veritysetup tells
	veritysetup dump "$@" | sed -nE 's/^(UUID|Hash type|Data blocks|Data block size|Hash blocks|Hash block size|Hash algorithm|Salt):[[:space:]]*//p' |
		sed 's/ \[bytes\]//' | paste -sd ' '
}
verity='[.uuid, .hash_type, .data_blocks, .data_block_size, .hash_blocks, .hash_block_size, .hash,
	.salt] | join(" ")'
same "veritysetup: appended tree" "$(dumped usr --hash-offset 4194304)" \
	"$(get ".content.partitions[2].content.verity | $verity")"
same "veritysetup: tree apart" "$(dumped tree)" "$(get ".content.partitions[3].content | $verity")"

# --- partitions alone, other sizes -----------------------------------------------------------------

for image in esp data.ext4 usr tree; do
	report "$image" 0
	check "$image: found without a table" jq -e '.content.kind' report.json
done
ext small.ext3 2M -t ext3 -b 1024
report small.ext3 0
same "dumpe2fs: ext3" "ext3 $(told small.ext3 | sed 's/<none>//')" \
	"$(get '.content | [.kind, .label, .uuid, .size, .free, .inodes] | join(" ")')"
ext metadata.ext4 8M -t ext4 -O metadata_csum,64bit,^has_journal -E packed_meta_blocks=1
report metadata.ext4 0
same "dumpe2fs: ext4 without a journal" "ext4 $(told metadata.ext4 | sed 's/<none>//')" \
	"$(get '.content | [.kind, .label, .uuid, .size, .free, .inodes] | join(" ")')"

for bits in 16 32; do
	for clusters in 1 8; do
		for sector in 512 4096; do
			rm -f fat
			truncate -s $((bits * 2 * clusters * sector / 512 + 8))M fat
			mkfs.fat -F $bits -s $clusters -S $sector -i 12345678 fat >mkfs.log 2>&1 || continue
			# Folders of several clusters, a file in pieces.
			mmd -i fat ::many || continue
			for i in $(seq 60); do
				printf '%*d' "$((i * 100))" "$i" >"name number $i with some length"
			done
			mcopy -i fat name\ number* ::many
			mdel -i fat '::many/name number 1*' '::many/name number 3*'
			mcopy -i fat files/EFI/BOOT/BOOTX64.EFI ::many/PIECES.EFI
			report fat 0
			words="fat$bits, $clusters sectors of $sector in a cluster"
			same "$words" "fat$bits $((clusters * sector)) 1234-5678" \
				"$(get '.content | "\(.kind) \(.cluster_size) \(.volume_id)"')"
			same "$words: files" "$(mounted fat)" "$(listed .content)"
		done
	done
done
truncate -s 1M fat12
mkfs.fat -F 12 fat12 >mkfs.log
report fat12 0
same "FAT12 is not looked into" null "$(get .content)"

# --- ours ------------------------------------------------------------------------------------------

head -c 3000000 /dev/urandom >noise
for sector in 512 4096; do
	"$ingot" disk --layout flatcar --sector-size $sector --partition EFI-SYSTEM=esp \
		--partition USR-A=usr --partition OEM=data.ext4 --partition OEM-CONFIG=noise --output ours.img
	report ours.img 0
	if [ $sector = 512 ] || sfdisk --help | grep -q -- --sector-size; then
		option=()
		[ $sector = 512 ] || option=(--sector-size "$sector")
		same "sectors of $sector: sfdisk" "$(sfdisk "${option[@]}" -J ours.img | jq -r "$theirs")" \
			"$(jq -r --argjson sector $sector "$ours" report.json)"
	fi
	same "sectors of $sector: kinds" "fat32 empty ext2 empty ext4 null empty" \
		"$(get '[.content.partitions[].content | .kind // "null"] | join(" ")')"
done

# --- damage ----------------------------------------------------------------------------------------

cp --sparse=always disk damaged
dd if=/dev/zero of=damaged bs=512 seek=1 count=1 conv=notrunc status=none
report damaged 1
check "primary table lost: said so" grep -q 'its copy is good' complaints
same "primary table lost: from the copy" "$(sfdisk -J disk | jq -r "$theirs")" \
	"$(jq -r --argjson sector 512 "$ours" report.json)"
same "primary table lost: contents" "fat32 ext4 ext2 verity empty" \
	"$(get '[.content.partitions[].content.kind] | join(" ")')"
cp --sparse=always disk damaged
printf 'X' | dd of=damaged bs=1 seek=$((512 + 60)) conv=notrunc status=none
printf 'X' | dd of=damaged bs=1 seek=$((128 * 1024 * 1024 - 512 + 60)) conv=notrunc status=none
report damaged 1
check "both tables damaged: said so" grep -q 'no GUID partition table' complaints
cp --sparse=always disk damaged
truncate -s 100M damaged
report damaged 1
check "cut off: said so" grep -q 'is that of a larger disk' complaints
cp esp damaged
# Cluster 3 on, the table leads nowhere.
dd if=/dev/zero of=damaged bs=1 seek=$((32 * 512 + 12)) count=4096 conv=notrunc status=none
report damaged 1
check "FAT with a hole in its table: said so" grep -q 'FAT volume: a chain' complaints
head -c 1M data.ext4 >damaged
report damaged 1
check "filesystem cut off: said so" grep -q 'cannot be true' complaints
: >nothing
report nothing 0
report files 2
report missing 2

# --- the text --------------------------------------------------------------------------------------

printf '\033]0;title\007' >evil.name
ext evil.ext2 1M -t ext2 -L "$(cat evil.name)"
"$ingot" inspect evil.ext2 >text
check "no control character in the text" not grep -q '[[:cntrl:]]' text
"$ingot" inspect disk >text
check "text: partitions" grep -qE '^  2 Größe +linux-data +68157440 +8 MiB .* priority=1 successful$' text
check "text: files" grep -q '^    Ein Ordner/größer als sonst.conf (292 bytes)$' text
check "text: hash tree" grep -q '^    hash tree: sha256, salt 00ff, 1024 data blocks of 4096, at byte 4194304$' text
check "a full disk is an error" not sh -c "'$ingot' inspect disk >/dev/full"

verdict
