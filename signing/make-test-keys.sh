#!/bin/bash
# Test keys for signed images: a CA, and a key with certificate for root hashes (and Secure
# Boot). They are for tests and demonstrations; everybody can make them, so nobody may trust
# them. What is there already is kept, so the script can be run again.
#
#   signing/make-test-keys.sh OUTDIR
set -euo pipefail
export LC_ALL=C

if [ $# -ne 1 ]; then
	echo "usage: $0 OUTDIR" >&2
	exit 2
fi
umask 077
mkdir -p -- "$1"
cd -- "$1"

# Always the same, whatever the day: a certificate's dates are part of the signed image.
begin=20250101000000Z
end=20550101000000Z

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

cat >"$work/ca.conf" <<CONF
[ca]
default_ca = test_ca
[test_ca]
database = $work/index
new_certs_dir = $work
serial = $work/serial
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = supplied
organizationName = optional
[req]
distinguished_name = name
[name]
[ca_extensions]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf_extensions]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
CONF

# make_key NAME
make_key() {
	[ -e "$1.key" ] && return
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/new.key" 2>/dev/null ||
		openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/new.key" 2>/dev/null
	mv -- "$work/new.key" "$1.key"
	rm -f -- "$1.crt" "$1.der"
}

# make_certificate NAME COMMON-NAME SERIAL EXTENSIONS [OPTIONS OF openssl ca]
make_certificate() {
	local name=$1 common_name=$2 serial=$3 extensions=$4
	shift 4
	[ -e "$name.crt" ] && return
	: >"$work/index"
	echo "$serial" >"$work/serial"
	openssl req -new -config "$work/ca.conf" -key "$name.key" -subj "/O=Ingot TEST/CN=$common_name" \
		-out "$work/request"
	openssl ca -batch -notext -config "$work/ca.conf" -extensions "$extensions" \
		-startdate "$begin" -enddate "$end" -in "$work/request" -out "$work/new.crt" "$@" \
		2>"$work/log" || { cat "$work/log" >&2; exit 1; }
	mv -- "$work/new.crt" "$name.crt"
	rm -f -- "$name.der"
}

# A certificate outlives neither its key nor its issuer.
make_key ca
[ -e ca.crt ] || rm -f -- root-hash.crt
make_certificate ca "Ingot TEST CA" 01 ca_extensions -selfsign -keyfile ca.key
make_key root-hash
make_certificate root-hash "Ingot TEST root hash signing" 02 leaf_extensions -cert ca.crt -keyfile ca.key
for name in ca root-hash; do
	[ -e "$name.der" ] || openssl x509 -in "$name.crt" -outform DER -out "$name.der"
done
chmod 644 ./*.crt ./*.der
echo "test keys in $PWD: root-hash.key root-hash.crt ca.crt"
