#!/bin/bash
# Compressed disks, raw.gz, raw.zst, raw.xz and gce, against other people's programs.
#
# usage: convert-streams.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
# shellcheck source=../convert_support.sh
. "$source_dir/tests/convert_support.sh"

formats="raw.gz raw.zst raw.xz gce"
for name in $formats; do
	to_all+=(--to "$name=all.$name")
done

# --- what we write ----------------------------------------------------------------------------

gives() { # DISK COMMAND...: the command prints the disk
	local disk=$1
	shift
	rm -f x.raw
	"$@" | holes x.raw && same x.raw "$disk"
}

seven_zip() { # DISK TYPE FILE
	7z t -t"$2" "$3" && gives "$1" 7z x -so -t"$2" "$3"
}

python_unpacks() { # FORMAT FILE
	python3 - "$@" <<-'EOF'
		import gzip, lzma, shutil, sys, tarfile
		form, path = sys.argv[1:]
		if form == "gce":
		    tar = tarfile.open(path, "r:gz")
		    members = tar.getmembers()
		    assert [m.name for m in members] == ["disk.raw"], members
		    assert members[0].mtime == 0 and members[0].isreg() and members[0].mode == 0o644
		    got = tar.extractfile(members[0])
		else:
		    got = {"raw.gz": gzip, "raw.xz": lzma}[form].open(path)
		shutil.copyfileobj(got, sys.stdout.buffer, 1 << 20)
	EOF
}

only_disk_raw() { [ "$(tar tzf "$1")" = disk.raw ]; }
old_gnu() { [ "$(gzip -dc "$1" | head -c 265 | tail -c 8 | od -An -tx1 | tr -d ' ')" = 7573746172202000 ]; }
whole_records() { [ $(($(gzip -dc "$1" | wc -c) % 10240)) = 0 ]; }
has_crc64() { grep -q CRC64 <<<"$(xz -lvv "$1")"; }
a_block_a_mib() { # FILE BYTES
	[ "$(xz --robot -l "$1" | awk '$1 == "file" { print $3 }')" = $((($2 + 1048575) / 1048576)) ]
}
zstd_knows() { grep -q "Check: XXH64" <<<"$(zstd -lv "$1" 2>&1)"; }

# The entries of the seek table are the frames, and give the size.
seek_table() { # FILE BYTES
	python3 - "$@" <<-'EOF'
		import os, struct, sys
		path, size = sys.argv[1], int(sys.argv[2])
		data = open(path, "rb").read()
		count, flags, magic = struct.unpack("<IBI", data[-9:])
		assert magic == 0x8F92EAB1 and flags == 0
		table = data[-9 - 8 * count:-9]
		start = len(data) - 9 - 8 * count - 8
		assert struct.unpack("<II", data[start:start + 8]) == (0x184D2A5E, 8 * count + 9)
		at = total = 0
		for i, (packed, plain) in enumerate(struct.iter_unpack("<II", table)):
		    kind = struct.unpack("<I", data[at:at + 4])[0]
		    assert kind == (0x184D2A5A if i == 1 else 0xFD2FB528), hex(kind)
		    at, total = at + packed, total + plain
		assert at == start and total == size, (at, start, total, size)
	EOF
}

for size in 1 512 65536 66048 1234567 7M 30000001; do
	disk in.raw $size
	bytes=$(stat -c %s in.raw)
	check "$size: all formats in one pass" "$ingot" convert in.raw "${to_all[@]}"
	check "$size: gzip -t" gzip -t all.raw.gz all.gce
	check "$size: gzip" gives in.raw gzip -dc all.raw.gz
	check "$size: pigz" gives in.raw pigz -dc all.raw.gz
	check "$size: python's gzip" gives in.raw python_unpacks raw.gz all.raw.gz
	check "$size: 7-Zip, gzip" seven_zip in.raw gzip all.raw.gz
	check "$size: zstd -t" zstd -q -t all.raw.zst
	check "$size: zstd" gives in.raw zstd -dcq all.raw.zst
	check "$size: zstd sees checksums" zstd_knows all.raw.zst
	check "$size: the seek table" seek_table all.raw.zst "$bytes"
	check "$size: xz -t" xz -t all.raw.xz
	check "$size: xz" gives in.raw xz -dc all.raw.xz
	check "$size: xz -T2" gives in.raw xz -T2 -dc all.raw.xz
	check "$size: python's lzma" gives in.raw python_unpacks raw.xz all.raw.xz
	check "$size: xz, a block for each MiB" a_block_a_mib all.raw.xz "$bytes"
	check "$size: xz, CRC-64" has_crc64 all.raw.xz
	check "$size: 7-Zip, xz" seven_zip in.raw xz all.raw.xz
	check "$size: tar lists disk.raw" only_disk_raw all.gce
	check "$size: tar" gives in.raw tar xOzf all.gce disk.raw
	check "$size: python's tarfile" gives in.raw python_unpacks gce all.gce
	check "$size: GNU's old format" old_gnu all.gce
	check "$size: records of 10 KiB" whole_records all.gce
	check "$size: bsdtar" gives in.raw bsdtar xOf all.gce disk.raw
done

# A tar's size field ends at 8 GiB; zeros are written once and cost little.
rm -f in.raw && truncate -s 9G in.raw && text 5000 | dd of=in.raw conv=notrunc status=none
check "9 GiB: all formats" "$ingot" convert in.raw "${to_all[@]}"
nine() { # of its first record: tar would unpack the 9 GiB to see what follows
	[ "$(gzip -dc all.gce | head -c 10240 | tar tvf - 2>err.txt | awk '{ print $3 }')" = 9663676416 ]
}
check "9 GiB: tar reads the size" nine
at_most() { [ "$(stat -c %s "$1")" -le "$2" ]; }
check "9 GiB of zeros are at most 10 MB as gz" at_most all.raw.gz 10000000
check "9 GiB of zeros are at most 10 MB as gce" at_most all.gce 10000000
check "9 GiB of zeros are at most 500 kB as zst" at_most all.raw.zst 500000
check "9 GiB of zeros are at most 2.5 MB as xz" at_most all.raw.xz 2500000

check "9 GiB: gce read by us" exactly all.gce in.raw
check "9 GiB: raw.zst read by us" exactly all.raw.zst in.raw
rm -f in.raw back.raw

# --- what others write ------------------------------------------------------------------------

for size in 1 66048 7M 30000001; do
	disk in.raw $size
	"$ingot" convert in.raw "${to_all[@]}"
	for name in $formats; do
		check "$size: $name, ours" exactly "all.$name" in.raw
	done
done

made() { # NAME COMMAND...: the command's output, read by us
	local name=$1
	shift
	if "$@" >peer 2>err.txt; then
		check "$name" exactly peer in.raw
	else
		check "$name: made" false
	fi
}
piped() { tail -c +1 in.raw | "$@"; }
two_members() { gzip -c <(head -c 15000000 in.raw) && gzip -c <(tail -c +15000001 in.raw); }
with_name() { gzip -N -c in.raw; }
padded() { gzip -c in.raw && head -c 100000 /dev/zero; }
two_frames() { zstd -qc <(head -c 15000000 in.raw) && zstd -qc <(tail -c +15000001 in.raw); }
two_streams() {
	xz -0 -c <(head -c 15000000 in.raw) && head -c 12 /dev/zero &&
		xz -0 -c <(tail -c +15000001 in.raw)
}
python_gzip() { python3 -c 'import gzip, sys; sys.stdout.buffer.write(gzip.compress(open("in.raw", "rb").read(), 6))'; }

disk in.raw 30000001
for level in 1 2 3 4 5 6 7 8 9; do
	made "gzip -$level" gzip -$level -c in.raw
done
made "gzip, with a name and a time" with_name
made "gzip, from a pipe" piped gzip -c
made "gzip, two members" two_members
made "gzip, padded with zeros" padded
made "pigz" pigz -c in.raw
made "pigz -i -b 512" pigz -i -b 512 -c in.raw
made "pigz -11 of little" pigz -1 -p 3 -c in.raw
made "bgzip" bgzip -c in.raw
made "python's gzip" python_gzip
made "xz -T1 -1" xz -T1 -1 -c in.raw
made "xz -T2 -1" xz -T2 -1 -c in.raw
made "xz -T2 --block-size=1MiB" xz -T2 -0 --block-size=1MiB -c in.raw
made "xz -9, no check" xz -9 -C none -c in.raw
made "xz, SHA-256 and x86" xz --check=sha256 --x86 --lzma2=preset=0 -c in.raw
made "xz, two streams and padding" two_streams
made "bsdtar, disk.raw" bsdtar -czf - --format=ustar -s /in.raw/disk.raw/ in.raw

disk in.raw 150000001 # more than the 128 MiB of --long
made "zstd" zstd -qc in.raw
made "zstd -1, no checksum" zstd -qc -1 --no-check in.raw
made "zstd -T2" zstd -qc -T2 in.raw
made "zstd -T2 -B1MiB, from a pipe" piped zstd -qc -T2 -B1048576
made "zstd --long" zstd -qc --long in.raw
made "zstd -12, from a pipe" piped zstd -qc -12
made "zstd, two frames" two_frames
if command -v pzstd >/dev/null; then
	made "pzstd" pzstd -qc -p 3 in.raw
fi
disk in.raw 30000001

mkdir -p tree && ln -f in.raw tree/disk.raw
for format in v7 oldgnu gnu ustar posix; do
	made "tar, $format" tar -C tree --format=$format -czf - disk.raw
done
for format in oldgnu gnu posix; do
	made "tar -S, $format" tar -C tree -S --format=$format -czf - disk.raw
done
made "tar -S, with a folder" tar -C tree -S --format=gnu -czf - .
made "tar -S, posix, zstd" tar -C tree -S --format=posix --zstd -cf - disk.raw
made "tar, xz" tar -C tree --format=gnu -cJf - disk.raw

# Very many pieces: extension headers, and a long map.
rm -f tree/disk.raw in.raw
python3 -c '
f = open("in.raw", "wb")
for i in range(3000):
    f.seek(i * 16384)
    f.write(b"piece %d" % i)
f.truncate(3000 * 16384)'
ln in.raw tree/disk.raw
for format in oldgnu gnu posix; do
	made "tar -S, $format, 3000 pieces" tar -C tree -S --format=$format -czf - disk.raw
done

# --- what is refused --------------------------------------------------------------------------

disk in.raw 7M
"$ingot" convert in.raw "${to_all[@]}"
for name in $formats; do
	head -c $(($(stat -c %s "all.$name") / 2)) "all.$name" >peer
	refused "$name, cut off" "cut off\|damaged" peer
done
gzip -c in.raw >whole
head -c 700000 whole >peer
refused "gzip, cut off" "cut off" peer
(cat whole && echo rubbish rubbish) >peer
refused "gzip, and something behind it" "no gzip member" peer
gzip -c whole >peer
refused "gzip twice" "twice" peer
zstd -qc in.raw >whole && head -c 700000 whole >peer
refused "zstd, cut off" "cut off" peer
(zstd -qc in.raw && echo rubbish) >peer
refused "zstd, and something behind it" "no frame" peer
head -c 300000000 /dev/zero | zstd -qc --ultra --long=28 >peer
refused "zstd --long=28" "128 MiB" peer
xz -c in.raw >whole && head -c 500000 whole >peer
refused "xz, cut off" "cut off\|damaged" peer
xz -0 --lzma2=preset=0,dict=1GiB -c in.raw >peer
refused "xz, a dictionary of 1 GiB" "96 MiB" peer
for name in gce ova vagrant; do
	"$ingot" convert in.raw --to $name=whole
	[ $name != gce ] || gzip -dc whole >plain
	[ $name = gce ] || cp whole plain
	patch plain 2 X # in the name of the first member
	refused "$name, a damaged header" "checksum is wrong" plain
	gzip -c plain >peer
	refused "$name, a damaged header, compressed" "checksum is wrong" peer
done
tar -czf peer in.raw
refused "a tar without disk.raw" "not disk.raw" peer

# --- standard input ---------------------------------------------------------------------------

from_pipe() { tail -c +1 "$1" | "$ingot" convert - --to raw=back.raw && same back.raw in.raw; }
check "standard input: raw from a pipe" from_pipe in.raw
check "standard input: gce from a pipe" from_pipe all.gce
check "standard input: xz from a pipe" from_pipe all.raw.xz
from_file() { "$ingot" convert - --to raw=back.raw <"$1" && same back.raw in.raw; }
check "standard input: a file" from_file in.raw
check "standard input: a compressed file" from_file all.raw.zst
empty() { ! "$ingot" convert - --to raw=x </dev/null 2>err.txt && grep -q empty err.txt && [ ! -e x ]; }
check "standard input: nothing is an error" empty
no_leftover() {
	mkdir -p spool && tail -c +1 in.raw | TMPDIR=$PWD/spool "$ingot" convert - --to raw=back.raw &&
		[ -z "$(ls -A spool)" ]
}
check "standard input: nothing is left in the folder" no_leftover
spool_is_there() { ! (tail -c +1 in.raw | TMPDIR=$PWD/missing "$ingot" convert - --to raw=x 2>err.txt) && grep -q missing err.txt; }
check "standard input: a missing \$TMPDIR is named" spool_is_there

# --- the same bytes ----------------------------------------------------------------------------

disk in.raw 30000001
# shellcheck disable=SC2086 # words
reproducible $formats
for level in 1 9; do
	"$ingot" convert in.raw "${to_all[@]}" --level $level
	check "level $level: gzip" gives in.raw gzip -dc all.raw.gz
	check "level $level: zstd" gives in.raw zstd -dcq all.raw.zst
	check "level $level: xz" gives in.raw xz -dc all.raw.xz
done

verdict
