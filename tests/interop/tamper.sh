#!/usr/bin/env bash
# One byte changed, and `ingot verify` has to see it: tamper.sh INGOT
# Small images of both layouts, with and without a signed UKI, raw and in every container; a table of
# named places and INGOT_TAMPER_COUNT random ones (default 60) for each. Run it with 10000 by
# hand, with a release build: that takes some minutes an image.
set -euo pipefail
# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

tamper=$(dirname -- "$ingot")/tests/tamper
count=${INGOT_TAMPER_COUNT:-60}
seed=${INGOT_TAMPER_SEED:-1}
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
export LC_ALL=C TZ=UTC
unset SOURCE_DATE_EPOCH

# --- images ----------------------------------------------------------------------------------------

mkdir -p tree/usr/lib/systemd tree/usr/bin tree/etc tree/boot
printf 'ID=test\nVERSION_ID=1\n' >tree/usr/lib/os-release
seq 1 200000 >tree/usr/lib/numbers
seq 1 5000 >tree/usr/lib/systemd/more
ln -s numbers tree/usr/lib/link
echo test >tree/etc/hostname
cp "$stub" tree/boot/vmlinuz-6.1
seq 1 5000 >initrd
find tree -exec touch -h -d @1600000000 {} +
tar --numeric-owner --owner=0 --group=0 -C tree -cf tree.tar .
"$source_dir/signing/make-test-keys.sh" keys >/dev/null
"$source_dir/signing/make-test-keys.sh" stranger >/dev/null

# shrink LAYOUT SIZE
shrink() {
	sed -E "s/size: 128M/size: 34M/; s/size: 1G/size: 4M/; s/size: 64M/size: 1M/
		s/^size: .*/size: $2/" "$source_dir/layouts/$1.yaml" |
		sed '/label: OEM  /,/size:/s/size: 34M/size: 8M/' >"$1.yaml"
}
shrink flatcar 76M
shrink discoverable 76M

# image NAME LAYOUT [LINE OF signing:...]
image() {
	local name=$1 layout=$2
	shift 2
	cat >"recipe-$name.yaml" <<-RECIPE
		name: $name
		version: "1"
		architecture: x86-64
		epoch: 1700000000
		layout: ./$layout.yaml
		tree: tree.tar
		boot:
		  linux: tree:boot/vmlinuz-*
		  initrd: initrd
		  stub: $stub
		  cmdline: console=ttyS0
		signing:
		  key: keys/root-hash.key
		  certificate: keys/root-hash.crt
	RECIPE
	[ $# = 0 ] || printf "  %s\n" "$@" >>"recipe-$name.yaml"
	"$ingot" build "recipe-$name.yaml" --output . >/dev/null
}

secure_boot='secure-boot: {key: keys/root-hash.key, certificate: keys/root-hash.crt}'
check "build a Flatcar image" image flatcar flatcar
check "build a Discoverable image, signed UKI and manifest" \
	image discoverable discoverable "$secure_boot" "manifest: true"
[ "$failed" = 0 ] || verdict

# --- the table, random places ----------------------------------------------------------------------

for name in flatcar discoverable; do
	add "$tamper" "$name-1.raw" keys/root-hash.crt "$name-1.manifest.json" "$count" "$seed"
done

# A root hash with three signers, whose certificates are all in the initrd.
openssl req -x509 -newkey rsa:2048 -noenc -days 3650 -subj "/CN=TEST next" -keyout keys/next.key \
	-out keys/next.crt 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
	-subj "/CN=TEST curve" -keyout keys/curve.key -out keys/curve.crt 2>/dev/null
check "build an image with co-signers" image co-signed flatcar \
	'co-signers: [{key: keys/next.key, certificate: keys/next.crt},
    {key: keys/curve.key, certificate: keys/curve.crt}]'
add "$tamper" co-signed-1.raw keys/root-hash.crt,keys/next.crt,keys/curve.crt \
	co-signed-1.manifest.json "$count" "$seed"

# Where the UKI is signed, nothing but ROOT's contents is left to the manifest.
add "$tamper" discoverable-1.raw keys/root-hash.crt - 0 "$seed"

# --- containers ------------------------------------------------------------------------------------

verified() { # IMAGE
	"$ingot" verify "$1" --certificate keys/root-hash.crt --allow-test-keys \
		--manifest discoverable-1.manifest.json
}
for format in qcow2 qcow2-zstd qcow2-v2 vmdk vmdk-sparse vhd vhd-dynamic vhdx vdi ova gce:tar.gz \
	raw.gz raw.zst raw.xz; do
	suffix=${format#*:} format=${format%:*}
	case $format in raw.*) ;; *) suffix=${suffix%%-*} ;; esac
	file=$format.$suffix
	check "convert to $format" "$ingot" convert discoverable-1.raw --to "$format=$file"
	check "$format: verified" verified "$file"
	add "$tamper" "$file" keys/root-hash.crt discoverable-1.manifest.json "$((count / 4))" \
		"$seed"
	rm -f "$file"
done

# A box of Vagrant's has no digests of its texts: that is said, and a digest of the file ends it.
box_open() {
	"$ingot" verify disk.box --certificate keys/root-hash.crt --allow-test-keys "$@" |
		grep '^not covered: box.ovf'
}
box_refused() { # CHECK OFFSET
	local status=0
	cp disk.box changed/disk.box
	printf '~' | dd of=changed/disk.box bs=1 seek="$2" conv=notrunc status=none
	"$ingot" verify changed/disk.box --certificate keys/root-hash.crt --allow-test-keys "${@:3}" \
		--json >report.json || status=$?
	[ "$status" = 1 ] && jq -e --arg name "$1" \
		'any(.checks[]; .name == $name and .verdict == "bad")' report.json
}
check "convert to vagrant" "$ingot" convert discoverable-1.raw --to vagrant=disk.box
check "vagrant: verified" verified disk.box
check "vagrant: what is not covered is said" box_open
check "... although the manifest has the disk's digest" box_open --manifest discoverable-1.manifest.json
jq --arg digest "$(sha256sum <disk.box | cut -d ' ' -f 1)" \
	'.outputs += [.outputs[0] * {name: "disk.box", format: "vagrant", sha256: $digest}]' \
	discoverable-1.manifest.json >box.json
check "... unless it has the file's" not box_open --manifest box.json
mkdir changed
text_at=$(grep -abo base_mac disk.box | head -n 1 | cut -d : -f 1)
check "vagrant: a text changed" box_refused manifest.digest "$text_at" --manifest box.json
header_at=$(grep -abo metadata.json disk.box | head -n 1 | cut -d : -f 1)
for at in 0 100 130 148 300 505; do
	check "vagrant: a header changed, byte $at" box_refused container.structure $((header_at + at))
done
check "vagrant: behind a text" box_refused container.structure $((header_at - 1))
disk_at=$(grep -abo box.vmdk disk.box | tail -n 1 | cut -d : -f 1)
for at in 512 600 1100; do
	check "vagrant: the disk's header, byte $at" box_refused container.structure $((disk_at + at))
done
rm -rf disk.box changed

# --- parity and repair -----------------------------------------------------------------------------

fec_images() {
	local name
	for name in flatcar discoverable; do
		sed "s/^name: .*/name: fec-$name/" "recipe-$name.yaml" >"recipe-fec-$name.yaml"
		echo 'usr: {fec-roots: 2}' >>"recipe-fec-$name.yaml"
		"$ingot" build "recipe-fec-$name.yaml" --output . >/dev/null
	done
}
check "build images with parity" fec_images

refused_parity_byte() {
	local manifest=fec-flatcar-1.manifest.json at
	at=$(jq '.usr.fec_offset + (.outputs[0].partitions[] | select(.content == "usr").start)' \
		"$manifest")
	cp --sparse=always fec-flatcar-1.raw hurt.raw
	printf '\377\377\377\377' | dd of=hurt.raw bs=1 seek=$((at + 1000)) conv=notrunc status=none
	! "$ingot" verify hurt.raw --certificate keys/root-hash.crt --allow-test-keys --json >report.json &&
		jq -e 'any(.checks[]; .name == "verity.fec" and .verdict == "bad")' report.json
}

# hurt IMAGE OFFSET-IN-USR...: another block each
hurt() {
	local image=$1 offset start
	shift
	start=$(jq '.outputs[0].partitions[] | select(.content == "usr").start' \
		"${image%.raw}.manifest.json")
	cp --sparse=always "$image" hurt.raw
	for offset in "$@"; do
		head -c 4096 /dev/zero | tr '\0' y |
			dd of=hurt.raw bs=4096 seek=$(((start + offset) / 4096)) conv=notrunc status=none
	done
}
repaired() { # IMAGE
	"$ingot" verify hurt.raw --certificate keys/root-hash.crt --allow-test-keys --repair fixed.raw &&
		cmp fixed.raw "$1"
}
not_repaired() {
	rm -f fixed.raw
	! "$ingot" verify hurt.raw --certificate keys/root-hash.crt --allow-test-keys \
		--repair fixed.raw && [ ! -e fixed.raw ]
}
for image in fec-flatcar-1.raw fec-discoverable-1.raw; do
	check "$image: verified" "$ingot" verify "$image" --certificate keys/root-hash.crt \
		--allow-test-keys --manifest "${image%.raw}.manifest.json"
	hurt "$image" 4096 1200000
	check "$image: two blocks repaired" repaired "$image"
	hurt "$image" $((4096 * 9)) $((4096 * 14)) $((4096 * 19)) # 5 blocks to a row
	check "$image: three blocks that share codewords cannot be" not_repaired
	rm -f hurt.raw fixed.raw
done
check "parity: one byte changed" refused_parity_byte
not_to_stdout() {
	local status=0
	hurt fec-flatcar-1.raw 4096
	"$ingot" verify hurt.raw --certificate keys/root-hash.crt --allow-test-keys --repair - >out 2>said ||
		status=$?
	rm -f hurt.raw
	cat said
	[ "$status" = 2 ] && [ ! -s out ] && grep -q "has to name a file" said
}
check "a repair to standard output, where the report goes" not_to_stdout

# --- who is asked ----------------------------------------------------------------------------------

refused() { # CHECK VERIFY-ARGUMENT...
	local name=$1 status=0
	shift
	"$ingot" verify "$@" --json >report.json || status=$?
	[ "$status" = 1 ] && jq -e --arg name "$name" \
		'.verified == false and any(.checks[]; .name == $name and .verdict != "good")' \
		report.json
}
check "a test key is refused" refused signature.test-keys flatcar-1.raw \
	--certificate keys/root-hash.crt
check "without a certificate nothing is verified" refused roothash.trust flatcar-1.raw
check "somebody else's certificate" refused signature.initrd flatcar-1.raw \
	--certificate keys/ca.crt --allow-test-keys
check "one of three signers is not given" refused signature.certificates co-signed-1.raw \
	--certificate keys/root-hash.crt --certificate keys/next.crt --allow-test-keys
check "a manifest of another image" refused manifest.blocks flatcar-1.raw \
	--certificate keys/root-hash.crt --allow-test-keys --manifest discoverable-1.manifest.json
check "another root hash" refused verity.tree flatcar-1.raw --certificate keys/root-hash.crt \
	--allow-test-keys --root-hash "$(printf '%064d' 0)"
check "a UKI whose signer has a certificate by the one given" "$ingot" verify discoverable-1.raw \
	--certificate keys/root-hash.crt --secure-boot-certificate keys/ca.crt --allow-test-keys
check "an unsigned UKI where a signed one is asked for" refused uki.signature flatcar-1.raw \
	--certificate keys/root-hash.crt --secure-boot-certificate keys/root-hash.crt \
	--allow-test-keys
check "a UKI signed by somebody else" refused uki.signature discoverable-1.raw \
	--certificate keys/root-hash.crt --secure-boot-certificate stranger/ca.crt --allow-test-keys
check "another layout" refused layout.partitions flatcar-1.raw --layout discoverable \
	--certificate keys/root-hash.crt --allow-test-keys
cp flatcar-1.raw flatcar-1.qcow2
check "a name that promises another format" refused container.format flatcar-1.qcow2 \
	--certificate keys/root-hash.crt --allow-test-keys
head -c 50000000 flatcar-1.raw >short.raw
check "a disk that is cut off" refused gpt.primary short.raw --certificate keys/root-hash.crt \
	--allow-test-keys

# --- the manifest's signature ----------------------------------------------------------------------

manifest=discoverable-1.manifest.json
ours=(--certificate keys/root-hash.crt --allow-test-keys)
says() { # VERDICT VERIFY-ARGUMENT...: of manifest.signature
	"$ingot" verify discoverable-1.raw --json "${@:2}" >report.json || : # whatever the verdict on the whole
	jq -e --arg verdict "$1" \
		'any(.checks[]; .name == "manifest.signature" and .verdict == $verdict)' report.json
}
check "it is found beside the manifest" says good "${ours[@]}" --manifest "$manifest"
check "... and refused without a certificate" says "not checked" --manifest "$manifest"
check "... and by somebody else's certificate" says bad --certificate stranger/root-hash.crt \
	--allow-test-keys --manifest "$manifest"
check "an image whose manifest has none" "$ingot" verify flatcar-1.raw "${ours[@]}" \
	--manifest flatcar-1.manifest.json
check "... where one is asked for" refused manifest.signature flatcar-1.raw "${ours[@]}" \
	--manifest flatcar-1.manifest.json --manifest-signature "$manifest.p7s"

# changed FILE OFFSET: a byte of its copy, the manifest or its signature
changed() {
	cp "$manifest" changed.json
	cp "$manifest.p7s" changed.json.p7s
	printf '~' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
	refused manifest.signature discoverable-1.raw "${ours[@]}" --manifest changed.json
}
root_hash_at=$(grep -abo '"root_hash"' "$manifest" | head -n 1 | cut -d : -f 1)
check "a byte changed: the manifest's seed" changed changed.json \
	$(($(grep -abo '"seed"' "$manifest" | head -n 1 | cut -d : -f 1) + 9))
check "a byte changed: the manifest's root hash" changed changed.json $((root_hash_at + 14))
size=$(stat -c %s "$manifest.p7s")
for at in 0 10 40 200 $((size / 2)) $((size - 300)) $((size - 1)); do
	check "a byte changed: its signature, byte $at of $size" changed changed.json.p7s "$at"
done
printf 'x' >>changed.json.p7s
check "its signature has a byte more" refused manifest.signature discoverable-1.raw "${ours[@]}" \
	--manifest "$manifest" --manifest-signature changed.json.p7s
{ cat "$manifest" && echo; } >changed.json
check "the manifest has a line more" refused manifest.signature discoverable-1.raw "${ours[@]}" \
	--manifest changed.json --manifest-signature "$manifest.p7s"

# exits STATUS COMMAND...
exits() {
	local status=0
	"${@:2}" 2>said || status=$?
	[ "$status" = "$1" ]
}
check "a signature that is not there: exit status 2" exits 2 "$ingot" verify discoverable-1.raw \
	"${ours[@]}" --manifest "$manifest" --manifest-signature no-such-file
check "a signature of no manifest: exit status 2" exits 2 "$ingot" verify discoverable-1.raw \
	"${ours[@]}" --manifest-signature "$manifest.p7s"
check "no such image: exit status 2" exits 2 "$ingot" verify no-such-file "${ours[@]}"
verdict
