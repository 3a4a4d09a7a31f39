#!/bin/bash
# The same bytes on every processor: conversions run once more under an emulated one that has fewer
# instructions, so that every library takes its other paths.
#
# usage: convert-cpu.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

# Programs, numbers, noise and zeros.
{
	head -c 700000 "$ingot"
	seq 80000
	noise 00 150000
} >disk.raw
truncate -s 3M disk.raw

mapfile -t formats < <("$ingot" convert --to list=- disk.raw 2>&1 |
	sed -n 's/.*the formats are //p' | tr -d ' ' | tr ',' '\n')
check "there are formats" test ${#formats[@]} -gt 14

# convert FOLDER LEVEL COMMAND...: all formats at once
convert() {
	local folder=$1 level=$2 to=() format
	shift 2
	mkdir -p "$folder"
	for format in "${formats[@]}"; do
		to+=(--to "$format=$folder/disk.$format")
	done
	"$@" "$ingot" convert disk.raw "${to[@]}" --level "$level" -j2
}

for level in 1 5 9; do
	convert "native-$level" $level
	# SSE2 only; AVX2 and BMI. The machine itself may have AVX-512.
	for cpu in qemu64 Haswell; do
		check "level $level on $cpu" convert "$cpu-$level" $level qemu-x86_64 -cpu $cpu
		check "level $level on $cpu: the same bytes" diff -r "native-$level" "$cpu-$level"
		rm -rf "$cpu-$level"
	done
done
verdict
