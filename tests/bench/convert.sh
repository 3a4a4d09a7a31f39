#!/bin/bash
# Disk images: ours and qemu-img's in turn on the same raw image. Prints medians, sizes and ratios;
# nothing fails because it is slow.
#
# usage: convert.sh INGOT RAW-IMAGE [RUNS]
set -euo pipefail
export LC_ALL=C

ingot=$(realpath "${1:?usage: convert.sh INGOT RAW-IMAGE [RUNS]}")
image=$(realpath "${2:?usage: convert.sh INGOT RAW-IMAGE [RUNS]}")
runs=${3:-3}
work=$(mktemp -d "${TMPDIR:-/dev/shm}/ingot-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# seconds NAME COMMAND...: appends the wall-clock time to NAME.s and the peak memory to NAME.kib.
seconds() {
	local name=$1
	shift
	/usr/bin/time -f '%e %M' -o time.out "$@"
	awk '{ print $1 }' time.out >>"$name.s"
	awk '{ print $2 }' time.out >>"$name.kib"
}

median() { sort -n "$1.s" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }

# ours NAME OPTIONS...: into NAME.out
ours() {
	local name=$1
	shift
	seconds "$name" "$ingot" convert "$image" "$@"
}

# peer NAME FORMAT OPTIONS...: into NAME.out
peer() {
	local name=$1 format=$2
	shift 2
	rm -f "$name.out"
	seconds "$name" qemu-img convert -f raw -O "$format" "$@" "$image" "$name.out"
}

copy() {
	rm -f cp.out
	seconds cp cp --sparse=always "$image" cp.out
}

cat "$image" >/dev/null # both read from memory
for ((i = 0; i < runs; i++)); do
	ours vmdk --to vmdk=vmdk.out
	ours vmdk-fast --to vmdk=vmdk-fast.out --level 1
	peer peer-vmdk vmdk -o subformat=streamOptimized
	rm -f ./*.out
	ours qcow2 --to qcow2=qcow2.out
	ours qcow2-fast --to qcow2=qcow2-fast.out --level 1
	peer peer-qcow2 qcow2 -c
	ours both --to qcow2=a.out --to vmdk=b.out
	stat -c '%n %s' ./*.out >sizes.qcow2
	rm -f ./*.out
	ours zstd --to qcow2-zstd=zstd.out
	peer peer-zstd qcow2 -c -o compression_type=zstd
	stat -c '%n %s' ./*.out >sizes.zstd
	rm -f ./*.out
	copy
	rm -f ./*.out
	ours raw --to raw=raw.out
	rm -f ./*.out
	ours vhd --to vhd=vhd.out
	rm -f ./*.out
	ours all --to raw=a.out --to qcow2=b.out --to qcow2-zstd=c.out --to qcow2-v2=d.out \
		--to vmdk=e.out --to vhd=f.out
	rm -f ./*.out
done
ours vmdk --to vmdk=vmdk.out
ours vmdk-fast --to vmdk=vmdk-fast.out --level 1
peer peer-vmdk vmdk -o subformat=streamOptimized
stat -c '%n %s' ./*.out >sizes.vmdk

size() { awk -v name="./$1.out" '$1 == name { print $2 }' sizes.*; }

line() { # WHAT OURS PEER...
	local what=$1 ours=$2 theirs=0 name
	shift 2
	for name in "$@"; do
		theirs=$(awk "BEGIN { print $theirs + $(median "$name") }")
	done
	awk -v what="$what" -v o="$(median "$ours")" -v t="$theirs" -v a="$(size "$ours")" \
		-v b="$(size "$1")" 'BEGIN {
		printf "%-34s %7.2f s %7.2f s %6.2f times", what, o, t, t / o
		if (a && b)
			printf "  size %.3f of it", a / b
		print ""
	}'
}

printf '%d MiB, of which %d MiB are data; %d cores; medians of %d runs\n' \
	$(($(stat -c %s "$image") >> 20)) $(($(stat -c %b "$image") >> 11)) "$(nproc)" "$runs"
printf '%-34s %9s %9s\n' '' ours 'the other'
line 'vmdk' vmdk peer-vmdk
line 'vmdk, level 1' vmdk-fast peer-vmdk
line 'qcow2' qcow2 peer-qcow2
line 'qcow2, level 1' qcow2-fast peer-qcow2
line 'qcow2 and vmdk, qemu-img twice' both peer-qcow2 peer-vmdk
line 'qcow2-zstd' zstd peer-zstd
line 'raw, against cp --sparse=always' raw cp
line 'vhd, against cp --sparse=always' vhd cp
line 'six formats, against zstd qcow2' all peer-zstd
for name in vmdk qcow2 zstd all; do
	printf 'peak memory of ours, %-6s %5d MiB\n' $name $(($(sort -n $name.kib | tail -n 1) >> 10))
done
