#!/usr/bin/env bash
# The checkers of filesystems beside e2fsck and fsck.fat: what those find good is good, what they
# find bad is bad. check_fs.sh INGOT; check_fs and make_fat stand beside the program.
set -euo pipefail
# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

tests=$(dirname "$ingot")/tests
export MTOOLSRC=/dev/null LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin

# says STATUS KIND FILE
says() {
	local status=0
	"$tests/check_fs" "$2" "$3" || status=$?
	[ "$status" = "$1" ]
}

# flip OFFSET: all bits of a byte of `image`
flip() {
	local byte
	byte=$(od -An -tu1 -j "$1" -N 1 image)
	# shellcheck disable=SC2059
	printf "\\x$(printf %02x $((byte ^ 255)))" |
		dd of=image bs=1 seek="$1" conv=notrunc status=none
}

# --- a tree with all that a filesystem can hold -------------------------
mkdir -p tree/many tree/deep/a/b/c
for i in $(seq 300); do : >"tree/many/a name that is not short, number $i"; done
head -c 5000000 /dev/urandom >tree/large
printf end | dd of=tree/sparse bs=1 seek=30000000 status=none
ln tree/large tree/deep/hard
ln -s target tree/short
ln -s "$(printf 'x%.0s' $(seq 300))" tree/long
mkfifo tree/pipe

# --- ext: those of others -----------------------------------------------
# ext WORDS MKE2FS-OPTIONS...
ext() {
	local what=$1
	shift
	rm -f image
	mke2fs -q -F -d tree "$@" image 64M >mke2fs.log 2>&1 || cat mke2fs.log
	check "$what: whole" says 0 ext image
}
for size in 1024 2048 4096; do
	for type in ext2 ext3 ext4; do
		ext "$type, blocks of $size" -t "$type" -b "$size"
	done
done
# -r has been another option since e2fsprogs 1.47.1.
oldest=(-E revision=0)
! mke2fs -q -n -F -r 0 image 64M >/dev/null 2>&1 || oldest=(-r 0)
ext "revision 0" -t ext2 "${oldest[@]}" -I 128
check "revision 0: it is" grep -q '^Filesystem revision #: *0 ' <(dumpe2fs -h image 2>/dev/null)
ext "small inodes" -t ext4 -I 128
ext "no journal" -t ext4 -O ^has_journal
ext "uninit_bg" -t ext4 -O ^metadata_csum,uninit_bg
ext "no sparse_super" -t ext2 -O ^sparse_super,^resize_inode
ext "checksum seed" -t ext4 -O metadata_csum_seed
ext "no flex_bg, no 64bit" -t ext4 -O ^flex_bg,^64bit
ext "no filetype" -t ext2 -O ^filetype
ext "small groups" -t ext4 -g 1024 -b 1024
# mke2fs fills a folder without an index; e2fsck -D gives it one, and says so in its status.
indexed() { # WORDS MKE2FS-OPTIONS...
	local status=0
	rm -f image
	mke2fs -q -F -d tree "${@:2}" image 64M >mke2fs.log 2>&1 || cat mke2fs.log
	e2fsck -fyD image >e2fsck.log 2>&1 || status=$?
	[ "$status" -le 1 ] || cat e2fsck.log
	check "$1 with an index: it has one" grep -q 'Root node dump' \
		<(debugfs -R 'htree_dump /many' image 2>/dev/null)
	check "$1 with an index: whole" says 0 ext image
}
indexed ext3 -t ext3 -b 1024
indexed ext4 -t ext4 -b 4096
mke2fs -q -F -t ext4 -O inline_data image 64M >/dev/null 2>&1
check "inline_data cannot be checked, which is said" says 2 ext image

# --- ext: made bad by debugfs, and seen by e2fsck ------------------------
# bad WORDS COMMAND...: of debugfs
bad() {
	local what=$1
	shift
	cp --sparse=always good image
	printf '%s\n' "$@" | debugfs -w -f - image >debugfs.log 2>&1 || cat debugfs.log
	check "$what: e2fsck" not e2fsck -fn image
	check "$what: seen" says 1 ext image
}
for type in ext2 ext4; do
	rm -f good
	mke2fs -q -F -t $type -d tree good 64M >mke2fs.log 2>&1 || cat mke2fs.log
	bad "$type, a link too many" "sif large links_count 3"
	bad "$type, a wrong size" "sif deep size 5000"
	bad "$type, a wrong count of blocks" "sif large blocks 8"
	bad "$type, an inode cleared" "clri large"
	bad "$type, a name removed" "unlink large"
	bad "$type, a block freed" "freeb 3000 1" "freeb 2000 1" "freeb 1500 1" "freeb 800 1"
	bad "$type, a block taken" "setb 15000 1"
	bad "$type, an inode freed" "freei large"
	bad "$type, free inodes of a group" "set_bg 0 free_inodes_count 5" "set_bg 0 checksum calc"
	bad "$type, folders of a group" "set_bg 0 used_dirs_count 1" "set_bg 0 checksum calc"
	bad "$type, two names for a folder" "link deep other"
	bad "$type, a mode" "sif pipe mode 0x41ed"
	# What e2fsck puts right without a word.
	for what in "free_blocks_count 5" "state 0"; do
		cp --sparse=always good image
		debugfs -w -R "ssv $what" image 2>/dev/null
		check "$type, $what: seen" says 1 ext image
	done
done

# --- ext: our own ---------------------------------------------------------
"$ingot" mkfs --from tree --output good --epoch 1700000000 --size 300M >/dev/null
cp --sparse=always good image
check "our own: whole" says 0 ext2-ours image
check "... to anybody" says 0 ext image
check "... and e2fsck" e2fsck -fn image
for at in 1200 4096 4100 8192 16668 $((32768 * 4096 + 12)) $((200 * 1024 * 1024)); do
	cp --sparse=always good image
	flip "$at"
	check "a byte at $at" says 1 ext2-ours image
done

# --- FAT: those of others -------------------------------------------------
head -c 100000 /dev/urandom >data
# fat BITS KIB OPTIONS...
fat() {
	local bits=$1 size=$2
	shift 2
	rm -f image
	mkfs.fat -F "$bits" -n LABEL "$@" -C image "$size" >mkfs.log 2>&1 || cat mkfs.log
	mmd -i image ::/EFI ::/EFI/BOOT "::/a long folder's name"
	mcopy -i image data ::/EFI/BOOT/BOOTX64.EFI
	mcopy -i image data "::/a long folder's name/lower.conf"
	for i in $(seq 30); do mcopy -i image mkfs.log "::/EFI/file number $i"; done
	mdel -i image "::/EFI/file number 7"
	check "FAT$bits of $size KiB $*: whole" says 0 fat image
}
fat 12 4096
fat 12 1440 -s 1
fat 16 65536
fat 16 65536 -s 8 -f 1
fat 32 65536
fat 32 400000 -S 4096 -s 1
fat 32 300000 -R 8 -s 4

# --- FAT: bytes changed ---------------------------------------------------
# Some differences are shown and then called harmless.
complains() {
	local status=0
	fsck.fat -n image >fsck.log || status=$?
	[ "$status" != 0 ] || grep -q differences fsck.log
}

# fatbad WORDS OFFSET
fatbad() {
	cp --sparse=always good image
	flip "$2"
	check "FAT, $1: fsck.fat" complains
	check "FAT, $1: seen" says 1 fat image
}
fat 32 65536
cp --sparse=always image good
sector=$(od -An -tu2 -j 11 -N 2 good)
reserved=$(od -An -tu2 -j 14 -N 2 good)
length=$(od -An -tu4 -j 36 -N 4 good)
table=$((sector * reserved)) root=$((sector * (reserved + 2 * length)))
fatbad "the copy of the boot sector" $((6 * sector + 70))
fatbad "FSInfo's count" $((sector + 488))
fatbad "FSInfo's signature" "$sector"
fatbad "number 3 of the table" $((table + 12))
fatbad "number 3 of the second table" $((table + sector * length + 12))
fatbad "a number that was free" $((table + 4 * 9000))
fatbad "an attribute" $((root + 32 + 11))
fatbad "a cluster" $((root + 32 + 26))

# --- FAT: our own ---------------------------------------------------------
"$tests/make_fat" 40M 512 EFI-SYSTEM 1767225600 good EFI/BOOT/BOOTX64.EFI=data "a b.c=data"
cp --sparse=always good image
check "our own FAT: whole" says 0 fat-ours image
check "... to anybody" says 0 fat image
for at in 3 600 3100 17000 600000 $((39 * 1024 * 1024)); do
	cp --sparse=always good image
	flip "$at"
	check "a byte at $at" says 1 fat-ours image
done

verdict
