#!/bin/bash
# `ingot sign root-hash` against openssl, which we did not write. Usage: sign.sh INGOT
set -euo pipefail
export LC_ALL=C

ingot=$(realpath -- "${1:?usage: sign.sh INGOT}")
source_dir=$(cd -- "$(dirname -- "$0")/../.." && pwd)
# shellcheck source=../tally.sh
. "$source_dir/tests/tally.sh"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
# refuse WORDS TEXT COMMAND...: exit status 2, TEXT in the message, no output file.
refuse() {
	local words=$1 text=$2
	shift 2
	check "$words" refused "$text" "$@"
}

refused() {
	local text=$1 status=0
	shift
	rm -f out
	"$@" --output out 2>message || status=$?
	cat message
	[ "$status" = 2 ] && [ ! -e out ] && grep -qF -- "$text" message
}

hash=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
printf %s "$hash" >text
printf %s "${hash/0/1}" >other-text
echo "$hash" >hash-file

check "make test keys" "$source_dir/signing/make-test-keys.sh" ours
"$source_dir/signing/make-test-keys.sh" stranger >/dev/null
sha256sum ours/* >before
check "make them again: nothing changes" "$source_dir/signing/make-test-keys.sh" ours
check "... not a byte" sha256sum -c --quiet before
check "the certificate is the CA's" openssl verify -CAfile ours/ca.crt -purpose any ours/root-hash.crt
check "its name says TEST" grep -q TEST <(openssl x509 -in ours/root-hash.crt -noout -subject)

sign() {
	"$ingot" sign root-hash "$@"
}
ours=(--key ours/root-hash.key --certificate ours/root-hash.crt)

check "sign" sign "$hash" "${ours[@]}" --output one
check "sign from a file" sign @hash-file "${ours[@]}" --output two
check "two runs, the same bytes" cmp one two
check "another day, the same bytes" faketime '2031-05-05 05:05:05' \
	"$ingot" sign root-hash "$hash" "${ours[@]}" --output three
check "... indeed" cmp one three
check "a DER certificate, the same bytes" sign "$hash" --key ours/root-hash.key \
	--certificate ours/root-hash.der --output four
check "... indeed" cmp one four

verify() {
	local tool=$1 content=$2
	shift 2
	openssl "$tool" -verify -binary -inform DER -in one -content "$content" "$@" -out /dev/null
}
check "openssl smime: by our certificate" verify smime text -certfile ours/root-hash.crt -nointern -noverify
check "openssl smime: by the CA's word" verify smime text -CAfile ours/ca.crt -purpose any
check "openssl cms: by our certificate" verify cms text -certfile ours/root-hash.crt -nointern -noverify
check "openssl cms: by the CA's word" verify cms text -CAfile ours/ca.crt -purpose any
check "another root hash does not verify" not verify smime other-text -certfile ours/root-hash.crt -noverify
check "with an end of line it does not verify" not verify smime hash-file -certfile ours/root-hash.crt -noverify
check "by a stranger's certificate it does not verify" \
	not verify smime text -certfile stranger/root-hash.crt -nointern -noverify
check "by a stranger's CA it does not verify" not verify smime text -CAfile stranger/ca.crt -purpose any

openssl asn1parse -inform DER -in one >asn1
openssl cms -cmsout -print -noout -inform DER -in one >cms-text
check "SignedData" grep -q ':pkcs7-signedData' asn1
absent() {
	grep -A1 "$1" cms-text | grep -q '<ABSENT>\|<EMPTY>'
}
check "no signed attributes" absent signedAttrs:
check "no content inside" absent eContent:
check "no time in it" not grep -q signingTime asn1
check "SHA-256" grep -q ':sha256' asn1

refuse "another's certificate" "key 'ours/root-hash.key' does not belong to certificate 'stranger/root-hash.crt'" \
	sign "$hash" --key ours/root-hash.key --certificate stranger/root-hash.crt
refuse "upper-case digits" "lower-case hex" sign "${hash^^}" "${ours[@]}"
refuse "an odd number of digits" "63 hex digits" sign "${hash:1}" "${ours[@]}"
refuse "too few digits" "32 hex digits" sign "${hash:32}" "${ours[@]}"
refuse "no root hash file" "No such file" sign @nothing "${ours[@]}"
refuse "no key" "No such file" sign "$hash" --key nothing --certificate ours/root-hash.crt
refuse "a certificate instead of a key" "not a private key" \
	sign "$hash" --key ours/root-hash.crt --certificate ours/root-hash.crt
refuse "a key instead of a certificate" "not a certificate" \
	sign "$hash" --key ours/root-hash.key --certificate ours/root-hash.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key 2>/dev/null
refuse "an elliptic curve key" "elliptic curve" sign "$hash" --key ec.key --certificate ours/root-hash.crt
openssl pkey -in ours/root-hash.key -aes128 -passout pass:secret -out locked.key
refuse "a key with a passphrase, without asking" "passphrase" \
	sign "$hash" --key locked.key --certificate ours/root-hash.crt

cp ours/root-hash.key open.key
chmod 644 open.key
exposed() {
	sign "$hash" --key open.key --certificate ours/root-hash.crt --output five 2>&1 |
		grep -q "warning: every user"
}
check "a key for all to read gets a warning" exposed
check "... and signs" cmp one five

verdict
