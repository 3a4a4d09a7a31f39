#!/bin/bash
# The hash tree alone: ours and veritysetup's in turn on the same file, beside what libcrypto
# reaches on all cores. Prints medians and ratios; nothing fails because it is slow.
#
# usage: verity.sh INGOT FILE [RUNS]
set -euo pipefail
export LC_ALL=C

ingot=$(realpath "${1:?usage: verity.sh INGOT FILE [RUNS]}")
file=$(realpath "${2:?usage: verity.sh INGOT FILE [RUNS]}")
runs=${3:-7}
work=$(mktemp -d "${TMPDIR:-/dev/shm}/ingot-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

salt=$(printf %064x 1)
bytes=$(stat -c %s "$file")
data=$(($(stat -c %b "$file") * 512)) # what is not a hole

# seconds NAME COMMAND...: appends the wall-clock time to NAME.
seconds() {
	local name=$1 start end
	shift
	start=$(date +%s.%N)
	"$@" >"$name.out"
	end=$(date +%s.%N)
	awk "BEGIN { print $end - $start }" >>"$name"
}

median() { sort -n "$1" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }

root_of() { sed -n 's/^Root hash:[[:space:]]*//p' "$1"; }

cat "$file" >/dev/null # both read from memory
for ((i = 0; i < runs; i++)); do
	rm -f ours.hash peers.hash
	seconds ours "$ingot" verity format "$file" --hash-file ours.hash --salt "$salt"
	seconds ours-j1 "$ingot" verity format "$file" --hash-file ours1.hash --salt "$salt" -j 1
	seconds peers veritysetup format "$file" peers.hash --salt="$salt"
	# An exit status alone says little of veritysetup: the root hashes must be there and agree.
	root=$(root_of ours.out)
	if [ -z "$root" ] || [ "$root" != "$(root_of peers.out)" ]; then
		echo "the root hashes differ: nothing to compare" >&2
		exit 1
	fi
done

# The last line of `openssl speed` ends in thousands of bytes a second; holes are not hashed.
speed=$(openssl speed -elapsed -seconds 3 -multi "$(nproc)" -bytes 4096 -evp sha256 2>/dev/null |
	awk '/^sha256/ { print $NF * 1000 }')

awk -v ours="$(median ours)" -v one="$(median ours-j1)" -v peers="$(median peers)" \
	-v bytes="$bytes" -v data="$data" -v speed="$speed" -v cores="$(nproc)" -v runs="$runs" '
BEGIN {
	mib = 1024 * 1024
	printf "%d MiB, of which %d MiB are data; %d cores; medians of %d runs\n", bytes / mib,
		data / mib, cores, runs
	printf "ingot verity format        %6.3f s  %6.0f MB/s of data\n", ours, data / ours / 1e6
	printf "ingot verity format -j 1   %6.3f s  %6.0f MB/s of data\n", one, data / one / 1e6
	printf "veritysetup format         %6.3f s  %6.0f MB/s of the file\n", peers,
		bytes / peers / 1e6
	printf "openssl speed -multi %-4d           %6.0f MB/s\n", cores, speed / 1e6
	printf "veritysetup : ours                  %6.2f\n", peers / ours
	printf "ours : openssl speed                %6.2f\n", data / ours / speed
}'
