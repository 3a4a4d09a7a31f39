# shellcheck shell=bash disable=SC2034,SC2154
# Recipes that are signed here, or later on another machine. Source it behind tally.sh, with $ingot
# and $source_dir set, in a folder of its own: it makes keys, a tree and layouts there.

signer=root-hash boot=db # the keys' names
stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
mkdir vault # what the build machine never sees
"$source_dir/signing/make-test-keys.sh" vault >/dev/null
openssl req -x509 -newkey rsa:3072 -noenc -days 3650 -subj "/CN=TEST db" -keyout vault/db.key \
	-out vault/db.crt 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
	-subj "/CN=TEST curve" -keyout vault/curve.key -out vault/curve.crt 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -noenc -days 3650 \
	-subj "/CN=TEST db curve" -keyout vault/db-curve.key -out vault/db-curve.crt 2>/dev/null
mkdir certificates
cp vault/*.crt certificates
mkdir -p tree/usr/lib tree/etc
printf 'ID=test\nVERSION_ID=1\n' >tree/usr/lib/os-release
head -c 100000 /dev/zero | tr '\0' x >tree/usr/lib/file
printf 'an initrd of 17' >initrd

# layout NAME PARTITION...: between an ESP and a ROOT
layout() {
	cat >"$1.yaml" <<END
name: $1
description: small
sector-size: 512
alignment: 1M
size: 80M
partitions:
  - {number: 1, label: ESP, type: esp, size: 40M, content: esp, filesystem: fat32,
     filesystem-label: ESP}
$(printf '  - %s\n' "${@:2}")
  - {number: 9, label: ROOT, type: linux-data, size: rest, content: root,
     filesystem: ext4, filesystem-label: ROOT}
END
}
layout appended "{number: 2, label: USR-A, type: linux-data, size: 4M, content: usr, filesystem: ext2,
     verity: appended}"
layout apart "{number: 2, label: usr, type: 8484680c-9521-48c6-9c11-b0720656f69e, uuid: root-hash-first,
     size: 4M, content: usr, filesystem: ext2}" \
	"{number: 3, label: verity, type: 77ff5f63-e7b6-4633-acf4-1565b864c0e6, uuid: root-hash-last,
     size: 1M, content: usr-verity}" \
	"{number: 4, label: signature, type: e7bb33fb-06cf-4e81-8273-e543b413e2e2, size: 1M,
     content: usr-verity-sig}"

# recipe NAME LAYOUT KEYS SIGNING: a recipe with these lines under signing, keys in this folder
recipe() {
	cat >"$1.yaml" <<END
name: test
version: "1"
architecture: x86-64
epoch: 1000000000
layout: ./$2.yaml
tree: tree
boot: {linux: $stub, initrd: [initrd], stub: $stub, cmdline: quiet}
signing:
  key: $3/$signer.key
  certificate: certificates/$signer.crt
$4
outputs: [raw]
END
}
build() {
	"$ingot" build "$1.yaml" --output "$1" --quiet "${@:2}"
}
# sign NAME: the ceremony without a person
sign() {
	"$ingot" sign --request "$1/test-1.request.json" --key "vault/$signer.key" "${@:2}" \
		--response "$1.response.json" --yes
}
refuses() {
	local words=$1
	shift
	! "$@" >message 2>&1 || return 1
	cat message
	grep -qF -- "$words" message
}
