#!/bin/bash
# `ingot sign root-hash` against openssl, which we did not write. Usage: sign.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
# shellcheck source=../sign_support.sh
. "$source_dir/tests/sign_support.sh"

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
check "a key from a pipe, the same bytes" sign "$hash" --key <(cat ours/root-hash.key) \
	--certificate ours/root-hash.crt --output five
check "... indeed" cmp one five
endless() {
	local got=0
	timeout 20 "$ingot" sign root-hash "$hash" --key /dev/zero --certificate ours/root-hash.crt \
		--output six 2>message || got=$?
	[ $got = 2 ] && grep -q "'/dev/zero' is longer than 65536 bytes" message && [ ! -e six ]
}
check "a key without an end is refused" endless

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
cp ours/root-hash.key open.key
chmod 640 open.key
exposed() {
	sign "$hash" --key open.key --certificate ours/root-hash.crt --output five 2>&1 |
		grep -q "warning: others than its owner can read or change key 'open.key'"
}
check "a key that others can read gets a warning" exposed
check "... and signs" cmp one five

# --- passphrases

printf 'secret\nand more\n' >passphrase
printf 'wrong\n' >wrong-passphrase
chmod 600 passphrase wrong-passphrase
openssl pkey -in ours/root-hash.key -aes128 -passout pass:secret -out locked.key
openssl rsa -in ours/root-hash.key -traditional -aes128 -passout pass:secret -out traditional.key \
	2>/dev/null
locked=(--key locked.key --certificate ours/root-hash.crt)
check "a passphrase from a file" sign "$hash" "${locked[@]}" --passphrase-file passphrase --output six
check "... the same bytes" cmp one six
check "the older form of PEM" sign "$hash" --key traditional.key --certificate ours/root-hash.crt \
	--passphrase-file passphrase --output seven
check "... the same bytes" cmp one seven
check "a passphrase from the environment" env KEY_SECRET=secret \
	"$ingot" sign root-hash "$hash" "${locked[@]}" --passphrase-env KEY_SECRET --output eight
check "... the same bytes" cmp one eight
refuse "a wrong passphrase" "wrong passphrase for key 'locked.key'" \
	sign "$hash" "${locked[@]}" --passphrase-file wrong-passphrase
refuse "no variable of that name" "no environment variable NOWHERE" \
	sign "$hash" "${locked[@]}" --passphrase-env NOWHERE
refuse "a PIN for a PEM file" "--pin-file is for keys in tokens" \
	sign "$hash" "${locked[@]}" --pin-file passphrase
refuse "nobody there to be asked" "there is no terminal to ask at" \
	setsid -w "$ingot" sign root-hash "$hash" "${locked[@]}"

# typed TEXT: at a terminal of its own; what it shows goes to `screen`
typed() {
	rm -f typed.p7s
	expect -c "log_user 0; log_file -noappend -a screen; set timeout 60
		spawn $ingot sign root-hash $hash ${locked[*]} --output typed.p7s
		expect -re {Enter the passphrase of key 'locked.key': }
		send \"$1\\r\"; expect eof; exit [lindex [wait] 3]"
}
check "a passphrase typed at the terminal" typed secret
check "... the same bytes" cmp one typed.p7s
check "... without an echo" not grep -q secret screen
check "a backspace counts" typed 'secrex\177t'
check "... the same bytes" cmp one typed.p7s
check "a wrong one typed" not typed wrong
check "... says so" grep -q "wrong passphrase for key 'locked.key'" screen
check "Ctrl-C stops it" not typed '\003'
check "... with a sentence" grep -q "nobody typed it" screen

# --- elliptic curves: always the same signature, and good for others

for curve in P-256 P-384; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:$curve -noenc -days 3650 \
		-subj "/CN=TEST $curve" -keyout $curve.key -out $curve.crt 2>/dev/null
	check "$curve: sign" sign "$hash" --key $curve.key --certificate $curve.crt --output $curve.p7s
	check "$curve: again" sign "$hash" --key $curve.key --certificate $curve.crt --output again
	check "$curve: the same bytes" cmp $curve.p7s again
	check "$curve: openssl cms" openssl cms -verify -binary -inform DER -in $curve.p7s \
		-content text -certfile $curve.crt -nointern -noverify -out /dev/null
	check "$curve: openssl smime" openssl smime -verify -binary -inform DER -in $curve.p7s \
		-content text -certfile $curve.crt -nointern -noverify -out /dev/null
done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.key 2>/dev/null
refuse "another curve" "P-256 and P-384 are accepted" \
	sign "$hash" --key p521.key --certificate ours/root-hash.crt

verdict
