#!/bin/bash
# The files beside an image: libvirt's schema, and Python on its own for the rest.
#
# usage: sidecar.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

make=$(dirname "$ingot")/tests/make_sidecar

truncate -s 2G disk.raw
seq 400000 | dd of=disk.raw bs=1M oflag=seek_bytes seek=1000000 conv=notrunc status=none
printf x | dd of=disk.raw bs=1 seek=2147483647 conv=notrunc status=none

# --- libvirt ------------------------------------------------------------------------------------

schema() { # VENDOR ARCHITECTURE
	"$make" "$1" "$2" - >domain.xml && xmllint --noout domain.xml && cat domain.xml &&
		virt-xml-validate domain.xml domain
}
check "libvirt's schema, x86-64" schema libvirt x86-64
check "libvirt's schema, arm64" schema libvirt arm64
for disk in virtio virtio-scsi ahci lsilogic; do
	sed "s/disk: virtio/disk: $disk/" "$source_dir/oem/libvirt.yaml" >other.yaml
	check "libvirt's schema, disk $disk" schema ./other.yaml x86-64
done
sed "s/^  firmware: efi/  firmware: bios/" "$source_dir/oem/libvirt.yaml" >other.yaml
check "libvirt's schema, BIOS" schema ./other.yaml x86-64
sed "s/^  firmware: efi/  secure-boot: true/" "$source_dir/oem/libvirt.yaml" >other.yaml
check "libvirt's schema, Secure Boot" schema ./other.yaml x86-64
name() { [ "$(xmllint --xpath 'string(/domain/name)' domain.xml)" = "demo & <1>" ]; }
check "a name is read back as it was" name

# --- VMware and Xen -----------------------------------------------------------------------------

vmx() {
	"$make" vmware x86-64 - >machine.vmx && python3 - <<'PY'
import re
keys = {}
for line in open("machine.vmx"):
    key, value = re.fullmatch(r'([A-Za-z0-9_.:]+) = "([^"]*)"\n', line).groups()
    assert key.lower() not in keys, key
    keys[key.lower()] = re.sub(r"\|([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), value)
assert keys["displayname"] == "demo & <1>"
assert keys["scsi0:0.filename"] == "demo.img"
assert keys["virtualhw.version"] == "17" and keys["firmware"] == "efi"
PY
}
check "every line of a .vmx is a key once and a value" vmx
xl() { # xl's syntax is Python's here
	"$make" xen x86-64 - >domain.cfg && python3 - <<'PY'
keys = {}
exec(open("domain.cfg").read(), {}, keys)
assert keys["name"] == "demo & <1>" and keys["memory"] == 2048 and keys["firmware"] == "ovmf"
assert keys["disk"] == ["format=raw, vdev=xvda, access=rw, target=/var/lib/xen/images/demo.img"]
PY
}
check "an xl domain" xl

# --- AMI ----------------------------------------------------------------------------------------

ami() { # ARCHITECTURE NAME
	"$make" ami "$1" disk.raw >import.json && python3 - "$2" <<'PY'
import base64, hashlib, json, sys
o = json.load(open("import.json"))
size, blocks, digests = 512 * 1024, [], []
with open("disk.raw", "rb") as f:
    index = 0
    while data := f.read(size):
        if any(data):
            digests.append(hashlib.sha256(data).digest())
            blocks.append([index, base64.b64encode(digests[-1]).decode()])
        index += 1
assert o["block_size"] == size and o["blocks"] == blocks and len(blocks) > 3
whole = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
assert o["complete_snapshot"] == {"ChangedBlocksCount": len(blocks), "Checksum": whole,
    "ChecksumAlgorithm": "SHA256", "ChecksumAggregationMethod": "LINEAR"}
r = o["register_image"]
assert r["Architecture"] == sys.argv[1] and r["BootMode"] == "uefi" and r["EnaSupport"] is True
assert r["RootDeviceName"] == r["BlockDeviceMappings"][0]["DeviceName"] == "/dev/xvda"
assert r["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == o["start_snapshot"]["VolumeSize"] == 2
assert r["VirtualizationType"] == "hvm" and r["Name"] == "demo-1"
PY
}
check "AMI: every block and the sum of them, x86-64" ami x86-64 x86_64
check "AMI: the same for arm64" ami arm64 arm64
whole() { truncate -s 2049M disk.raw && not "$make" ami x86-64 disk.raw; }
check "AMI: other than whole GiB is refused" whole

verdict
