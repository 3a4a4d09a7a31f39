#!/bin/bash
# Disk images: ours and qemu-img's in turn on the same raw image, in memory. Prints medians of the
# wall-clock time and of the processor time, sizes, peak memory and ratios; nothing fails because it
# is slow. Where other programs run at the same time, only the processor's ratio says something.
#
# usage: convert.sh INGOT [RAW-IMAGE [RUNS]]
#
# Without an image, the Debian 12 tree of ci/tree.sh is put into 1 GiB of ext2.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)

ingot=$(realpath "${1:?usage: convert.sh INGOT [RAW-IMAGE [RUNS]]}")
image=${2:+$(realpath "$2")}
runs=${3:-3}
work=$(mktemp -d "${TMPDIR:-/dev/shm}/ingot-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
cd "$work"

make_image() {
	mkdir tree
	tar -xf "$("$top/ci/tree.sh" bench)" --exclude './dev/*' -C tree
	mke2fs -q -t ext2 -b 4096 -m 0 -d tree/usr image.raw 1G
	rm -rf tree
}

if [ -z "$image" ]; then
	make_image
	image=$work/image.raw
fi

# measure NAME COMMAND...: a line "wall cpu KiB" in NAME.times
measure() {
	local name=$1
	shift
	/usr/bin/time -f '%e %U %S %M' -o time.out "$@"
	awk '{ print $1, $2 + $3, $4 }' time.out >>"$name.times"
}

# ours NAME OPTIONS...: into files *.out, whose size is noted
ours() {
	local name=$1
	shift
	measure "$name" "$ingot" convert "$image" "$@"
	stat -c %s ./*.out | awk '{ n += $1 } END { print n }' >"$name.size"
	rm -f ./*.out
}

# peer NAME FORMAT OPTIONS...
peer() {
	local name=$1 format=$2
	shift 2
	measure "$name" qemu-img convert -f raw -O "$format" "$@" "$image" peer.out
	stat -c %s peer.out >"$name.size"
	rm -f peer.out
}

copy() {
	measure cp cp --sparse=always "$image" cp.out
	stat -c %s cp.out >cp.size
	rm -f cp.out
}

# One of each that copies, one of each that compresses; xz, which is slow by nature, is not there.
every_format=(--to raw=a.out --to vhd=b.out --to vhd-dynamic=c.out --to vhdx=d.out --to vdi=e.out
	--to vmdk-sparse=f.out --to qcow2=g.out --to qcow2-zstd=h.out --to qcow2-v2=i.out
	--to vmdk=j.out --to ova=k.out --to vagrant=l.out --to gce=m.out --to raw.gz=n.out
	--to raw.zst=o.out)

cat "$image" >/dev/null
for ((i = 0; i < runs; i++)); do
	peer peer-vmdk vmdk -o subformat=streamOptimized
	ours vmdk --to vmdk=vmdk.out
	ours vmdk-fast --to vmdk=vmdk.out --level 1
	peer peer-qcow2 qcow2 -c
	ours qcow2 --to qcow2=qcow2.out
	ours qcow2-fast --to qcow2=qcow2.out --level 1
	ours both --to qcow2=a.out --to vmdk=b.out
	peer peer-zstd qcow2 -c -o compression_type=zstd
	ours zstd --to qcow2-zstd=zstd.out
	ours zstd-fast --to qcow2-zstd=zstd.out --level 1
	for format in raw vhd vhd-dynamic vhdx vdi; do
		copy
		ours "$format" --to "$format=copy.out"
	done
	ours all "${every_format[@]}"
	ours all-fast "${every_format[@]}" --level 1
done

# median NAME COLUMN
median() {
	awk -v column="$2" '{ print $column }' "$1.times" | sort -n |
		awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'
}

sum() { # COLUMN NAME...
	local column=$1 name
	shift
	for name in "$@"; do
		median "$name" "$column"
	done | awk '{ n += $1 } END { print n }'
}

line() { # WHAT SIZES? OURS PEER...
	local what=$1 sizes=$2 ours=$3
	shift 3
	awk -v what="$what" -v ow="$(median "$ours" 1)" -v pw="$(sum 1 "$@")" \
		-v oc="$(median "$ours" 2)" -v pc="$(sum 2 "$@")" -v sizes="$sizes" \
		-v os="$(cat "$ours.size")" -v ps="$(cat "$1.size")" 'BEGIN {
		printf "%-38s %7.2f %7.2f %6.1fx   %7.2f %7.2f %6.1fx", what, \
			ow, pw, pw / ow, oc, pc, pc / oc
		if (sizes == "size")
			printf "   %.3f", os / ps
		print ""
	}'
}

printf '%d MiB, of which %d MiB are data; %d cores; medians of %d runs, seconds\n' \
	$(($(stat -c %s "$image") >> 20)) $(($(stat -c %b "$image") >> 11)) "$(nproc)" "$runs"
printf '%-38s %7s %7s %7s   %7s %7s %7s   %s\n' '' 'wall' 'peer' 'ratio' 'cpu' 'peer' 'ratio' \
	'size'
line 'vmdk, level 1' size vmdk-fast peer-vmdk
line 'vmdk' size vmdk peer-vmdk
line 'qcow2, level 1' size qcow2-fast peer-qcow2
line 'qcow2' size qcow2 peer-qcow2
line 'qcow2 and vmdk, against qemu-img twice' - both peer-qcow2 peer-vmdk
line 'qcow2-zstd, level 1' size zstd-fast peer-zstd
line 'qcow2-zstd' size zstd peer-zstd
for format in raw vhd vhd-dynamic vhdx vdi; do
	line "$format, against cp --sparse=always" - "$format" cp
done
line '15 formats, against zstd qcow2 alone' - all peer-zstd
line '15 formats, level 1, against the same' - all-fast peer-zstd
for name in vmdk-fast vmdk qcow2 zstd vhdx all; do
	printf 'peak memory of ours, %-10s %5d MiB\n' $name \
		$(($(awk '{ print $3 }' $name.times | sort -n | tail -n 1) >> 10))
done
