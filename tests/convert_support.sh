# shellcheck shell=bash
# Disks to convert and what to ask of the result, for the scripts of tests/interop that hold our
# disk images against other programs. Source it after tally.sh; `ingot` is set, and the current
# folder is one of your own, with the disk in question in in.raw.

: "${ingot:=}" # the program, set before any of these is called

noise() { openssl enc -aes-128-ctr -nosalt -K 00 -iv "$1" -in /dev/zero 2>/dev/null | head -c "$2" || true; }

# text BYTES: compresses about three times
text() { noise 07 "$1" | od -An -v -tx1 | head -c "$1" || true; }

# disk FILE SIZE: text, noise and zeros that are written among holes, up to the last byte
disk() {
	local file=$1 size=$2
	rm -f "$file"
	truncate -s "$size" "$file"
	size=$(stat -c %s "$file")
	put() {
		if [ $(($1 + $2)) -gt "$size" ]; then
			cat >/dev/null
		else
			dd of="$file" bs=64K oflag=seek_bytes seek="$1" conv=notrunc status=none
		fi
	}
	text 3000000 | put 1000 3000000
	noise 01 700001 | put 5000000 700001
	head -c 400000 /dev/zero | put 6000000 400000
	text 200 | put $((size > 200 ? size - 200 : 0)) 200
	text 70000 | put 540000000 70000
	noise 02 300 | put 0 300
}

# as_qemu NAME: the word for qemu-img
as_qemu() {
	case $1 in
	qcow2*) printf qcow2 ;;
	vhd*) if [ "$1" = vhdx ]; then printf vhdx; else printf vpc; fi ;;
	vmdk*) printf vmdk ;;
	*) printf '%s' "$1" ;;
	esac
}

# The bytes that 7-Zip takes out are the disk, or the disk and zeros up to a whole sector or grain.
seven_zip_reads() { # FILE DISK
	local size
	size=$(stat -c %s "$2")
	rm -rf x && mkdir x && 7z l "$1" && 7z x -y -ox "$1" && [ "$(find x -type f | wc -l)" = 1 ] &&
		cmp -n "$size" x/* "$2" && [ "$(stat -c %s x/*)" -lt $((size + 65536)) ] &&
		cmp <(tail -c +$((size + 1)) x/*) <(head -c $(($(stat -c %s x/*) - size)) /dev/zero)
}

same_disk() { # FILE DISK: read by us
	local size
	size=$(stat -c %s "$2")
	"$ingot" convert "$1" --to raw=back.raw && cmp -n "$size" back.raw "$2" &&
		[ "$(stat -c %s back.raw)" -lt $((size + 65536)) ] &&
		cmp <(tail -c +$((size + 1)) back.raw) \
			<(head -c $(($(stat -c %s back.raw) - size)) /dev/zero)
}

# reads NAME FORMAT OPTIONS...: what qemu-img makes of in.raw is read by us
reads() {
	local what=$1 format=$2
	shift 2
	rm -f peer
	if ! qemu-img convert -f raw -O "$format" "$@" in.raw peer >/dev/null 2>&1; then
		check "$what: made by qemu-img" false
		return
	fi
	check "$what" same_disk peer in.raw
}

# refused NAME WORDS FILE: in one line with these words, and there is no output
refused() {
	local name=$1 words=$2 got=0
	rm -f new.raw
	"$ingot" convert "$3" --to raw=new.raw >out.txt 2>err.txt || got=$?
	check "refused: $name" test "$got" = 2
	check "refused: $name: says why" grep -q -- "$words" err.txt
	check "refused: $name: in one line" test "$(wc -l <err.txt)" = 1
	check "refused: $name: no output" test ! -e new.raw
}

# patch FILE OFFSET BYTES: in printf's notation
patch() { printf "%b" "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
