#!/bin/bash
# Signatures put into containers in place: each file has to be what a build with the keys makes,
# byte for byte, for every format and for disks of several vendors.
# Usage: air-gap-formats.sh INGOT
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
umask 077
# shellcheck source=../air_gap_support.sh
. "$source_dir/tests/air_gap_support.sh"

attach_all() {
	"$ingot" attach --response "$1.response.json" --request "$1/test-1.request.json" \
		--manifest "$1/test-1.manifest.json" --json >report
}
without_recipe() { # MANIFEST: only its digest may differ
	jq 'del(.inputs[] | select(.role == "recipe"))' "$1"
}
same_files() { # NAME
	local file
	for file in "direct-$1"/*; do
		case $file in
		*.manifest.json)
			check "$1: the same manifest, but for the recipe" diff \
				<(without_recipe "$file") <(without_recipe "later-$1/${file##*/}") ;;
		*) check "$1: ${file##*/} is the same" cmp "$file" "later-$1/${file##*/}" ;;
		esac
	done
}
more= # lines for both recipes
# both NAME LAYOUT OUTPUTS SIGNING KEYS...: built with the keys and without, compared
both() {
	recipe "direct-$1" "$2" vault "$4"
	recipe "later-$1" "$2" nowhere "${4//vault/nowhere}"
	sed -i "s|^outputs.*|outputs: [$3]|" "direct-$1.yaml" "later-$1.yaml"
	[ -z "$more" ] || printf '%s\n' "$more" | tee -a "direct-$1.yaml" >>"later-$1.yaml"
	check "$1: build with the keys" build "direct-$1"
	check "$1: build without them" build "later-$1" --sign-later
	check "$1: no output has a digest yet" \
		jq -e '[.outputs[].sha256] | all(. == null)' "later-$1/test-1.manifest.json"
	check "$1: sign" sign "later-$1" "${@:5}"
	check "$1: attach to all outputs of the manifest" attach_all "later-$1"
	check "$1: less than 1 MiB was written to each" \
		jq -e '[.images[].bytes_written] | all(. > 0 and . < 1048576)' report
	same_files "$1"
	check "$1: once more" attach_all "later-$1"
	check "$1: nothing is written" jq -e '.bytes_written == 0' report
	same_files "$1"
}

# --- every format ---------------------------------------------------------------------------------

secure='  secure-boot: {key: vault/db.key, certificate: certificates/db.crt}'
formats=raw,qcow2,qcow2-zstd,qcow2-v2,vmdk,vmdk-sparse,vhd,vhd-dynamic,vhdx,vdi,gce,ova,vagrant
formats+=,raw.gz,raw.zst,raw.xz
both formats apart "$formats" "$secure" --key vault/db.key

for file in later-formats/*.qcow2 later-formats/*.vmdk later-formats/*.vhdx later-formats/*.vdi; do
	case $file in
	*.vmdk) ;; # qemu-img checks none
	*) check "qemu-img check ${file##*/}" qemu-img check -q "$file" ;;
	esac
	check "qemu-img compare ${file##*/}" qemu-img compare -q -f raw later-formats/test-1.raw "$file"
done
check "qemu-img compare test-1.dynamic.vhd" qemu-img compare -q -f raw later-formats/test-1.raw \
	-F vpc later-formats/test-1.dynamic.vhd
check "gzip" bash -c 'gzip -dc later-formats/test-1.raw.gz | cmp - later-formats/test-1.raw'
check "zstd" bash -c 'zstd -dqc later-formats/test-1.raw.zst | cmp - later-formats/test-1.raw'
check "xz" bash -c 'xz -dc later-formats/test-1.raw.xz | cmp - later-formats/test-1.raw'
check "tar" bash -c 'tar -xOzf later-formats/test-1-gce.tar.gz disk.raw >unpacked &&
	"$1" convert later-formats/test-1-gce.tar.gz --to raw=gce.raw --quiet && cmp unpacked gce.raw' - "$ingot"
check "the appliance's manifest" bash -c 'mkdir ova && tar -C ova -xf later-formats/test-1.ova &&
	cd ova && sed -nE "s/^SHA256\((.*)\)= ([0-9a-f]+) *$/\2  \1/p" *.mf | sha256sum -c --strict --quiet'

rows() { # of verify that are good
	"$ingot" verify --layout ./apart.yaml "$1" --certificate vault/root-hash.crt \
		--secure-boot-certificate vault/db.crt --allow-test-keys \
		--manifest later-formats/test-1.manifest.json |
		grep '^good' | grep -cE ' (roothash.trust|signature.initrd|signature.partition|manifest.digest) '
}
for file in later-formats/*; do
	case $file in
	*.json) ;;
	*) check "verify ${file##*/}" [ "$(rows "$file")" = 4 ] ;;
	esac
done

# --- interrupted: every other sector is there already ---------------------------------------------

tear() { # UNSIGNED SIGNED, which differ
	(cmp -l "$1" "$2" || :) | awk '{ print int(($1 - 1) / 512) }' | uniq | awk 'NR % 2' | while read -r sector; do
		dd if="$2" of="$1" bs=512 skip="$sector" seek="$sector" count=1 conv=notrunc status=none
	done
}
build later-formats --sign-later
mkdir torn
for file in later-formats/*; do
	case $file in
	*.json) continue ;;
	esac
	name=${file##*/}
	cp "$file" "torn/$name"
	tear "torn/$name" "direct-formats/$name"
	check "$name, torn" not cmp -s "torn/$name" "direct-formats/$name"
	check "$name, attached again" "$ingot" attach "torn/$name" --response later-formats.response.json
	check "$name, the same" cmp "torn/$name" "direct-formats/$name"
done
rm -rf torn

# --- a conversion with room: the files of a build, signed or to be signed --------------------------

mkdir converted
converted() { # FOLDER FORMAT FILE
	"$ingot" convert "$1/test-1.raw" --room --to "$2=converted/$3" --quiet
}
while read -r format file; do
	check "$format, converted from the signed image" converted direct-formats "$format" signed
	check "$format, converted from the one to be signed" converted later-formats "$format" later
	check "... takes the signatures" "$ingot" attach converted/later --response later-formats.response.json
	check "... and is the signed one" cmp converted/later converted/signed
	case $format in
	gce | vagrant) ;; # a vendor's disk is another one
	ova) ;;           # the image's name is in it
	*) check "... which is the build's" cmp converted/signed "direct-formats/$file" ;;
	esac
done < <(jq -r '.outputs[] | "\(.format) \(.name)"' direct-formats/test-1.manifest.json)
check "from a container as well" "$ingot" convert direct-formats/test-1.qcow2 --room --to vmdk=x.vmdk
check "... the same" cmp x.vmdk direct-formats/test-1.vmdk
head -c 1M /dev/zero >nothing
check "no partition table, no room" refuses "has no GUID partition table" "$ingot" convert nothing --room \
	--to raw=x.raw
check "... and no output" [ ! -e x.raw ]
recipe bare appended vault ''
sed -i '/^signing:/,/certificate:/d' bare.yaml
check "a build without signatures" build bare
check "an image without signatures has no room" refuses "there is no place for a signature" \
	"$ingot" convert bare/test-1.raw --room --to qcow2=x.raw
check "... and no output, either" [ ! -e x.raw ]
rm -rf converted x.vmdk nothing bare

# --- what has no room -----------------------------------------------------------------------------

for format in qcow2 vmdk gce raw.gz raw.zst raw.xz; do
	"$ingot" convert later-formats/test-1.raw --to $format=bare --quiet
	cp bare before
	check "$format without room" refuses "no room for signatures" "$ingot" attach bare \
		--response later-formats.response.json
	check "... is left as it was" cmp bare before
done
gzip -c later-formats/test-1.raw >foreign.gz
check "another program's gzip" refuses "not made for changes in place" "$ingot" attach foreign.gz \
	--response later-formats.response.json
rm -rf later-formats direct-formats bare before foreign.gz

# --- vendors: each has a UKI with a command line of its own, and signatures for it -----------------

# Its ROOT is larger, and it has a console of its own.
cat >mine.yaml <<'END'
name: mine
summary: A vendor of our own
platform: {ignition: mine}
architectures: [x86-64]
outputs:
  - {format: vmdk, suffix: .vmdk}
  - {format: raw.gz, suffix: .raw.gz}
disk: {size: 120M, round: 1M}
consoles: [ttyS9]
END
vendors=raw,qcow2,./mine.yaml,ami,gce,azure,vmware,openstack
both vendors apart $vendors "$secure" --key vault/db.key
both vendors-root-hash apart $vendors ''
more='usr: {fec-roots: 2}'
both vendors-parity appended raw,./mine.yaml "$secure" --key vault/db.key
more=
shown() {
	"$ingot" sign --request later-vendors/test-1.request.json --key vault/root-hash.key \
		--key vault/db.key --response r --yes 2>shown || return
	for vendor in mine ami gce azure vmware; do
		grep -q "^UKI for *$vendor$" shown || return
	done
}
check "every vendor's UKI is shown" shown
jq '.vendors[0].secure_boot.signature = .vendors[1].secure_boot.signature' \
	later-vendors.response.json >forged.json
check "a vendor's forged signature" refuses "not made with its key" "$ingot" attach \
	later-vendors/test-1.raw --response forged.json

verdict
