#!/bin/bash
# Signing on another machine: what is attached has to be what a build with the keys makes.
# Usage: air-gap.sh INGOT
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
umask 077

# shellcheck source=../air_gap_support.sh
. "$source_dir/tests/air_gap_support.sh"

attach() {
	"$ingot" attach "$1/test-1.raw" --response "$1.response.json" \
		--request "$1/test-1.request.json" --manifest "$1/test-1.manifest.json" --json >report
}
several= # lines for more signers
# round LAYOUT WHAT SECURE-BOOT KEYS...: built with the keys and without, compared
round() {
	local name=$1-$2 secure=
	[ -z "$3" ] || secure="  secure-boot: {key: vault/$boot.key, certificate: certificates/$boot.crt}"
	[ -z "$several" ] || secure+=$'\n'$several
	recipe "direct-$name" "$1" vault "$secure"
	recipe "later-$name" "$1" nowhere "${secure//vault/nowhere}"
	# only the name of the recipe may differ in the manifest, so it has the same
	check "$name: build with the keys" build "direct-$name"
	check "$name: build without them" build "later-$name" --sign-later
	check "$name: the images differ" not cmp -s "direct-$name/test-1.raw" "later-$name/test-1.raw"
	check "$name: the manifest has no digest yet" \
		jq -e '.outputs[0].sha256 == null and (.usr.signed | not)' "later-$name/test-1.manifest.json"
	check "$name: sign" sign "later-$name" "${@:4}"
	check "$name: attach" attach "later-$name"
	check "$name: little was written" jq -e '.bytes_written > 0 and .bytes_written < 32768' report
	check "$name: the same image" cmp "direct-$name/test-1.raw" "later-$name/test-1.raw"
	check "$name: the same manifest, but for the recipe" diff \
		<(jq 'del(.inputs[] | select(.role == "recipe"))' "direct-$name/test-1.manifest.json") \
		<(jq 'del(.inputs[] | select(.role == "recipe"))' "later-$name/test-1.manifest.json")
	check "$name: once more" attach "later-$name"
	check "$name: nothing is written" jq -e '.bytes_written == 0' report
	check "$name: the same image still" cmp "direct-$name/test-1.raw" "later-$name/test-1.raw"
}

round appended root-hash ''
round appended both secure --key vault/db.key
round apart both secure --key vault/db.key
co_signers() { # KEYS: lines under signing, keys in this folder
	printf '  co-signers: [{key: %s/db.key, certificate: certificates/db.crt},
    {key: %s/curve.key, certificate: certificates/curve.crt}]' "$1" "$1"
}
several=$(co_signers vault)
round apart several secure --key vault/db.key --key vault/curve.key
several=
check "verify takes any of the signers" bash -c 'for name in root-hash db curve; do
	"$1" verify --layout ./apart.yaml later-apart-several/test-1.raw --certificate vault/$name.crt \
		--allow-test-keys | grep "^good" | grep -q " roothash.trust " || exit 1; done' - "$ingot"
check "... and nobody else" bash -c '! "$1" verify --layout ./apart.yaml later-apart-several/test-1.raw \
	--certificate vault/db-curve.crt --allow-test-keys | grep "^good" | grep -q " roothash.trust "' - "$ingot"
# Each signer's certificate is in the initrd, and systemd needs them all: it asks OpenSSL for the signers
# among the files of verity.d, and takes no certificate from the signature itself.
initrd_certificates() {
	local image=$1/test-1.raw
	rm -rf segment && mkdir segment && mcopy -o -i "$image@@1M" ::EFI/BOOT/BOOTX64.EFI uki.efi &&
		objcopy --dump-section .initrd=segment.cpio uki.efi ignored.efi &&
		(cd segment && tail -c +17 ../segment.cpio | cpio --quiet -idm) && ls segment/etc/verity.d
}
same_certificates() { # CERTIFICATE...: in this order
	local name path=ingot i=1
	[ "$(find segment/etc/verity.d -type f | wc -l)" = $# ] || return 1
	for name in "$@"; do
		cmp "vault/$name.crt" "segment/etc/verity.d/$path.crt" || return 1
		path=ingot-$((++i))
	done
}
systemd_takes() { # FILE...: of the initrd
	(cd segment/etc && cat "${@/#/verity.d/}") >trusted.pem
	openssl smime -verify -binary -inform DER -in segment/etc/usr.p7s -nointern -noverify \
		-certfile trusted.pem -out /dev/null \
		-content <(jq -j .usr.root_hash direct-apart-several/test-1.manifest.json)
}
check "three signers: what is in the initrd" initrd_certificates later-apart-several
check "... the certificate of each" same_certificates root-hash db curve
check "... openssl takes the signature with them" systemd_takes ingot.crt ingot-2.crt ingot-3.crt
check "... and not with the first one alone" not systemd_takes ingot.crt
check "one signer: what is in the initrd" initrd_certificates later-apart-both
check "... its certificate, by its old name" same_certificates root-hash
check "... openssl takes the signature with it" systemd_takes ingot.crt
check "one signer too few" refuses "no key was given for the certificate" sign later-apart-several \
	--key vault/db.key
signer=curve boot=db-curve
round apart curves secure --key vault/db-curve.key
signer=root-hash boot=db
check "sbverify accepts the attached UKI" bash -c 'mcopy -o -i later-apart-both/test-1.raw@@1M \
	::EFI/BOOT/BOOTX64.EFI uki.efi && sbverify --cert vault/db.crt uki.efi'
rows() { # of verify that are good
	"$ingot" verify --layout ./apart.yaml "$1" --certificate vault/root-hash.crt \
		--secure-boot-certificate vault/db.crt --allow-test-keys --manifest "${1%.raw}.manifest.json" |
		grep '^good' | grep -cE ' (roothash.trust|signature.initrd|signature.partition|manifest.digest) '
}
check "sbverify accepts that of an elliptic curve" bash -c 'mcopy -o -i later-apart-curves/test-1.raw@@1M \
	::EFI/BOOT/BOOTX64.EFI uki.efi && sbverify --cert vault/db-curve.crt uki.efi'
check "verify finds its signatures and its digest" [ "$(rows later-apart-both/test-1.raw)" = 4 ]

# --- the same keys in a token -------------------------------------------------------------------

module=$(find /usr/lib -name libsofthsm2.so -print -quit)
[ -n "$module" ] || { printf 'air-gap.sh: there is no SoftHSM2 here (package softhsm2)\n' >&2; exit 2; }
mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\n' "$work" >softhsm2.conf
export SOFTHSM2_CONF=$work/softhsm2.conf
printf 'sesame\n' >pin
make_token() {
	softhsm2-util --init-token --free --label vault --so-pin 4321 --pin sesame &&
		softhsm2-util --import vault/root-hash.key --token vault --label root --id 01 --pin sesame &&
		softhsm2-util --import vault/db.key --token vault --label db --id 02 --pin sesame
}
by_token() {
	local key="pkcs11:token=vault;object=%s?module-path=$module"
	# shellcheck disable=SC2059
	"$ingot" sign --request later-apart-both/test-1.request.json --key "$(printf "$key" root)" \
		--key "$(printf "$key" db)" --pin-file pin --response by-token.json --yes
}
check "a token with both keys" make_token
check "it answers the request" by_token
check "... as the files' keys do, byte for byte" cmp by-token.json later-apart-both.response.json

# --- an attach that was interrupted, and images that are not the one

build later-apart-both --sign-later
dd if=direct-apart-both/test-1.raw of=later-apart-both/test-1.raw bs=512 skip=2048 seek=2048 \
	count=1024 conv=notrunc status=none # the ESP's first half MiB is signed already
check "after a power failure" attach later-apart-both
check "... the same image" cmp direct-apart-both/test-1.raw later-apart-both/test-1.raw
check "the other layout's response" refuses "" "$ingot" attach later-apart-both/test-1.raw \
	--response later-appended-both.response.json
check "... has changed nothing" cmp direct-apart-both/test-1.raw later-apart-both/test-1.raw
check "another request's response" refuses "answers another request" "$ingot" attach \
	later-apart-both/test-1.raw --response later-apart-both.response.json \
	--request later-appended-both/test-1.request.json
jq '.root_hash.signers[0].signature |= ("AAAA" + .[4:])' later-apart-both.response.json >forged.json
check "a forged response" refuses "not made with its key" "$ingot" attach \
	later-apart-both/test-1.raw --response forged.json

jq 'del(.uki.secure_boot)' later-apart-both.response.json >half.json
check "half a response" refuses "room for a signature for Secure Boot, and the response has none" \
	"$ingot" attach later-apart-both/test-1.raw --response half.json

# --- what is asked for and what is shown

check "the request shows what is signed" bash -c "'$ingot' sign --request \
	later-apart-both/test-1.request.json --key vault/root-hash.key --key vault/db.key --response r \
	--yes 2>shown && grep -q \"\$(jq -r .usr.root_hash direct-apart-both/test-1.manifest.json)\" shown &&
	grep -q usrhash= shown && grep -q 'TEST db' shown"
check "a key too few" refuses "no key was given for the certificate" sign later-apart-both
check "a key too many" refuses "is for none of the request's certificates" sign later-apart-both \
	--key vault/db.key --key vault/curve.key
check "a certificate that was not meant" refuses "which is none of those given" sign later-apart-both \
	--key vault/db.key --certificate vault/root-hash.crt
check "no terminal to ask at" refuses "there is no terminal" setsid "$ingot" sign --request \
	later-apart-both/test-1.request.json --key vault/root-hash.key --key vault/db.key --response none
check "... nothing was signed" [ ! -e none ]
check "no" bash -c "printf 'n\n' | script -qec \"'$ingot' sign --request \
	later-apart-both/test-1.request.json --key vault/root-hash.key --key vault/db.key \
	--response none\" typescript; [ \$? = 1 ] && [ ! -e none ]"
check "yes" bash -c "printf 'y\n' | script -qec \"'$ingot' sign --request \
	later-apart-both/test-1.request.json --key vault/root-hash.key --key vault/db.key \
	--response some\" typescript && cmp some later-apart-both.response.json"
jq '.root_hash.hash |= ("00" + .[2:])' later-apart-both/test-1.request.json >other.json
check "a request with another root hash" refuses "'digest' is not that of the hash" "$ingot" sign \
	--request other.json --key vault/root-hash.key --key vault/db.key --response none --yes
digest=$(jq -j '"00" + .root_hash.hash[2:]' later-apart-both/test-1.request.json | sha256sum | cut -d' ' -f1)
jq --arg d "$digest" '.root_hash.digest = $d' other.json >another.json
check "... and the digest of that" refuses "does not open /usr by this root hash" "$ingot" sign \
	--request another.json --key vault/root-hash.key --key vault/db.key --response none --yes

# --- the manifest's own signature comes last

recipe manifest appended nowhere '  manifest: true'
check "a manifest to be signed: build" build manifest --sign-later
check "... is not signed yet" [ ! -e manifest/test-1.manifest.json.p7s ]
check "... sign" sign manifest
check "... attach" attach manifest
check "... sign the manifest" "$ingot" sign file manifest/test-1.manifest.json --key vault/root-hash.key \
	--certificate vault/root-hash.crt --output manifest/test-1.manifest.json.p7s
check "... openssl accepts it" openssl cms -verify -binary -inform DER \
	-in manifest/test-1.manifest.json.p7s -content manifest/test-1.manifest.json -noverify \
	-certfile vault/root-hash.crt -out none.json
manifest_signed() {
	"$ingot" verify --layout ./appended.yaml manifest/test-1.raw --certificate vault/root-hash.crt \
		--allow-test-keys --manifest manifest/test-1.manifest.json | grep -c '^good *manifest.signature'
}
check "... and verify" manifest_signed

# All of it in one trip: the images go to the signing machine, which has nothing else but the keys.
recipe trip apart vault "  manifest: true
  secure-boot: {key: vault/db.key, certificate: certificates/db.crt}"
sed -i 's/^outputs.*/outputs: [raw, qcow2, vmdk]/' trip.yaml
check "one trip with the images: build with the keys" build trip
check "... and without them" "$ingot" build trip.yaml --output away --quiet --sign-later
mkdir -p elsewhere/keys
cp vault/*.key vault/*.crt elsewhere/keys
mv away elsewhere/out
one_trip() (
	cd elsewhere &&
		"$ingot" sign --request out/test-1.request.json --image out/test-1.qcow2 \
			--layout "$OLDPWD/apart.yaml" --key keys/root-hash.key --key keys/db.key \
			--response response.json --yes 2>shown &&
		"$ingot" attach --response response.json --manifest out/test-1.manifest.json --quiet &&
		"$ingot" sign file out/test-1.manifest.json --key keys/root-hash.key \
			--certificate keys/root-hash.crt --output out/test-1.manifest.json.p7s
)
check "... sign, attach and sign the manifest there" one_trip
check "... brings back what the build with the keys made" diff -r -x '*.request.json' trip elsewhere/out

# --- recipes that cannot wait

recipe unsigned appended nowhere ''
sed -i '/^signing/,/certificate/d' unsigned.yaml
check "nothing to sign" refuses "nothing to sign later" build unsigned --sign-later
check "... and nothing was left" [ ! -e unsigned/test-1.raw ]

verdict
