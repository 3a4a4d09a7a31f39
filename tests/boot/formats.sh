#!/usr/bin/env bash
# The same disk, booted from every container that QEMU reads, and from what is inside an appliance,
# a box and Google's archive: formats.sh INGOT TREE RECIPE FOLDER [FORMAT...]
# Ends with "N passed, M failed".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
ingot=$1 tree=$2 recipe=$3 folder=$4
shift 4
formats=(qcow2 qcow2-zstd qcow2-v2 vmdk vmdk-sparse vhd vhd-dynamic vhdx vdi ova vagrant gce)
[ $# = 0 ] || formats=("$@")

mkdir -p "$folder"
ln -sfn "$tree" "$folder/tree.tar"
[ -d "$folder/keys" ] || "$here/../../signing/make-test-keys.sh" "$folder/keys"
# Containers are the subject here, not every block of /usr.
sed -e '/^outputs:/d' -e 's/ ingot\.readall//' "$recipe" >"$folder/recipe.yaml"
printf 'outputs: [raw]\nmanifest: {digests: false}\n' >>"$folder/recipe.yaml"
check "build" "$ingot" build "$folder/recipe.yaml" --output "$folder/out"
[ "$failed" = 0 ] || verdict
image=$(echo "$folder"/out/*.raw)
manifest=${image%.raw}.manifest.json

# boots FILE FORMAT: to the end of the proof, with the manifest's root hash
boots() {
	"$here/boot.sh" "$1" --format "$2" --log "$folder/serial.log" &&
		"$here/check-proof.sh" "$folder/serial.log" "$manifest"
}

# as_qemu FORMAT FILE: the file that QEMU takes, and its word for the format
as_qemu() {
	case $1 in
	qcow2*) printf '%s qcow2' "$2" ;;
	vmdk*) printf '%s vmdk' "$2" ;;
	vhd | vhd-dynamic) printf '%s vpc' "$2" ;;
	ova | vagrant) tar xf "$2" -C "$folder" --wildcards '*.vmdk' && printf '%s vmdk' "$folder"/*.vmdk ;;
	gce) tar xzf "$2" -C "$folder" disk.raw && printf '%s raw' "$folder/disk.raw" ;;
	*) printf '%s %s' "$2" "$1" ;;
	esac
}

for format in "${formats[@]}"; do
	file=$folder/disk.$format
	check "$format is made" "$ingot" convert "$image" --to "$format=$file" --level 1
	read -r inside name <<<"$(as_qemu "$format" "$file")"
	check "$format boots" boots "$inside" "$name"
	rm -f "$file" "$folder"/*.vmdk "$folder/disk.raw"
done
verdict
