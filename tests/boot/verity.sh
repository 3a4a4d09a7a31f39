# shellcheck shell=bash
# Where /usr and its hash tree are in an image. Source it after `set -euo pipefail`, then call
# find_verity; a failure ends the script. Blocks are 4096 bytes.

# The start and the size in bytes of the partition that a jq expression selects: IMAGE EXPRESSION
partition() {
	sfdisk --json "$1" | jq -r ".partitiontable | .sectorsize as \$sector |
		first(.partitions[] | select($2)) | \"\(.start * \$sector) \(.size * \$sector)\""
}

# cut_out IMAGE START SIZE FILE
cut_out() {
	dd if="$1" of="$4" bs=1M iflag=skip_bytes,count_bytes skip="$2" count="$3" \
		conv=sparse status=none
}

no_verity() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# find_verity IMAGE FILE: sets $usr and $tree, where partition and superblock begin in the image,
# and $data_blocks; $usr_leaves is where the digests of the data are. /usr goes into FILE.
find_verity() {
	local size levels=() count level leaves=1 # the superblock
	read -r usr size < <(partition "$1" \
		'.name == "USR-A" or .type == "8484680C-9521-48C6-9C11-B0720656F69E"') ||
		no_verity "no /usr partition in $1"
	cut_out "$1" "$usr" "$size" "$2"
	data_blocks=$(dumpe2fs -h "$2" 2>/dev/null | awk '/^Block count:/ { print $3 }')

	# The tree: after the data, or in a partition of its own. The superblock is its first block.
	tree=$((usr + data_blocks * 4096))
	if ! is_superblock "$1"; then
		read -r tree _ < <(partition "$1" '.type == "77FF5F63-E7B6-4633-ACF4-1565B864C0E6"') ||
			no_verity "no hash tree in $1"
	fi
	is_superblock "$1" || no_verity "no verity superblock at $tree of $1"

	count=$data_blocks
	while [ "$count" -gt 1 ]; do
		count=$(((count + 127) / 128))
		levels+=("$count")
	done
	for ((level = ${#levels[@]} - 1; level > 0; level--)); do # from the top
		leaves=$((leaves + levels[level]))
	done
	usr_leaves=$((tree + leaves * 4096))
}

is_superblock() {
	[ "$(od -An -c -j "$tree" -N 6 "$1" | tr -d ' ')" = verity ]
}

# block_of FILE PATH: the number of the first block of a file in /usr, in what find_verity cut out
block_of() {
	debugfs -R "blocks /$2" "$1" 2>/dev/null | awk '{ print $1; exit }' | grep . ||
		no_verity "no /usr/$2 in $1"
}

# digest_of NUMBER: where in the image the digest of that block is
digest_of() {
	local leaf=$(($1 / 128)) slot=$(($1 % 128))
	printf '%s\n' $((usr_leaves + leaf * 4096 + slot * 32))
}
