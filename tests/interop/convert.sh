#!/bin/bash
# Our disk images against qemu-img and 7-Zip, in both directions.
#
# usage: convert.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
# shellcheck source=../convert_support.sh
. "$source_dir/tests/convert_support.sh"

containers="qcow2 qcow2-zstd qcow2-v2 vmdk vhd"
for name in $containers; do
	to_all+=(--to "$name=all.$name")
done

# --- what we write ----------------------------------------------------------------------------

qemu_checks() { # FORMAT FILE
	[ "$1" = vpc ] || qemu-img check -f "$1" "$2"
}

for size in 512 65536 66048 1234567 7M 600M 1025M; do
	disk in.raw $size
	check "$size: all formats in one pass" "$ingot" convert in.raw --to raw=all.raw "${to_all[@]}"
	check "$size: raw is the same" same in.raw all.raw
	for name in $containers; do
		format=$(as_qemu "$name")
		check "$size: $name: qemu-img check" qemu_checks "$format" "all.$name"
		check "$size: $name: qemu-img compare" \
			qemu-img compare -f raw -F "$format" in.raw "all.$name"
		check "$size: $name: read by us" same_disk "all.$name" in.raw
		# 7-Zip knows neither zstd in qcow2 nor a disk without any data.
		case $name in
		qcow2-zstd) ;;
		*) check "$size: $name: 7-Zip" seven_zip_reads "all.$name" in.raw ;;
		esac
	done
done

disk in.raw 600M
sparse() { [ $(($(stat -c %b "$1") * 512)) -lt 6000000 ]; }
"$ingot" convert in.raw --to raw=all.raw "${to_all[@]}"
check "zeros are holes in raw" sparse all.raw
smaller() { [ "$(stat -c %s "$1")" -le "$(stat -c %s "$2")" ]; }
qemu-img convert -f raw -O qcow2 -c in.raw peer.qcow2
check "qcow2 is not larger than qemu-img's" smaller all.qcow2 peer.qcow2
qemu-img convert -f raw -O vmdk -o subformat=streamOptimized in.raw peer.vmdk
check "vmdk is not larger than qemu-img's" smaller all.vmdk peer.vmdk
for level in 1 2 3 4 6 7 8 9; do
	"$ingot" convert in.raw --to qcow2=level.qcow2 --to qcow2-zstd=level.qcow2-zstd \
		--to vmdk=level.vmdk --level $level
	for name in qcow2 qcow2-zstd vmdk; do
		check "level $level, $name: qemu-img compare" qemu-img compare -q \
			-f "$(as_qemu $name)" -F raw level.$name in.raw
		check "level $level, $name: read by us" same_disk level.$name in.raw
	done
done

# --- what qemu-img writes ---------------------------------------------------------------------

disk in.raw 7M
for bits in 512 1K 2K 4K 8K 16K 32K 64K 128K 256K 512K 1M 2M; do
	for compat in 0.10 1.1; do
		reads "qcow2, clusters of $bits, compat=$compat" qcow2 \
			-o "cluster_size=$bits,compat=$compat"
		reads "qcow2, clusters of $bits, compat=$compat, compressed" qcow2 -c \
			-o "cluster_size=$bits,compat=$compat"
	done
	reads "qcow2, clusters of $bits, zstd" qcow2 -c -o "cluster_size=$bits,compression_type=zstd"
done
for refcounts in 1 2 4 8 32 64; do
	reads "qcow2, refcounts of $refcounts bits" qcow2 -o refcount_bits=$refcounts
done
for preallocation in metadata falloc full; do
	reads "qcow2, preallocation=$preallocation" qcow2 -o preallocation=$preallocation
done
reads "qcow2, lazy refcounts" qcow2 -o lazy_refcounts=on
for bits in 16K 64K 2M; do
	reads "qcow2, subclusters in $bits" qcow2 -o "extended_l2=on,cluster_size=$bits"
	reads "qcow2, subclusters in $bits, compressed" qcow2 -c \
		-o "extended_l2=on,cluster_size=$bits"
	reads "qcow2, subclusters in $bits, preallocated" qcow2 \
		-o "extended_l2=on,cluster_size=$bits,preallocation=metadata"
done
for subformat in streamOptimized monolithicSparse; do
	reads "vmdk, $subformat" vmdk -o subformat=$subformat
done
reads "vmdk, grains of zeros" vmdk -o zeroed_grain=on
disk in.raw 1234567
reads "vmdk, streamOptimized, the last grain is cut off" vmdk -o subformat=streamOptimized
disk in.raw 600M
for subformat in streamOptimized monolithicSparse; do
	reads "vmdk of 600 MiB, $subformat" vmdk -o subformat=$subformat
done
reads "qcow2 of 600 MiB" qcow2
reads "qcow2 of 600 MiB, compressed" qcow2 -c
disk in.raw 7M
reads "vhd, fixed" vpc -o subformat=fixed
reads "vhd, fixed, exact" vpc -o subformat=fixed,force_size=on
rm -f peer && qemu-img create -q -f qcow2 peer 10M && qemu-io -c "write -z 64k 1M" peer >/dev/null
rm -f in.raw && truncate -s 10M in.raw
check "qcow2, clusters of zeros" same_disk peer in.raw

# --- what is refused --------------------------------------------------------------------------

disk in.raw 7M
qemu-img create -q -f qcow2 -b in.raw -F raw peer 7M
refused "a backing file" "backing file" peer
rm -f peer data && qemu-img create -q -f qcow2 -o data_file=data peer 7M
refused "external data" "in another file" peer
rm -f peer && qemu-img create -q -f qcow2 peer 7M && qemu-img snapshot -c one peer
refused "snapshots" "snapshots" peer
rm -f peer && qemu-img create -q -f qcow2 --object secret,id=s,data=x \
	-o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 peer 7M
refused "encryption" "encrypted" peer
for subformat in monolithicFlat twoGbMaxExtentSparse twoGbMaxExtentFlat; do
	rm -f peer* && qemu-img create -q -f vmdk -o subformat=$subformat peer 7M
	refused "vmdk $subformat" "in several files" peer
done
rm -f base peer && qemu-img create -q -f vmdk base 7M &&
	qemu-img create -q -f vmdk -b base -F vmdk peer 7M
refused "a backing file of a vmdk" "backing file" peer
for format in qed parallels; do
	rm -f peer && qemu-img convert -f raw -O $format in.raw peer
	refused "$format" "cannot be read here" peer
done
packed() { # NAME COMMAND...: what it makes of in.raw is no disk
	local name=$1
	shift
	rm -f peer && "$@" >out.txt 2>&1
	refused "$name" "cannot be read here" peer
}
packed "bzip2" python3 -c 'import bz2; open("peer", "wb").write(bz2.compress(open("in.raw", "rb").read()))'
for preset in 0 6 9e; do
	packed "LZMA, preset $preset" bash -c "xz --format=lzma -$preset -c in.raw >peer"
done
packed "LZMA, with a size" python3 -c 'import lzma
data = lzma.compress(open("in.raw", "rb").read(), lzma.FORMAT_ALONE)
open("peer", "wb").write(data[:5] + (7 << 20).to_bytes(8, "little") + data[13:])'
magic() { printf "%b" "$1" >peer && cat in.raw >>peer; }
packed "LZ4" magic '\x04\x22\x4d\x18'
packed "LZ4, the older kind" magic '\x02\x21\x4c\x18'
packed "lzip" magic 'LZIP\01\f'
packed "lzop" magic '\x89LZO\0\r\n\x1a\n'
packed "compress" magic '\x1f\x9d\x90'
packed "a RAR archive" magic 'Rar!\x1a\07\0'
packed "Bochs" magic 'Bochs Virtual HD Image\0'
packed "a ZIP archive" 7z a -tzip peer. in.raw
packed "a 7z archive" 7z a -t7z peer. in.raw
rm -f peer && : >peer
refused "an empty file" "is empty" peer

"$ingot" convert in.raw --to qcow2=good
hostile() { # NAME WORDS OFFSET BYTES
	cp good peer
	patch peer "$3" "$4"
	refused "hostile qcow2: $1" "$2" peer
}
hostile "size of 2^63" "impossible" 24 '\x80\0\0\0\0\0\0\0'
hostile "size near 2^63" "L1 table" 24 '\x7f\xff\xff\xff\xff\xff\xff\xff'
hostile "an L1 table of 2^32 entries" "L1 table" 36 '\xff\xff\xff\xff'
hostile "an L1 table past the end" "not in the file" 40 '\x7f\xff\xff\xff\xff\xff\0\0'
hostile "no L1 table" "L1 table" 36 '\0\0\0\0'
hostile "clusters of 2^255 bytes" "2^255" 20 '\0\0\0\xff'
hostile "version 4" "version 4" 4 '\0\0\0\x04'
l1=$(od -An -tu8 --endian=big -j 40 -N 8 good | tr -d ' ')
l2=$(($(od -An -tu8 --endian=big -j "$l1" -N 8 good | tr -d ' ') & 0xfffffffffffe00))
hostile "an L2 table that is the L1 table" "overlaps" "$l1" \
	"\\x80\\0\\0\\0$(printf '\\x%02x' $((l1 >> 24)) $((l1 >> 16 & 255)) $((l1 >> 8 & 255)) 0)"
hostile "a compressed cluster past the end" "not in the file" $((l2)) '\x40\x01\xff\xff\xff\xff\0\0'
hostile "damaged data" "damaged\|gives" 65600 '\xff\xff\xff\xff'
head -c 8192 good >peer
refused "a file that is cut off" "not in the file" peer

"$ingot" convert in.raw --to vmdk=good
size=$(stat -c %s good)
hostile_vmdk() { # NAME WORDS OFFSET BYTES
	cp good peer
	patch peer "$3" "$4"
	refused "hostile vmdk: $1" "$2" peer
}
footer=$((size - 1024))
hostile_vmdk "2^64 sectors" "impossible" $((footer + 12)) '\xff\xff\xff\xff\xff\xff\xff\xff'
hostile_vmdk "near 2^63 bytes" "grain directory" $((footer + 12)) '\xff\xff\xff\xff\xff\xff\x3f\0'
hostile_vmdk "grains of 2^40 sectors" "grains have" $((footer + 20)) '\0\0\0\0\0\x01\0\0'
hostile_vmdk "no footer" "footer is missing" "$footer" 'XXXX'
hostile_vmdk "damaged data" "damaged\|gives" $((65536 + 100)) '\xff\xff\xff\xff\xff\xff\xff\xff'
hostile_vmdk "a grain of 4 GiB" "compressed bytes" $((65536 + 8)) '\xff\xff\xff\xff'
hostile_vmdk "a grain of another place" "somewhere else" 65536 '\x80'
head -c $((size - 700)) good >peer
refused "a vmdk that is cut off" "footer is missing" peer

# --- the same bytes ----------------------------------------------------------------------------

disk in.raw 600M
# shellcheck disable=SC2086 # words
reproducible raw $containers
check "the same bytes from a container" made_again all.qcow2

# --- all or nothing ----------------------------------------------------------------------------

echo before >keep
none() {
	! "$ingot" convert in.raw --to qcow2=keep --to raw=missing/x && [ "$(cat keep)" = before ]
}
check "one output that fails leaves the others as they were" none
twice() {
	! "$ingot" convert in.raw --to qcow2=x --to raw=x 2>err.txt && grep -q "two formats" err.txt &&
		[ ! -e x ]
}
rm -rf x
check "one name for two formats is refused" twice
unknown() {
	! "$ingot" convert in.raw --to cow=x 2>err.txt && grep -q "raw, qcow2" err.txt && [ ! -e x ]
}
check "an unknown format is answered with the known ones" unknown
to_pipe() { "$ingot" convert in.raw --to qcow2=- | cmp - all.qcow2; }
check "to standard output" to_pipe

verdict
