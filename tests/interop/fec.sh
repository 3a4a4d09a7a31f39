#!/bin/bash
# Our forward error correction against that of veritysetup, byte for byte, and repairs by
# veritysetup with our parity.
#
# usage: fec.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

identity=(--salt=5a175a175a175a17 --uuid=00112233-4455-6677-8899-aabbccddeeff)

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

# `veritysetup verify` may say that something is wrong and exit 0: both are asked.
peer_accepts() { # ARGUMENTS...
	local text
	text=$(veritysetup verify "$@" 2>&1) && [ -z "$text" ]
}

peer_repairs() { # ARGUMENTS...
	veritysetup verify "$@" 2>&1 | grep -q 'repairable errors with FEC device'
}

flip() { # FILE OFFSET
	local byte
	byte=$(od -An -v -tu1 -j "$2" -N 1 "$1")
	printf %b "\\x$(printf %x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# --- the same parity ------------------------------------------------------------------------------

# Tree and parity each in a file of its own.
separate() { # DATA ROOTS OPTIONS...
	local data=$1 roots=$2 ours peers
	shift 2
	rm -f ours.* peers.*
	ours=$("$ingot" verity format "$data" --hash-file ours.hash --fec-file ours.fec \
		--fec-roots "$roots" "${identity[@]}" "$@" | root_of) &&
		peers=$(veritysetup format "$data" peers.hash --fec-device=peers.fec \
			--fec-roots="$roots" "${identity[@]}" "$@" | root_of) &&
		[ -n "$ours" ] && [ "$ours" = "$peers" ] && cmp ours.fec peers.fec &&
		peer_accepts "$data" ours.hash "$ours" --fec-device=ours.fec --fec-roots="$roots" &&
		exits 0 "$ingot" verity check "$data" --hash-file peers.hash --root-hash "$peers" \
			--fec-file peers.fec --fec-roots "$roots"
}

# The tree behind the data, the parity in a file of its own. What follows is protected too.
appended() { # DATA ROOTS BYTES_BEHIND
	local data=$1 roots=$2 size place ours peers
	size=$(stat -c %s "$data")
	rm -f ours.* peers.*
	for who in ours peers; do
		cp "$data" $who.img
		[ "$3" = 0 ] || noise 77 "$3" >>$who.img
	done
	place=(--data-blocks=$((size / 4096)) --hash-offset="$size")
	ours=$("$ingot" verity format ours.img "${place[@]}" --fec-file ours.fec \
		--fec-roots "$roots" "${identity[@]}" | root_of) &&
		peers=$(veritysetup format peers.img peers.img "${place[@]}" --fec-device=peers.fec \
			--fec-roots="$roots" "${identity[@]}" | root_of) &&
		[ -n "$ours" ] && [ "$ours" = "$peers" ] && cmp ours.img peers.img &&
		cmp ours.fec peers.fec &&
		exits 0 "$ingot" verity check peers.img --hash-offset "$size" --root-hash "$peers" \
			--fec-file peers.fec --fec-roots "$roots"
}

# Data, tree and parity in one file. veritysetup wants the file to reach up to the parity.
all_in_one() { # DATA ROOTS OFFSET
	local data=$1 roots=$2 size place ours peers
	size=$(stat -c %s "$data")
	rm -f ours.* peers.*
	for who in ours peers; do
		cp "$data" $who.img
		truncate -s "$3" $who.img
	done
	place=(--data-blocks=$((size / 4096)) --hash-offset="$size")
	ours=$("$ingot" verity format ours.img "${place[@]}" --fec-offset "$3" --fec-roots "$roots" \
		"${identity[@]}" | root_of) &&
		peers=$(veritysetup format peers.img peers.img "${place[@]}" --fec-device=peers.img \
			--fec-offset="$3" --fec-roots="$roots" "${identity[@]}" | root_of) &&
		[ -n "$ours" ] && [ "$ours" = "$peers" ] && cmp ours.img peers.img &&
		exits 0 "$ingot" verity check ours.img --hash-offset "$size" --root-hash "$ours" \
			--fec-offset "$3" --fec-roots "$roots"
}

for blocks in 1 127 16385 16384; do # the last is 64 MiB
	noise 01 $((blocks * 4096)) >data
	for roots in 2 8 24; do
		check "$blocks blocks, $roots roots, own files" separate data $roots
		# Behind a single block there is no tree, and there veritysetup fails.
		[ $blocks = 1 ] ||
			check "$blocks blocks, $roots roots, tree appended" appended data $roots 0
	done
done
noise 02 $((3000 * 4096)) >data
for roots in 2 3 5 7 11 13 17 19 23; do
	check "3000 blocks, $roots roots, own files" separate data $roots
done
for size in 512 1024 2048; do
	check "blocks of $size" separate data 4 --data-block-size=$size --hash-block-size=$size
done
for behind in $((60 * 4096)) $((300 * 4096 + 1000)); do
	check "$behind bytes behind the data" appended data 2 $behind
done
for behind in 30 400; do
	for roots in 2 24; do
		check "all in one file, parity $behind blocks behind the data, $roots roots" \
			all_in_one data $roots $(((3000 + behind) * 4096))
	done
done

# Holes, and any number of jobs.
truncate -s 200M sparse
noise 03 3000000 | dd of=sparse bs=1M seek=77 conv=notrunc status=none
check "200 MiB with holes" separate sparse 2
jobs() {
	"$ingot" verity format sparse --hash-file a.hash --fec-file a.fec -j 1 -q &&
		"$ingot" verity format sparse --hash-file b.hash --fec-file b.fec -j 7 -q &&
		cmp a.fec b.fec
}
check "-j 1 and -j 7" jobs
offset_in_file() {
	"$ingot" verity format data --hash-file a.hash --fec-file a.fec --fec-offset 8192 -q &&
		"$ingot" verity format data --hash-file b.hash --fec-file b.fec -q &&
		cmp --ignore-initial=8192:0 a.fec b.fec && cmp -n 8192 a.fec /dev/zero
}
check "--fec-offset in a file of its own" offset_in_file

# --- repair -------------------------------------------------------------------------------------------

root=$("$ingot" verity format data --hash-file ours.hash --fec-file ours.fec --fec-roots 4 | root_of)
ours=(ours.hash "$root" --fec-device=ours.fec --fec-roots=4)
mine=(--hash-file ours.hash --root-hash "$root" --fec-file ours.fec --fec-roots 4)

check "nothing to repair" peer_accepts data "${ours[@]}"
cp data bad
for at in 0 5000000 $((3000 * 4096 - 1)); do
	flip bad $at
done
check "veritysetup repairs three bytes with our parity" peer_repairs bad "${ours[@]}"
cp data bad
noise 09 $((20 * 4096)) | dd of=bad bs=4096 seek=100 conv=notrunc status=none
check "and 20 whole blocks" peer_repairs bad "${ours[@]}"
cp data bad
noise 09 $((40 * 4096)) | dd of=bad bs=4096 seek=100 conv=notrunc status=none
check "but not 40, more than the code can repair" not peer_repairs bad "${ours[@]}"
cp ours.fec kept
flip ours.fec 7
check "good data beside a bad parity" peer_accepts data "${ours[@]}"

# --- our check ------------------------------------------------------------------------------------------

# The first wrong byte is at OFFSET; data and tree are still said to be good.
parity_refused() { # OFFSET
	exits 1 "$ingot" verity check data "${mine[@]}" --json &&
		grep -q '"result": *"verified"' out.txt && grep -q '"fec": *"not verified"' out.txt &&
		grep -q ", at $1 of 'ours.fec', is wrong" err.txt
}
check "a wrong byte in the parity" parity_refused 7
for at in 0 50000 $(($(stat -c %s kept) - 1)); do
	cp kept ours.fec
	flip ours.fec "$at"
	check "a wrong byte in the parity, at $at" parity_refused "$at"
done
cp kept ours.fec
check "all is well again" exits 0 "$ingot" verity check data "${mine[@]}"
both_refused() {
	exits 1 "$ingot" verity check bad "${mine[@]}" --json &&
		grep -q '"result": *"not verified"' out.txt && grep -q '"fec": *"not verified"' out.txt
}
check "bad data: neither is verified" both_refused
wrong_roots=("${mine[@]:0:6}" --fec-roots 3)
check "the parity of other roots" exits 1 "$ingot" verity check data "${wrong_roots[@]}"

# --- what cannot be done, and leaves everything as it was ---------------------------------------------------

cannot() { # WORDS ARGUMENTS...
	local words=$1
	shift
	sha256sum data ours.hash ours.fec >before
	exits 2 "$ingot" verity "$@" && grep -q -- "$words" err.txt &&
		sha256sum -c --quiet before && [ ! -e new.hash ] && [ ! -e new.fec ]
}
new=(format data --hash-file new.hash)
check "cannot: one root" cannot "1 FEC roots" "${new[@]}" --fec-file new.fec --fec-roots 1
check "cannot: 25 roots" cannot "25 FEC roots" "${new[@]}" --fec-file new.fec --fec-roots 25
check "cannot: roots and no place for the parity" cannot "give --fec-file" "${new[@]}" --fec-roots 2
check "cannot: blocks of two sizes" cannot "of one size" "${new[@]}" --fec-file new.fec \
	--hash-block-size 1024
check "cannot: the parity over its data" cannot "has the data or" "${new[@]}" --fec-file ./data
check "cannot: one new file for tree and parity" cannot "has the data or" "${new[@]}" \
	--fec-file ./new.hash
check "cannot: the parity in the tree" cannot "inside the hash area" "${new[@]}" --fec-offset 4096
check "cannot: part of a block" cannot "not a multiple of 4096" "${new[@]}" --fec-file new.fec \
	--fec-offset 512
check "cannot: an offset beyond everything" cannot "too large" "${new[@]}" --fec-file new.fec \
	--fec-offset 9223372036854771712
check "cannot: parity to standard output" cannot "standard output" "${new[@]}" --fec-file -
check "cannot: parity into a folder that is not there" cannot "nowhere" "${new[@]}" \
	--fec-file nowhere/new.fec
head -c 8192 kept >short
check "cannot: a parity that is too short" cannot "'short' ends at 8192" \
	check data --hash-file ours.hash --root-hash "$root" --fec-file short --fec-roots 4

verdict
