#!/bin/bash
# `ingot sign pe` against sbsign, sbverify, sbattach and osslsigncode. Usage: sign-pe.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
# shellcheck source=../sign_support.sh
. "$source_dir/tests/sign_support.sh"

"$source_dir/signing/make-test-keys.sh" ours >/dev/null
"$source_dir/signing/make-test-keys.sh" stranger >/dev/null
openssl req -x509 -newkey rsa:4096 -noenc -days 3650 -subj "/CN=TEST next" -keyout next.key \
	-out next.crt 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
	-subj "/CN=TEST curve" -keyout curve.key -out curve.crt 2>/dev/null
umask 077

sign() {
	"$ingot" sign pe "$@"
}
ours=(--key ours/root-hash.key --certificate ours/root-hash.crt)
boot=/usr/lib/systemd/boot/efi/systemd-bootx64.efi

# verified CERTIFICATE FILE: by two programs that we did not write. (The firmware knows nothing of
# dates and issuers' purposes; osslsigncode does, and -CAfile is its anchor.)
verified() {
	sbverify --cert "$1" "$2" && osslsigncode verify -CAfile "$1" -in "$2"
}

check "sign" sign $boot "${ours[@]}" --output one.efi
check "again: the same bytes" sign $boot "${ours[@]}" --output two.efi
check "... indeed" cmp one.efi two.efi
check "another day, the same bytes" faketime '2031-05-05 05:05:05' \
	"$ingot" sign pe $boot "${ours[@]}" --output three.efi
check "... indeed" cmp one.efi three.efi
cp $boot place.efi
check "in its place" sign place.efi "${ours[@]}" --output place.efi
check "... the same bytes" cmp one.efi place.efi
check "to standard output" bash -c '"$@" >piped.efi' - "$ingot" sign pe $boot "${ours[@]}" --output -
check "... the same bytes" cmp one.efi piped.efi

check "sbverify: by the certificate" sbverify --cert ours/root-hash.crt one.efi
check "sbverify: by the CA's word" sbverify --cert ours/ca.crt one.efi
check "sbverify: not by a stranger's" not sbverify --cert stranger/root-hash.crt one.efi
check "osslsigncode: by the CA's word" osslsigncode verify -CAfile ours/ca.crt -in one.efi
check "osslsigncode: not by a stranger's" not osslsigncode verify -CAfile stranger/ca.crt -in one.efi
checksum_is_right() {
	osslsigncode verify -CAfile ours/ca.crt -in "$1" >said 2>&1
	grep -q 'PE checksum *:' said && ! grep -qE 'MISMATCH|invalid PE checksum' said
}
check "its checksum is right" checksum_is_right one.efi
optional=$(($(od -An -t u4 -j 60 -N 4 one.efi) + 24))
cp one.efi wrong-sum.efi
printf '\xff\xff' | dd of=wrong-sum.efi bs=1 seek=$((optional + 64)) conv=notrunc status=none
check "... and a wrong one would be noticed" not checksum_is_right wrong-sum.efi

# --- the same shape as sbsign's, apart from what makes that one new each time

# shape FILE: its signature as DER elements, one a line, with neither offsets nor lengths, without the
# attributes signingTime and S/MIME Capabilities and without the value of the signature at its end
shape() {
	sbattach --detach "$1.p7" "$1" 2>/dev/null >&2
	openssl asn1parse -inform DER -in "$1.p7" | sed -E 's/^ *[0-9]+:d=([0-9]+) +hl=[0-9]+ l= *[0-9]+ /\1 /' |
		awk '{ depth = $1 }
			skip && depth >= skip { next }
			{ skip = 0 }
			/:(signingTime|S\/MIME Capabilities)$/ { skip = depth; held = ""; next }
			{ if (held != "") print held; held = $0 }
			END { sub(/HEX DUMP.*/, "", held); print held }'
}
check "sbsign signs too" sbsign "${ours[@]/--certificate/--cert}" --output theirs.efi $boot
same_shape() {
	shape one.efi >one.shape && shape theirs.efi >theirs.shape && diff one.shape theirs.shape &&
		grep -q 'messageDigest' one.shape && [ "$(wc -l <one.shape)" -gt 90 ]
}
check "our signature has the shape of sbsign's" same_shape
check "... without a time" not grep -q signingTime one.shape
same_file() {
	local n
	n=$(($(stat -c %s $boot) / 8 * 8))
	# Apart from checksum and directory entry, up to the table.
	[ "$(cmp -l -n "$n" one.efi theirs.efi | wc -l)" -le 8 ]
}
check "... in a file that is otherwise the same" same_file

# --- several signatures

check "a second signature" sign one.efi --key next.key --certificate next.crt --output both.efi
check "sbverify: the first" sbverify --cert ours/root-hash.crt both.efi
check "sbverify: the second" sbverify --cert next.crt both.efi
check "sbverify: two in the list" test "$(sbverify --list both.efi 2>/dev/null | grep -c '^signature ')" = 2
check "sbsign's on top of ours" sbsign --key next.key --cert next.crt --output mixed.efi one.efi
check "... both are good" bash -c 'sbverify --cert ours/root-hash.crt mixed.efi && sbverify --cert next.crt mixed.efi'
check "ours on top of sbsign's" sign theirs.efi --key next.key --certificate next.crt --output mixed2.efi
check "... both are good" bash -c 'sbverify --cert ours/root-hash.crt mixed2.efi && sbverify --cert next.crt mixed2.efi'

check "take them off" sign both.efi --remove --output bare.efi
check "... none is left" not sbverify --cert next.crt bare.efi
check "... as sbattach does it" bash -c 'cp both.efi theirs-bare.efi && sbattach --remove theirs-bare.efi &&
	sbattach --remove theirs-bare.efi; [ $(cmp -l bare.efi theirs-bare.efi | wc -l) -le 4 ]'
check "signed again, the same bytes" sign bare.efi "${ours[@]}" --output again.efi
check "... indeed" cmp one.efi again.efi
refuse "nothing to take off" "is not signed" sign $boot --remove

# --- kinds of keys and files

check "an elliptic curve" sign $boot --key curve.key --certificate curve.crt --output curve.efi
check "... always the same" sign $boot --key curve.key --certificate curve.crt --output curve2.efi
check "... indeed" cmp curve.efi curve2.efi
check "... sbverify and osslsigncode accept it" verified curve.crt curve.efi
for program in /usr/lib/systemd/boot/efi/*.efi.stub /usr/lib/efitools/*/*.efi; do
	[ -e "$program" ] || continue
	name=$(basename "$program")
	check "$name" sign "$program" "${ours[@]}" --output "$name"
	check "$name: sbverify" sbverify --cert ours/ca.crt "$name"
	check "$name: osslsigncode" osslsigncode verify -CAfile ours/ca.crt -in "$name"
done

# --- a byte changed anywhere is noticed, but in the checksum and the place of the signature

size=$(stat -c %s $boot)
changed_is_refused() {
	local at
	for at in 0 70 200 600 1024 40000 $((size / 2)) $((size - 1)); do
		cp one.efi changed.efi
		printf '\x5a' | dd of=changed.efi bs=1 seek="$at" conv=notrunc status=none
		! cmp -s one.efi changed.efi || continue
		! sbverify --cert ours/ca.crt changed.efi || return
	done
}
check "a changed byte is refused by sbverify" changed_is_refused

# --- what is no such file

printf 'MZ and nothing more' >short
refuse "not a PE file" "not a PE file" sign short "${ours[@]}"
cp one.efi longer.efi
printf 'x' >>longer.efi
refuse "something behind the signatures" "its certificate table is not its end" sign longer.efi "${ours[@]}"
refuse "a key of another certificate" "does not belong to certificate" \
	sign $boot --key next.key --certificate ours/root-hash.crt
refuse "no key" "give --key and --certificate, or --remove" sign $boot
refuse "both" "--remove takes neither" sign $boot --remove "${ours[@]}"

verdict
