#!/bin/bash
# `ingot build` against the tools of others, on small trees that nobody boots: build.sh INGOT
# Every partition is cut out and given to whoever knows its format.
set -euo pipefail
export LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin:/sbin
unset SOURCE_DATE_EPOCH

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
arm_stub=/usr/lib/systemd/boot/efi/linuxaa64.efi.stub
chmod 755 "$work"
umask 022

# --- a tree, keys, layouts ---------------------------------------------------------------------------

mkdir -p tree/usr/lib/systemd tree/usr/bin tree/etc tree/boot tree/var/log oem/folder
printf 'ID=test\nVERSION_ID=1\n' >tree/usr/lib/os-release
seq 1 200000 >tree/usr/lib/numbers
head -c 3000000 /dev/urandom >tree/usr/lib/systemd/noise
echo '#!/bin/sh' >tree/usr/bin/program
chmod 4755 tree/usr/bin/program
ln -s ../usr/lib/os-release tree/etc/os-release
ln -s usr/bin tree/bin
echo test >tree/etc/hostname
echo hello >oem/folder/file
cp "$stub" tree/boot/vmlinuz-6.1
seq 1 50000 >initrd
find tree oem -exec touch -h -d @1600000000 {} +
tar --numeric-owner --owner=0 --group=0 -C tree -cf tree.tar .
"$source_dir/signing/make-test-keys.sh" keys >/dev/null
"$source_dir/signing/make-test-keys.sh" stranger >/dev/null

# The layouts of the project, with partitions that are quickly read.
shrink() {
	sed -E "s/size: 128M/size: 40M/; s/size: 1G/size: 24M/; s/size: 64M/size: 1M/
		s/^size: .*/size: $2/" "$source_dir/layouts/$1.yaml" >"$1.yaml"
}
shrink flatcar 200M
shrink discoverable 120M

# recipe FILE LAYOUT [LINE...]: the lines are added at the end
recipe() {
	local file=$1 layout=$2
	shift 2
	cat >"$file" <<-RECIPE
		name: test
		version: "1"
		architecture: x86-64
		epoch: 1700000000
		layout: $layout
		tree: tree.tar
		boot:
		  linux: tree:boot/vmlinuz-*
		  initrd: initrd
		  stub: $stub
		  cmdline: console=ttyS0
		signing: {key: keys/root-hash.key, certificate: keys/root-hash.crt}
	RECIPE
	[ $# = 0 ] || printf '%s\n' "$@" >>"$file"
}

# prints PATTERN COMMAND...: a line of what it prints matches. Never "COMMAND | grep -q", which ends
# COMMAND early, and with pipefail that counts as a failure.
prints() {
	local pattern=$1
	shift
	"$@" >said 2>/dev/null && grep -qE -- "$pattern" said || ! cat said
}

# --- a look at an image ------------------------------------------------------------------------------

manifest() {
	jq -r "$1" "out/test-1.manifest.json"
}

# part CONTENT FIELD
part() {
	manifest ".outputs[0].partitions[] | select(.content == \"$1\") | .$2"
}

# cut CONTENT: the partition's bytes in CONTENT.img
cut_out() {
	rm -f "$1.img"
	dd if=out/test-1.raw of="$1.img" bs=1M iflag=skip_bytes,count_bytes conv=sparse status=none \
		skip="$(part "$1" start)" count="$(part "$1" size)"
	truncate -s "$(part "$1" size)" "$1.img"
}

table_is_good() {
	local said
	if [ "$sector" = 512 ]; then
		said=$(sfdisk --verify out/test-1.raw 2>&1 && sgdisk -v out/test-1.raw 2>&1)
		printf '%s\n' "$said"
		grep -q 'No errors detected' <<<"$said" && grep -q '^No problems found' <<<"$said" &&
			! grep -qiE 'warning|caution|problem:' <<<"$said"
	elif grep -q sector-size <<<"$(sfdisk --help)"; then
		sfdisk --sector-size 4096 --verify out/test-1.raw
	else
		prints 'No errors detected' fdisk -b 4096 out/test-1.raw < <(printf 'v\nq\n')
	fi
}

digest_is_right() {
	[ "$(manifest '.outputs[0].sha256')" = "$(sha256sum <out/test-1.raw | cut -d ' ' -f 1)" ] &&
		[ "$(manifest '.outputs[0].size')" = "$(stat -c %s out/test-1.raw)" ]
}

# veritysetup 2.6 says what is wrong, and exits with 0
quiet() {
	local said
	said=$("$@" 2>&1) && [ -z "$said" ] || ! printf '%s\n' "$said"
}

usr_is_verified() {
	local hash_image=usr.img offset root
	cut_out usr && e2fsck -fn usr.img || return 1
	[ -z "$(part usr-verity start)" ] || { cut_out usr-verity && hash_image=usr-verity.img; } || return 1
	offset=$(manifest .usr.hash_offset) root=$(manifest .usr.root_hash)
	quiet veritysetup verify usr.img "$hash_image" "$root" --hash-offset="$offset" &&
		! quiet veritysetup verify usr.img "$hash_image" "$(tr 0123456789abcdef 123456789abcdef0 <<<"$root")" \
			--hash-offset="$offset" &&
		veritysetup dump "$hash_image" --hash-offset="$offset" >superblock &&
		grep -qE "^UUID:[[:space:]]*$(manifest .usr.uuid)\$" superblock &&
		grep -qE "^Hash algorithm:[[:space:]]*$(manifest .usr.hash)\$" superblock &&
		grep -qE "^Salt:[[:space:]]*$(manifest .usr.salt)\$" superblock &&
		grep -qE "^Data blocks:[[:space:]]*$(manifest .usr.data_blocks)\$" superblock
}

usr_has_the_files() {
	debugfs -R 'cat /lib/numbers' usr.img 2>/dev/null | cmp - tree/usr/lib/numbers &&
		debugfs -R 'cat /lib/systemd/noise' usr.img 2>/dev/null | cmp - tree/usr/lib/systemd/noise &&
		prints 'Mode: *04755' debugfs -R 'stat /bin/program' usr.img
}

root_has_the_rest() {
	cut_out root && e2fsck -fn root.img &&
		[ "$(debugfs -R 'cat /etc/hostname' root.img 2>/dev/null)" = test ] &&
		prints 'Type: symlink' debugfs -R 'stat /etc/os-release' root.img &&
		prints 'Type: directory' debugfs -R 'stat /usr' root.img &&
		[ "$(debugfs -R 'ls -p /usr' root.img 2>/dev/null | grep -c '^/')" = 2 ]
}

oem_has_its_files() {
	cut_out oem && e2fsck -fn oem.img &&
		[ "$(debugfs -R 'cat /folder/file' oem.img 2>/dev/null)" = hello ] &&
		prints 'User: *0 *Group: *0 ' debugfs -R 'stat /folder/file' oem.img
}

# The machine in a PE file stands behind "PE\0\0", whose place is at byte 60.
machine_of() {
	od -An -tx2 -N 2 -j $(($(od -An -tu4 -j 60 -N 4 "$1") + 4)) "$1" | tr -d ' '
}
set_machine() {
	printf '%b' "$2" | dd of="$1" bs=1 conv=notrunc status=none \
		seek=$(($(od -An -tu4 -j 60 -N 4 "$1") + 4))
}

esp_is_good() {
	cut_out esp && fsck.fat -n esp.img && mdir -i esp.img ::/EFI/BOOT &&
		rm -f uki.efi && mcopy -i esp.img "::/EFI/BOOT/$uki" uki.efi &&
		[ "$(machine_of uki.efi)" = "$machine" ] || return 1
	# binutils know their own machine's format only
	[ "$machine" = 8664 ] || set_machine uki.efi '\x64\x86'
}

# The section's bytes in the file "section"
section() {
	objcopy -O binary --only-section="$1" uki.efi section
}

# The kernel's bytes, then the padding of the section.
uki_is_good() {
	objdump -h uki.efi >sections &&
		for name in .linux .initrd .osrel .cmdline; do grep -q " $name " sections || return 1; done &&
		section .linux && cmp -n "$(stat -c %s "$linux")" section "$linux" &&
		section .osrel && cmp -n 24 section tree/usr/lib/os-release &&
		section .initrd && cmp -n "$(stat -c %s initrd)" section initrd &&
		section .cmdline && tr -d '\0' <section >cmdline && cat cmdline &&
		grep -q ' console=ttyS0$' cmdline &&
		grep -q "root=PARTUUID=$(part root uuid) " cmdline && grep -q 'mount.usr=/dev/mapper/usr' cmdline
}

# The way to /usr: on the command line for a partition of its own, else in the initrd.
root_hash_reaches_the_boot() {
	local root
	root=$(manifest .usr.root_hash)
	rm -rf segment && mkdir segment
	section .initrd && tail <section -c +$((($(stat -c %s initrd) + 3) / 4 * 4 + 1)) >segment.cpio
	(cd segment && cpio --quiet -idm <../segment.cpio && find .)
	cmp segment/etc/verity.d/ingot.crt keys/root-hash.crt &&
		openssl smime -verify -binary -inform DER -in segment/etc/usr.p7s \
			-content <(printf %s "$root") -CAfile keys/ca.crt -purpose any -out /dev/null || return 1
	if [ -n "$(part usr-verity start)" ]; then
		grep -q "usrhash=$root " cmdline
	else
		grep -q "$root" segment/etc/veritytab && grep -q "PARTUUID=$(part usr uuid)" segment/etc/veritytab &&
			grep -q "hash-offset=$(manifest .usr.hash_offset)" segment/etc/veritytab
	fi
}

signature_partition() {
	cut_out usr-verity-sig
	tr -d '\0' <usr-verity-sig.img >signature.json
	[ "$(jq -r .rootHash signature.json)" = "$(manifest .usr.root_hash)" ] &&
		[ "$(jq -r .certificateFingerprint signature.json)" = \
			"$(openssl x509 -in keys/root-hash.crt -outform DER | sha256sum | cut -d ' ' -f 1)" ] &&
		jq -r .signature signature.json | openssl base64 -d -A >signature.der &&
		openssl smime -verify -binary -inform DER -in signature.der \
			-content <(manifest .usr.root_hash | tr -d '\n') -certfile keys/root-hash.crt \
			-CAfile keys/ca.crt -purpose any -out /dev/null
}

# 32 hex digits as a UUID
as_uuid() {
	sed -E 's/^(.{8})(.{4})(.{4})(.{4})(.{12})$/\1-\2-\3-\4-\5/' <<<"$1"
}

partuuids_are_the_root_hash() {
	local root
	root=$(manifest .usr.root_hash)
	[ "$(part usr uuid)" = "$(as_uuid "${root:0:32}")" ] &&
		[ "$(part usr-verity uuid)" = "$(as_uuid "${root: -32}")" ]
}

# The manifest's table is what sfdisk reads.
same_table() {
	[ "$sector" = 512 ] || return 0
	sfdisk -J out/test-1.raw | jq -r '.partitiontable | .sectorsize as $s | .partitions[] |
		[(.start * $s), (.size * $s), (.type | ascii_downcase), (.uuid | ascii_downcase), .name] |
		join(" ")' >theirs
	manifest '.outputs[0].partitions[] | [.start, .size, .type, .uuid, .label] | join(" ")' >ours
	[ -s ours ] && diff ours theirs
}

inputs_are_right() {
	local role file
	while read -r role file; do
		[ "$(manifest ".inputs[] | select(.role == \"$role\") | .sha256")" = \
			"$(sha256sum <"$file" | cut -d ' ' -f 1)" ] || ! echo "$role" || return 1
	done <<-FILES
		recipe recipe.yaml
		linux $linux
		initrd initrd
		stub $used_stub
		os-release tree/usr/lib/os-release
		certificate keys/root-hash.crt
	FILES
}

# The listing's digest as docs/manifest.md says, for a tree of folders, files and symbolic links.
listing_is_right() {
	(cd tree && find . -printf '%P\t%y\t%m\t%T@\t%s\t%l\n') | sed 's,^,/,' | sort -t "$(printf '\t')" -k 1,1 |
		perl -ne 'chomp; my ($p, $y, $m, $t, $s, $l) = split /\t/, $_, -1;
			my %type = (d => 040000, f => 0100000, l => 0120000);
			push @all, [$p, sprintf("%s\0%o\0%d\0%d\0%d\0%d\0%s\0\0", $p, $type{$y} | oct $m, 0, 0, $t,
				$y eq "d" ? 0 : $s, $l)];
			END {
				# folders before their children, children in byte order
				my $key = sub { join "\1", split m{/}, $_[0], -1 };
				print $_->[1] for sort { $key->($a->[0]) cmp $key->($b->[0]) } @all;
			}' | sha256sum | cut -d ' ' -f 1 >want
	manifest '.inputs[] | select(.role == "tree") | .listing_sha256' | diff want -
}

build() {
	rm -rf out
	"$ingot" build recipe.yaml --output out -q "$@"
}

# look WHAT: everything that can be said about the image in out
look() {
	local what=$1
	check "$what: partition table" table_is_good
	check "$what: the manifest's table is sfdisk's" same_table
	check "$what: /usr: e2fsck, veritysetup verify and dump" usr_is_verified
	check "$what: /usr: its files" usr_has_the_files
	check "$what: ROOT: e2fsck, its files, an empty /usr" root_has_the_rest
	check "$what: ESP: fsck.fat, mtools" esp_is_good
	check "$what: UKI: kernel, initrd, os-release, command line" uki_is_good
	check "$what: root hash, certificate and signature for the boot" root_hash_reaches_the_boot
	if [ -n "$(part usr-verity-sig start)" ]; then
		check "$what: signature partition" signature_partition
		check "$what: PARTUUIDs are the root hash" partuuids_are_the_root_hash
	fi
	if [ -n "$(part oem start)" ]; then
		check "$what: OEM: e2fsck, its files" oem_has_its_files
	fi
	check "$what: the manifest's inputs" inputs_are_right
}

# --- images ------------------------------------------------------------------------------------------------

uki=BOOTX64.EFI machine=8664 linux=tree/boot/vmlinuz-6.1 used_stub=$stub sector=512

recipe recipe.yaml flatcar.yaml 'oem: oem'
check "flatcar: build" build
look "flatcar"
check "flatcar: sha256 is sha256sum's" digest_is_right
check "flatcar: the tree's listing" listing_is_right

recipe recipe.yaml discoverable.yaml 'usr: {fit: content}'
check "discoverable: build" build
look "discoverable"
check "discoverable: sha256 is sha256sum's" digest_is_right

sector=4096
recipe recipe.yaml flatcar.yaml 'oem: oem' 'sector-size: 4096' 'usr: {fit: content, salt: "-"}' \
	'manifest: {digests: false}'
sed -i 's/size: 40M/size: 260M/; s/^size: .*/size: 620M/' flatcar.yaml # FAT32 begins at 256 MiB there
check "flatcar, 4096, content, no salt: build" build
look "flatcar, 4096, content, no salt"
check "flatcar, 4096: no digest where none is wanted" test "$(manifest '.outputs[0].sha256')" = null

recipe recipe.yaml discoverable.yaml 'sector-size: 4096' 'usr: {hash: sha512, salt: c0ffee}' \
	'manifest: {digests: false}'
sed -i 's/size: 40M/size: 260M/; s/^size: .*/size: 340M/' discoverable.yaml
check "discoverable, 4096, sha512: build" build
look "discoverable, 4096, sha512"
shrink flatcar 200M
shrink discoverable 120M
sector=512

# The project's own layouts, in their own size.
for layout in flatcar discoverable; do
	recipe recipe.yaml $layout 'manifest: {digests: false}'
	check "$layout as it is: build" build
	check "$layout as it is: partition table" table_is_good
	check "$layout as it is: the manifest's table is sfdisk's" same_table
done

# arm64. Where there is no stub for it, the one there is says that it is one.
if [ -e $arm_stub ]; then
	used_stub=$arm_stub
else
	echo "no stub for arm64 here: the other one with its machine changed"
	used_stub=$work/arm64.stub
	cp "$stub" arm64.stub
	set_machine arm64.stub '\x64\xaa'
fi
cp "$used_stub" vmlinuz-arm64
linux=vmlinuz-arm64 uki=BOOTAA64.EFI machine=aa64
recipe recipe.yaml discoverable.yaml 'usr: {fit: content}' 'manifest: {digests: false}'
sed -i "s,x86-64,arm64,; s,stub: .*,stub: $used_stub,; s,linux: .*,linux: vmlinuz-arm64," recipe.yaml
check "arm64: build" build
look "arm64"
arm_types() {
	[ "$(part usr type)" = b0e01050-ee5f-4390-949a-9101b17104e9 ] &&
		[ "$(part usr-verity type)" = 6e11a4e7-fbca-4ded-b9e9-e1a512bb664e ] &&
		[ "$(part root type)" = b921b045-1df0-41c3-af44-4c6f280d3fae ]
}
check "arm64: its partition types" arm_types
rm -rf out ./*.img
uki=BOOTX64.EFI machine=8664 linux=tree/boot/vmlinuz-6.1 used_stub=$stub

# --- the same bytes --------------------------------------------------------------------------------------------

recipe recipe.yaml flatcar.yaml 'oem: oem'
digests() {
	(cd "$1" && sha256sum ./*)
}
build && digests out >reference
again() {
	build "$@" && digests out | diff reference -
}
other_umask() {
	(umask 077 && again -j 2)
}
other_clock() {
	(export TZ=Asia/Tokyo LC_ALL=C.UTF-8 && faketime '2040-01-01 00:00:00' "$ingot" build recipe.yaml \
		--output "another out" -q) && digests "another out" | diff reference -
}
other_path() {
	mkdir -p "deep/another path" && cp -a tree.tar initrd keys oem ./*.yaml "deep/another path" &&
		"$ingot" build "$PWD/deep/another path/recipe.yaml" --output deep/out -q &&
		digests deep/out | diff reference -
}
check "the same bytes: -j 1, over old outputs" again -j 1
check "the same bytes: -j 7" again -j 7
check "the same bytes: umask 077" other_umask
check "the same bytes: time zone, locale, clock, output folder" other_clock
check "the same bytes: another path" other_path
rm -rf deep "another out"
from_a_folder() {
	sed -i 's,^tree: .*,tree: tree,; $a owner: 0:0' recipe.yaml
	rm -rf other && "$ingot" build recipe.yaml --output other -q && cmp other/test-1.raw out/test-1.raw
}
build
check "the same image from a folder" from_a_folder
rm -rf other

# --- what is refused -----------------------------------------------------------------------------------------------

# refuse WHAT TEXT... : exit 2, every text in what it says, no new output, the old ones as they were
refuse() {
	local what=$1
	shift
	check "refused: $what" refused "$@"
}
refused() {
	local status=0 text
	digests out >before
	"$ingot" build recipe.yaml --output out >message 2>&1 || status=$?
	cat message
	[ "$status" = 2 ] || ! echo "status $status" || return 1
	for text in "$@"; do
		grep -qF -- "$text" message || ! echo "missing: $text" || return 1
	done
	digests out | diff before - && [ "$(find out -type f | wc -l)" = 2 ]
}

recipe recipe.yaml broken.yaml 'color: red' 'usr: {fitt: content}'
sed -e 's/^size: /sized: 1\nsize: /' -e '0,/size: 40M/s//size: 40M\n    start: 4M/' \
	-e '0,/size: 2M/s//size: 2M\n    start: 8M/' flatcar.yaml >broken.yaml
refuse "unknown keys in recipe and layout, all at once" "recipe.yaml:13:1: unknown key 'color'" \
	"recipe.yaml:14:7: unknown key 'fitt', did you mean 'fit'?" "unknown key 'sized'"
recipe recipe.yaml overlap.yaml
sed -e '0,/size: 40M/s//size: 40M\n    start: 4M/' -e '0,/size: 2M/s//size: 2M\n    start: 8M/' \
	flatcar.yaml >overlap.yaml
refuse "a layout whose partitions overlap" "overlap.yaml:" "BIOS-BOOT"
recipe recipe.yaml flatcar.yaml
sed -i '/^epoch/d' recipe.yaml
refuse "no epoch" "recipe.yaml:1:1: key 'epoch' is missing, and SOURCE_DATE_EPOCH is not set"
recipe recipe.yaml nowhere
refuse "a layout that is not there" "recipe.yaml:5:9: no layout 'nowhere'"
recipe recipe.yaml flatcar.yaml
sed -i 's/tree.tar/missing.tar/; s/initrd: initrd/initrd: [initrd, gone]/' recipe.yaml
refuse "files that are not there" "recipe.yaml:6:7: 'missing.tar': No such file" \
	"recipe.yaml:9:20: 'gone': No such file"
recipe recipe.yaml flatcar.yaml
sed -i 's,boot/vmlinuz-\*,boot/bzImage,' recipe.yaml
refuse "a kernel that is not in the tree" "recipe.yaml:8:10: no file in the tree matches 'boot/bzImage'"
recipe recipe.yaml flatcar.yaml
sed -i 's,stub: .*,stub: initrd,' recipe.yaml
refuse "a stub that is no PE file" "initrd" "PE"
recipe recipe.yaml flatcar.yaml
sed -i 's/x86-64/arm64/' recipe.yaml
refuse "a stub for another machine" "x86-64" "arm64"
recipe recipe.yaml flatcar.yaml
sed -i 's,keys/root-hash.key,stranger/root-hash.key,' recipe.yaml
refuse "a key that does not match its certificate" "signing" "does not"
recipe recipe.yaml discoverable.yaml
sed -i '/^signing/d' recipe.yaml
refuse "a signature partition without a key" "signature" "signing"
recipe recipe.yaml small.yaml
sed 's/size: 24M/size: 3M/' flatcar.yaml >small.yaml
refuse "a tree that does not fit" "partition 'USR-A'" "does not fit" "usr/lib/systemd (2.8 MiB)"
recipe recipe.yaml flatcar.yaml
head -c 2000000 tree.tar >cut.tar
sed -i 's/tree.tar/cut.tar/' recipe.yaml
refuse "an archive cut off" "tree 'cut.tar'"
recipe recipe.yaml flatcar.yaml 'size: 100M'
refuse "a disk that is too small" "layout 'flatcar'"
recipe recipe.yaml discoverable.yaml 'oem: oem'
refuse "files for a partition that the layout does not have" "no OEM partition"
recipe recipe.yaml flatcar.yaml
printf '\tname: x\n' >>recipe.yaml
refuse "YAML that is none" "recipe.yaml:13:"
mkdir tree/etc/ssh
echo secret >tree/etc/ssh/ssh_host_rsa_key
recipe recipe.yaml flatcar.yaml
sed -i 's/tree.tar/tree/' recipe.yaml
refuse "a host key in the tree" "etc/ssh/ssh_host_rsa_key"
no_output_folder() {
	local status=0
	recipe recipe.yaml flatcar.yaml
	"$ingot" build recipe.yaml --output not/there 2>message || status=$?
	cat message
	[ "$status" = 2 ] && grep -qF "not/there" message && [ ! -e not ]
}
check "refused: an output folder in a folder that is not there" no_output_folder
nothing_made() {
	recipe recipe.yaml nowhere
	! "$ingot" build recipe.yaml --output fresh 2>message && [ ! -e fresh ]
}
check "a build that fails early makes no folder" nothing_made
verdict
