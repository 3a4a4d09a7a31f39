#!/bin/bash
# Containers of blocks (VHD that grows, VHDX, VDI, sparse VMDK) against qemu-img, 7-Zip and libyal's
# tools, in both directions.
#
# usage: convert-blocks.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
# shellcheck source=../convert_support.sh
. "$source_dir/tests/convert_support.sh"

containers="vhd-dynamic vhdx vdi vmdk-sparse"
for name in $containers; do
	to_all+=(--to "$name=all.$name")
done

# --- what we write ----------------------------------------------------------------------------

# VPC has no check, but says when it had to guess.
qemu_checks() { # FORMAT FILE
	[ "$1" = vpc ] || qemu-img check -f "$1" "$2"
}

libyal_reads() { # NAME FILE SIZE
	case $1 in
	vhd*) vhdiinfo "$2" >info.txt && grep -q "Disk type.*: Dynamic" info.txt ;;
	vmdk*) vmdkinfo "$2" >info.txt && grep -q "Disk type.*Monolithic sparse" info.txt ;;
	*) return 0 ;;
	esac && { [ "$1" = vdi ] || grep -q "($3 bytes)" info.txt; }
}

# From the container into another format by qemu-img alone.
qemu_converts() { # FORMAT FILE
	rm -f x.raw && qemu-img convert -f "$1" -O raw "$2" x.raw && padded_disk x.raw in.raw
}

for size in 512 65536 66048 1234567 2M 7M 600M 5000M; do
	disk in.raw $size
	bytes=$(stat -c %s in.raw)
	check "$size: all in one pass" "$ingot" convert in.raw "${to_all[@]}"
	for name in $containers; do
		unit=512
		[ "$name" != vmdk-sparse ] || unit=65536
		format=$(as_qemu "$name")
		check "$size: $name: qemu-img check" qemu_checks "$format" "all.$name"
		check "$size: $name: qemu-img compare" \
			qemu-img compare -f raw -F "$format" in.raw "all.$name"
		check "$size: $name: qemu-img convert" qemu_converts "$format" "all.$name"
		check "$size: $name: read by us" same_disk "all.$name" in.raw
		check "$size: $name: libyal" libyal_reads "$name" "all.$name" \
			$(((bytes + unit - 1) / unit * unit))
		# 7-Zip takes no VHDX with an odd number of sectors (docs/formats/vhdx.md says why).
		case $size-$name in
		5000M-* | 512-vhdx | 66048-vhdx) ;;
		*) check "$size: $name: 7-Zip" seven_zip_reads "all.$name" in.raw ;;
		esac
	done
done

rm -f in.raw && truncate -s 3G in.raw
"$ingot" convert in.raw "${to_all[@]}"
for name in $containers; do
	check "no data: $name: qemu-img compare" \
		qemu-img compare -f raw -F "$(as_qemu "$name")" in.raw "all.$name"
	check "no data: $name: read by us" same_disk "all.$name" in.raw
done

# QEMU goes on writing where we stopped.
disk in.raw 7M
for name in $containers; do
	rm -f x.raw && cp in.raw x.raw
	"$ingot" convert in.raw --to "$name=all.$name"
	for write in "-P 5 700k 900k" "-P 6 6400k 64k"; do
		qemu-io -f "$(as_qemu "$name")" -c "write $write" "all.$name" >/dev/null
		qemu-io -f raw -c "write $write" x.raw >/dev/null
	done
	check "$name: written to by QEMU" same_disk "all.$name" x.raw
done

disk in.raw 600M
"$ingot" convert in.raw "${to_all[@]}"
sparse() { [ $(($(stat -c %b "$1") * 512)) -lt 6000000 ]; }
for name in $containers; do
	check "$name: what is zero takes no space" sparse "all.$name"
done

# --- what qemu-img writes ---------------------------------------------------------------------

for size in 7M 600M; do
	disk in.raw $size
	reads "$size: vhd, dynamic" vpc -o subformat=dynamic,force_size=on
	reads "$size: vdi" vdi
	reads "$size: vdi, static" vdi -o static=on
	reads "$size: vhdx" vhdx
	reads "$size: vhdx, fixed" vhdx -o subformat=fixed
	reads "$size: vhdx, a log of 8 MiB" vhdx -o log_size=8M
	reads "$size: vhdx, zeros not as a state" vhdx -o block_state_zero=off
	for block in 1M 2M 4M 8M 16M 32M 64M 128M 256M; do
		reads "$size: vhdx, blocks of $block" vhdx -o block_size=$block
	done
done
# Without force_size the disk grows to whole cylinders.
grown() {
	rm -f peer && qemu-img convert -f raw -O vpc -o subformat=dynamic in.raw peer &&
		"$ingot" convert peer --to raw=back.raw && qemu-img compare -q in.raw back.raw &&
		qemu-img compare -f raw -F vpc back.raw peer
}
check "vhd, dynamic, grown to whole cylinders" grown
disk in.raw 5000M
reads "5000M: vhdx, past the first bitmap" vhdx -o block_size=1M

# --- what was not closed ----------------------------------------------------------------------

# unclosed SECTOR FILE: QEMU writes to a VHDX whose sector cannot be written
unclosed() {
	local file=file.driver=blkdebug,file.image.driver=file,file.image.filename=$2 error
	error=$(printf ',file.inject-error.0.%s' event=none iotype=write "sector=$1" once=off)
	qemu-io --image-opts "driver=vhdx,$file$error" -c "write -P 7 20M 3M" \
		-c "write -P 3 1M 64k" -c "write -P 5 5500M 1M" >out.txt 2>&1 || :
}

waits() { ! qemu-img info "$1" >out.txt 2>&1; } # QEMU does not read it, unless it may write

# What QEMU makes of it when it has put the changes in their place.
as_replayed() { # FILE
	rm -f back.raw && "$ingot" convert "$1" --to raw=back.raw &&
		cp --sparse=always "$1" repaired && qemu-img check -q -r all repaired &&
		qemu-img compare -q -f raw -F vhdx back.raw repaired
}

log=2048 table=4096 # where QEMU puts them, sectors
pages=$((5500 * 8 / 4096)) # in front of the entry of the last block that is written
for earlier in "" "write -P 1 0 64k"; do
	rm -f peer && qemu-img create -q -f vhdx -o block_size=1M peer 6000M
	[ -z "$earlier" ] || qemu-io -f vhdx -c "$earlier" -c "write 3000M 1M" peer >out.txt
	cp --sparse=always peer other
	unclosed $table peer
	check "vhdx whose table waits in its log: so it is" waits peer
	check "vhdx whose table waits in its log" as_replayed peer
	unclosed $((table + pages * 8)) other
	check "vhdx whose table's end waits in its log: so it is" waits other
	check "vhdx whose table's end waits in its log" as_replayed other
done
rm -f peer && qemu-img create -q -f vhdx peer 64M
unclosed $((log + 8)) peer
refused "vhdx whose only log entry was not written to its end" "what its log says" peer

# --- what is refused --------------------------------------------------------------------------

disk in.raw 7M
rm -f base peer && qemu-img create -q -f vpc base 7M
for name in $containers; do
	"$ingot" convert in.raw --to "$name=good"
	size=$(stat -c %s good)
	case $name in
	vmdk-sparse) words="not in the file\|more data" ;;
	vhd-dynamic) words="cut off" ;;
	*) words="not in the file" ;;
	esac
	head -c $((size - 100000)) good >peer
	refused "$name that is cut off" "$words" peer
	head -c 700 good >peer
	refused "$name that is mostly missing" "cut off\|past its end\|not in the file\|missing" peer
done

hostile() { # FORMAT NAME WORDS OFFSET BYTES
	"$ingot" convert in.raw --to "$1=peer"
	patch peer "$4" "$5"
	refused "hostile $1: $2" "$3" peer
}
hostile vdi "near 2^63 bytes" "blocks of" 368 '\xff\xff\xff\xff\xff\xff\xff\x7f'
hostile vdi "2^64 bytes" "impossible" 368 '\xff\xff\xff\xff\xff\xff\xff\xff'
hostile vdi "a map past the end" "not in the file" 340 '\xff\xff\xff\xff'
hostile vdi "the same block twice" "two blocks share" 516 '\0\0\0\0'
hostile vdi "a parent" "difference" 440 '\x01'
hostile vhdx "damaged headers" "metadata is damaged" 2097152 'x'
hostile vhdx "2^64 bytes" "impossible" 2162704 '\xff\xff\xff\xff\xff\xff\xff\xff'
hostile vhdx "a parent" "difference" 2162692 '\x02'
hostile vhdx "the same block twice" "two blocks share" 3145736 '\x06\0\x40\0\0\0\0\0'
hostile vhdx "a block on the table" "own data" 3145736 '\x06\0\x30\0\0\0\0\0'
hostile vhdx "a block near 2^63" "not in the file" 3145736 '\x06\0\xf0\xff\xff\xff\xff\x7f'
hostile vhd-dynamic "a header that is damaged" "checksum" 600 'x'
hostile vhd-dynamic "a block past the end" "not in the file" 1536 '\x7f\xff\xff\xff'
hostile vhd-dynamic "a block on the table" "own data" 1536 '\0\0\0\x01'
hostile vmdk-sparse "2^64 sectors" "impossible" 12 '\xff\xff\xff\xff\xff\xff\xff\xff'
hostile vmdk-sparse "a directory past the end" "grain directory" 56 '\xff\xff\xff\xff\xff\xff\x7f\0'
hostile vmdk-sparse "the same grain twice" "two grains share" 14344 '\x80\0\0\0\x80\0\0\0'

# --- the same bytes ----------------------------------------------------------------------------

disk in.raw 600M
# shellcheck disable=SC2086 # words
reproducible $containers
for name in vhd-dynamic vhdx vdi; do
	check "the same bytes from $name" made_again "all.$name"
done

verdict
