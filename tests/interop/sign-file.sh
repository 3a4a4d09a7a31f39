#!/bin/bash
# `ingot sign file` and `ingot sign sums` against openssl and sha256sum. Usage: sign-file.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
# shellcheck source=../sign_support.sh
. "$source_dir/tests/sign_support.sh"

"$source_dir/signing/make-test-keys.sh" ours >/dev/null
"$source_dir/signing/make-test-keys.sh" stranger >/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc -days 3650 \
	-subj "/CN=TEST curve" -keyout curve.key -out curve.crt 2>/dev/null
ours=(--key ours/root-hash.key --certificate ours/root-hash.crt)
printf 'a line\nanother\r\nand none at the end' >text
head -c 3000000 /dev/urandom >data
: >empty

sign_file() {
	"$ingot" sign file "$@"
}
# verify TOOL FILE SIGNATURE OPTION...
verify() {
	local tool=$1 file=$2 signature=$3
	shift 3
	openssl "$tool" -verify -inform DER -in "$signature" -content "$file" -purpose any -out verified "$@" &&
		cmp "$file" verified
}
for file in text data empty; do
	check "$file: sign" sign_file $file "${ours[@]}" --output $file.p7s
	check "$file: another day, the same bytes" faketime '2031-05-05 05:05:05' \
		"$ingot" sign file $file "${ours[@]}" --output again
	check "$file: ... indeed" cmp $file.p7s again
	check "$file: openssl cms, by the CA's word" verify cms $file $file.p7s -binary -CAfile ours/ca.crt
	check "$file: openssl smime without -binary" verify smime $file $file.p7s -CAfile ours/ca.crt
	check "$file: openssl smime" verify smime $file $file.p7s -binary -CAfile ours/ca.crt
	check "$file: by our certificate alone" verify cms $file $file.p7s -binary \
		-certfile ours/root-hash.crt -nointern -noverify
	check "$file: not by a stranger's CA" not verify cms $file $file.p7s -binary -CAfile stranger/ca.crt
done
check "another file does not verify" not verify cms data text.p7s -binary -CAfile ours/ca.crt
check "by a curve's key" sign_file data --key curve.key --certificate curve.crt --output curve.p7s
check "... always the same" sign_file data --key curve.key --certificate curve.crt --output curve2.p7s
check "... indeed" cmp curve.p7s curve2.p7s
check "... openssl cms" verify cms data curve.p7s -binary -CAfile curve.crt
check "... openssl smime" verify smime data curve.p7s -binary -CAfile curve.crt
openssl cms -cmsout -print -noout -inform DER -in text.p7s >shown
check "no time in it" not grep -q signingTime shown
check "its content is not in it" bash -c 'grep -A1 eContent: shown | grep -q "<ABSENT>"'
refuse "no such file" "No such file" sign_file nothing "${ours[@]}"
refuse "a folder" "ours" sign_file ours "${ours[@]}"

# A file that holds a root hash: its signature is none of the root hash (dm-verity wants no attributes).
hash=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
printf %s "$hash" >hash-file
check "a file with a root hash in it" sign_file hash-file "${ours[@]}" --output hash.p7s
attributes() {
	openssl cms -cmsout -print -noout -inform DER -in "$1" | grep -A1 signedAttrs: | grep -q contentType ||
		openssl cms -cmsout -print -noout -inform DER -in "$1" | grep -q 'object: contentType'
}
check "... has attributes, which a root hash's signature may not have" attributes hash.p7s

# --- sums

mkdir release
cp data release/demo-1.raw
cp text release/demo-1.manifest.json
cp empty 'release/with a blank'
sums() {
	"$ingot" sign sums "$@"
}
check "a list" sums release/demo-1.raw 'release/with a blank' release/demo-1.manifest.json "${ours[@]}" --output release/SHA256SUMS
check "sha256sum -c" bash -c 'cd release && sha256sum -c --strict SHA256SUMS'
check "it is what sha256sum writes" bash -c 'cd release && sha256sum demo-1.manifest.json demo-1.raw "with a blank" |
	cmp - SHA256SUMS'
check "its signature is good" verify cms release/SHA256SUMS release/SHA256SUMS.p7s -binary -CAfile ours/ca.crt
cp -r release elsewhere
check "the same from elsewhere, in another order" bash -c 'cd elsewhere && "$@"' - "$ingot" sign sums \
	demo-1.manifest.json 'with a blank' demo-1.raw --key ../ours/root-hash.key \
	--certificate ../ours/root-hash.crt --output SHA256SUMS
check "... the same bytes" diff -r release elsewhere
printf x >>release/demo-1.raw
check "a changed file is noticed" not bash -c 'cd release && sha256sum -c SHA256SUMS'
refuse "two files of one name" "have the same name" sums release/demo-1.raw elsewhere/demo-1.raw "${ours[@]}"
refuse "no such file" "No such file" sums release/demo-1.raw nothing "${ours[@]}"
touch $'new\nline'
refuse "a line break in a name" "control character" sums $'new\nline' "${ours[@]}"
refused_stdout() {
	! sums data "${ours[@]}" --output - 2>message && grep -q "has to be a file" message
}
check "standard output, which cannot hold both" refused_stdout

verdict
