#!/bin/bash
# File names: no command replaces what it reads, under whatever name; and names in messages. names.sh INGOT
set -euo pipefail
export LC_ALL=C

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"

# keeps NAME FILE ARGUMENT...: refused in one sentence, before the file is read, and it stays
keeps() {
	local name=$1 file=$2 before
	shift 2
	before=$(stat -c '%i %Y %s' "$file")
	check "$name" refuses "$@"
	check "$name: the input stays" test "$(stat -c '%i %Y %s' "$file")" = "$before"
}
refuses() {
	local got=0
	"$ingot" "$@" >out.txt 2>err.txt || got=$?
	cat err.txt
	[ $got = 2 ] && [ ! -s out.txt ] && [ "$(wc -l <err.txt)" = 1 ] &&
		grep -q "the output '.*' is the input '.*', which it would replace" err.txt
}

# --- convert --------------------------------------------------------------------------------------

mkdir folder
noise 01 70000 >disk
ln disk hard
ln -s disk soft
ln -s . here
for name in disk ./disk hard soft here/disk folder/../disk "$work/disk"; do
	keeps "convert: $name" disk convert disk --to "qcow2=$name"
done
keeps "convert: the input by a link" disk convert soft --to raw=disk
keeps "convert: one of several" disk convert disk --to qcow2=new --to raw.gz=soft --to vdi=new2
check "... and none of the others" test ! -e new -a ! -e new2
keeps "convert: not read first" disk convert disk --to raw=disk --to cow=new
: >empty
keeps "convert: an empty one" empty convert empty --to raw=empty
from_stdin() { refuses convert - --to raw=disk <disk; }
check "convert: standard input" from_stdin
to_stdout() {
	local got=0
	# shellcheck disable=SC2094 # that is what must not be done
	"$ingot" convert disk --to raw.gz=- >>disk 2>err.txt || got=$?
	[ $got = 2 ] && grep -q "the output '-' is the input 'disk'" err.txt
}
check "convert: standard output" to_stdout
check "... and it stays" test "$(stat -c %s disk)" = 70000
piped() { "$ingot" convert - --to raw=piped <disk && same piped disk; }
check "convert: another name is none of this" piped
cp disk second
over() { "$ingot" convert second --to raw=disk --to raw=copy && same disk copy; }
check "convert: nor is an output that is there" over

# One name for two outputs would leave the second.
twice() {
	local got=0
	"$ingot" convert disk --to qcow2="$1" --to raw="$2" 2>err.txt || got=$?
	[ $got = 2 ] && grep -q "two formats" err.txt
}
: >old
ln -s old old-link
ln -s folder folder-link
check "convert: two outputs, ./" twice new ./new
check "convert: two outputs, a link" twice old old-link
check "convert: two outputs, a link to the folder" twice folder/new folder-link/new
check "... and nothing is made" test ! -e new -a ! -e folder/new -a ! -s old

# --- the others -----------------------------------------------------------------------------------

stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub
cp "$stub" linux
cp "$stub" stub
for name in initrd osrel cmdline owners; do
	echo "$name" >$name
done
uki=(uki --stub stub --linux linux --initrd initrd --os-release osrel --cmdline @cmdline)
for name in stub linux initrd osrel cmdline; do
	keeps "uki: $name" $name "${uki[@]}" --output "./$name"
done

root=$(printf '%064d' 1)
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out crt -subj /CN=t -days 9 2>openssl.txt
chmod 600 key
initrd=(initrd --base initrd --root-hash "$root" --data-device /dev/a --hash-device /dev/b
	--signature osrel --certificate crt --epoch 0)
for name in initrd osrel crt; do
	keeps "initrd: $name" $name "${initrd[@]}" --output "./$name"
done

tar -cf tree.tar folder
keeps "mkfs: the archive" tree.tar mkfs --from tree.tar --epoch 0 --output ./tree.tar
keeps "mkfs: the owners" owners mkfs --from tree.tar --owner-map owners --epoch 0 --output ./owners
# shellcheck disable=SC2094
mkfs_stdin() { refuses mkfs --from - --epoch 0 --output tree.tar <tree.tar; }
check "mkfs: standard input" mkfs_stdin

cp "$source_dir/layouts/flatcar.yaml" layout.yaml
keeps "disk: a partition" disk disk --layout flatcar --partition OEM=disk --output soft
keeps "disk: the layout" layout.yaml disk --layout layout.yaml --output ./layout.yaml

truncate -s 1M data
root=$("$ingot" verity format data --hash-file hash --fec-file fec --json | jq -r .root_hash)
repair=(verity repair data --hash-file hash --fec-file fec --root-hash "$root")
for name in data hash fec; do
	keeps "verity repair: $name" $name "${repair[@]}" --output "./$name" --hash-output new
	keeps "verity repair: $name for the tree" $name "${repair[@]}" --output new \
		--hash-output "./$name"
done
one() {
	! "$ingot" "${repair[@]}" --output new --hash-output ./new 2>err.txt &&
		grep -q "one file" err.txt && [ ! -e new ]
}
check "verity repair: one name for both" one

keeps "verify --repair" disk verify disk --root-hash "$root" --repair soft
keeps "verify --repair: the certificate" crt verify disk --certificate crt --repair ./crt

signer=(--key key --certificate crt)
keeps "sign file" disk sign file disk "${signer[@]}" --output soft
keeps "sign file: the key" key sign file disk "${signer[@]}" --output ./key
keeps "sign file: the certificate" crt sign file disk "${signer[@]}" --output ./crt
keeps "sign sums" disk sign sums old disk "${signer[@]}" --output soft
cp disk sums.p7s
keeps "sign sums: the signature" sums.p7s sign sums old sums.p7s "${signer[@]}" --output sums
printf '%064d' 1 >roothash
keeps "sign root-hash" roothash sign root-hash @roothash "${signer[@]}" --output ./roothash
keeps "sign root-hash: the key" key sign root-hash @roothash "${signer[@]}" --output ./key
keeps "sign pe: the key" key sign pe linux "${signer[@]}" --output ./key
keeps "sign efi-list" crt sign efi-list crt --output ./crt
"$ingot" sign efi-list crt --output list
keeps "sign efi-variable" list sign efi-variable db list "${signer[@]}" --epoch 1 --output ./list
keeps "sign efi-variable: the key" key sign efi-variable db list "${signer[@]}" --epoch 1 \
	--output ./key
echo '{}' >request
for name in request key crt disk; do
	keeps "sign: $name" $name sign --request request "${signer[@]}" --image disk --yes \
		--response "./$name"
done

# --- names in messages -----------------------------------------------------------------------------

one_line() { # NAME WORDS
	local got=0
	"$ingot" inspect "$1" 2>err.txt || got=$?
	cat err.txt
	[ $got = 2 ] && [ "$(wc -l <err.txt)" = 1 ] && grep -qF -- "$2" err.txt
}
check "a name with an end of line is shown on one" one_line $'no\nsuch' "'no\x0asuch'"
check "a terminal's codes are not sent to it" one_line $'no\e[31m' "'no\x1b[31m'"
check "what is not UTF-8 is shown in hex" one_line $'no\xff' "'no\xff'"
check "other characters are left alone" one_line "é \\ 'x'" "'é \\ 'x''"

verdict
