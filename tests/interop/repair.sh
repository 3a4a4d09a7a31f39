#!/bin/bash
# Repair by parity, with parity made by veritysetup and by us: repair.sh INGOT
# What was spoiled comes back byte for byte; what veritysetup calls repairable is, and what not, not.
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

# Random bytes that are the same on every run.

root_of() { sed -n 's/^Root hash:[[:space:]]*//p'; }

exits() { # STATUS COMMAND...
	local want=$1 got=0
	shift
	"$@" >out.txt 2>err.txt || got=$?
	[ "$got" = "$want" ] && return
	cat out.txt err.txt
	return 1
}

# spoil FILE BLOCK...
spoil() {
	local file=$1
	shift
	for block in "$@"; do
		noise "5$block" 4096 | dd of="$file" bs=4096 seek="$block" conv=notrunc status=none
	done
}

# veritysetup does not tell the decoder which bytes are lost, so that it repairs half as many.
peer_says() { # repairable|lost ARGUMENTS...
	local want=$1 text
	shift
	text=$(veritysetup verify "$@" 2>&1) || : # it fails in either case
	case $text in
	*'repairable errors with FEC device'*) [ "$want" = repairable ] ;;
	*) [ "$want" = lost ] ;;
	esac
}

blocks=5000
noise 01 $((blocks * 4096)) >data
size=$((blocks * 4096))

# --- data, tree and parity each in a file ----------------------------------------------------------
for roots in 2 7 24; do
	root=$(veritysetup format data hash --fec-device=fec --fec-roots=$roots --salt=5a17 \
		--uuid=00112233-4455-6677-8899-aabbccddeeff | root_of)
	fec=(--fec-file fec --fec-roots "$roots")
	peer_fec=(--fec-device=fec --fec-roots="$roots")

	# Blocks this far apart share their parity.
	apart=$(((blocks + 41 + 254 - roots) / (255 - roots)))

	cp data bad && cp hash badhash
	mapfile -t list < <(seq 3 $apart $((3 + apart * (roots - 1))))
	spoil bad "${list[@]:0:roots/2}"
	check "$roots roots: half as many: veritysetup" peer_says repairable bad hash "$root" "${peer_fec[@]}"
	spoil bad "${list[@]}" 2
	check "$roots roots: as many as can be: veritysetup" peer_says lost bad hash "$root" "${peer_fec[@]}"
	check "$roots roots: as many as can be: repaired" exits 0 "$ingot" verity repair bad \
		--hash-file badhash "${fec[@]}" --root-hash "$root" --output good --hash-output goodhash
	check "... the same bytes" cmp data good
	check "... and those of the tree" cmp hash goodhash

	# The root's block of the tree, one below it, a leaf, and a block of data.
	cp data bad
	spoil badhash 1 2 20
	spoil bad 900 # with the root in one group
	check "$roots roots: the tree, from its root on" exits 0 "$ingot" verity repair bad \
		--hash-file badhash "${fec[@]}" --root-hash "$root" --output good2 --hash-output goodhash2
	check "... the same bytes" cmp data good2
	check "... and those of the tree" cmp hash goodhash2

	cp data bad
	mapfile -t list < <(seq 3 $apart $((3 + apart * roots)))
	spoil bad "${list[@]}"
	rm -f good goodhash
	check "$roots roots: one more: veritysetup" peer_says lost bad hash "$root" "${peer_fec[@]}"
	check "$roots roots: one more: lost" exits 1 "$ingot" verity repair bad --hash-file hash "${fec[@]}" \
		--root-hash "$root" --output good --hash-output goodhash
	check "... nothing is written" not ls good goodhash
	check "... and the blocks are named" grep -q "lost: data block 3, at 12288 of 'bad'" err.txt
	check "... all of them" test "$(grep -c 'lost: data' err.txt)" = $((roots + 1))
done

# --- all in one file --------------------------------------------------------------------------------
cp data all
root=$("$ingot" verity format all --data-blocks $blocks --hash-offset $size --fec-offset $((size + 65 * 4096)) \
	--fec-roots 4 | root_of)
place=(--hash-offset "$size" --fec-offset $((size + 65 * 4096)) --fec-roots 4 --root-hash "$root")
cp all bad
spoil bad 0 1 2 3 4 5 $((blocks + 1)) $((blocks + 30))
check "one file: repaired" exits 0 "$ingot" verity repair bad "${place[@]}" --output good --json
check "... the same bytes" cmp all good
check "... eight blocks" test "$(jq .repaired out.txt)" = 8
check "... in the list" test "$(jq -c '[.repaired_blocks[] | select(.level == "data") | .block] | sort' out.txt)" = '[0,1,2,3,4,5]'
cp all bad
spoil bad 7 8 9 $((blocks + 66)) # the last is of the parity, of other blocks
check "one file: parity that is wrong too" exits 0 "$ingot" verity repair bad "${place[@]}" --output good
check "... is made anew" cmp all good
check "... and said" grep -q 'made anew' out.txt
check "a file that is whole" exits 0 "$ingot" verity repair all "${place[@]}" --output good
check "... stays as it is" cmp all good
check "no parity" exits 2 "$ingot" verity repair all --hash-offset $size --root-hash "$root" --output good
cp all bad
spoil bad 7
check "standard output, where the report goes" exits 2 "$ingot" verity repair bad "${place[@]}" --output -
check "... nothing is written to it" test ! -s out.txt
check "a wrong root hash" exits 1 "$ingot" verity repair all --hash-offset $size --fec-offset $((size + 65 * 4096)) \
	--fec-roots 4 --root-hash "$(tr 0123456789abcdef 123456789abcdef0 <<<"$root")" --output none
check "... writes nothing" not ls none

verdict
