#!/usr/bin/env bash
# Does the guest's kernel itself accept our signature of the root hash, and no other?
#   secure-boot.sh INGOT TREE VIRT-FIRMWARE FOLDER
# TREE and VIRT-FIRMWARE are what `ci/tree.sh small` and `ci/tree.sh virt-firmware` print. The
# firmware has Secure Boot on and knows nobody but our test certificate; the recipe says
# `enforce: true`. The certificate is enrolled in each way that docs/secure-boot.md names: our signed
# updates by a guest and by systemd-boot (enrol.sh), and virt-fw-vars. Ends with "N passed, M failed".
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tally.sh
. "$here/../tally.sh"
ingot=$1 tree=$2 virt_firmware=$3 folder=$4
owner=28fc0c3d-5a16-4d1b-a2b5-6a3b6c0d0b5e # of our entries in PK, KEK and db: any UUID
enforce='/^signing:/a\  enforce: true'

major=$(qemu-system-x86_64 --version | sed -nE '1s/.* version ([0-9]+)\..*/\1/p')
if [ "${major:-0}" -lt 8 ]; then
	printf 'secure-boot.sh: QEMU %s corrupts the guest in system management mode; 8 or newer is needed\n' \
		"${major:-?}" >&2
	exit 2
fi

mkdir -p "$folder"
rm -f "$folder"/*.log
ln -sfn "$tree" "$folder/tree.tar"
"$here/../../signing/make-test-keys.sh" "$folder/keys" >/dev/null
"$here/../../signing/make-test-keys.sh" "$folder/impostor" >/dev/null
trap 'rm -rf "$folder/virt-firmware" "$folder"/*.raw' EXIT
trap 'exit 2' INT TERM

# virt-fw-vars OPTION...: Debian 13's, with its own Python and libraries, on whatever runs here
virt_fw_vars() {
	local root=$folder/virt-firmware
	env -i PYTHONHOME="$root/usr" PYTHONPATH="$root/usr/lib/python3/dist-packages" \
		PYTHONDONTWRITEBYTECODE=1 OPENSSL_MODULES="$root/usr/lib/x86_64-linux-gnu/ossl-modules" \
		"$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
		"$root/usr/bin/python3" "$root/usr/bin/virt-fw-vars" "$@"
}

# enrol CERTIFICATE VARIABLES: a variable store with this certificate as PK, KEK and db
enrol() {
	rm -rf "$folder/virt-firmware"
	mkdir "$folder/virt-firmware"
	tar -xf "$virt_firmware" -C "$folder/virt-firmware" --no-same-owner ./usr/bin ./usr/lib ./usr/lib64 &&
		virt_fw_vars --input /usr/share/OVMF/OVMF_VARS_4M.fd --output "$2" --secure-boot \
			--set-pk "$owner" "$1" --add-kek "$owner" "$1" --add-db "$owner" "$1"
}

# strangers_keys FOLDER: of somebody whose name is not ours either
strangers_keys() {
	mkdir -p "$1" &&
		openssl req -x509 -newkey rsa:2048 -noenc -days 3650 -subj "/CN=TEST stranger" \
			-keyout "$1/root-hash.key" -out "$1/root-hash.crt"
}

# Signed with the key of our certificate, whoever signs the root hash.
secure='/^signing:/a\  secure-boot: {key: keys/root-hash.key, certificate: keys/root-hash.crt}'

# uki IMAGE FILE: its UKI into the file
uki() {
	local esp
	esp=$1@@$(sfdisk --json "$1" | jq -r '.partitiontable | .sectorsize * first(.partitions[] |
		select(.type == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B")).start') || return
	mcopy -o -i "$esp" ::EFI/BOOT/BOOTX64.EFI "$2"
}

# make CASE LAYOUT SED-SCRIPT: the small image of that layout, its recipe changed by the script
make() {
	sed "$3" "$here/recipes/small-$2.yaml" | sed "$secure" >"$folder/$1.yaml" &&
		"$ingot" build "$folder/$1.yaml" --output "$folder/$1" &&
		mv "$folder/$1/small-1.raw" "$folder/$1.raw" &&
		uki "$folder/$1.raw" "$folder/uki.efi" &&
		sbverify --cert "$folder/keys/root-hash.crt" "$folder/uki.efi"
}

# The flatcar image, its UKI not signed.
unsigned_build() {
	sed "$enforce" "$here/recipes/small-flatcar.yaml" >"$folder/plain.yaml" &&
		"$ingot" build "$folder/plain.yaml" --output "$folder/plain" &&
		mv "$folder/plain/small-1.raw" "$folder/plain.raw"
}

# change_command_line IMAGE CHANGED: one byte of a word that only our own guest reads
change_command_line() {
	local at
	at=$(LC_ALL=C grep -abom1 ingot.poweroff "$1" | head -n 1 | cut -d : -f 1) && [ -n "$at" ] &&
		cp --sparse=always "$1" "$2" &&
		printf '~' | dd of="$2" bs=1 seek="$at" conv=notrunc status=none && ! cmp -s "$1" "$2"
}

# start CASE [IMAGE]: with the variable store $variables
start() {
	"$here/boot.sh" "${2:-$folder/$1.raw}" --secure-boot "$folder/$variables" --timeout 600 \
		--log "$folder/$1.log"
}

# said CASE REGEX: it is on the guest's console
said() {
	tr -d '\r' <"$folder/$1.log" | grep -aE "$2"
}

# accepted CASE LAYOUT VARIABLES
accepted() {
	local variables=$3
	check "$1: build with a signed UKI" make "$1" "$2" "$enforce"
	check "$1: it boots" start "$1"
	check "$1: with Secure Boot" said "$1" '[Ss]ecure boot enabled'
	check "$1: the kernel wants signatures" said "$1" '^proof: Y$'
	check "$1: the device was opened with one" \
		said "$1" '^proof: .* verity .* root_hash_sig_key_desc '
	check "$1: its root hash is the manifest's" \
		"$here/check-proof.sh" "$folder/$1.log" "$folder/$1/small-1.manifest.json"
}

# refused CASE REASON SED-SCRIPT: the firmware and the kernel start, the kernel refuses the root hash
refused() {
	check "$1: build with a signed UKI" make "$1" flatcar "$3"
	check "$1: it does not boot" not start "$1"
	check "$1: with Secure Boot" said "$1" '[Ss]ecure boot enabled'
	check "$1: the kernel says why" said "$1" "Root hash verification failed \\(-$2\\)"
	check "$1: there is no proof" not said "$1" '^(INGOT-PROOF-BEGIN|INGOT-PROOF-END|proof: )'
}

check "virt-fw-vars enrols the test certificate" \
	enrol "$folder/keys/root-hash.crt" "$folder/virt-fw-vars.fd"
add "$here/enrol.sh" "$ingot" "$tree" "$folder/keys/root-hash.crt" "$folder/enrol"
check "make a stranger's keys" strangers_keys "$folder/stranger"
[ "$failed" = 0 ] || verdict

accepted flatcar flatcar enrol/by-kernel.fd
accepted discoverable discoverable enrol/by-loader.fd

variables=virt-fw-vars.fd
check "the flatcar image boots with virt-fw-vars' store too" start flatcar
refused stranger ENOKEY "s,keys/,stranger/,; $enforce"
# These test keys are others', with the names and numbers of ours in their certificates.
refused impostor EKEYREJECTED "s,keys/,impostor/,; $enforce"
refused unsigned ENOKEY '/^  cmdline:/s/$/ dm_verity.require_signatures=1/'

# All of it stands on the firmware starting no UKI, and so no command line, but a signed one.
# refused_by_firmware CASE IMAGE
refused_by_firmware() {
	check "the firmware refuses a UKI that is $1" not start firmware "$2"
	check "$1: it says why" said firmware 'BdsDxe: failed to load .*: Access Denied'
	check "$1: no kernel was started" not said firmware 'Linux version|EFI stub'
}
check "build without a signature" unsigned_build
check "change a byte of a signed one" change_command_line "$folder/flatcar.raw" "$folder/changed.raw"
for variables in enrol/by-kernel.fd enrol/by-loader.fd virt-fw-vars.fd; do
	refused_by_firmware "unsigned, $variables" "$folder/plain.raw"
	refused_by_firmware "changed, $variables" "$folder/changed.raw"
done
verdict
