#!/bin/bash
# Hash tree and parity: ours and veritysetup's in turn on the same file. What the parity alone
# takes is the difference to a run without. Prints medians and ratios; nothing fails because it
# is slow.
#
# usage: fec.sh INGOT FILE [ROOTS [RUNS]]
set -euo pipefail
export LC_ALL=C

ingot=$(realpath "${1:?usage: fec.sh INGOT FILE [ROOTS [RUNS]]}")
file=$(realpath "${2:?usage: fec.sh INGOT FILE [ROOTS [RUNS]]}")
roots=${3:-2}
runs=${4:-5}
work=$(mktemp -d "${TMPDIR:-/dev/shm}/ingot-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

identity=(--salt="$(printf %064x 1)" --uuid=00112233-4455-6677-8899-aabbccddeeff)

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

cat "$file" >/dev/null # both read from memory
for ((i = 0; i < runs; i++)); do
	rm -f ./*.hash ./*.fec
	seconds tree "$ingot" verity format "$file" --hash-file tree.hash "${identity[@]}"
	seconds ours "$ingot" verity format "$file" --hash-file ours.hash --fec-file ours.fec \
		--fec-roots "$roots" "${identity[@]}"
	seconds one "$ingot" verity format "$file" --hash-file one.hash --fec-file one.fec -j 1 \
		--fec-roots "$roots" "${identity[@]}"
	seconds peers-tree veritysetup format "$file" peers-tree.hash "${identity[@]}"
	seconds peers veritysetup format "$file" peers.hash --fec-device=peers.fec \
		--fec-roots="$roots" "${identity[@]}"
	cmp ours.hash peers.hash
	cmp ours.fec peers.fec
	cmp one.fec peers.fec
done

awk -v tree="$(median tree)" -v ours="$(median ours)" -v one="$(median one)" \
	-v peers_tree="$(median peers-tree)" -v peers="$(median peers)" \
	-v tree_cpu="$(median tree.cpu)" -v ours_cpu="$(median ours.cpu)" \
	-v peers_tree_cpu="$(median peers-tree.cpu)" -v peers_cpu="$(median peers.cpu)" \
	-v bytes="$(stat -c %s "$file")" -v roots="$roots" -v cores="$(nproc)" -v runs="$runs" '
function ratio(a, b) { return b > 0 ? sprintf("%7.1f", a / b) : "   none" }
BEGIN {
	printf "%d MiB, %d roots; %d cores; medians of %d runs\n", bytes / 1048576, roots, cores, runs
	print "                               wall-clock  processor"
	printf "ingot, tree                    %8.3f s %8.3f s\n", tree, tree_cpu
	printf "ingot, tree and parity         %8.3f s %8.3f s\n", ours, ours_cpu
	printf "ingot, tree and parity, -j 1   %8.3f s\n", one
	printf "veritysetup, tree              %8.3f s %8.3f s\n", peers_tree, peers_tree_cpu
	printf "veritysetup, tree and parity   %8.3f s %8.3f s\n", peers, peers_cpu
	printf "veritysetup : ours             %s    %s\n", ratio(peers, ours),
		ratio(peers_cpu, ours_cpu)
	printf "the same, parity alone         %s    %s\n", ratio(peers - peers_tree, ours - tree),
		ratio(peers_cpu - peers_tree_cpu, ours_cpu - tree_cpu)
}'
