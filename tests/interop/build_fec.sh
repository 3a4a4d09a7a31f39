#!/bin/bash
# `ingot build` with parity, in the three places where it can be: build_fec.sh INGOT
# veritysetup reads data, tree and parity back, and finds that lost blocks can be repaired.
set -euo pipefail
export LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin:/sbin
unset SOURCE_DATE_EPOCH

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
umask 022

mkdir -p tree/usr/lib
printf 'ID=test\nVERSION_ID=1\n' >tree/usr/lib/os-release
seq 1 300000 >tree/usr/lib/numbers
head -c 3000000 /dev/urandom >tree/usr/lib/noise
find tree -exec touch -h -d @1600000000 {} +
tar --numeric-owner --owner=0 --group=0 -C tree -cf tree.tar .
seq 1 5000 >initrd
cp "$stub" linux

# layout NAME USR-KEYS [LINE...]
layout() {
	local name=$1 usr=$2
	shift 2
	cat >"$name.yaml" <<-LAYOUT
		name: $name
		alignment: 1M
		partitions:
		  - {number: 1, label: ESP, type: esp, size: 36M, content: esp}
		  - {number: 2, label: USR, type: linux-data, size: 16M, content: usr$usr}
	LAYOUT
	[ $# = 0 ] || printf '  - %s\n' "$@" >>"$name.yaml"
}
layout appended ', verity: appended'
layout apart '' '{number: 3, label: HASH, type: linux-data, size: 1M, content: usr-verity}'
layout own ', verity: appended' '{number: 3, label: FEC, type: linux-data, size: 1M, content: usr-fec}'
layout all-apart '' '{number: 3, label: HASH, type: linux-data, size: 1M, content: usr-verity}' \
	'{number: 4, label: FEC, type: linux-data, size: 2M, content: usr-fec}'

# recipe LAYOUT ROOTS [LINE...]
recipe() {
	cat >recipe.yaml <<-RECIPE
		name: test
		version: "1"
		architecture: x86-64
		epoch: 1700000000
		layout: ./$1.yaml
		tree: tree.tar
		usr: {fec-roots: $2, fit: ${fit:-partition}}
		boot:
		  linux: linux
		  initrd: initrd
		  stub: $stub
	RECIPE
	shift 2
	[ $# = 0 ] || printf '%s\n' "$@" >>recipe.yaml
}

manifest() { jq -r "$1" out/test-1.manifest.json; }

# part NUMBER FIELD
part() { manifest ".outputs[0].partitions[] | select(.number == $1) | .$2"; }

# cut NUMBER FILE
cut_out() {
	dd if=out/test-1.raw of="$2" bs=1M iflag=skip_bytes,count_bytes status=none \
		skip="$(part "$1" start)" count="$(part "$1" size)"
}

# Files for data, tree and parity: one partition is one file.
cut_all() {
	local n
	rm -f p.*
	for n in $(manifest '.outputs[0].partitions[].number'); do cut_out "$n" "p.$n"; done
	usr=p.2 hash=p.2
	[ ! "$(part 3 content)" = usr-verity ] || hash=p.3
	fec=p.$(manifest .usr.fec_partition)
	root=$(manifest .usr.root_hash)
	tree=(--hash-offset="$(manifest .usr.hash_offset)")
	parity=(--fec-device="$fec" --fec-offset="$(manifest .usr.fec_offset)"
		--fec-roots="$(manifest .usr.fec_roots)")
}

# veritysetup may say what is wrong, and exit with 0
quiet() {
	local said
	said=$("$@" 2>&1) && [ -z "$said" ] || ! printf '%s\n' "$said"
}

# lose BLOCK...: of /usr
lose() {
	for block in "$@"; do
		head -c 4096 /dev/urandom |
			dd of="$usr" bs=4096 seek="$block" conv=notrunc status=none
	done
}

repairable() {
	veritysetup verify "$usr" "$hash" "$root" "${tree[@]}" "${parity[@]}" 2>&1 |
		grep -q 'repairable errors with FEC device'
}

ours_agrees() {
	local at=()
	[ "$hash" = "$usr" ] || at=(--hash-file "$hash")
	[ "$fec" = "$hash" ] || at+=(--fec-file "$fec")
	"$ingot" verity check "$usr" "${at[@]}" "${tree[@]}" --root-hash "$root" "${parity[@]:1}"
}

# The words for systemd.
words() {
	printf 'fec-device=PARTUUID=%s,fec-offset=%s,fec-roots=%s' \
		"$(part "$(manifest .usr.fec_partition)" uuid)" "$(manifest .usr.fec_offset)" \
		"$(manifest .usr.fec_roots)"
}

# has_words: in the UKI, which is not compressed
has_words() {
	cut_out 1 esp.img
	mcopy -n -i esp.img ::/EFI/BOOT/BOOTX64.EFI uki.efi && grep -qaF -- "$1" uki.efi
}

# verified LAYOUT: all of it, the parity too
verified() {
	"$ingot" verify out/test-1.raw --manifest out/test-1.manifest.json --layout "./$1.yaml" \
		--json >report.json || { cat report.json; return 1; }
	grep -q verity.fec report.json
}

# image LAYOUT ROOTS
image() {
	recipe "$1" "$2"
	check "$1, $2 roots: built" "$ingot" build recipe.yaml --output out -q
	cut_all
	check "$1, $2 roots: veritysetup, without parity" quiet veritysetup verify "$usr" "$hash" \
		"$root" "${tree[@]}"
	check "$1, $2 roots: veritysetup, with it" quiet veritysetup verify "$usr" "$hash" "$root" \
		"${tree[@]}" "${parity[@]}"
	check "$1, $2 roots: ingot verity check" ours_agrees
	check "$1, $2 roots: systemd is told" has_words "$(words)"
	check "$1, $2 roots: e2fsck" e2fsck -fn "$usr"
	check "$1, $2 roots: ingot verify" verified "$1"
	lose 5 700
	check "$1, $2 roots: veritysetup can repair it" repairable
}

for layout in appended apart own all-apart; do
	image $layout 2
	image $layout 8
done
fit=content image appended 24
fit=content image own 4

# --- a vendor's disk, whose table is another ---------------------------------------------------------

cat >mine.yaml <<-VENDOR
	name: mine
	summary: A vendor of our own
	platform: {ignition: mine}
	architectures: [x86-64]
	outputs:
	  - {format: raw.gz, suffix: .raw.gz}
	disk: {size: 120M, round: 1M}
	consoles: [ttyS9]
VENDOR
vendor_words() {
	gzip -dc out/test-1-mine.raw.gz >vendor.raw
	mcopy -no -i "vendor.raw@@$(part 1 start)" ::/EFI/BOOT/BOOTX64.EFI uki.efi && grep -qaF -- "$1" uki.efi
}
vendor_verified() {
	"$ingot" verify out/test-1-mine.raw.gz --manifest out/test-1.manifest.json --layout "./$1.yaml" \
		--json >report.json || { cat report.json; return 1; }
	jq -e 'any(.checks[]; .name == "verity.fec" and .verdict == "good")' report.json
}
for layout in appended apart own all-apart; do
	recipe $layout 2 'outputs: [raw, ./mine.yaml]'
	check "$layout, a vendor's: built" "$ingot" build recipe.yaml --output out -q
	check "$layout, a vendor's: systemd is told" vendor_words "$(words)"
	check "$layout, a vendor's: ingot verify" vendor_verified $layout
done
recipe own 0 'outputs: [raw, ./mine.yaml]'
check "no parity, a vendor's: built" "$ingot" build recipe.yaml --output out -q
check "... no word for systemd" not vendor_words fec-

recipe appended 3
"$ingot" build recipe.yaml --output out -q -j1
cp out/test-1.raw first
"$ingot" build recipe.yaml --output out -q -j4
check "the same bytes with -j1 and -j4" cmp first out/test-1.raw
unit="--fec-device=/dev/disk/by-partuuid/$(part 2 uuid) --fec-offset=$(manifest .usr.fec_offset) --fec-roots=3"
sed -i 's/^boot:/boot:\n  systemd-version: 252/' recipe.yaml
"$ingot" build recipe.yaml --output out -q
check "an old systemd gets a unit" has_words "$unit"

# fails WORDS
fails() {
	local status=0
	"$ingot" build recipe.yaml --output out -q 2>said || status=$?
	[ "$status" = 2 ] && grep -qF -- "$1" said || ! cat said
}
recipe apart 24
check "too small a partition is said" fails "partition 'USR': the parity needs"
recipe apart 25
check "too many roots" fails "recipe.yaml:7:18: FEC roots are 2 to 24, or 0 for no parity"
recipe own 0
"$ingot" build recipe.yaml --output out 2>said >/dev/null
check "a partition that stays empty is worth a note" grep -q "partition 'FEC' is for parity" said
check "... and no word for systemd" not has_words fec-device

verdict
