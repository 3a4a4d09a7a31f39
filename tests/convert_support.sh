# shellcheck shell=bash
# Disks to convert and what to ask of the result, for the scripts of tests/interop that hold our
# disk images against other programs. Source it after tally.sh; `ingot` is set, and the current
# folder is one of your own, with the disk in question in in.raw.

: "${ingot:=}" # the program, set before any of these is called

# text BYTES: compresses about three times
text() {
	noise 07 "$1" | od -An -v -tx1 | head -c "$1" || : # od may still have something to say
}

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
	text 1500000 | put 1000 1500000
	noise 01 700001 | put 5000000 700001
	head -c 400000 /dev/zero | put 6000000 400000
	text 200 | put $((size > 200 ? size - 200 : 0)) 200
	text 70000 | put 20000000 70000
	text 70000 | put 140000000 70000
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

# The disk, or the disk and zeros up to a whole sector or grain. (Without -s, qemu-img takes the end of
# the shorter one for zeros.)
padded_disk() { # RAW DISK
	local size more
	size=$(stat -c %s "$2") more=$(stat -c %s "$1")
	[ "$more" -ge "$size" ] && [ "$more" -lt $((size + 65536)) ] &&
		qemu-img compare -q -f raw -F raw "$1" "$2"
}

# holes FILE: standard input, with holes for its zeros
holes() { dd of="$1" bs=64K iflag=fullblock conv=sparse status=none; }

seven_zip_reads() { # FILE DISK
	rm -f x.raw && [ "$(7z l -slt "$1" | grep -c '^Size = ')" = 1 ] && 7z x -so "$1" | holes x.raw &&
		padded_disk x.raw "$2"
}

same_disk() { # FILE DISK: read by us
	"$ingot" convert "$1" --to raw=back.raw && padded_disk back.raw "$2"
}

# exactly FILE DISK: read by us, without a byte more
exactly() {
	rm -f back.raw
	"$ingot" convert "$1" --to raw=back.raw && same back.raw "$2"
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

# made_again FILE OPTION...: what reproducible made of in.raw is made again of FILE, under other names
made_again() {
	local name to=() file=$1
	shift
	for name in "${formats_again[@]}"; do
		to+=(--to "$name=other/another-name.$name")
	done
	rm -rf other && mkdir other && "${clock[@]}" "$ingot" convert "$file" "${to[@]}" "$@" || return 1
	for name in "${formats_again[@]}"; do
		same "all.$name" "other/another-name.$name" || return 1
	done
}
clock=()

# reproducible FORMAT...: in.raw becomes all.FORMAT, and the same bytes whatever else is different
reproducible() {
	local name jobs to=()
	formats_again=("$@")
	for name in "$@"; do
		to+=(--to "$name=all.$name")
	done
	"$ingot" convert in.raw "${to[@]}" -j 1
	for jobs in 2 3 8; do
		TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 \
			check "the same bytes with -j 1 and -j $jobs, another zone and name" \
			made_again in.raw -j $jobs
	done
	cp --sparse=never in.raw dense.raw
	clock=(faketime '2031-05-06 07:08:09')
	umask 077
	check "the same bytes on another day, without holes, with another umask" made_again dense.raw
	umask 022
	clock=()
	rm dense.raw
}

# patch FILE OFFSET BYTES: in printf's notation
patch() { printf "%b" "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
