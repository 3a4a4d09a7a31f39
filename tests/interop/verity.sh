#!/bin/bash
# Our hash trees against those of veritysetup, byte for byte and in both directions.
#
# usage: verity.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

uuid=00112233-4455-6677-8899-aabbccddeeff

# count NAME STATUS: one line for a case that ended with STATUS.
count() {
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "ok      $1"
	else
		failed=$((failed + 1))
		echo "FAILED  $1"
	fi
}

# Random bytes that are the same on every run.

salt_of() { # BYTES
	if [ "$1" = 0 ]; then echo -; else noise 5a17 "$1" | od -An -v -tx1 | tr -d ' \n'; fi
}

root_of() { sed -n 's/^Root hash:[[:space:]]*//p'; }

# `veritysetup verify` prints its verdict and exits 0 for some bad trees: both are asked.
peer_accepts() { # ARGUMENTS...
	local text
	text=$(veritysetup verify "$@" 2>&1) || return 1
	[ -z "$text" ]
}

exits() { # STATUS COMMAND...
	local want=$1 got=0
	shift
	"$@" >out.txt 2>err.txt || got=$?
	[ "$got" = "$want" ]
}

flip() { # FILE OFFSET
	local byte
	byte=$(od -An -v -tu1 -j "$2" -N 1 "$1")
	printf %b "\\x$(printf %x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# --- the same tree ------------------------------------------------------------------------------

# A tree in a file of its own: FILE and the options that both programs share.
separate() { # NAME FILE OPTIONS...
	local name=$1 data=$2 ours peers
	shift 2
	rm -f ours.hash peers.hash
	ours=$("$ingot" verity format "$data" --hash-file ours.hash --uuid=$uuid "$@" | root_of)
	peers=$(veritysetup format "$data" peers.hash --uuid=$uuid "$@" | root_of)
	[ -n "$ours" ] && [ "$ours" = "$peers" ] && cmp ours.hash peers.hash &&
		peer_accepts "$data" ours.hash "$ours" &&
		exits 0 "$ingot" verity check "$data" --hash-file peers.hash --root-hash "$peers"
	count "$name, own file" $?
}

# A tree behind the data, in the same file.
appended() { # NAME FILE OPTIONS...
	local name=$1 data=$2 size ours peers
	shift 2
	size=$(stat -c %s "$data")
	cp --sparse=always "$data" ours.img
	cp --sparse=always "$data" peers.img
	ours=$("$ingot" verity format ours.img --hash-offset "$size" --uuid=$uuid "$@" | root_of)
	peers=$(veritysetup format peers.img peers.img --hash-offset="$size" --uuid=$uuid "$@" |
		root_of)
	[ -n "$ours" ] && [ "$ours" = "$peers" ] && cmp ours.img peers.img &&
		peer_accepts ours.img ours.img "$ours" --hash-offset="$size" &&
		exits 0 "$ingot" verity check peers.img --hash-offset "$size" --root-hash "$peers"
	count "$name, appended" $?
}

both() { # (what fails in them is counted there)
	separate "$@" || :
	appended "$@" || :
}

data_of() { # BLOCKS BLOCK_SIZE
	rm -f data
	noise 01 $(($1 * $2)) >data
}

set +e # from here on a failure is counted

salt=$(salt_of 32)
for blocks in 1 127 128 129 16384 16385; do
	data_of $blocks 4096
	both "$blocks blocks of 4096, sha256, salt of 32 bytes" data --salt="$salt"
done

for size in 512 1024 2048 4096; do
	for hash_size in 512 1024 2048 4096; do
		data_of 1000 $size
		both "1000 blocks of $size, hash blocks of $hash_size" data --salt="$salt" \
			--data-block-size=$size --hash-block-size=$hash_size
	done
done

data_of 16385 512
for hash_size in 8192 16384 32768 65536 131072 262144 524288; do
	for hash in sha256 sha512; do
		both "16385 blocks of 512, hash blocks of $hash_size, $hash" data --salt="$salt" \
			--data-block-size=512 --hash-block-size=$hash_size --hash=$hash
	done
done

data_of 1000 4096
for hash in sha224 sha256 sha384 sha512; do
	for bytes in 0 1 8 32 63 64 65 128 256; do
		both "1000 blocks of 4096, $hash, salt of $bytes bytes" data --hash=$hash \
			--salt="$(salt_of $bytes)"
	done
done

# 1 GiB, a few MiB of it data, the rest holes.
rm -f data
truncate -s 1G data
for mib in 0 1 511 1023; do
	noise 0$((mib % 10)) 1048576 | dd of=data bs=1M seek=$mib conv=notrunc status=none
done
both "1 GiB with holes" data --salt="$salt"
cp --sparse=never data dense
"$ingot" verity format data --hash-file a.hash -j 1 -q &&
	"$ingot" verity format dense --hash-file b.hash -j 8 -q && cmp a.hash b.hash
count "1 GiB with holes and -j 1, without and -j 8" $?
rm -f dense data

# --- the rest of veritysetup's options -----------------------------------------------------------

data_of 500 4096
rm -f ours.hash peers.hash
ours=$("$ingot" verity format data --hash-file ours.hash --no-superblock --salt="$salt" | root_of)
peers=$(veritysetup format data peers.hash --no-superblock --salt="$salt" | root_of)
[ -n "$ours" ] && [ "$ours" = "$peers" ] && cmp ours.hash peers.hash &&
	peer_accepts data ours.hash "$ours" --no-superblock --salt="$salt" --data-blocks=500 &&
	exits 0 "$ingot" verity check data --hash-file peers.hash --root-hash "$peers" \
		--no-superblock --salt "$salt"
count "no superblock" $?

rm -f ours.hash peers.hash
ours=$("$ingot" verity format data --hash-file ours.hash --data-blocks 129 --salt=- --uuid=$uuid |
	root_of)
peers=$(veritysetup format data peers.hash --data-blocks=129 --salt=- --uuid=$uuid | root_of)
[ -n "$ours" ] && [ "$ours" = "$peers" ] && cmp ours.hash peers.hash
count "the first 129 of 500 blocks" $?

rm -f peers.hash
peers=$(veritysetup format data peers.hash --format=0 --salt="$salt" | root_of)
exits 0 "$ingot" verity check data --hash-file peers.hash --root-hash "$peers"
count "hash type 0 of veritysetup is checked" $?

"$ingot" verity format data --hash-file a.hash -q && "$ingot" verity format data --hash-file b.hash -q &&
	cmp a.hash b.hash
count "the same bytes twice" $?

# --- one wrong byte --------------------------------------------------------------------------------

# 16385 blocks: leaves, two levels above them. $1 is the file, $2 the place.
refused() { # NAME FILE OFFSET WORDS
	flip "$2" "$3"
	exits 1 "$ingot" verity check data --hash-file ours.hash --root-hash "$root" &&
		grep -q -- "$4" err.txt && ! peer_accepts data ours.hash "$root"
	count "refused: $1" $?
	flip "$2" "$3"
}

data_of 16385 4096
root=$("$ingot" verity format data --hash-file ours.hash --salt="$salt" | root_of)
exits 0 "$ingot" verity check data --hash-file ours.hash --root-hash "$root"
count "accepted before anything is flipped" $?
refused "first byte of the data" data 0 "data block 0, at 0 "
refused "middle of the data" data $((8000 * 4096 + 5)) "data block 8000, "
refused "last byte of the data" data $((16385 * 4096 - 1)) "data block 16384, "
refused "root level" ours.hash $((4096 + 40)) "hash level 2 block 0, at 4096 "
refused "level 1, start" ours.hash 8192 "hash level 1 block 0, at 8192 "
refused "level 1, unused bytes at the end" ours.hash $((4 * 4096 - 1)) "hash level 1 block 1, "
refused "leaves, start" ours.hash $((4 * 4096)) "hash level 0 block 0, "
refused "leaves, middle" ours.hash $((70 * 4096)) "hash level 0 block 66, "
refused "leaves, unused bytes at the end" ours.hash $(($(stat -c %s ours.hash) - 1)) \
	"hash level 0 block 128, "
refused "salt in the superblock" ours.hash 90 "hash level 2 block 0, "
exits 0 "$ingot" verity check data --hash-file ours.hash --root-hash "$root"
count "accepted after everything was flipped back" $?
wrong=$(tr 0-9a-f 1-9a-f0 <<<"$root")
exits 1 "$ingot" verity check data --hash-file ours.hash --root-hash "$wrong" &&
	! peer_accepts data ours.hash "$wrong"
count "refused: another root hash" $?

# --- what cannot be done, and leaves everything as it was ------------------------------------------

cannot() { # NAME WORDS ARGUMENTS...
	local name=$1 words=$2
	shift 2
	sha256sum data ours.hash >before
	exits 2 "$ingot" verity "$@" && grep -q -- "$words" err.txt && sha256sum -c --quiet before &&
		[ ! -e new.hash ]
	count "cannot: $name" $?
}

cannot "no place for the tree" "give --hash-file" format data
cannot "the tree over its data" "--hash-file is DATA itself" format data --hash-file ./data
cannot "hash area inside the data" "inside the data" \
	format data --hash-offset 8192 --data-blocks 16385
cannot "data longer than the offset" "say with --data-blocks" format data --hash-offset 8192
cannot "half a block" "are not whole blocks" format before --hash-file new.hash
cannot "an unknown hash" "hash 'md5'" format data --hash-file new.hash --hash md5
cannot "a block size that is no power of two" "data block size 3000" \
	format data --hash-file new.hash --data-block-size 3000
cannot "a salt that is too long" "salt" format data --hash-file new.hash --salt "$(salt_of 257)"
cannot "more blocks than there are" "not 16386" format data --hash-file new.hash --data-blocks 16386
cannot "no superblock there" "verity superblock: not there" \
	check data --hash-file data --root-hash "$root"
cannot "a root hash that is too short" "31 bytes" \
	check data --hash-file ours.hash --root-hash "${root:0:62}"
head -c $((16384 * 4096)) data >short
cannot "data that is too short" "but its hash tree is for" \
	check short --hash-file ours.hash --root-hash "$root"
head -c 8192 ours.hash >short
cannot "a tree that is too short" "but its hash tree at" \
	check data --hash-file short --root-hash "$root"

verdict
