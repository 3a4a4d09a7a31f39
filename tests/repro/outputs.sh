#!/usr/bin/env bash
# What two machines have to agree on: outputs.sh INGOT TREE.tar KEYS FOLDER
# Makes in FOLDER: an image in each layout, with disks of some vendors, and 8 MiB of its /usr in every
# format, at every level where the format has levels: levels/FORMAT.LEVEL.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
ingot=$1 tree=$2 keys=$3 folder=$4

mkdir -p "$folder/levels"
cd "$folder"
ln -s "$tree" tree.tar
ln -s "$keys" keys
for layout in flatcar discoverable; do
	# Vendors whose disks have an OEM partition, an ext4, of their own.
	sed 's/^outputs: .*/outputs: [raw, openstack, vmware, hyperv]/' \
		"$here/../boot/recipes/small-$layout.yaml" >recipe.yaml
	"$ingot" build --quiet recipe.yaml --output "$layout"
done
rm tree.tar keys recipe.yaml

# Programs and libraries, from the middle of what /usr holds.
start=$(jq -re '.outputs[0].partitions[] | select(.content == "usr") | .start' \
	flatcar/small-1.manifest.json)
dd if=flatcar/small-1.raw of=levels/disk bs=1M iflag=skip_bytes skip=$((start + 16777216)) \
	count=8 status=none
to=()
for format in raw vmdk-sparse vhd vhd-dynamic vhdx vdi; do
	to+=(--to "$format=levels/$format.5")
done
"$ingot" convert levels/disk "${to[@]}"
for level in 1 2 3 4 5 6 7 8 9; do
	to=()
	for format in qcow2 qcow2-zstd qcow2-v2 vmdk ova vagrant gce raw.gz raw.zst raw.xz; do
		to+=(--to "$format=levels/$format.$level")
	done
	"$ingot" convert levels/disk "${to[@]}" --level $level
done
