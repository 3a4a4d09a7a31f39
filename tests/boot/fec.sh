#!/usr/bin/env bash
# Damage /usr of an image with parity, and boot it:
#   fec.sh INGOT TREE RECIPE FOLDER FILE
# A block of FILE in /usr, which the boot must read, and the block of the hash tree above it are
# filled with rubbish: the guest's kernel puts both right as it reads them. With three such blocks
# that share codewords it cannot, and the guest must not boot. Ends with "N passed, M failed".
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
# shellcheck source=verity.sh
. "$here/verity.sh"
ingot=$1 tree=$2 recipe=$3 folder=$4 file=$5
mkdir -p "$folder"
ln -sfn "$tree" "$folder/tree.tar"
[ -d "$folder/keys" ] || "$here/../../signing/make-test-keys.sh" "$folder/keys"
trap 'rm -f "$folder/hurt.raw" "$folder/usr"' EXIT
trap 'exit 2' INT TERM

# no_timer_check: see image.sh. What reads every block would hide whether the boot reads this one.
sed -e '/no_timer_check/!s/^  cmdline: /&no_timer_check /' -e 's/ ingot\.readall//' "$recipe" \
	>"$folder/recipe.yaml"
printf 'usr: {fec-roots: 2}\nmanifest: {digests: false}\n' >>"$folder/recipe.yaml"
check "build $(basename "$recipe") with parity" "$ingot" build "$folder/recipe.yaml" --output "$folder/out"
[ "$failed" = 0 ] || verdict
image=$(echo "$folder"/out/*.raw)
manifest=${image%.raw}.manifest.json

# hurt OFFSET...: the blocks of the image there
hurt() {
	local at
	for at in "$@"; do
		head -c 4096 /dev/zero | tr '\0' '\252' |
			dd of="$folder/hurt.raw" bs=4096 seek=$((at / 4096)) conv=notrunc status=none
	done
}

# corrected NUMBER: as often, or more
corrected() {
	local said
	said=$(tr -d '\r' <"$folder/serial.log" | sed -n 's/^proof: corrected by parity: //p')
	printf 'corrected by parity: %s\n' "${said:-nothing said}"
	[ "${said:-0}" -ge "$1" ]
}

has_parity() {
	tr -d '\r' <"$folder/serial.log" | grep -aE '^proof: .* verity .* use_fec_from_device .* fec_roots 2'
}

boot() {
	"$here/boot.sh" "$folder/hurt.raw" --timeout 600 --log "$folder/serial.log"
}

find_verity "$image" "$folder/usr"
number=$(block_of "$folder/usr" "$file")
data=$((usr + number * 4096)) leaf=$(digest_of "$number")
blocks=$(jq -re .usr.fec_blocks "$manifest")
apart=$(((blocks + 252) / 253)) # from one block to the next in its codewords of 253 + 2 bytes

cp --sparse=always "$image" "$folder/hurt.raw"
hurt "$data" "$leaf"
check "with a damaged block of /usr/$file and one of the tree it boots" boot
check "... the device has parity" has_parity
check "... both were put right" corrected 2
check "... the root hash is the manifest's" "$here/check-proof.sh" "$folder/serial.log" "$manifest"
check "ingot verify sees both" not "$ingot" verify "$folder/hurt.raw" \
	--certificate "$folder/keys/root-hash.crt" --allow-test-keys

# More than two: the block and its neighbours in the codewords, wherever there are two more.
lost=("$data")
for step in 1 2 -1 -2; do
	other=$((number + step * apart))
	if [ ${#lost[@]} -lt 3 ] && [ $other -ge 0 ] && [ $other -lt "$data_blocks" ]; then
		lost+=($((usr + other * 4096)))
	fi
done
cp --sparse=always "$image" "$folder/hurt.raw"
hurt "${lost[@]}"
check "with ${#lost[@]} damaged blocks that share codewords it does not" not boot
check "... though it started" grep -aqE 'Linux version|EFI stub' "$folder/serial.log"
check "... as a read of /usr fails" grep -aqE 'verity: .* data block [0-9]+ is corrupted|Input/output error' "$folder/serial.log"
verdict
