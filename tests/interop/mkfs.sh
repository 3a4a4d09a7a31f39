#!/bin/bash
# `ingot mkfs` against e2fsprogs, tar and cpio, which we did not write. Usage: mkfs.sh INGOT
# Root sees more cases than others: devices, owners, attributes of the kernel's.
set -euo pipefail
export LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin:/sbin
unset SOURCE_DATE_EPOCH

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

chmod 755 "$work"
epoch=1700000000
root=$([ "$(id -u)" = 0 ] && echo yes || echo no)

# mkfs SOURCE OUTPUT [OPTION...]
mkfs() {
	local from=$1 to=$2
	shift 2
	"$ingot" mkfs --from "$from" --output "$to" --epoch $epoch -q "$@"
}

# same WHAT REFERENCE COMMAND...: the command writes the file "again", which has the same bytes
same() {
	local what=$1 reference=$2
	shift 2
	rm -f again
	check "the same bytes: $what" compare "$reference" "$@"
}

compare() {
	local reference=$1
	shift
	"$@" && cmp "$reference" again
}

# refuse WHAT TEXT OPTION...: exit status 2, TEXT in one sentence, no output file
refuse() {
	local what=$1 text=$2
	shift 2
	check "refused: $what" refused "$text" "$@"
}

refused() {
	local text=$1 status=0
	shift
	rm -f out
	"$ingot" mkfs --output out "$@" 2>message || status=$?
	cat message
	[ "$status" = 2 ] && [ ! -e out ] && grep -qF -- "$text" message && ! leftover
}

# A temporary file that nobody removed.
leftover() {
	[ -n "$(find . -maxdepth 1 -name '*out*' -print)" ]
}

# prints PATTERN COMMAND...: a line of what it prints matches. Never "COMMAND | grep -q", which ends
# COMMAND early, and with pipefail that counts as a failure.
prints() {
	local pattern=$1
	shift
	"$@" >said 2>/dev/null && grep -qE -- "$pattern" said || ! cat said
}

# --- a tree of everything that a tar archive can carry ---------------------------------------------

mkdir -p rich/usr/lib/deep rich/usr/share/empty rich/usr/bin rich/usr/huge rich/etc
seq 1 300000 >rich/usr/lib/large
: >rich/usr/lib/zero
head -c 4096 /dev/urandom >rich/usr/lib/block
head -c 4097 /dev/urandom >rich/usr/lib/block-and-a-byte
head -c 4300000 /dev/urandom >rich/usr/lib/double-indirect
truncate -s 5G rich/usr/huge/over-4-GiB
printf middle | dd of=rich/usr/huge/over-4-GiB bs=1 seek=2000000 conv=notrunc status=none
printf end | dd of=rich/usr/huge/over-4-GiB bs=1 seek=5368709120 conv=notrunc status=none
truncate -s 1M rich/usr/share/only-a-hole
perl -e 'open(F, ">", "rich/usr/share/comb"); for (0 .. 299) { seek(F, $_ * 16384, 0); print F "x" }'
ln -s target rich/usr/lib/short
ln -s "$(printf 't%.0s' $(seq 1 59))" rich/usr/lib/59
ln -s "$(printf 't%.0s' $(seq 1 60))" rich/usr/lib/60
ln -s "$(printf 't%.0s' $(seq 1 4000))" rich/usr/lib/4000
ln rich/usr/lib/large rich/usr/bin/another-name
ln rich/usr/lib/large rich/etc/outside-usr
ln rich/usr/lib/block rich/usr/lib/zz-second
mkfifo rich/usr/lib/fifo
printf 'not UTF-8' >"rich/usr/lib/$(printf 'name \xff\xfe')"
printf 'spaces' >'rich/usr/lib/ two  spaces'
printf '%s' long >"rich/usr/lib/$(printf 'n%.0s' $(seq 1 255))"
printf 'newline' >"rich/usr/lib/$(printf 'a\nb')"
deep=rich/usr/lib/deep
for _ in 1 2 3 4 5 6; do deep=$deep/$(printf 'd%.0s' $(seq 1 200)); done
mkdir -p "$deep"
echo "more than 1024 bytes" >"$deep/file"
for mode in 4755 2755 1777 0000 0640; do
	echo $mode >rich/usr/bin/$mode
	chmod $mode rich/usr/bin/$mode
done
chmod 2775 rich/usr/share/empty
setfattr -n user.text -v value rich/usr/lib/block
setfattr -n user.empty rich/usr/lib/block
setfattr -n user.binary -v 0x00ff00010203 rich/usr/lib/zero
setfattr -n user.large -v "$(printf 'v%.0s' $(seq 1 3500))" rich/usr/lib/zero
setfattr -n user.folder -v folder rich/usr/share/empty
attributes=("usr/lib/block user.text" "usr/lib/block user.empty" "usr/lib/zero user.binary"
	"usr/lib/zero user.large" "usr/share/empty user.folder")
# GNU tar writes the names of those who have one, and then nobody knows the number.
acls=$(setfacl -m u:54321:r,g:54322:rx,m::rx rich/usr/bin/0640 2>/dev/null &&
	setfacl -d -m u:54323:rwx rich/usr/share/empty && echo yes || echo no)
if [ "$acls" = yes ]; then
	attributes+=("usr/bin/0640 system.posix_acl_access" "usr/share/empty system.posix_acl_default")
fi
if [ "$root" = yes ]; then
	mknod rich/usr/lib/null c 1 3
	mknod rich/usr/lib/disk b 259 1048000
	chown 100000:65537 rich/usr/lib/large
	chown -h 12:34 rich/usr/lib/short
	chown 0:42 rich/usr/bin/0640
	setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 rich/usr/bin/0000
	setfattr -n security.selinux -v system_u:object_r:bin_t:s0 rich/usr/lib/block
	setfattr -n trusted.test -v trusted rich/usr/lib/block
	attributes+=("usr/bin/0000 security.capability" "usr/lib/block security.selinux"
		"usr/lib/block trusted.test")
fi
find rich -exec touch -h -d '2021-03-04 05:06:07.25' {} +
touch -d '1901-12-14' rich/usr/lib/zero
touch -d '2033-01-01' rich/usr/lib/block # later than the epoch

check "make it" mkfs rich rich.ext2 --subtree usr --size 48M --label USR-A \
	--uuid 42424242-4242-4242-4242-424242424242
check "e2fsck" e2fsck -fn rich.ext2
facts() {
	dumpe2fs -h rich.ext2 2>/dev/null >facts
	cat facts
	grep -q '^Filesystem features: *ext_attr filetype sparse_super large_file read-only$' facts &&
		grep -q '^Filesystem volume name: *USR-A$' facts &&
		grep -q '^Filesystem UUID: *42424242-4242-4242-4242-424242424242$' facts &&
		grep -q '^Block count: *12288$' facts &&
		grep -q '^Filesystem state: *clean$' facts &&
		grep -q '^Filesystem created: *Tue Nov 14 22:13:20 2023$' facts
}
check "dumpe2fs: read-only, label, UUID, size, time" facts

# rdump makes neither FIFOs nor devices, and writes holes as zeros.
contents() {
	local same=0
	mkdir back
	debugfs -R 'rdump /lib /share /bin back' rich.ext2 2>&1
	mkdir back/huge
	diff -r --no-dereference -x fifo -x null -x disk -x over-4-GiB rich/usr back || same=1
	chmod -R u+rwX back
	rm -rf back
	return $same
}
check "debugfs rdump: every file has its content" contents
# says PATH TEXT
says() {
	prints "$2" debugfs -R "stat \"$1\"" rich.ext2
}
# block_of FILE NUMBER: that block of a file in the image
block_of() {
	local block
	block=$(debugfs -R "bmap $1 $2" rich.ext2 2>/dev/null)
	dd if=rich.ext2 bs=4096 skip="$block" count=1 status=none
}
beyond_4_gib() {
	local n
	for n in 488 1310720; do
		dd if=rich/usr/huge/over-4-GiB bs=4096 skip=$n count=1 conv=sync status=none |
			cmp - <(block_of /huge/over-4-GiB $n) || return 1
	done
	# the two, and what points at them: two levels, then two more
	says /huge/over-4-GiB 'Size: 5368709123' && says /huge/over-4-GiB 'Blockcount: 48'
}
check "a file over 4 GiB: two blocks, and they are right" beyond_4_gib

# "TYPE MODE UID GID SIZE LINKS TIME DEVICE PATH" of everything but names with a newline; the size
# and the links of a folder are its filesystem's own matter.
source_list() {
	(cd rich/usr && find . -mindepth 1 ! -name '*
*' -printf '%y %m %U %G %s %n %T@ %p\n') | perl -ne '
	my ($type, $mode, $uid, $gid, $size, $links, $time, $path) = /^(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) (-?\d+)\S* \.(.*)$/;
	my $frac = /^(?:\S+ ){6}-\d+\.(\d*[1-9])/;
	$time-- if $frac; # -printf counts towards zero
	$time = '$epoch' if $time > '$epoch';
	$size = $links = "-" if $type eq "d";
	$size = "-" if $type =~ /[pbc]/;
	# One name of a file lies outside of usr.
	$links-- if $path =~ m{/(large|another-name)$};
	printf "%s %04o %d %d %s %s %d %s\n", $type, oct($mode), $uid, $gid, $size, $links, $time, $path;
' | sort
}
image_list() {
	(cd rich/usr && find . -mindepth 1 ! -name '*
*' -printf '/%P\n') >paths
	sed 's/.*/stat "&"/' paths >commands
	debugfs -f commands rich.ext2 2>/dev/null | perl -ne '
	our ($path, %v, %types);
	BEGIN { %types = ("regular" => "f", "directory" => "d", "symlink" => "l", "FIFO" => "p",
		"character special" => "c", "block special" => "b"); }
	sub out {
		return unless defined $path;
		my $type = $types{$v{type}} // "?$v{type}";
		$v{size} = $v{links} = "-" if $type eq "d";
		$v{size} = "-" if $type =~ /[pbc]/;
		printf "%s %04o %d %d %s %s %d %s\n", $type, oct($v{mode}), $v{uid}, $v{gid}, $v{size},
			$v{links}, $v{time}, $path;
	}
	if (/^debugfs: stat "(.*)"$/) { out(); $path = $1; %v = (); }
	@v{"type", "mode"} = ($1, $2) if /Type: (.*\S) +Mode: +(\d+)/;
	@v{"uid", "gid", "size"} = ($1, $2, $3) if /^User: +(\d+) +Group: +(\d+)(?: +Project: +\d+)? +Size: (\d+)/;
	$v{links} = $1 if /^Links: (\d+)/;
	if (/^ ?mtime: 0x([0-9a-f]{8}):([0-9a-f]{8})/) {
		my ($low, $extra) = (hex $1, hex($2) & 3);
		$low -= 1 << 32 if $low & 0x80000000;
		$v{time} = $low + ($extra << 32);
	}
	END { out(); }
' | sort
}
metadata() {
	source_list >source.list
	image_list >image.list
	[ "$(wc -l <source.list)" -gt 30 ] && diff source.list image.list
}
check "debugfs stat: type, mode, owner, size, links, time of every file" metadata

check "a hole takes no space" says /share/only-a-hole 'Blockcount: 0'
check "300 short runs, each a block" says /share/comb 'Blockcount: 2424'
if [ "$root" = yes ]; then
	check "character device" says /lib/null 'Device major/minor number: 01:03'
	check "block device with a large number" says /lib/disk '259:1048000'
fi
one_inode() {
	debugfs -R 'stat /lib/block' rich.ext2 >one 2>/dev/null &&
		debugfs -R 'stat /lib/zz-second' rich.ext2 2>/dev/null | diff one - && grep -q 'Links: 2 ' one
}
check "hard link: one inode" one_inode
# What may differ: an ACL's entries without an id (debugfs says 0, the kernel -1), and the NUL behind
# an SELinux label, which tar drops and the kernel has.
one_form() {
	case $1 in
	system.*) perl -0777 -ne 'my ($head, @acl) = unpack "V(vvV)*";
		while (my ($tag, $mode, $id) = splice @acl, 0, 3) {
			$id = "-" unless $tag == 2 || $tag == 8;
			print "$tag $mode $id\n";
		}' ;;
	security.selinux) tr -d '\0' ;;
	*) cat ;;
	esac
}
# attribute FILE NAME: its value is the source's
attribute() {
	rm -f value
	debugfs -R "ea_get -f value /${1#usr/} $2" rich.ext2 2>&1 &&
		getfattr --absolute-names --only-values -n "$2" "rich/$1" | one_form "$2" >want &&
		one_form "$2" <value | cmp want -
}
for a in "${attributes[@]}"; do
	check "attribute ${a#* } of ${a% *}" attribute "${a% *}" "${a#* }"
done
no_more_attributes() {
	(cd rich && find usr -mindepth 1 -type f ! -name '*
*' -print0 | xargs -0 getfattr --absolute-names -h -m - | grep -cE '^(user|security|system|trusted)') >want
	while IFS= read -r path; do
		[ ! -f "rich/usr$path" ] || [ -L "rich/usr$path" ] || printf 'ea_list "%s"\n' "$path"
	done <paths >ea_commands
	debugfs -f ea_commands rich.ext2 2>/dev/null | grep -cE '^ +(user|security|system|trusted)' |
		diff want -
}
check "debugfs ea_list: as many attributes as the source has" no_more_attributes

# --- many entries ------------------------------------------------------------------------------------

mkdir -p many/names
(cd many/names && seq -f 'an entry with number %06.0f' 1 100000 | tr '\n' '\0' | xargs -0 touch -d @1600000000)
check "a folder of 100,000 entries" mkfs many many.ext2
check "... e2fsck" e2fsck -fn many.ext2
names() {
	debugfs -R 'ls -p /names' many.ext2 2>/dev/null | awk -F/ 'NF > 5 && $6 ~ /^an/ { print $6 }' |
		cmp - <(seq -f 'an entry with number %06.0f' 1 100000)
}
check "... debugfs ls: every name, in order" names
tar -C many -cf many.tar .
same "100,000 entries from tar" many.ext2 mkfs many.tar again
rm -rf many many.tar many.ext2

# --- from a directory or an archive ------------------------------------------------------------------------

mkfs rich dir.ext2
tar_with() {
	tar --xattrs --xattrs-include='*' --acls --sparse --numeric-owner -C rich "$@"
}
tar_with -cf rich.tar .
same "from tar (GNU, with attributes, ACLs and holes)" dir.ext2 mkfs rich.tar again
tar_with --format=posix --pax-option=delete=atime,delete=ctime -cf pax.tar .
same "from tar (pax)" dir.ext2 mkfs pax.tar again
rm -f pax.tar
# bsdtar's way of writing attributes is libarchive's own
if command -v bsdtar >/dev/null; then
	bsdtar --format=pax --xattrs --acls --read-sparse -C rich -cf bsd.tar .
	same "from tar (bsdtar)" dir.ext2 mkfs bsd.tar again
fi
for tool in gzip bzip2 xz zstd; do
	command -v $tool >/dev/null || continue
	$tool -c <rich.tar >rich.tar.z
	same "from tar.$tool" dir.ext2 mkfs rich.tar.z again
done
from_stdin() {
	mkfs - again < <(cat -- "$1")
}
same "from standard input" dir.ext2 from_stdin rich.tar
same "compressed, from standard input" dir.ext2 from_stdin rich.tar.z
sorted_backwards() {
	(cd rich && find . -print0 | sort -zr) >list
	tar_with --no-recursion --null -T list -cf reverse.tar
	mkfs reverse.tar again
}
same "from tar, entries in reverse" dir.ext2 sorted_backwards
rm -f reverse.tar

# What cpio and old tar can carry: no attributes, no holes.
mkdir plain
tar --numeric-owner --exclude=./usr/huge/over-4-GiB --exclude=./usr/share/only-a-hole \
	--exclude=./usr/share/comb -C rich -cf - . | tar --numeric-owner -xpf - -C plain 2>/dev/null
touch -d @1600000000 plain/usr/lib/zero
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "plain/socket", Listen => 1) or die $!'
touch -d @1600000000 plain/socket plain
mkfs plain plain.ext2
check "a socket" prints 'Type: socket' debugfs -R 'stat /socket' plain.ext2
from_cpio() {
	(cd plain && find . -print0 | cpio --null --quiet -o -H newc) >plain.cpio
	mkfs plain.cpio again
}
same "from cpio (newc), with a socket" plain.ext2 from_cpio
rm plain/socket
touch -d @1600000000 plain
mkfs plain plain.ext2
old_tar() {
	tar --numeric-owner --format=gnu -C plain -cf old.tar .
	mkfs old.tar again
}
same "from tar (GNU's old format)" plain.ext2 old_tar
rm -rf plain plain.* old.tar

# --- what must not matter --------------------------------------------------------------------------------------

copy_backwards() {
	mkdir copy
	(cd rich && find . -print0 | sort -zr) >list
	tar_with --no-recursion --null -T list -cf - |
		tar --xattrs --xattrs-include='*' --acls --numeric-owner -xpf - -C copy
	mkfs copy again
}
same "a copy whose entries were made in reverse" dir.ext2 copy_backwards
chmod -R u+rwX copy
rm -rf copy
same "-j 1" dir.ext2 mkfs rich again -j 1
same "-j 8" dir.ext2 mkfs rich again -j 8
with_umask() {
	(umask "$1" && mkfs rich again)
}
same "umask 077" dir.ext2 with_umask 077
same "umask 000" dir.ext2 with_umask 000
same "another time zone" dir.ext2 env TZ=Pacific/Kiritimati \
	"$ingot" mkfs --from rich --output again --epoch $epoch -q
same "another locale" dir.ext2 env LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8 \
	"$ingot" mkfs --from rich --output again --epoch $epoch -q
same "SOURCE_DATE_EPOCH" dir.ext2 env SOURCE_DATE_EPOCH=$epoch "$ingot" mkfs --from rich --output again -q
if command -v faketime >/dev/null; then
	same "a clock years ahead" dir.ext2 faketime '2040-02-03 04:05:06' \
		"$ingot" mkfs --from rich --output again --epoch $epoch -q
fi
elsewhere() {
	mkdir -p "another folder/inside"
	(cd "another folder/inside" && "$ingot" mkfs --from "$work/rich/." --output "another name" --epoch $epoch -q)
	mv "another folder/inside/another name" again
}
same "another folder, another output name" dir.ext2 elsewhere
to_stdout() {
	mkfs rich - | cat >again
}
same "to standard output" dir.ext2 to_stdout
if [ "$root" = yes ]; then
	as_nobody() {
		mkdir -p nobody
		cp "$ingot" nobody/ingot # the way to it may be closed to others
		chown -R 65534:65534 nobody
		(cd nobody && TMPDIR=$PWD setpriv --reuid=65534 --regid=65534 --clear-groups ./ingot mkfs \
			--from ../rich.tar --output again --epoch $epoch -q)
		mv nobody/again again
	}
	same "an ordinary user, from tar" dir.ext2 as_nobody
else
	echo "not root: no other user, no devices, no owners"
fi

# --- options ------------------------------------------------------------------------------------------------------

# owners OPTION...: "UID:GID MODE" of /lib/large and the UID of /bin
owners() {
	mkfs rich owner.ext2 --subtree usr "$@" && e2fsck -fn owner.ext2 >log 2>&1 || return 1
	debugfs -R 'stat /lib/large' owner.ext2 2>/dev/null | sed -nE \
		's/^User: +([0-9]+) +Group: +([0-9]+).*/\1:\2/p'
	debugfs -R 'stat /bin' owner.ext2 2>/dev/null | sed -nE 's/^User: +([0-9]+) .*/\1/p'
}
owner_is() {
	local want=$1
	shift
	[ "$(owners "$@" | tr '\n' ' ')" = "$want " ] || ! cat log
}
check "--owner" owner_is "70000:8 70000" --owner 70000:8
id=$(id -u):$(id -g)
if [ "$root" = yes ]; then
	printf 'uid 0 0 60000\nuid 100000 7 1\ngid 0 0 66000\n' >map
	check "--owner-map" owner_is "7:65537 0" --owner-map map
else
	printf 'uid %s 7 1\ngid %s 9 1\nuid 54320 54320 9\ngid 54320 54320 9\n' "${id%:*}" "${id#*:}" >map
	check "--owner-map" owner_is "7:9 7" --owner-map map
fi
printf 'path usr/lib/large 5 6 0600\npath usr/bin 9 9\n' >map
check "--owner-map of paths" owner_is "5:6 9" --owner 0:0 --owner-map map
gone() {
	local path=$1
	shift
	mkfs rich gone.ext2 "$@" && e2fsck -fn gone.ext2 &&
		debugfs -R "stat $path" gone.ext2 >said 2>&1 && grep -q 'not found' said
}
check "--exclude a folder" gone /usr/share --exclude usr/share
check "--exclude at any depth" gone /usr/lib/large --exclude '**/large' --exclude usr/bin
same "--subtree is the folder itself" rich.ext2 mkfs rich/usr again --size 48M --label USR-A \
	--uuid 42424242-4242-4242-4242-424242424242
smallest() {
	local blocks
	mkfs rich smallest.ext2 || return 1
	blocks=$(($(stat -c %s smallest.ext2) / 4096))
	prints '^Free blocks: *0$' dumpe2fs -h smallest.ext2 &&
		mkfs rich fits.ext2 --size $((blocks * 4096)) && cmp smallest.ext2 fits.ext2 &&
		refused "so 4 KiB must go; the heaviest folders are" --from rich --epoch $epoch \
		--size $(((blocks - 1) * 4096))
}
check "without --size as small as it gets; one block less is refused" smallest
identity() {
	mkfs rich one.ext2 --seed 00112233445566778899aabbccddeeff &&
		mkfs rich two.ext2 --seed 00112233445566778899aabbccddeefe &&
		! cmp -s one.ext2 two.ext2 && ! cmp -s one.ext2 dir.ext2
}
check "--seed decides the UUID" identity
report() {
	prints '"free_blocks": *0' "$ingot" mkfs --from rich --output json.ext2 --epoch $epoch --json &&
		grep -q '"uuid": *"' said
}
check "--json" report

# --- what is refused -------------------------------------------------------------------------------------------------

refuse "too small a --size" "usr/lib (" --from rich --epoch $epoch --size 64K
refuse "... with sizes" "the tree does not fit: it needs " --from rich --epoch $epoch --size 64K
refuse "no epoch" "SOURCE_DATE_EPOCH" --from rich
refuse "no such input" "No such file or directory" --from missing --epoch 0
refuse "an input that is no archive" "'message'" --from message --epoch 0
refuse "a folder inside that is not there" "'not/there'" --from rich --epoch 0 --subtree not/there
refuse "a subtree that is a file" "usr/lib/large" --from rich --epoch 0 --subtree usr/lib/large
refuse "a label of 17 bytes" "longer than 16" --from rich --epoch 0 --label 12345678901234567
refuse "a size that is no multiple of a block" "multiple of 4096" --from rich --epoch 0 --size 1000001
refuse "a UUID that is none" "'1234' is not a UUID" --from rich --epoch 0 --uuid 1234
refuse "an owner that is none" "not UID:GID" --from rich --epoch 0 --owner root
refuse "a negative owner" "not UID:GID" --from rich --epoch 0 --owner -18446744073709551615:0
refuse "an owner with blanks" "not UID:GID" --from rich --epoch 0 --owner "1: 2"
refuse "an owner map that is not there" "No such file" --from rich --epoch 0 --owner-map missing
refuse "an epoch that is no number" "epoch" --from rich --epoch yesterday
head -c 1000000 rich.tar >cut.tar
refuse "an archive cut off" "cut.tar" --from cut.tar --epoch 0
head -c 30000 rich.tar.z >cut.tar.z
refuse "a compressed one cut off" "cut.tar.z" --from cut.tar.z --epoch 0
: >empty.tar
refuse "an empty archive" "empty.tar" --from empty.tar --epoch 0
no_folder() {
	local status=0
	"$ingot" mkfs --from rich --epoch 0 --output not/there/out 2>message || status=$?
	cat message
	[ "$status" = 2 ] && grep -qF "the folder 'not/there/' does not exist" message
}
check "refused: an output folder that is not there" no_folder
old_output() {
	echo before >kept
	not "$ingot" mkfs --from rich --epoch 0 --size 64K --output kept 2>message &&
		[ "$(cat kept)" = before ]
}
check "an old output survives a failure" old_output
verdict
