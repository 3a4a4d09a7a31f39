#!/bin/bash
# In the guest, from the disk with the images: systemd-dissect mounts them, or refuses to. Each line
# "dissect: ok|FAILED WHAT" is one check; "INGOT-PROOF-END" is the last. The folder this stands in has
#	root/usr	a root filesystem with systemd-dissect
#	NAME.raw	images, each with its root hash in NAME.usrhash
#	*.crt		certificates; numbers.sha256, of a file in /usr
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/ttyS0 2>&1 </dev/null
here=$(dirname "$0")
where=/run/image passphrase=/run/passphrase
no_key='worked neither via the kernel nor in userspace'
mkdir -p $passphrase
echo none >$passphrase/dissect.passphrase

dissect() {
	local libraries=$here/root/usr/lib/x86_64-linux-gnu
	timeout 60 "$here/root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$libraries:$libraries/systemd" \
		"$here/root/usr/bin/systemd-dissect" "$@"
}
check() {
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then
		printf 'dissect: ok %s\n' "$what"
	else
		printf 'dissect: FAILED %s\n' "$what"
		printf '%s\n' "$said" | tail -n 25 | sed 's/^/        /'
	fi
}
not() {
	! "$@"
}

# What dissect opened, but not the guest's own /usr. A refused mount leaves its device behind, and the
# next one of the same root hash takes that as it is: so it goes before each.
devices() {
	dmsetup ls --target verity | awk '$1 != "usr" && $1 != "No" { print $1 }'
}
clean() {
	local name
	if mountpoint -q $where; then
		umount -R $where
	fi
	for name in $(devices); do
		dmsetup remove --retry "$name"
	done
	losetup -D
	rm -rf /run/verity.d
	mkdir -p /run/verity.d $where
}
# trust CERTIFICATE...: nobody else is
trust() {
	clean
	for name in "$@"; do
		cp "$here/$name.crt" /run/verity.d
	done
}
others=root=unprotected:esp=unprotected+unused
# mounted NAME POLICY: of /usr; whatever the policy does not name must not be there. To a missing key it
# asks for a passphrase, of which it has one here that helps nowhere.
mounted() {
	CREDENTIALS_DIRECTORY=$passphrase SYSTEMD_LOG_LEVEL=debug dissect --mount --read-only --image-policy="usr=$2:$others:=absent" \
		"$here/$1.raw" $where
}
# refused WORDS NAME POLICY
refused() {
	local said
	if said=$(mounted "$2" "$3" 2>&1); then
		printf 'it was mounted\n'
		return 1
	fi
	printf '%s\n' "$said"
	grep -q -- "$1" <<<"$said" && ! mountpoint -q $where
}
file_is_right() {
	(cd $where/usr/lib && sha256sum -c "$here/numbers.sha256")
}
# /usr comes from a verity device with this root hash, and no other way
by_verity() { # NAME
	local major minor table
	IFS=: read -r major minor < <(findmnt -n -o MAJ:MIN $where/usr) &&
		table=$(dmsetup table -j "${major// /}" -m "${minor// /}") && echo "$table" &&
		[ "$(awk '{ print $3, $12 }' <<<"$table")" = "verity $(cat "$here/$1.usrhash")" ]
}
# Without a root hash it mounts /usr from the partition itself, whatever the policy: docs/layouts.md.
plain() { # COMMAND that mounts it
	local major
	major=$(awk '$2 == "device-mapper" { print $1 }' /proc/devices)
	"$@" && findmnt -n -o MAJ:MIN $where/usr && ! findmnt -n -o MAJ:MIN $where/usr | grep -q "^ *$major:"
}
unreadable() {
	! cat $where/usr/lib/numbers >/dev/null && dmesg | grep 'verity.*is corrupted'
}

trust ours
check "ours, signed, the certificate is trusted: mounted" mounted ours signed
check "... /usr is a verity device with the manifest's root hash" by_verity ours
check "... a file reads as it was" file_is_right
check "... unmounted" dissect --umount $where
trust
check "ours, and nobody is trusted: refused" refused "$no_key" ours signed
trust ours
check "a stranger's signature of the same root hash: refused" refused "$no_key" \
	stranger signed
trust stranger
check "... mounted by who trusts the stranger" mounted stranger signed
trust ours
check "one block of /usr is another: its file does not read" mounted hurt signed
check "... and the kernel says why" unreadable
check "... other files do" test -s $where/usr/lib/os-release
trust ours
check "another root hash is asked for: refused" refused . other signed
trust ours
check "three signers, one is known: refused" refused "$no_key" several signed
trust ours next curve
check "... all are known: mounted" mounted several signed
check "... a file reads as it was" file_is_right
trust ours
check "no root hash: mounted without verity" plain dissect --mount --read-only "$here/plain.raw" $where
trust ours
check "... although the policy asks for a signature" plain mounted plain signed
clean
echo INGOT-PROOF-END
