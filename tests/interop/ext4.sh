#!/bin/bash
# Our ext4 against e2fsprogs, which we did not write. Usage: ext4.sh INGOT
# make_ext4 is built beside it. Root sees more cases than others: devices, owners.
set -euo pipefail
export LC_ALL=C TZ=UTC

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

make_ext4=$(dirname -- "$ingot")/tests/make_ext4

# --- empty filesystems, beside what mke2fs makes ---------------------------------------------------------

# What may differ from mke2fs: times, and what it counts as written; and that groups with a copy of the
# superblock have a bitmap of blocks, which e2fsprogs 1.47.0 leaves to the kernel and 1.47.2 does not.
facts() {
	dumpe2fs "$1" 2>/dev/null | grep -v -E '^(Filesystem created|Last write time|Last checked|Lifetime writes|Checksum|Journal checksum):' |
		awk '/^Group / { group = $0; next }
			group != "" {
				copy = /Backup superblock/
				if (copy) {
					sub(/BLOCK_UNINIT, /, "", group)
					sub(/ csum 0x[0-9a-f]+/, "", group)
				}
				print group
				group = ""
			}
			copy && /Block bitmap at/ { sub(/, csum 0x[0-9a-f]+/, "") }
			{ print }'
}

same_facts() {
	facts ours >ours.facts
	facts theirs >theirs.facts
	diff ours.facts theirs.facts
}

# same_as_mke2fs SIZE OPTIONS...
same_as_mke2fs() {
	local size=$1 features
	shift
	rm -f theirs
	truncate -s "$size" theirs
	# A library newer than 1.46 switches orphan_file on, an older one does not know it.
	features=^metadata_csum_seed
	grep -q orphan_file /etc/mke2fs.conf && features+=,^orphan_file
	mke2fs -q -t ext4 -b 4096 -O "$features" -e remount-ro -L TEST \
		-U 42424242-4242-4242-4242-424242424242 -E \
		hash_seed=43434343-4343-4343-4343-434343434343,lazy_itable_init=0,lazy_journal_init=1 "$@" theirs
	"$make_ext4" - ours "$size" && e2fsck -fn ours && same_facts
}
check "128M: groups, tables and features of mke2fs" same_as_mke2fs 128M -i 4096
check "1784M: groups, tables and features of mke2fs" same_as_mke2fs 1784M
check "5G and a bit: groups, tables and features of mke2fs" same_as_mke2fs 5369000000

# --- a tree -----------------------------------------------------------------------------------------------

root=$([ "$(id -u)" = 0 ] && echo yes || echo no)
mkdir -p tree/etc/deep/er tree/many tree/empty
for i in $(seq 1 3000); do echo "$i" >"tree/many/a file with number $i"; done
seq 1 400000 >tree/large
printf '' >tree/zero
head -c 4096 /dev/urandom >tree/block
truncate -s 50M tree/hole
printf start | dd of=tree/hole bs=1 seek=1000000 conv=notrunc status=none
printf end | dd of=tree/hole bs=1 seek=50000000 conv=notrunc status=none
perl -e 'open(F, ">", "tree/comb"); for (0 .. 1499) { seek(F, $_ * 8192, 0); print F "x" }'
ln -s target tree/short
ln -s "$(printf 't%.0s' $(seq 1 1000))" tree/long
ln tree/large tree/etc/hardlink
mkfifo tree/fifo
printf 'name \xff\xfe' >"tree/$(printf 'not \xff utf-8')"
echo secret >tree/etc/shadow
setfattr -n user.test -v value tree/large
setfattr -n user.large -v "$(printf 'v%.0s' $(seq 1 3000))" tree/block
has_acl=$(setfacl -m u:1000:r,m::rw tree/etc/shadow 2>/dev/null && echo yes || echo no)
if [ "$root" = yes ]; then
	mknod tree/null c 1 3
	mknod tree/disk b 259 1048000
	chown 100000:65537 tree/etc/shadow
	setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 tree/zero
fi
chmod 04711 tree/block
chmod 01777 tree/empty
chmod 0600 tree/etc/shadow
find tree -exec touch -h -d '2021-03-04 05:06:07' {} +

check "make it" "$make_ext4" tree ours 256M
check "e2fsck" e2fsck -fn ours
check "again" "$make_ext4" tree again 256M
check "... the same bytes" cmp ours again
later() {
	faketime '2031-05-05 05:05:05' "$make_ext4" tree again 256M && cmp ours again
}
check "on another day, the same bytes" later
elsewhere() {
	(umask 077 && cd / && TZ=Asia/Tokyo SOURCE_DATE_EPOCH=1 "$make_ext4" "$work/tree" "$work/again" 256M) &&
		cmp ours again
}
check "another umask, folder, time zone: the same bytes" elsewhere

contents() {
	rm -rf back
	mkdir back
	debugfs -R 'rdump / back' ours && rmdir back/lost+found || return
	# rdump makes neither FIFOs nor devices
	diff -r --no-dereference -x fifo -x null -x disk tree back
}
check "rdump: every file has its content" contents

# "MODE UID GID SIZE NAME" lines; the sizes of folders and special files say nothing.
ours_list() {
	debugfs -R "ls -p $1" ours 2>/dev/null | awk -F/ 'NF > 5 && $6 !~ /^(\.|\.\.|lost\+found)$/ {
		sub(/^0/, "", $3)
		print $3, $4, $5, $3 ~ /^1[02]..../ ? $7 : "-", $6 }' | sort
}
tree_list() {
	local mode uid gid size name
	find "tree$1" -mindepth 1 -maxdepth 1 -exec stat -c '%f %u %g %s %n' {} + |
		while read -r mode uid gid size name; do
			mode=$(printf %o "0x$mode")
			case $mode in
			1[02]????) ;;
			*) size=- ;;
			esac
			echo "$mode $uid $gid $size ${name##*/}"
		done | sort
}
metadata() {
	local folder
	for folder in / /etc /many /etc/deep; do
		ours_list "$folder" >ours.list
		tree_list "$folder" >tree.list
		diff tree.list ours.list || return
	done
}
check "mode, owner, group and size of every file" metadata

stat_says() {
	debugfs -R "stat \"$1\"" ours 2>/dev/null | grep -qF -- "$2"
}
when=$(date -d '2021-03-04 05:06:07' +%s | xargs printf '0x%x')
check "modification time" stat_says /large "mtime: $when:00000000"
check "all times are that one" stat_says /large "crtime: $when:00000000"
check "hard link: one inode, two names" stat_says /etc/hardlink 'Links: 2'
check "FIFO" stat_says /fifo 'Type: FIFO'
check "a hole takes no space" stat_says /hole 'Blockcount: 16'
check "1500 short runs: all there" stat_says /comb 'Blockcount: 12048'
attribute() {
	[ "$(debugfs -R "ea_get \"$1\" $2" ours 2>/dev/null | tr -d '\n')" = "$3" ]
}
check "attribute in the inode" attribute /large user.test "user.test (5) = \"value\""
check "attribute in a block" stat_says /block 'user.large (3000)'
if [ "$has_acl" = yes ]; then
	check "POSIX ACL" stat_says /etc/shadow 'system.posix_acl_access (28)'
fi
if [ "$root" = yes ]; then
	check "character device" stat_says /null 'Device major/minor number: 01:03'
	check "block device with a large number" stat_says /disk '259:1048000'
	check "owner beyond 16 bits" stat_says /etc/shadow 'User: 100000   Group: 65537'
	check "file capability" stat_says /zero 'security.capability (20)'
fi
one_run() {
	debugfs -R 'stat /large' ours 2>/dev/null | grep -A1 EXTENTS | grep -qE '^\(0-[0-9]+\):[0-9-]+$'
}
check "a large file is one run" one_run
beyond_4g() {
	mkdir huge
	truncate -s 5G huge/file
	printf end | dd of=huge/file bs=1 seek=5368709120 conv=notrunc status=none
	"$make_ext4" huge ours.huge 64M && e2fsck -fn ours.huge || return
	debugfs -R 'stat /file' ours.huge >huge.stat 2>/dev/null
	grep -F 'Size: 5368709123' huge.stat && grep -F '(1310720):' huge.stat
}
check "a file over 4 GiB" beyond_4g

# --- growth -------------------------------------------------------------------------------------------------

grow() {
	cp --sparse=always ours grown
	truncate -s "$1" grown
	resize2fs grown && e2fsck -fn grown || return
	rm -rf back
	mkdir back
	debugfs -R 'rdump /many back' grown
	diff -r tree/many back/many
}
check "resize2fs to 2G" grow 2G
check "resize2fs to 40G, beyond the reserved descriptors' first block" grow 40G
optimised() {
	cp --sparse=always ours indexed
	e2fsck -fyD indexed || [ $? = 1 ] || return
	e2fsck -fn indexed
}
check "e2fsck -D gives the folders an index" optimised
journal() {
	cp --sparse=always ours journaled
	debugfs -w -R 'jo' journaled && e2fsck -fn journaled || return
	dumpe2fs -h journaled 2>/dev/null | grep -q 'ournal size: *16M'
}
check "the journal opens" journal

# --- what does not fit ---------------------------------------------------------------------------------------

refuse() {
	local status=0
	rm -f out
	"$make_ext4" "$1" out "$2" 2>message || status=$?
	cat message
	[ "$status" = 2 ] && [ ! -e out ] && grep -qE -- "$3" message
}
head -c 40000000 /dev/zero >tree/more
check "too large a tree is refused with sizes" refuse tree 32M \
	'the files need [0-9.]+ MiB .* but of 32 MiB the filesystem has [0-9.]+ MiB'
check "too small a filesystem is refused" refuse - 4M 'needs 8 MiB at least'

verdict
