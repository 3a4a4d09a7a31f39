#!/bin/bash
# What `outputs` makes: several vendors' files from one build, held against other people's tools.
# (That every vendor's files keep the vendor's rules, vendors.sh looks at.)
#
# usage: outputs.sh INGOT
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

# --- something to build ---------------------------------------------------------------------------

"$source_dir/signing/make-test-keys.sh" keys >/dev/null
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
mkdir -p tree/usr/lib/systemd tree/usr/bin tree/etc tree/var
printf 'ID=test\nPRETTY_NAME="Test"\n' >tree/usr/lib/os-release
seq 300000 >tree/usr/bin/numbers
head -c 3000000 /dev/urandom >tree/usr/bin/noise
printf 'test\n' >tree/etc/hostname
cp "$stub" kernel
head -c 1000000 /dev/urandom >initrd
cat >mine.yaml <<'VENDOR'
name: mine
summary: A vendor of our own
platform: {ignition: mine}
architectures: [x86-64]
outputs:
  - {format: qcow2-zstd, suffix: .zstd.qcow2}
  - {format: raw.gz, suffix: .raw.gz}
disk: {size: 700M, round: 1M}
consoles: [ttyS9]
oem:
  release: {id: mine, name: Mine}
VENDOR

# recipe FILE OUTPUTS [LINE...]
recipe() {
	cat >"$1" <<-RECIPE
		name: test
		version: "1"
		architecture: x86-64
		epoch: 1700000000
		layout: layout.yaml
		tree: tree
		owner: 0:0
		boot:
		  linux: kernel
		  initrd: initrd
		  stub: $stub
		  cmdline: quiet
		signing: {key: keys/root-hash.key, certificate: keys/root-hash.crt}
		outputs: [$2]
	RECIPE
	shift 2
	[ $# = 0 ] || printf '%s\n' "$@" >>recipe.yaml
}
# The layout of Flatcar in small.
sed -e 's/^name: flatcar/name: small/' -e 's/^size: 4G/size: 400M/' -e 's/size: 1G/size: 64M/' \
	-e 's/size: 128M/size: 64M/' -e 's/size: 64M *$/size: 64M/' \
	"$source_dir/layouts/flatcar.yaml" >layout.yaml

recipe recipe.yaml \
	"raw,qcow2,./mine.yaml,ami,azure,gce,openstack,vmware,virtualbox,hyperv,libvirt,xen" "level: 1"
check "formats and vendors in one build" "$ingot" build recipe.yaml --output out
[ "$failed" = 0 ] || verdict
manifest=out/test-1.manifest.json

# --- the manifest ---------------------------------------------------------------------------------

sums() { jq -r '.outputs[] | select(.sha256) | "\(.sha256)  out/\(.name)"' $manifest; }
digests_hold() { sums >digests && [ "$(wc -l <digests)" -gt 12 ] && sha256sum -c --strict --quiet digests; }
check "the manifest's digests are those of the files" digests_hold
listed() { jq -r '.outputs[] | .name, .sidecar // empty' $manifest | sort; }
there() { (cd out && printf '%s\n' *) | grep -v manifest | sort; }
check "the manifest lists every file, and no other is there" diff <(listed) <(there)

# --- each vendor ----------------------------------------------------------------------------------

# disk_of FILE: as a raw disk in disk.raw
disk_of() {
	rm -f disk.raw
	"$ingot" convert "$1" --to raw=disk.raw
}

cut_out() { # NUMBER FILE
	local start size
	read -r start size <<<"$(sgdisk -i "$1" disk.raw | awk '/First sector/ { f = $3 } /size/ { s = $3 } END { print f, s }')"
	rm -f "$2"
	dd if=disk.raw of="$2" bs=512 skip="$start" count="$size" status=none conv=sparse
}

table_is_good() { sgdisk -v disk.raw | grep -q '^No problems found'; }

# Filesystems are clean, OEM is the vendor's, and the command line ends as its consoles say.
content_is_good() {
	local vendor=$1 last
	cut_out 6 oem.img && cut_out 9 root.img && e2fsck -fn oem.img && e2fsck -fn root.img || return
	debugfs -R 'cat oem-release' oem.img 2>/dev/null >release
	debugfs -R 'cat etc/hostname' root.img 2>/dev/null | grep -qx test || return
	last=$("$ingot" vendors "$vendor" --json | jq -r '.kernel_arguments["x86-64"]')
	"$ingot" inspect disk.raw --json | jq -r '.. | .cmdline? // empty' | grep -q -- " quiet $last\$" &&
		{ ! "$ingot" vendors "$vendor" --json | jq -e .oem.release >/dev/null || grep -q '^ID=' release; }
}

usr_is_the_same() {
	cut_out 3 usr.img && { [ -e first-usr.img ] || cp usr.img first-usr.img; } && cmp usr.img first-usr.img
}

while read -r vendor file; do
	disk_of "out/$file"
	check "$vendor: $file, the partition table" table_is_good
	check "$vendor: $file, the partitions" content_is_good "$vendor"
	check "$vendor: $file, /usr is everybody's" usr_is_the_same
done < <(jq -r '.outputs[] | select(.vendor and .vendor != "mine") | "\(.vendor) \(.name)"' $manifest)

disk_of out/test-1-mine.raw.gz
check "a vendor of one's own: the size" test "$(stat -c %s disk.raw)" = $((700 << 20))
check "a vendor of one's own: both files hold the same disk" sh -c \
	"'$ingot' convert out/test-1-mine.zstd.qcow2 --to raw=other.raw && cmp disk.raw other.raw"
disk_of out/test-1.qcow2
check "the base in another format" cmp disk.raw out/test-1.raw

# --- the blocks of an AMI -------------------------------------------------------------------------

ami_is_right() {
	python3 - out/test-1-ami.raw out/test-1-ami.import.json <<'PYTHON'
import base64, hashlib, json, sys
blocks = dict(map(tuple, json.load(open(sys.argv[2]))["blocks"]))
size, found = 512 * 1024, {}
with open(sys.argv[1], "rb") as f:
    for index in range(1 << 30):
        data = f.read(size)
        if not data:
            break
        data = data.ljust(size, b"\0")
        if data.strip(b"\0"):
            found[index] = base64.b64encode(hashlib.sha256(data).digest()).decode()
assert found == blocks and len(found) > 5, (len(found), len(blocks))
PYTHON
}
check "ami: the list of blocks is that of the file" ami_is_right

# --- the same bytes, and nothing where something is wrong --------------------------------------------

small="raw,ami,azure,vmware,./mine.yaml"
recipe one.yaml "$small"
"$ingot" build one.yaml --output one -j1 >/dev/null
mkdir elsewhere && (umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 faketime '2031-02-03' \
	"$ingot" build one.yaml --output elsewhere/two -j8 >/dev/null)
check "the same bytes with one thread and with eight, elsewhere, on another day" \
	diff -r one elsewhere/two
recipe alone.yaml "azure"
"$ingot" build alone.yaml --output alone >/dev/null
check "the same bytes alone and in company" cmp alone/test-1-azure.vhd one/test-1-azure.vhd
check "no raw image unless it is asked for" not test -e alone/test-1.raw

# --- where an image differs -------------------------------------------------------------------------

recipe few.yaml "qcow2,azure,vmware"
check "images without a raw one" "$ingot" build few.yaml --output few
verified() { # FILE: against the manifest, with the blocks of its disk
	"$ingot" verify "$1" --certificate keys/root-hash.crt --allow-test-keys \
		--manifest few/test-1.manifest.json --json >report.json &&
		jq -e '.checks[] | select(.name == "manifest.blocks").verdict == "good"' report.json
}
for file in few/*.qcow2 few/*.vhd few/*.vmdk few/*.ova; do
	check "${file#few/}: the blocks are the manifest's" verified "$file"
done
lists() { # disks that have their blocks in a manifest
	jq -r '.outputs[] | select(.blocks) | .vendor // "base"' few/test-1.manifest.json | xargs
}
check "a list for each disk" test "$(lists)" = "base azure vmware"
# Nothing but the manifest knows what is in ROOT's files and in OEM's.
names_block() { # LABEL
	local at
	at=$(jq --arg name "$1" '[.outputs[] | select(.vendor == "azure")][0].partitions[] |
		select(.label == $name).start' few/test-1.manifest.json)
	at=$((at + 3 * 1048576 + 77))
	mkdir -p hurt && cp --sparse=always few/test-1-azure.vhd hurt
	printf x | dd of=hurt/test-1-azure.vhd bs=1 seek=$at conv=notrunc status=none
	! verified hurt/test-1-azure.vhd && jq -e --arg name "$1" --arg block "block $((at / 1048576)) " \
		'.checks[] | select(.name == "manifest.blocks") | .verdict == "bad" and
			(.found | contains("1 differ") and contains($name) and contains($block))' \
		report.json
}
check "azure: a byte changed in ROOT, in its block" names_block ROOT
check "azure: a byte changed in OEM, in its block" names_block OEM

refuses() { # WORDS OUTPUTS
	recipe bad.yaml "$2"
	! "$ingot" build bad.yaml --output bad 2>said && grep -q -- "$1" said && ! [ -e bad/test-1.raw ]
}
check "refused: what is no format and no vendor" refuses "bad.yaml:14:16: 'floppy' is neither" "raw, floppy"
check "refused: a vendor's file that is not there" refuses "bad.yaml:14:11: .*none.yaml" "none.yaml"
sed 's/^summary/sumary/' mine.yaml >wrong.yaml
check "refused: a mistake in a vendor's file" refuses "wrong.yaml:2:1: " "wrong.yaml"
sed 's/x86-64/arm64/' mine.yaml >arm.yaml
check "refused: a vendor without such machines" refuses "bad.yaml:14:11: .*no machines of architecture x86-64" "arm.yaml"

verdict
