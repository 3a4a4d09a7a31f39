#!/usr/bin/env bash
# Let firmware in setup mode enrol what `ingot sign efi-variable` writes:
#   enrol.sh INGOT TREE CERTIFICATE FOLDER
# TREE is what `ci/tree.sh small` prints. CERTIFICATE becomes db, the keys of PK and KEK are made.
# Once a guest's kernel hands the updates to the firmware, with those that it must not take among
# them (FOLDER/by-kernel.fd is the variable store then); once systemd-boot does (FOLDER/by-loader.fd).
# Ends with "N passed, M failed".
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
ingot=$(realpath "$1") tree=$(realpath "$2") certificate=$(realpath "$3") folder=$4
mkdir -p "$folder"
cd "$folder"
rm -rf updates tree esp ./*.fd ./*.log
trap 'rm -rf updates tree esp ./*.img' EXIT
trap 'exit 2' INT TERM
epoch=1767225600

# key NAME
key() {
	openssl req -x509 -newkey rsa:2048 -noenc -days 3650 -subj "/CN=TEST $1" -keyout "$1.key" -out "$1.crt"
}

keys() {
	local name
	for name in PK KEK other stranger; do
		key "$name" || return
	done
}

# update FILE VARIABLE LIST SIGNER SECONDS [OPTION]
update() {
	"$ingot" sign efi-variable "$2" "$3.esl" --key "$4.key" --certificate "$4.crt" \
		--epoch $((epoch + $5)) "${@:6}" --output "updates/$1"
}

# In setup mode the order is db, KEK, PK; then the mode is over, until PK is removed.
updates() {
	"$ingot" sign efi-list PK.crt --output PK.esl &&
		"$ingot" sign efi-list KEK.crt --output KEK.esl &&
		"$ingot" sign efi-list other.crt --output other.esl &&
		"$ingot" sign efi-list "$certificate" --output db.esl &&
		: >empty.esl && mkdir updates &&
		update 01-db.taken db db KEK 0 &&
		update 02-KEK.taken KEK KEK PK 0 &&
		update 03-PK.taken PK PK PK 0 &&
		update 04-db-by-stranger.refused db other stranger 60 &&
		update 05-db-of-the-same-time.refused db db KEK 0 &&
		update 06-db-append.taken db other KEK 60 --append &&
		update 07-KEK-by-stranger.refused KEK KEK stranger 60 &&
		update 08-PK-by-KEK.refused PK PK KEK 60 &&
		update 09-PK-remove.taken PK empty PK 120 &&
		update 10-PK-anew.taken PK PK PK 180
}

# partition FILE: an ESP from the folder esp
partition() {
	truncate -s 64M "$1" && mformat -i "$1" -F :: && mcopy -s -i "$1" esp/* ::
}

guest() {
	local kernel
	mkdir -p tree esp/EFI/BOOT updates-cpio/updates
	tar -xf "$tree" -C tree --no-same-owner ./boot ./usr/lib/systemd/boot
	kernel=$(echo tree/boot/vmlinuz-*)
	cp "$here/guest/init-enrol.sh" updates-cpio/init
	cp updates/* updates-cpio/updates/
	(cd updates-cpio && find . | cpio --quiet -o -H newc) >updates.img && rm -r updates-cpio
	"$ingot" uki --stub tree/usr/lib/systemd/boot/efi/linuxx64.efi.stub --linux "$kernel" \
		--initrd tree/boot/initrd.img --initrd updates.img --os-release /etc/os-release \
		--cmdline 'console=ttyS0 no_timer_check' --output esp/EFI/BOOT/BOOTX64.EFI &&
		partition guest.img
}

loader() {
	rm -rf esp
	mkdir -p esp/EFI/BOOT esp/loader/keys/auto
	cp tree/usr/lib/systemd/boot/efi/systemd-bootx64.efi esp/EFI/BOOT/BOOTX64.EFI
	printf 'secure-boot-enroll force\n' >esp/loader/loader.conf
	cp updates/01-db.taken esp/loader/keys/auto/db.auth
	cp updates/02-KEK.taken esp/loader/keys/auto/KEK.auth
	cp updates/03-PK.taken esp/loader/keys/auto/PK.auth
	partition loader.img
}

# run NAME REGEX
run() {
	cp /usr/share/OVMF/OVMF_VARS_4M.fd "by-$1.fd"
	"$here/boot.sh" "$2.img" --secure-boot "by-$1.fd" --keep --expect "$3" --timeout 300 --log "$1.log"
}

said() {
	tr -d '\r' <"$1.log" | grep -aE "$2"
}

check "make keys" keys
check "sign updates" updates
check "a guest that enrols them" guest
[ "$failed" = 0 ] || verdict
check "the guest enrols them" run kernel guest '^INGOT-ENROL-END'
check "it began in setup mode" said kernel '^enrol: setup mode 1$'
for file in updates/*; do
	name=$(basename "$file") mode=0
	case $name in
	01-* | 02-* | 09-*) mode=1 ;;
	esac
	check "$name, setup mode $mode" \
		said kernel "^enrol: $name ${name##*.}, setup mode $mode$"
done

check "a disk with systemd-boot" loader
check "systemd-boot enrols them" run loader loader 'successfully enrolled'
verdict
