#!/usr/bin/env bash
# How long a build takes, beside the chain of other people's tools that makes the same thing:
#   build.sh INGOT [FOLDER-WITH-A-TREE]
# Both run in turn on the same tree, on the same disk; medians and ratios are printed, and nothing
# is judged. Without a folder, the Debian 12 tree of ci/tree.sh is measured. $ROUNDS is 5.
# The chain computes no digest of the disk, so ours is measured with and without it.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)
ingot=$1 rounds=${ROUNDS:-5}

work=$(mktemp -d "${TMPDIR:-/tmp}/ingot-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
tree=${2:-}
if [ -z "$tree" ]; then
	tree=$work/tree
	mkdir "$tree"
	# As an ordinary user the devices cannot be made; /dev is not measured.
	tar -xf "$("$top/ci/tree.sh" bench)" --exclude './dev/*' -C "$tree"
fi
tree=$(realpath "$tree")
mebibytes=$(($(du -sm --apparent-size "$tree/usr" | cut -f 1) * 5 / 4 + 64))

cat >"$work/layout.yaml" <<END
name: bench
description: one partition with /usr and its hash tree
sector-size: 512
alignment: 2M
partitions:
  - number: 1
    label: USR
    type: linux-data
    size: $((mebibytes + 16))M
    content: usr
    filesystem: ext2
    verity: appended
END
cat >"$work/recipe.yaml" <<END
name: bench
version: "1"
architecture: x86-64
epoch: 1767225600
layout: layout.yaml
tree: $tree
exclude: [etc/ssh/ssh_host_*, etc/machine-id, var/lib/dbus/machine-id]
END

sed 's/^exclude:/manifest: {digests: false}\n&/' "$work/recipe.yaml" >"$work/plain.yaml"

# The peers: a filesystem, its hash tree behind it, a table, and a copy into the disk.
chain() {
	local out=$work/chain blocks=$((mebibytes * 256))
	mkdir -p "$out"
	mke2fs -q -t ext2 -b 4096 -m 0 -d "$tree/usr" "$out/usr" "$blocks" >/dev/null
	veritysetup format --data-blocks "$blocks" --hash-offset $((blocks * 4096)) \
		"$out/usr" "$out/usr" >/dev/null
	truncate -s $((mebibytes + 32))M "$out/disk"
	printf 'label: gpt\nstart=2MiB, size=%dMiB\n' $((mebibytes + 16)) | sfdisk -q "$out/disk"
	dd if="$out/usr" of="$out/disk" bs=1M seek=2 conv=notrunc,sparse status=none
	rm -rf "$out"
}

# our RECIPE
our() {
	"$ingot" build "$work/$1.yaml" --output "$work/ours" --quiet
	rm -rf "$work/ours"
}

ours() {
	our plain
}

digested() {
	our recipe
}

# The floor: every file read and written once, and all of it hashed once.
copy() {
	find "$tree/usr" -type f -print0 | xargs -0 cat >"$work/copy"
}

hash_all() {
	openssl dgst -sha256 "$work/copy" >/dev/null
}

# seconds COMMAND
seconds() {
	local begin=$EPOCHREALTIME
	"$1"
	awk -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", end - begin }'
}

median() {
	sort -n "$work/$1.times" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

printf '%s: %d MiB of files in %d entries; %d rounds in turn, %d cores\n' "$tree/usr" \
	"$(du -sm --apparent-size "$tree/usr" | cut -f 1)" "$(find "$tree/usr" | wc -l)" \
	"$rounds" "$(nproc)"
steps=(copy hash_all chain ours digested)
for ((round = 0; round <= rounds; round++)); do
	for step in "${steps[@]}"; do
		took=$(seconds "$step")
		# The first round warms the cache.
		[ $round = 0 ] || printf '%s\n' "$took" >>"$work/$step.times"
	done
done
for step in "${steps[@]}"; do
	printf '%-9s median %6s s   (%s)\n' "$step" "$(median "$step")" \
		"$(sort -n "$work/$step.times" | tr '\n' ' ' | sed 's/ $//')"
done
ratio() {
	awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { printf "%.2f", a / b }'
}
printf 'the chain takes %s times as long as ingot build, %s times as with a digest of the disk\n' \
	"$(ratio chain ours)" "$(ratio chain digested)"
printf 'ingot build takes %s times as long as a copy of the files, %s times as long as one hash\n' \
	"$(ratio ours copy)" "$(ratio ours hash_all)"
