#!/usr/bin/env bash
# A Discoverable image in front of a real systemd-dissect with a real kernel:
#   dissect.sh INGOT TREE DISSECT FOLDER
# TREE and DISSECT are what `ci/tree.sh full` and `ci/tree.sh dissect` print. One guest is booted; it
# has a second disk with images: ours, a stranger's, one with a block of /usr changed. The guest's own
# check of each (guest/dissect.sh) is a check here. Ends with "N passed, M failed".
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
ingot=$(realpath -- "$1") tree=$(realpath -- "$2") dissect=$(realpath -- "$3")
mkdir -p "$4"
cd -- "$4"
source_dir=$(cd -- "$here/../.." && pwd)
trap 'rm -rf data ./*.raw out images' EXIT
trap 'exit 2' INT TERM

# --- the images -------------------------------------------------------------------------------------

for name in keys stranger; do
	"$source_dir/signing/make-test-keys.sh" $name >/dev/null
done
openssl req -x509 -newkey rsa:2048 -noenc -days 3650 -subj "/CN=TEST stranger" \
	-keyout stranger/root-hash.key -out stranger/root-hash.crt 2>/dev/null
openssl req -x509 -newkey rsa:3072 -noenc -days 3650 -subj "/CN=TEST next" -keyout keys/next.key \
	-out keys/next.crt 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
	-subj "/CN=TEST curve" -keyout keys/curve.key -out keys/curve.crt 2>/dev/null
rm -rf images data
mkdir -p images/tree/usr/lib images/tree/efi data
printf 'ID=test\nVERSION_ID=1\n' >images/tree/usr/lib/os-release
seq 1 200000 >images/tree/usr/lib/numbers
sed -E 's/size: 1G/size: 8M/; s/size: 64M/size: 4M/; s/size: 128M/size: 34M/; s/^size: .*/size: 80M/' \
	"$source_dir/layouts/discoverable.yaml" >images/small.yaml

# image NAME KEYS [LINE...]: for the second disk
image() {
	cat >"images/$1.yaml" <<-RECIPE
		name: $1
		version: "1"
		architecture: x86-64
		epoch: 1700000000
		seed: $(printf '%064d' 1)
		layout: ./small.yaml
		tree: tree
		signing:
		  key: ../$2/root-hash.key
		  certificate: ../$2/root-hash.crt
	RECIPE
	[ $# = 2 ] || printf '  %s\n' "${@:3}" >>"images/$1.yaml"
	"$ingot" build "images/$1.yaml" --output images --quiet &&
		cp --sparse=always "images/$1-1.raw" "data/$1.raw" &&
		jq -j .usr.root_hash "images/$1-1.manifest.json" >"data/$1.usrhash"
}
# hurt_image: a byte in the middle of the file
hurt_image() {
	local at
	at=$(grep -abo -m 1 '^100000$' data/ours.raw | head -n 1 | cut -d : -f 1)
	cp --sparse=always data/ours.raw data/hurt.raw && cp data/ours.usrhash data/hurt.usrhash &&
		printf '7' | dd of=data/hurt.raw bs=1 seek="$at" conv=notrunc status=none &&
		! cmp -s data/hurt.raw data/ours.raw
}
check "build an image" image ours keys
check "... one signed by a stranger" image stranger stranger
check "... one signed by three" image several keys \
	'co-signers: [{key: ../keys/next.key, certificate: ../keys/next.crt},' \
	'  {key: ../keys/curve.key, certificate: ../keys/curve.crt}]'
check "all have the same root hash" cmp data/ours.usrhash data/stranger.usrhash
check "... and one a changed block" hurt_image
for name in other plain; do
	cp --sparse=always data/ours.raw data/$name.raw
done
tr '0-9a-f' '1-9a-f0' <data/ours.usrhash >data/other.usrhash
cp keys/root-hash.crt data/ours.crt
cp keys/next.crt keys/curve.crt data
cp stranger/root-hash.crt data/stranger.crt
(cd images/tree/usr/lib && sha256sum numbers) >data/numbers.sha256
install -m 755 "$here/guest/dissect.sh" data/dissect.sh
mkdir data/root
tar -xf "$dissect" -C data/root --no-same-owner ./usr/bin ./usr/lib ./usr/lib64
check "a disk of them" "$ingot" mkfs --from data --output data.raw --label ingot-data --epoch 1700000000

# --- the guest --------------------------------------------------------------------------------------

ln -sfn "$tree" tree.tar
sed -e 's/^  cmdline: .*/& no_timer_check systemd.mount-extra=LABEL=ingot-data:\/mnt:ext2:ro systemd.run=\/mnt\/dissect.sh/' \
	"$source_dir/docs/examples/discoverable.yaml" >recipe.yaml
check "build the guest" "$ingot" build recipe.yaml --output out --quiet
[ "$failed" = 0 ] || verdict
check "it boots" "$here/boot.sh" out/demo-1.raw --data data.raw --log serial.log --timeout 600 --patient
while read -r word what; do
	check "$what" [ "$word" = ok ]
done < <(tr -d '\r' <serial.log | sed -nE 's/^dissect: (ok|FAILED) /\1 /p')
grep -a -A 25 '^dissect: FAILED' serial.log | tr -d '\r' || : # what it said of it, if there is any
check "the guest made all of its checks" [ "$(grep -ac '^dissect: ' serial.log)" = \
	"$(grep -c '^check ' "$here/guest/dissect.sh")" ]
verdict
