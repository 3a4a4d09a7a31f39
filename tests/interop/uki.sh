#!/usr/bin/env bash
# Unified kernel images, read by objdump, objcopy and sbsigntool: uki.sh INGOT [STUB KERNEL]
# Without a kernel of the system's, one that has only its headers stands in for it.
set -euo pipefail
stub=$(realpath -- "${2:-/usr/lib/systemd/boot/efi/linuxx64.efi.stub}")
linux=${3:+$(realpath -- "$3")}
# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

export LC_ALL=C SOURCE_DATE_EPOCH=1767225600
hash=$(printf '%064d' 7)

cp -- "$stub" stub
[ -z "$linux" ] || cp -- "$linux" kernel
[ -e kernel ] || cp stub kernel # an EFI program for the right machine
touch empty
printf 'ID=test\nVERSION_ID=1\n' >osrel
head -c 100001 /dev/zero | tr '\0' i >base

check "initrd" "$ingot" initrd --base base --root-hash "$hash" --data-device PARTLABEL=USR-A \
	--hash-device PARTLABEL=USR-A --hash-offset 4096 --output initrd
check "segment starts on 4" test "$(tail -c +100005 initrd | head -c 6)" = 070701
unpack() {
	tail -c +100005 initrd | cpio -i --quiet --to-stdout etc/veritytab |
		grep -x "usr PARTLABEL=USR-A PARTLABEL=USR-A $hash hash-offset=4096"
}
check "cpio reads the segment" unpack

uki() {
	"$ingot" uki --stub stub --linux kernel --initrd initrd --cmdline "$1" \
		--os-release osrel --uname 6.12 --output "$2"
}
check "uki" uki "quiet console=ttyS0" a.efi
check "the same again" uki "quiet console=ttyS0" b.efi
check "the same bytes" cmp a.efi b.efi

# has SECTION FILE: objcopy finds exactly those bytes
has() {
	objcopy --dump-section "$1=got" a.efi ignored && cmp got "$2"
}
printf 'quiet console=ttyS0' >cmdline
printf '6.12' >version
check "objcopy: .osrel" has .osrel osrel
check "objcopy: .cmdline" has .cmdline cmdline
check "objcopy: .uname" has .uname version
check "objcopy: .initrd" has .initrd initrd
check "objcopy: .linux" has .linux kernel
for section in .text .sbat; do
	objcopy --dump-section "$section=was" stub ignored
	check "objcopy: $section is the stub's" has $section was
done

check "objdump" objdump -h a.efi
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 1 -subj "/CN=Ingot TEST" \
	2>/dev/null
check "sbsign" sbsign --key key --cert cert --output signed.efi a.efi
check "sbverify" sbverify --cert cert signed.efi
check "a signed stub: the signature goes" sbsign --key key --cert cert --output stub.signed stub
check "... made" "$ingot" uki --stub stub.signed --linux kernel --initrd initrd \
	--cmdline "quiet console=ttyS0" --os-release osrel --uname 6.12 --output c.efi
check "... not signed" not sbverify --cert cert c.efi

# refuse WORDS TEXT OPTION...: exit status 2, TEXT in the message, no output
refuse() {
	local words=$1 text=$2 status=0
	shift 2
	"$ingot" uki --os-release osrel --output no.efi "$@" >said 2>&1 || status=$?
	check "refused: $words" test "$status" = 2
	check "... for the reason: $text" grep -F -- "$text" said
	check "... and nothing is left" not test -e no.efi
}
cp kernel arm && printf '\x64\xaa' |
	dd of=arm bs=1 conv=notrunc status=none seek=$(($(od -An -tu4 -j60 -N4 kernel) + 4))
refuse "a stub that is no PE file" "stub: 'osrel': not a PE file" \
	--stub osrel --linux kernel --initrd initrd --cmdline x
refuse "a kernel that is no PE file" "not a kernel that EFI can start: 'base'" \
	--stub stub --linux base --initrd initrd --cmdline x
refuse "a kernel for another machine" "kernel 'arm' is for arm64" \
	--stub stub --linux arm --initrd initrd --cmdline x
refuse "an image as a stub" "already has a section '.osrel'" \
	--stub a.efi --linux kernel --initrd initrd --cmdline x
refuse "an empty initrd" "'.initrd' from 'initrd' is empty" \
	--stub stub --linux kernel --initrd empty --cmdline x
refuse "two lines" "a line break" \
	--stub stub --linux kernel --initrd initrd --cmdline $'a\nb'
verdict
