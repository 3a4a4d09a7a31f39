#!/bin/bash
# A build that signs root hash, UKI and manifest, by keys in files and in a token, judged by sbverify,
# openssl and mtools. Usage: build-signed.sh INGOT
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
umask 077

stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
"$source_dir/signing/make-test-keys.sh" keys >/dev/null
openssl req -x509 -newkey rsa:3072 -noenc -days 3650 -subj "/CN=TEST db" -keyout keys/db.key \
	-out keys/db.crt 2>/dev/null
openssl pkey -in keys/db.key -aes128 -passout pass:sesame -out keys/db-locked.key
printf 'sesame\n' >keys/secret
mkdir -p tree/usr/lib tree/etc
printf 'ID=test\nVERSION_ID=1\n' >tree/usr/lib/os-release
head -c 100000 /dev/zero | tr '\0' x >tree/usr/lib/file
printf 'an initrd' >initrd
cat >disk.yaml <<END
name: disk
description: small, with a partition for everything
sector-size: 512
alignment: 1M
size: 80M
partitions:
  - {number: 1, label: ESP, type: esp, size: 40M, content: esp, filesystem: fat32,
     filesystem-label: ESP}
  - {number: 2, label: USR-A, type: linux-data, size: 4M, content: usr,
     filesystem: ext2, verity: appended}
  - {number: 3, label: ROOT, type: linux-data, size: rest, content: root,
     filesystem: ext4, filesystem-label: ROOT}
END

# recipe NAME SIGNING: a recipe with these lines under signing
recipe() {
	cat >"$1.yaml" <<END
name: test
version: "1"
architecture: x86-64
epoch: 1000000000
layout: ./disk.yaml
tree: tree
boot: {linux: $stub, initrd: [initrd], stub: $stub, cmdline: quiet}
signing:
  key: keys/root-hash.key
  certificate: keys/root-hash.crt
$2
outputs: [raw]
END
}
# build NAME: into the folder NAME; its UKI to NAME.efi
build() {
	"$ingot" build "$1.yaml" --output "$1" --quiet &&
		mcopy -o -i "$1/test-1.raw@@1M" ::EFI/BOOT/BOOTX64.EFI "$1.efi"
}
bad() {
	local words=$1
	! "$ingot" build "$2.yaml" --output "$2" --quiet >message 2>&1 && cat message &&
		grep -qF -- "$words" message && [ ! -e "$2/test-1.raw" ]
}

recipe plain ''
recipe signed '  manifest: true
  secure-boot: {key: keys/db.key, certificate: keys/db.crt}'
check "build, only the root hash signed" build plain
check "build, the UKI and the manifest signed too" build signed
check "sbverify accepts the UKI" sbverify --cert keys/db.crt signed.efi
check "... not by another certificate" not sbverify --cert keys/root-hash.crt signed.efi
check "... and the other one not at all" not sbverify --cert keys/db.crt plain.efi
check "it is what sign pe makes of the other" "$ingot" sign pe plain.efi --key keys/db.key \
	--certificate keys/db.crt --output by-hand.efi
check "... indeed" cmp signed.efi by-hand.efi
check "openssl accepts the manifest" openssl cms -verify -binary -inform DER \
	-in signed/test-1.manifest.json.p7s -content signed/test-1.manifest.json -CAfile keys/ca.crt \
	-purpose any -out /dev/null
check "the manifest says what is signed" jq -e \
	'.uki == {"path": "EFI/BOOT/BOOTX64.EFI", "signed": true} and .usr.signed' signed/test-1.manifest.json
check "... and what is not" jq -e '.uki.signed == false' plain/test-1.manifest.json
mv signed first
check "again" build signed
check "the same bytes" diff -r first signed

recipe locked '  manifest: true
  secure-boot: {key: keys/db-locked.key, certificate: keys/db.crt, passphrase-file: keys/secret}'
check "with a passphrase" build locked
check "the same image" cmp first/test-1.raw locked/test-1.raw
recipe wrong '  secure-boot: {key: keys/db-locked.key, certificate: keys/db.crt, passphrase-file: disk.yaml}'
check "a wrong passphrase" bad "wrong passphrase" wrong
recipe pair '  secure-boot: {key: keys/db.key, certificate: keys/root-hash.crt}'
check "another's certificate" bad "does not belong to certificate" pair
recipe pin '  secure-boot: {key: keys/db.key, certificate: keys/db.crt, pin-file: keys/secret}'
check "a PIN for a file" bad "a key in a file has a passphrase" pin

# --- the same keys in a token

module=$(find /usr/lib -name libsofthsm2.so -print -quit)
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$work" >softhsm2.conf
export SOFTHSM2_CONF=$work/softhsm2.conf
token() {
	softhsm2-util --init-token --free --label release --so-pin 4321 --pin sesame &&
		softhsm2-util --import keys/db.key --token release --label db --id 01 --pin sesame &&
		softhsm2-util --import keys/root-hash.key --token release --label usr --id 02 --pin sesame
}
check "a token with both keys" token
recipe token "  manifest: true
  pin-file: keys/secret
  secure-boot:
    key: pkcs11:token=release;object=db?module-path=$module
    certificate: keys/db.crt
    pin-file: keys/secret"
sed -i "s|key: keys/root-hash.key|key: 'pkcs11:token=release;object=usr?module-path=$module'|" token.yaml
check "build with the token" build token
check "the same image" cmp first/test-1.raw token/test-1.raw
printf 'emases\n' >keys/wrong
sed '/^  pin-file/s/secret/wrong/' token.yaml >wrong-pin.yaml
check "a wrong PIN" bad "wrong PIN for token 'release'" wrong-pin

verdict
