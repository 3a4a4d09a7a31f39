#!/bin/bash
# Machine checks of files that others made: qemu-img, GNU tar, Python, sfdisk and mtools.
#
# usage: check.sh INGOT
set -euo pipefail
export LC_ALL=C SOURCE_DATE_EPOCH=1767225600

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

# passes TARGET FILE: exit status 0, and no line is bad
passes() {
	local got=0
	"$ingot" convert --check "$1" "$2" >out.txt || got=$?
	cat out.txt
	[ $got = 0 ] && [ -s out.txt ] && ! grep -q ^FAILED out.txt
}

# fails TARGET FILE LINE: exit status 1, and that line is bad
fails() {
	local got=0
	"$ingot" convert --check "$1" "$2" >out.txt || got=$?
	cat out.txt
	[ $got = 1 ] && grep -q "^FAILED  $3: expected .*, found " out.txt
}

# --- a disk that others made --------------------------------------------------------------------

stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
printf 'ID=test\n' >osrel
printf 'initrd' >initrd
# disk FILE SIZE CONSOLES: a GPT with an ESP, and a UKI in it
disk() {
	rm -f "$1" esp uki.efi
	truncate -s "$2" "$1"
	printf 'label: gpt\nstart=2048, size=81920, type=uefi\n' | sfdisk -q "$1"
	"$ingot" uki --stub "$stub" --linux "$stub" --initrd initrd --os-release osrel \
		--cmdline "quiet $3" --output uki.efi
	truncate -s 40M esp
	mkfs.fat -F 32 esp >/dev/null
	mmd -i esp ::EFI ::EFI/BOOT
	mcopy -i esp uki.efi ::EFI/BOOT/BOOTX64.EFI
	dd if=esp of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
}

disk disk.raw 1G "console=tty1 console=ttyS0,115200n8"

# --- vendors ------------------------------------------------------------------------------------

qemu-img convert -O vpc -o subformat=fixed,force_size=on disk.raw azure.vhd
check "Azure takes qemu-img's fixed VHD" passes azure azure.vhd
truncate -s $((1073741824 + 512)) odd.raw
qemu-img convert -f raw -O vpc -o subformat=fixed,force_size=on odd.raw odd.vhd
check "... but not one of broken MiB" fails azure odd.vhd virtual-size-multiple
qemu-img convert -O vpc -o subformat=dynamic,force_size=on disk.raw dynamic.vhd
check "... nor one that grows" fails azure dynamic.vhd format-is
cp azure.vhd bad.vhd
printf '\377' | dd of=bad.vhd bs=1 seek=$((1073741824 + 60)) conv=notrunc status=none
check "... nor one with a damaged footer" fails azure bad.vhd "vhd-fixed-footer: checksum"
disk swapped.raw 1G "console=ttyS0,115200n8 console=tty1"
qemu-img convert -O vpc -o subformat=fixed,force_size=on swapped.raw swapped.vhd
check "... nor one with the consoles the other way round" fails azure swapped.vhd consoles
check "the order is the vendor's own matter" fails hetzner disk.raw consoles

disk ami.raw 1G "console=tty0 console=ttyS0,115200n8"
check "AWS takes whole GiB" passes ami ami.raw
truncate -s $((1073741824 + 1048576)) ami.raw
check "... and no others" fails ami ami.raw virtual-size-multiple
check "... and wants its copy of the partition table at the end" fails ami ami.raw gpt

disk gce.raw 1G "console=ttyS0,115200n8"
cp gce.raw disk.raw
tar --format=oldgnu -Sczf gce.tar.gz disk.raw
check "GCE takes GNU tar's sparse file, as its documentation makes it" passes vendor:gce gce.tar.gz
tar --format=oldgnu -czf plain.tar.gz disk.raw
check "... and a plain one" passes vendor:gce plain.tar.gz
tar --format=posix -czf posix.tar.gz disk.raw
check "... but not tar's newer format" fails gce posix.tar.gz "gce-tar: tar format"
tar --format=oldgnu -Sczf two.tar.gz disk.raw osrel
check "... nor a second member" fails gce two.tar.gz "gce-tar: members"
tar --format=oldgnu -Sczf name.tar.gz gce.raw
check "... nor another name" fails gce name.tar.gz "gce-tar: first member"
truncate -s 1000M disk.raw
tar --format=oldgnu -Sczf mib.tar.gz disk.raw
check "... nor other than whole GiB" fails gce mib.tar.gz virtual-size-multiple

disk esx.raw 1G "console=ttyS0,115200n8 console=tty0"
qemu-img convert -O vhdx esx.raw esx.vhdx
check "Hyper-V takes qemu-img's VHDX" passes hyperv esx.vhdx
cp esx.vhdx bad.vhdx
printf 'x' | dd of=bad.vhdx bs=1 seek=$((0x20000 + 3000)) conv=notrunc status=none
check "... but not one with a damaged header" fails hyperv bad.vhdx \
	"vhdx-checksums: second header, CRC-32C"
check "a disk without a BIOS' boot loader is told" fails digitalocean esx.raw boot-path
printf 'name: mine\nsummary: Mine\narchitectures: x86-64\nchecks: [gpt, consoles]\n' >mine.yaml
printf 'outputs: [{format: raw, suffix: .raw}]\nconsoles: [ttyS0, tty0]\n' >>mine.yaml
check "a vendor file of one's own" passes ./mine.yaml esx.raw

# --- formats --------------------------------------------------------------------------------------

formats="raw qcow2 qcow2-zstd qcow2-v2 vmdk vmdk-sparse vhd vhd-dynamic vhdx vdi gce ova vagrant
	raw.gz raw.zst raw.xz"
to=()
for format in $formats; do
	to+=(--to "$format=our.$format")
done
"$ingot" convert esx.raw "${to[@]}"
for format in $formats; do
	check "our $format" passes "$format" "our.$format"
	[ "$format" = raw ] || check "our $format is no raw file" fails raw "our.$format" format-is
done

# What is far and wide a hole takes no time, also where each look at it is a search.
truncate -s 3T empty.raw
"$ingot" convert empty.raw --to vmdk=empty.vmdk --to ova=empty.ova
quickly() { timeout 60 "$ingot" convert --check "$1" "$2"; }
check "a VMDK of 3 TiB without data is soon read" quickly vmdk empty.vmdk
check "... and so is an OVA of it" quickly ova empty.ova
rm empty.*

theirs() { # TARGET FORMAT OPTIONS...
	local target=$1 format=$2
	shift 2
	rm -f peer
	qemu-img convert -f raw -O "$format" "$@" esx.raw peer
	check "qemu-img's $format $*" passes "$target" peer
}
theirs qcow2 qcow2
theirs qcow2 qcow2 -c
theirs qcow2-v2 qcow2 -o compat=0.10
theirs qcow2-zstd qcow2 -c -o compression_type=zstd
theirs vhd vpc -o subformat=fixed
theirs vhd-dynamic vpc -o subformat=dynamic
theirs vhdx vhdx
theirs vhdx vhdx -o subformat=fixed
theirs vdi vdi
theirs vdi vdi -o static=on
theirs vmdk-sparse vmdk -o subformat=monolithicSparse
qemu-img convert -O vmdk -o subformat=streamOptimized esx.raw peer.vmdk
check "qemu-img's streamOptimized is not what ESXi takes" fails vmdk peer.vmdk \
	"esxi-stream-optimized: directory's place"

# --- OVA, put together by Python ------------------------------------------------------------------

cat >ova.py <<'PY'
import hashlib, sys, tarfile, io
source, target, what = sys.argv[1:]
files = []
with tarfile.open(source) as tar:
    files = [[m.name, tar.extractfile(m).read()] for m in tar]
ovf, mf, disk = files
if what == "last":
    files = [ovf, disk, mf]
elif what == "ovf-second":
    files = [mf, ovf, disk]
elif what == "no-manifest":
    files = [ovf, disk]
elif what == "digest":
    disk[1] = disk[1][:-1] + b"x"
elif what == "sha1":
    mf[1] = b"".join(b"SHA1(%s)= %s\n" % (n.encode(), hashlib.sha1(d).hexdigest().encode())
                     for n, d in (ovf, disk))
elif what == "extra":
    files.append(["extra.txt", b"x"])
elif what == "spaced":
    mf[1] = b"".join(b"SHA256(%s)=%s\r\n" % (n.encode(), hashlib.sha256(d).hexdigest().encode())
                     for n, d in (ovf, disk))
form = tarfile.PAX_FORMAT if what == "same" else tarfile.USTAR_FORMAT
with tarfile.open(target, "w", format=form) as tar:
    for name, data in files:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
PY
ova() { python3 ova.py our.ova "$1.ova" "$1"; }
for what in same last spaced; do
	ova $what
	check "OVA, $what" passes ova $what.ova
done
ova ovf-second
check "OVA whose description is not the first" fails ova ovf-second.ova "ovf: first file"
ova no-manifest
check "OVA without a manifest" fails ova no-manifest.ova "ovf: manifest"
ova digest
check "OVA with a changed disk" fails ova digest.ova "ovf: manifest"
ova sha1
check "OVA with a manifest of SHA-1" fails ova sha1.ova "ovf: manifest"
ova extra
check "OVA with a file that no manifest lists" fails ova extra.ova "ovf: manifest"

# --- how it is said -------------------------------------------------------------------------------

json() {
	local got=0
	"$ingot" convert --check azure --json azure.vhd odd.vhd >out.json || got=$?
	[ $got = 1 ] && [ "$(jq -r '.files[] | .file, .format, .ok' out.json | xargs)" = \
		"azure.vhd vhd true odd.vhd vhd false" ] &&
		jq -e '.files[1].checks[] | select(.name == "virtual-size-multiple") |
			.ok == false and .found == "1073742336 bytes"' out.json
}
check "--json tells the same of several files" json
quiet() {
	[ -z "$("$ingot" convert -q --check azure azure.vhd)" ] &&
		! "$ingot" convert -q --check azure odd.vhd >out.txt && not grep -v ^FAILED out.txt
}
check "-q says what failed, and nothing else" quiet
cannot() { # WORDS ARGUMENTS...
	local words=$1 got=0
	shift
	"$ingot" convert "$@" >out.txt 2>err.txt || got=$?
	[ $got = 2 ] && grep -q -- "$words" err.txt && [ ! -s out.txt ]
}
check "no such file: exit status 2" cannot "missing" --check vhd missing
check "no such name: exit status 2" cannot "neither a format nor a vendor" --check vdh azure.vhd
check "--check with --to is refused" cannot "writes none" --check vhd azure.vhd --to raw=x
check "neither of the two is refused" cannot "one of --to and --check" azure.vhd
check "several inputs for --to are refused" cannot "several inputs" azure.vhd odd.vhd --to raw=x

verdict
