#!/bin/bash
# `ingot sign efi-list` and `efi-variable` against efitools and sbsigntool. Usage: sign-efi.sh INGOT
set -euo pipefail
export LC_ALL=C TZ=UTC

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
# shellcheck source=../sign_support.sh
. "$source_dir/tests/sign_support.sh"

"$source_dir/signing/make-test-keys.sh" ours >/dev/null
openssl req -x509 -newkey rsa:4096 -noenc -days 3650 -subj "/CN=TEST next" -keyout next.key \
	-out next.crt 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
	-subj "/CN=TEST curve" -keyout curve.key -out curve.crt 2>/dev/null
owner=28fc0c3d-5a16-4d1b-a2b5-6a3b6c0d0b5e
epoch=1735787045 when='2025-01-02 03:04:05'

list() {
	"$ingot" sign efi-list "$@"
}
variable() {
	"$ingot" sign efi-variable "$@"
}

for certificate in ours/root-hash next curve; do
	name=$(basename $certificate)
	check "$name: a list" list $certificate.crt --owner $owner --output "$name.esl"
	check "$name: cert-to-efi-sig-list's bytes" bash -c \
		"cert-to-efi-sig-list -g $owner $certificate.crt theirs.esl && cmp $name.esl theirs.esl"
done
openssl x509 -in next.crt -outform DER -out next.der
check "sbsiglist's bytes" bash -c \
	"sbsiglist --owner $owner --type x509 --output theirs.esl next.der && cmp next.esl theirs.esl"
check "two certificates" list ours/root-hash.crt next.crt --owner $owner --output two.esl
check "... one list after the other" bash -c 'cat root-hash.esl next.esl | cmp - two.esl'
check "sig-list-to-certs reads them" sig-list-to-certs two.esl read
check "... the first" cmp ours/root-hash.der read-0.der
check "... the second" cmp next.der read-1.der
check "an owner of its own" list next.crt --output one.esl
check "... the same again" list next.der --output other.esl
check "... indeed" cmp one.esl other.esl
check "... and not all zeros" bash -c '! cmp -s <(head -c 44 one.esl | tail -c 16) <(head -c 16 /dev/zero)'

for name in PK KEK db dbx; do
	for key in ours/root-hash next; do
		signer=$(basename $key)
		check "$name by $signer" variable $name two.esl --key $key.key --certificate $key.crt \
			--epoch $epoch --output $name.auth
		check "$name by $signer: sign-efi-sig-list's bytes" bash -c \
			"sign-efi-sig-list -t '$when' -k $key.key -c $key.crt $name two.esl theirs.auth &&
			cmp $name.auth theirs.auth"
	done
	check "$name, appended" variable $name two.esl --key next.key --certificate next.crt \
		--epoch $epoch --append --output append.auth
	check "$name, appended: sign-efi-sig-list's bytes" bash -c \
		"sign-efi-sig-list -a -t '$when' -k next.key -c next.crt $name two.esl theirs.auth &&
		cmp append.auth theirs.auth"
	check "... which replacing is not" not cmp -s append.auth $name.auth
done
: >empty.esl
check "PK removed" variable PK empty.esl --key next.key --certificate next.crt --epoch $epoch --output remove.auth
check "... sign-efi-sig-list's bytes" bash -c \
	"sign-efi-sig-list -t '$when' -k next.key -c next.crt PK empty.esl theirs.auth && cmp remove.auth theirs.auth"
check "another time zone, the same bytes" env TZ=Asia/Tokyo SOURCE_DATE_EPOCH=$epoch \
	"$ingot" sign efi-variable PK empty.esl --key next.key --certificate next.crt --output zone.auth
check "... indeed" cmp remove.auth zone.auth
check "by a curve's key" variable db next.esl --key curve.key --certificate curve.crt --epoch $epoch --output curve.auth

# What is signed, put together here: name in UTF-16, vendor, attributes, time, list.
signed_bytes() {
	printf 'd\0b\0'
	printf '\xcb\xb2\x19\xd7\x3a\x3d\x96\x45\xa3\xbc\xda\xd0\x0e\x67\x65\x6f'
	printf '\x27\0\0\0\xe9\x07\x01\x02\x03\x04\x05\0\0\0\0\0\0\0\0\0'
	cat next.esl
}
signed_bytes >bytes
# ContentInfo around the SignedData that the update holds.
length=$(($(od -An -t u4 -j 16 -N 4 curve.auth) - 24))
tail -c +41 curve.auth | head -c $length >bare
wrap() {
	local n=$length head='06092a864886f70d010702' inner
	inner=$(printf 'a082%04x' "$n")
	printf '3082%04x%s%s' $((n + 4 + 11)) "$head" "$inner" | sed 's/../\\x&/g' >escaped
	{ printf '%b' "$(cat escaped)"; cat bare; } >whole
}
check "its signature, wrapped" wrap
check "... is good for openssl" openssl cms -verify -binary -inform DER -in whole -content bytes \
	-certfile curve.crt -nointern -noverify -out /dev/null

next=(--key next.key --certificate next.crt)
refuse "another variable" "'BootOrder' is none of PK" variable BootOrder two.esl "${next[@]}" --epoch $epoch
refuse "no list" "the sizes at byte 0 do not fit" variable db next.der "${next[@]}" --epoch $epoch
head -c 20 two.esl >short.esl
refuse "a cut list" "20 bytes are left over" variable db short.esl "${next[@]}" --epoch $epoch
refuse "no time" "SOURCE_DATE_EPOCH" env -u SOURCE_DATE_EPOCH "$ingot" sign efi-variable db two.esl "${next[@]}"
refuse "a time beyond all firmware" "lies beyond the year 2106" variable db two.esl "${next[@]}" --epoch 999999999999
refuse "no GUID" "owner" list next.crt --owner me
refuse "no certificate" "is not a certificate" list two.esl
refuse "another's key" "does not belong to certificate" variable db two.esl --key next.key \
	--certificate curve.crt --epoch $epoch

verdict
