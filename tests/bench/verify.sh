#!/bin/bash
# `ingot verify` of a raw image beside `veritysetup verify` of its /usr alone, and `sha256sum` of the
# whole: in turn, on the same bytes. Prints medians and ratios; nothing fails because it is slow.
#
# usage: verify.sh INGOT IMAGE CERTIFICATE MANIFEST [RUNS]
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

ingot=$(realpath "${1:?usage: verify.sh INGOT IMAGE CERTIFICATE MANIFEST [RUNS]}")
image=$(realpath "${2:?usage: verify.sh INGOT IMAGE CERTIFICATE MANIFEST [RUNS]}")
certificate=$(realpath "${3:?usage: verify.sh INGOT IMAGE CERTIFICATE MANIFEST [RUNS]}")
manifest=$(realpath "${4:?usage: verify.sh INGOT IMAGE CERTIFICATE MANIFEST [RUNS]}")
runs=${5:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/ingot-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

part() { # CONTENT FIELD
	jq -r ".outputs[0].partitions[] | select(.content == \"$1\") | .$2" "$manifest"
}
cut_out() { # CONTENT FILE
	dd if="$image" of="$2" bs=1M iflag=skip_bytes,count_bytes conv=sparse status=none \
		skip="$(part "$1" start)" count="$(part "$1" size)"
}

# seconds NAME COMMAND...: appends the wall-clock time to NAME, and that of the processors to NAME.cpu.
seconds() {
	local name=$1
	local TIMEFORMAT='%R %U %S'
	shift
	{ time "$@" >"$name.out" 2>&1; } 2>took
	awk '{ print $1 }' took >>"$name"
	awk '{ print $2 + $3 }' took >>"$name.cpu"
}

median() { sort -n "$1" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }

cut_out usr usr
hash=usr options=(--hash-offset="$(jq .usr.hash_offset "$manifest")")
if [ -n "$(part usr-verity start)" ]; then
	cut_out usr-verity hash
	hash=hash options=()
fi
root=$(jq -r .usr.root_hash "$manifest")
verify=("$ingot" verify "$image" --certificate "$certificate" --allow-test-keys)

cat "$image" usr "$hash" >/dev/null # all read from memory
for ((i = 0; i < runs; i++)); do
	seconds ours "${verify[@]}"
	seconds all "${verify[@]}" --manifest "$manifest"
	seconds peer veritysetup verify usr "$hash" "$root" "${options[@]}"
	seconds sums sha256sum "$image"
done

awk -v ours="$(median ours)" -v all="$(median all)" -v peer="$(median peer)" \
	-v sums="$(median sums)" -v ours_cpu="$(median ours.cpu)" -v all_cpu="$(median all.cpu)" \
	-v peer_cpu="$(median peer.cpu)" -v sums_cpu="$(median sums.cpu)" \
	-v usr="$(part usr size)" -v size="$(stat -c %s "$image")" \
	-v used="$(($(stat -c %b "$image") * 512))" -v cores="$(nproc)" -v runs="$runs" '
function ratio(a, b) { return b > 0 ? sprintf("%6.1f", a / b) : "  none" }
BEGIN {
	printf "image of %d MiB, %d MiB of it data, /usr %d MiB; %d cores; medians of %d runs\n",
		size / 1048576, used / 1048576, usr / 1048576, cores, runs
	print "                              wall-clock  processor"
	printf "ingot verify                  %8.3f s %8.3f s\n", ours, ours_cpu
	printf "ingot verify --manifest       %8.3f s %8.3f s\n", all, all_cpu
	printf "veritysetup verify, /usr      %8.3f s %8.3f s\n", peer, peer_cpu
	printf "sha256sum, image              %8.3f s %8.3f s\n", sums, sums_cpu
	printf "veritysetup / ingot verify: %s; with sha256sum / ingot verify --manifest: %s\n",
		ratio(peer, ours), ratio(peer + sums, all)
}'
