#!/bin/bash
# ingot sign --image: the machine that signs looks at the image itself. A request that is not of it, in
# whatever way, is refused, and nothing is signed. Usage: air-gap-image.sh INGOT
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

# shellcheck source=../interop_support.sh
. "$(dirname "$0")/../interop_support.sh"
umask 077
# shellcheck source=../air_gap_support.sh
. "$source_dir/tests/air_gap_support.sh"

# Longer than a block of SHA-256, so that some of it is in front of what a request carries.
{ printf 'an initrd of 17\n' && seq 1 500; } >initrd
secure='  secure-boot: {key: vault/db.key, certificate: certificates/db.crt}'
# later NAME LAYOUT SIGNING OUTPUTS [SED]: a build to be signed later, of a changed recipe
later() {
	recipe "$1" "$2" nowhere "$3"
	sed -i "s|^outputs.*|outputs: [$4]|; ${5:-}" "$1.yaml"
	build "$1" --sign-later
}
# look REQUEST IMAGE... [-- OPTION...]: signs for these images; what is shown goes to the file shown
look() {
	local request=$1 images=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		images+=(--image "$1")
		shift
	done
	[ $# = 0 ] || shift
	rm -f answer
	"$ingot" sign --request "$request" "${images[@]}" --key vault/root-hash.key --key vault/db.key \
		--response answer --yes "$@" 2>shown
}
# refused WORDS REQUEST IMAGE...: one sentence, exit status 2, no response
refused() {
	local words=$1 status=0
	shift
	look "$@" || status=$?
	cat shown
	[ $status = 2 ] && [ ! -e answer ] && [ "$(wc -l <shown)" = 1 ] && grep -qF -- "$words" shown
}
# proves REQUEST IMAGE...: the same response as without looking, and the proof is shown
proves() {
	local request=$1
	look "$@" || { cat shown && return 1; }
	cp answer looked && "$ingot" sign --request "$request" --key vault/root-hash.key \
		--key vault/db.key --response answer --yes 2>/dev/null && cmp looked answer &&
		grep -q 'proven: all of /usr in' shown && grep -q 'proven: every byte to be signed' shown &&
		! grep -q 'NOT proven' shown
}

# --- what agrees ------------------------------------------------------------------------------------

check "build, hash tree appended" later one appended "$secure" raw,qcow2,vmdk,ova,raw.zst
check "build, hash tree apart" later two apart "$secure" raw,vhdx
for file in one/test-1.raw one/test-1.qcow2 one/test-1.vmdk one/test-1.ova \
	one/test-1.raw.zst; do
	check "proven by $file" proves one/test-1.request.json "$file"
done
for file in two/test-1.raw two/test-1.vhdx; do
	check "proven by $file" proves two/test-1.request.json "$file"
done
check "with its layout" look two/test-1.request.json two/test-1.raw -- --layout ./apart.yaml
check "not with another" refused layout.partitions two/test-1.request.json two/test-1.raw -- \
	--layout ./appended.yaml
digest_shown() { # FILE
	look one/test-1.request.json one/test-1.raw &&
		grep -q "^ *$(sha256sum "$1" | cut -d ' ' -f 1)$" shown
}
check "the kernel's digest is shown" digest_shown "$stub"
check "the os-release's digest is shown" digest_shown tree/usr/lib/os-release
check "the build's own signature" sign one --key vault/db.key
check "... is attached" "$ingot" attach one/test-1.raw --response one.response.json
check "an image that is signed already has no room" refused "no room" one/test-1.request.json \
	one/test-1.raw
check "without Secure Boot: build" later bare apart '' raw
bare() {
	"$ingot" sign --request bare/test-1.request.json --image bare/test-1.raw --response answer --yes \
		--key vault/root-hash.key 2>shown && grep -q 'proven: all of /usr' shown
}
check "... proven" bare

# --- requests that are of another image -------------------------------------------------------------

request=two/test-1.request.json image=two/test-1.raw
# other NAME [SED]: the same build but for one thing
other() {
	later "$1" apart "$secure" raw "${2:-}"
}
sed 's/of 17/of 18/' initrd >changed-initrd
{ head -c 20000 "$stub" && printf 'changed' && tail -c +20008 "$stub"; } >changed.efi # a kernel, or a boot stub
cp -a tree other-tree
printf 'y' >>other-tree/usr/lib/file
check "build another /usr" other other-usr 's|^tree:.*|tree: other-tree|'
check "... its request" refused "roothash" other-usr/test-1.request.json "$image"
check "build another command line" other other-cmdline 's|cmdline: quiet|cmdline: debug|'
check "... its request" refused "its command line is not the request's" \
	other-cmdline/test-1.request.json "$image"
check "build another initrd" other other-initrd 's|\[initrd\]|[changed-initrd]|'
check "... its request" refused "headers, sections or initrd are not those" \
	other-initrd/test-1.request.json "$image"
check "build another kernel" other other-kernel 's|linux: [^,]*|linux: changed.efi|'
check "... its request" refused "the end of its initrd or its kernel is not that" \
	other-kernel/test-1.request.json "$image"
check "build another boot stub" other other-stub 's|stub: [^,]*|stub: changed.efi|'
check "... its request" refused "headers, sections or initrd are not those" \
	other-stub/test-1.request.json "$image"
for name in usr cmdline initrd kernel stub; do
	check "another $name: proven by its own image" proves other-$name/test-1.request.json other-$name/test-1.raw
done

# --- requests that were changed ---------------------------------------------------------------------

# changed WORDS FILTER [ARGUMENT...]: by jq
changed() {
	local words=$1
	shift
	jq "$@" "$request" >changed.json && refused "$words" changed.json "$image"
}
root=$(jq -r .root_hash.hash $request)
other_root=$(printf '%s' "$root" | tr '0123456789abcdef' '1032547698badcfe')
digest=$(printf '%s' "$other_root" | sha256sum | cut -d ' ' -f 1)
check "changed: root hash" changed "roothash" --arg h "$other_root" --arg d "$digest" \
	'.root_hash.hash = $h | .root_hash.digest = $d'
check "changed: root hash, and where the command line has it" changed "roothash" --arg h "$other_root" \
	--arg d "$digest" --arg r "$root" \
	'.root_hash.hash = $h | .root_hash.digest = $d | .uki.command_line |= sub($r; $h)'
check "changed: command line" changed "its command line is not the request's" \
	'.uki.command_line += " init=/bin/sh"'
check "changed: what is digested before the end" changed "headers, sections or initrd are not those" \
	'.uki.secure_boot.digest.state |= ("00" + .[2:])'
check "changed: the end" changed "the end of its initrd or its kernel is not that" \
	'.uki.secure_boot.digest.tail |= (.[:-400] + "9rot" + .[-396:])'
check "changed: checksum" changed "its checksum is not the request's" '.uki.secure_boot.checksum += 1'
check "changed: size" changed "do not add up" '.uki.size += 8'
check "changed: architecture" changed "it is for x86-64, the request is for arm64" \
	'.architecture = "arm64"'
check "changed: path" changed "there is no UKI 'EFI/BOOT/OTHER.EFI' on its ESP" \
	'.uki.path = "EFI/BOOT/OTHER.EFI"'
for role in initrd linux os-release; do
	check "changed: digest of the listed $role" changed \
		"its $role is not the file that the request lists" --arg r $role \
		'(.files[] | select(.role == $r).sha256) |= ("00" + .[2:])'
done
check "changed: size of the listed initrd" changed "its initrd" \
	'(.files[] | select(.role == "initrd").size) -= 4'
check "changed: a listed kernel without a digest" changed "its linux is not the file that the request lists" \
	'del(.files[] | select(.role == "linux").sha256)'
check "changed: an initrd more is listed" changed "its initrd is shorter" \
	'.files += [.files[] | select(.role == "initrd")]'
# A stranger's certificate with a key of the same kind: the room is of another size or has other bytes.
check "other signers: build" later strangers apart \
	'  secure-boot: {key: vault/db.key, certificate: certificates/db.crt}' raw \
	's|certificate: certificates/root-hash.crt|certificate: certificates/curve.crt|'
check "... its request" refused "signature" strangers/test-1.request.json "$image"

# --- images that were changed -----------------------------------------------------------------------

# hurt WORDS OFFSET: one byte of the image
hurt() {
	cp --sparse=always "$image" hurt.raw
	printf '\252' | dd of=hurt.raw bs=1 seek="$2" conv=notrunc status=none
	refused "$1" $request hurt.raw
}
at() { # WORDS: the first place of them in the image
	grep -abo -- "$1" "$image" | head -n 1 | cut -d : -f 1
}
start_of() { # CONTENT
	jq -r --arg c "$1" '.outputs[0].partitions[] | select(.content == $c).start' \
		two/test-1.manifest.json
}
check "a byte changed: /usr" hurt "verity.tree" $(($(start_of usr) + 70000))
check "a byte changed: hash tree" hurt "verity.tree" $(($(start_of usr-verity) + 4096 + 40))
check "a byte changed: command line" hurt "uki.cmdline" "$(at 'quiet')"
check "a byte changed: initrd" hurt "headers, sections or initrd are not those" "$(at 'an initrd of 17')"
check "a byte changed: a certificate in the initrd" hurt "is not that" \
	$(($(at 'etc/verity.d/ingot.crt') + 300))
check "a byte changed: the room for the signature" hurt "no room" $(($(at 'etc/usr.p7s') + 300))
check "a byte changed: partition table" hurt "gpt." 1100
check "a byte changed: the partition for the signature" hurt "signature" \
	$(($(start_of usr-verity-sig) + 200))
check "no such image" refused "no-such-image" $request no-such-image
head -c 5000000 /dev/urandom >noise.raw
check "no image at all" refused "gpt." $request noise.raw
check "a layout without an image" refuses "--layout is for an --image" "$ingot" sign \
	--request $request --layout flatcar --key vault/root-hash.key --response answer --yes

# --- vendors ----------------------------------------------------------------------------------------

check "build for vendors" later vendors apart "$secure" raw,ami,gce
partly() {
	look vendors/test-1.request.json vendors/test-1.raw && cat shown &&
		[ "$(grep -c 'proven: every byte to be signed is in' shown)" = 1 ] &&
		[ "$(grep -c 'NOT proven' shown)" = "$(jq '.vendors | length' vendors/test-1.request.json)" ]
}
check "the base image proves the base image's UKI" partly
vendor_images=()
for name in $(jq -r '.outputs[] | select(.vendor).name' vendors/test-1.manifest.json); do
	vendor_images+=("vendors/$name")
done
check "all of them prove all" proves vendors/test-1.request.json vendors/test-1.raw "${vendor_images[@]}"
check "another build's image among them" refused "its command line is not the request's" \
	vendors/test-1.request.json vendors/test-1.raw other-cmdline/test-1.raw
verdict
