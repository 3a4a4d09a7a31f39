#!/usr/bin/env bash
# A Discoverable image and systemd-dissect of Debian 13: dissect.sh INGOT [FOLDER]
# FOLDER has a root filesystem with systemd-dissect; without it, ci/tree.sh dissect makes one.
# --validate reads the partition table and holds it against a policy, without a loop device. What
# it mounts has to wait for a kernel with device-mapper: tests/boot/dissect.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
# shellcheck source=../tally.sh
. "$here/../tally.sh"
ingot=$(realpath -- "${1:?usage: dissect.sh INGOT}")
source_dir=$(cd -- "$here/../.." && pwd)
# It takes a path below /dev for a device, beside which it looks for no file: not in /dev/shm.
work=$(mktemp -d /tmp/ingot-dissect.XXXXXX)
trap 'rm -rf -- "$work"' EXIT
if [ -n "${2:-}" ]; then
	root=$(realpath -- "$2")
else
	root=$work/root
	mkdir "$root"
	tar -xf "$("$source_dir/ci/tree.sh" dissect)" -C "$root" --no-same-owner ./usr
fi
cd -- "$work"

# dissect OPTION...: with its own libraries, on whatever runs here
dissect() {
	local libraries=$root/usr/lib/x86_64-linux-gnu
	"$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$libraries:$libraries/systemd" \
		"$root/usr/bin/systemd-dissect" "$@"
}

mkdir -p tree/usr/lib tree/etc
printf 'ID=test\nVERSION_ID=1\n' >tree/usr/lib/os-release
seq 1 100000 >tree/usr/lib/numbers
"$source_dir/signing/make-test-keys.sh" keys >/dev/null
sed -E 's/size: 1G/size: 8M/; s/size: 64M/size: 4M/; s/size: 128M/size: 34M/; s/^size: .*/size: 80M/' \
	"$source_dir/layouts/discoverable.yaml" >small.yaml

# image NAME [LINE...]
image() {
	cat >"$1.yaml" <<-RECIPE
		name: $1
		version: "1"
		architecture: x86-64
		epoch: 1700000000
		layout: ./small.yaml
		tree: tree
	RECIPE
	[ $# = 1 ] || printf '%s\n' "${@:2}" >>"$1.yaml"
	"$ingot" build "$1.yaml" --output .
}

check "build a signed image" image signed \
	'signing: {key: keys/root-hash.key, certificate: keys/root-hash.crt}'
check "build one with parity" image parity 'usr: {fec-roots: 2}' \
	'signing: {key: keys/root-hash.key, certificate: keys/root-hash.crt}'
[ "$failed" = 0 ] || verdict

# --- what it finds ---------------------------------------------------------------------------------

# valid IMAGE POLICY: of the image's partitions; whatever the policy does not name must not be there
valid() {
	dissect --validate --image-policy="$2:=absent" "$1" | grep -x OK
}
# refused WORDS IMAGE POLICY
refused() {
	! dissect --validate --image-policy="$3" "$2" >said 2>&1 && grep -qF -- "$1" said
}
others=root=unprotected:esp=unprotected
no_match='Image does not match image policy'

for name in signed parity; do
	check "$name: /usr with hash tree and signature, root, ESP, and nothing else" \
		valid "$name-1.raw" "usr=signed:$others"
done
check "not where no /usr is allowed" refused "$no_match" signed-1.raw "$others:=absent"
check "not where root has to be encrypted" \
	refused "$no_match" signed-1.raw "usr=signed:root=encrypted:esp=unprotected:=absent"

# --- the root hash ---------------------------------------------------------------------------------

# with_root_hash HEX: for the partitions' UUIDs, which are its halves
with_root_hash() {
	cp --sparse=always signed-1.raw hashed.raw && printf '%s\n' "$1" >hashed.usrhash
}
root_hash=$(jq -r .usr.root_hash signed-1.manifest.json)
with_root_hash "$root_hash"
check "the partitions' UUIDs are the halves of the root hash" valid hashed.raw "usr=signed:$others"
# another DIGIT: of the root hash, counted from 0
another() {
	local digit=${root_hash:$1:1}
	printf '%s%x%s' "${root_hash:0:$1}" $((0x$digit ^ 1)) "${root_hash:$(($1 + 1))}"
}
for digit in 3 60; do
	with_root_hash "$(another $digit)"
	check "... and of no other: digit $digit" refused 'partition for specified root hash found' \
		hashed.raw "usr=signed:$others:=absent"
done

# --- damage ----------------------------------------------------------------------------------------

# hurt OFFSET...: a byte of the image
hurt() {
	local at
	for at in "$@"; do
		printf '\252' | dd of=hurt.raw bs=1 seek="$at" conv=notrunc status=none
	done
}
size=$(stat -c %s signed-1.raw)
primary=$((1024 + 16)) backup=$((size - 512 - 16384 + 16)) # UUID of the first partition
cp --sparse=always signed-1.raw hurt.raw
hurt $backup
check "the copy of the table is damaged: it reads the table" valid hurt.raw "usr=signed:$others"
hurt $primary
check "both are damaged: no partition table" \
	refused "Couldn't identify a suitable partition table" hurt.raw "usr=signed:$others:=absent"
cp --sparse=always signed-1.raw hurt.raw
hurt $primary
check "the table is damaged: it reads the copy" valid hurt.raw "usr=signed:$others"
check "... ingot verify does not accept that" not "$ingot" verify hurt.raw \
	--certificate keys/root-hash.crt --allow-test-keys
cp --sparse=always signed-1.raw hurt.raw
sfdisk -q --part-type hurt.raw 4 0fc63daf-8483-4772-8e79-3d69d8477de4
check "without the type of the signature's partition" \
	refused "$no_match" hurt.raw "usr=signed:$others:=absent"
sfdisk -q --delete hurt.raw 4
check "without that partition" refused "$no_match" hurt.raw "usr=signed:$others:=absent"
check "... /usr has its hash tree still" valid hurt.raw "usr=verity:$others"

# --- loop devices, where there are any -------------------------------------------------------------

# The partitions, as JSON of the same shape from both.
seen() {
	dissect --json=short signed-1.raw | jq -S '[.mounts[] | {number: .partno, "label": .partition_label,
		uuid: .partition_uuid}] | sort_by(.number)'
}
written() {
	jq -S '[.outputs[0].partitions[] | {number, "label": .label, uuid}] | sort_by(.number)' signed-1.manifest.json
}
same() {
	local ours
	ours=$(written) && [ "$ours" = "$(cat seen.json)" ] && [ "$(jq length seen.json)" = 5 ]
}
if seen >seen.json 2>/dev/null; then
	check "it lists the manifest's partitions" same
else
	printf 'left out: its list of the partitions (it takes a loop device)\n'
fi
verdict
