#!/bin/bash
# Keys in a token: `ingot sign` with SoftHSM2 through PKCS#11, against the same keys in files.
# Usage: sign-token.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
# shellcheck source=../sign_support.sh
. "$source_dir/tests/sign_support.sh"

module=$(find /usr/lib -name libsofthsm2.so -print -quit)
[ -n "$module" ] || { printf 'sign-token.sh: there is no SoftHSM2 here (package softhsm2)\n' >&2; exit 2; }

# Tokens of this run's own; nothing of the machine's is touched.
mkdir tokens
cat >softhsm2.conf <<CONF
directories.tokendir = $work/tokens
objectstore.backend = file
log.level = ERROR
CONF
export SOFTHSM2_CONF=$work/softhsm2.conf

hash=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
printf %s "$hash" >text
"$source_dir/signing/make-test-keys.sh" ours >/dev/null
umask 077
printf 'sesame\n' >pin
printf 'emases\n' >wrong-pin
: >empty-pin

# import LABEL ID KEY: into the token `ours`
import() {
	softhsm2-util --import "$3" --token ours --label "$1" --id "$2" --pin sesame
}
make_token() {
	softhsm2-util --init-token --free --label "$1" --so-pin 4321 --pin sesame
}
check "a token" make_token ours
check "import the test key" import "root hash" 01 ours/root-hash.key
for bits in 3072 4096; do
	openssl req -x509 -newkey rsa:$bits -noenc -days 3650 -subj "/CN=TEST $bits" \
		-keyout $bits.key -out $bits.crt 2>/dev/null
	check "import a key of $bits bits" import "key $bits" $((bits / 1024))0 $bits.key
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
	-subj "/CN=TEST curve" -keyout curve.key -out curve.crt 2>/dev/null
check "import a curve's key" import curve 55 curve.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small.key 2>/dev/null
check "import a short key" import small 66 small.key
check "one name, two keys" import twin 71 ours/root-hash.key
check "... the other" import twin 72 3072.key
check "a key that decrypts only" env GNUTLS_PIN=sesame p11tool --provider "$module" --batch --login \
	--generate-privkey rsa --bits 2048 --label decrypter --id 81 --mark-decrypt --outfile public \
	'pkcs11:token=ours'

sign() {
	"$ingot" sign root-hash "$hash" "$@"
}
# uri ATTRIBUTES [QUERY]
uri() {
	printf 'pkcs11:%s?module-path=%s%s' "$1" "$module" "${2:+&$2}"
}
certificate=(--certificate ours/root-hash.crt)
first='token=ours;object=root%20hash'

check "by file" sign --key ours/root-hash.key "${certificate[@]}" --output by-file
check "by token" sign --key "$(uri "$first")" "${certificate[@]}" --pin-file pin --output by-token
check "... the same bytes" cmp by-file by-token
check "... which openssl accepts" openssl cms -verify -binary -inform DER -in by-token \
	-content text -certfile ours/root-hash.crt -nointern -noverify -out /dev/null
check "by id" sign --key "$(uri 'token=ours;id=%01')" "${certificate[@]}" --pin-file pin --output by-id
check "... the same bytes" cmp by-file by-id
check "its type named" sign --key "$(uri "$first;type=private")" "${certificate[@]}" --pin-file pin \
	--output by-type
check "... the same bytes" cmp by-file by-type
check "the PIN from pin-source" sign --key "$(uri "$first" "pin-source=$work/pin")" \
	"${certificate[@]}" --output by-source
check "... the same bytes" cmp by-file by-source
check "the PIN from pin-source, as a file URI" sign \
	--key "$(uri "$first" "pin-source=file:$work/pin")" "${certificate[@]}" --output by-source-uri
check "... the same bytes" cmp by-file by-source-uri
for bits in 3072 4096; do
	check "$bits bits, by file" sign --key $bits.key --certificate $bits.crt --output file-$bits
	check "$bits bits, by token" sign --key "$(uri "token=ours;object=key%20$bits")" \
		--certificate $bits.crt --pin-file pin --output token-$bits
	check "... the same bytes" cmp file-$bits token-$bits
done

# typed TEXT: at a terminal of its own; what it shows goes to `screen`
typed() {
	rm -f typed.p7s
	URI=$(uri "$first") expect -c "log_user 0; log_file -noappend -a screen; set timeout 60
		spawn $ingot sign root-hash $hash --key \$env(URI) ${certificate[*]} --output typed.p7s
		expect -re {Enter the PIN of token 'ours': }
		send \"$1\\r\"; expect eof; exit [lindex [wait] 3]"
}
check "a PIN typed at the terminal" typed sesame
check "... the same bytes" cmp by-file typed.p7s
check "... without an echo" not grep -q sesame screen
check "a wrong one typed" not typed emases
check "... says so" grep -q "wrong PIN for token 'ours'" screen

good=("${certificate[@]}" --pin-file pin)
refuse "a wrong PIN" "wrong PIN for token 'ours'" sign --key "$(uri "$first")" "${certificate[@]}" \
	--pin-file wrong-pin
refuse "an empty PIN" "PIN of token 'ours': it is empty" sign --key "$(uri "$first")" \
	"${certificate[@]}" --pin-file empty-pin
refuse "nobody there to be asked" "there is no terminal to ask at" setsid -w \
	"$ingot" sign root-hash "$hash" --key "$(uri "$first")" "${certificate[@]}"
refuse "no such object" "has no private key that matches" sign --key "$(uri 'token=ours;object=x')" "${good[@]}"
refuse "two matches" "has two private keys or more that match" sign \
	--key "$(uri 'token=ours;object=twin')" "${good[@]}"
check "... of which id= takes one" sign --key "$(uri 'token=ours;object=twin;id=%71')" "${good[@]}" --output twin
check "... the same bytes" cmp by-file twin
refuse "no such token" "no token that matches" sign --key "$(uri 'token=theirs;object=x')" "${good[@]}"
refuse "no such module" "'/nonexistent.so' cannot be loaded" sign \
	--key 'pkcs11:token=ours?module-path=/nonexistent.so' "${good[@]}"
refuse "a key of the wrong certificate" "does not belong to certificate" sign \
	--key "$(uri 'token=ours;object=key%203072')" "${good[@]}"
refuse "a curve's key, which would not be the same twice" "draws a random number" sign \
	--key "$(uri 'token=ours;object=curve')" --certificate curve.crt --pin-file pin
refuse "a short key" "its size is smaller" sign --key "$(uri 'token=ours;object=small')" "${good[@]}"
refuse "a key that may not sign" "its CKA_SIGN is false" sign \
	--key "$(uri 'token=ours;object=decrypter')" "${good[@]}"
refuse "a public key" "its type is not private" sign --key "$(uri "$first;type=public")" "${good[@]}"
refuse "a PIN in the URI" "it has a pin-value" sign --key "$(uri "$first" pin-value=1111)" "${good[@]}"
refuse "... which is not in the message" "pin-value=': it has a pin-value" sign \
	--key "$(uri "$first" pin-value=sesame)" "${good[@]}"
refuse "... nor where the URI cannot be read" "it cannot be read" sign \
	--key "pkcs11:token=%zz?pin-value=sesame&module-path=$module" "${good[@]}"
refuse "... nor where pin-value is a path's attribute" "pkcs11:pin-value=':" sign \
	--key "pkcs11:pin-value=sesame;token=ours?module-path=$module" "${good[@]}"
refuse "a program for the PIN" "its pin-source is a program" sign \
	--key "$(uri "$first" 'pin-source=|cat')" "${certificate[@]}"
refuse "no URI" "it cannot be read" sign --key 'pkcs11:token=%zz' "${good[@]}"
refuse "a passphrase for a token" "a token has a PIN" sign --key "$(uri "$first")" \
	"${certificate[@]}" --passphrase-file pin

chmod 644 pin
exposed() {
	sign --key "$(uri "$first")" "${good[@]}" --output seen 2>&1 |
		grep -q "warning: others than its owner can read or change the secret's file 'pin'"
}
check "a PIN that others can read gets a warning" exposed
chmod 600 pin

serial=$(pkcs11-tool --module "$module" -L 2>/dev/null | awk '/serial num/ { print $4; exit }')
check "a second token of that name" make_token ours
refuse "two tokens" "two tokens match it, 'ours' for one" sign --key "$(uri "$first")" "${good[@]}"
check "... of which serial= takes one" sign --key "$(uri "$first;serial=$serial")" "${good[@]}" --output serial

verdict
