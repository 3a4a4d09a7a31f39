#!/bin/sh
# Runs in the guest, from /usr itself: prints on the console what stands under /usr.
# The last line is INGOT-PROOF-END only if every fact could be had and /usr takes no write.
dmesg -n 1
verdict=INGOT-PROOF-END

fact() {
	printf 'proof: $ %s\n' "$*"
	"$@" 2>&1 | sed 's/^/proof: /'
}

printf '\nINGOT-PROOF-BEGIN\n'
fact uname -r
fact cat /proc/cmdline
fact findmnt -no SOURCE,FSTYPE,OPTIONS /usr
fact dmsetup table usr
fact veritysetup status usr
fact cat /sys/module/dm_verity/parameters/require_signatures

case $(dmsetup table usr) in
*" verity "*) ;;
*) verdict='INGOT-PROOF-FAIL: usr is not a verity device' ;;
esac
[ "$(findmnt -no SOURCE /usr)" = /dev/mapper/usr ] ||
	verdict='INGOT-PROOF-FAIL: /usr is not mounted from /dev/mapper/usr'
if touch /usr/written 2>/dev/null; then
	verdict='INGOT-PROOF-FAIL: /usr takes a write'
else
	printf 'proof: a write to /usr is refused\n'
fi
# With ingot.readall every block of every file is read, so that dm-verity has seen them all.
if grep -qw ingot.readall /proc/cmdline && ! find /usr -xdev -type f -exec cat {} + >/dev/null; then
	verdict='INGOT-PROOF-FAIL: /usr does not read'
fi
# Blocks that did not match the tree and were put right, each time it happened.
printf 'proof: corrected by parity: %s\n' "$(dmesg | grep -c 'verity-fec: .* corrected')"
printf '%s\n' "$verdict"
if grep -qw ingot.poweroff /proc/cmdline; then
	sync
	exec poweroff -f
fi
