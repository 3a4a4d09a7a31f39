#!/bin/bash
# Machines in a tar, OVA and Vagrant's box, against tar, 7-Zip, xmllint, sha256sum and qemu-img.
#
# usage: convert-packages.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

seq 400000 >disk.raw
truncate -s 100M disk.raw
seq 100000 | dd of=disk.raw bs=1M seek=77 conv=notrunc status=none
"$ingot" convert disk.raw --to ova=a.ova --to vagrant=a.box --to vmdk=a.vmdk

names() { tar tf "$1" | tr '\n' ' '; }

manifest_holds() { sed -nE 's/^SHA256\((.*)\)= ([0-9a-f]{64})$/\2  \1/p' disk.mf | sha256sum -c --strict; }

# attribute NAME FILE: the first value of that attribute
attribute() { sed -nE "s/.* $1=\"([^\"]*)\".*/\1/p" "$2" | head -n 1; }

# describes OVF FILE: sizes in the description are those of the file and of the disk in it
describes() {
	[ "$(attribute ovf:href "$1")" = "$2" ]
	[ "$(attribute ovf:size "$1")" = "$(stat -c %s "$2")" ]
	[ "$(attribute ovf:capacity "$1")" = "$(stat -c %s disk.raw)" ]
}

check "ova: the order of the specification" test "$(names a.ova)" = "disk.ovf disk.mf disk.vmdk "
check "ova: tar and 7-Zip list it" sh -c 'tar tvf a.ova && 7z l a.ova && 7z t a.ova'
tar xf a.ova
check "ova: the manifest holds" manifest_holds
check "ova: the description is XML" xmllint --noout disk.ovf
check "ova: the description has the right sizes" describes disk.ovf disk.vmdk
check "ova: the disk is what --to vmdk writes" cmp disk.vmdk a.vmdk
check "ova: the disk is the disk" qemu-img compare -f raw -F vmdk disk.raw disk.vmdk
check "vagrant: its files" test "$(names a.box)" = "box.ovf metadata.json Vagrantfile box.vmdk "
tar xf a.box
check "vagrant: the provider" jq -e '.provider == "virtualbox"' metadata.json
check "vagrant: a MAC address" grep -qE 'base_mac = "080027[0-9A-F]{6}"' Vagrantfile
check "vagrant: the description is XML" xmllint --noout box.ovf
check "vagrant: the description has the right sizes" describes box.ovf box.vmdk
check "vagrant: the disk is the disk" qemu-img compare -f raw -F vmdk disk.raw box.vmdk

# Others' archives, and the same bytes whatever must not matter.
tar cf other.ova --format=gnu disk.ovf disk.vmdk
for file in a.ova a.box other.ova; do
	"$ingot" convert "$file" --to raw=back.raw
	check "$file is read back" cmp back.raw disk.raw
done
"$ingot" convert disk.raw --to ova=b.ova -j1
check "the same bytes under another name, with one thread" cmp a.ova b.ova
faketime '2030-01-01' "$ingot" convert disk.raw --to ova=c.ova --to vagrant=c.box -j7
check "the same bytes on another day" sh -c 'cmp a.ova c.ova && cmp a.box c.box'

verdict
