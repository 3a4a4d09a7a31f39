#!/bin/busybox sh
# shellcheck shell=dash
# /init of the small guest: does with busybox what systemd does in the full one.
export PATH=/usr/sbin:/usr/bin:/bin DM_DISABLE_UDEV=1
/bin/busybox mkdir -p /usr/bin /usr/sbin
/bin/busybox --install -s /bin

fail() {
	printf 'INGOT-PROOF-FAIL: %s\n' "$*"
	poweroff -f
}

# The value of a word KEY=VALUE of the kernel's command line.
argument() {
	tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -n 1
}

# A module with its parameters from the command line (MODULE.NAME=VALUE), which modprobe knows to
# pass on and insmod does not.
load() {
	name=$(basename "$1" .ko | tr - _)
	# shellcheck disable=SC2046 # one word each
	insmod "/modules/$1" $(tr ' ' '\n' </proc/cmdline | sed -n "s/^$name\.//p")
}

# A device by PARTUUID=..., or by its path.
device() {
	case $1 in
	PARTUUID=*) blkid -t "$1" -o device ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# 32 hex digits as a UUID, for the partitions that are found by the root hash.
uuid() {
	printf '%s\n' "$1" | sed 's/\(.\{8\}\)\(....\)\(....\)\(....\)\(.*\)/\1-\2-\3-\4-\5/'
}

# open_usr DATA HASH ROOTHASH [veritytab's options]
open_usr() {
	data=$(device "$1") hashes=$(device "$2") hash=$3 options=$4
	set --
	for option in $(printf '%s\n' "$options" | tr ',' ' '); do
		case $option in
		fec-device=*) set -- "$@" "--fec-device=$(device "${option#*=}")" ;;
		hash-offset=* | root-hash-signature=* | fec-*) set -- "$@" "--$option" ;;
		esac
	done
	veritysetup open "$@" "$data" usr "$hashes" "$hash"
}

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1 </dev/null
while read -r module; do
	load "$module" || fail "module $module"
done </modules/list

hash=$(argument usrhash)
if [ -n "$hash" ]; then
	open_usr "PARTUUID=$(uuid "$(printf %.32s "$hash")")" \
		"PARTUUID=$(uuid "$(printf %s "$hash" | tail -c 32)")" "$hash" \
		"$(argument systemd.verity_usr_options)" ||
		fail "no verity device from usrhash=$hash"
elif [ -e /etc/veritytab ]; then
	read -r name data hashes hash options </etc/veritytab
	[ "$name" = usr ] || fail "veritytab describes '$name'"
	open_usr "$data" "$hashes" "$hash" "$options" || fail "no verity device from veritytab"
else
	fail "no root hash"
fi

mount -t ext4 "$(device "$(argument root)")" /sysroot || fail "no root filesystem"
mount -t ext2 -o ro /dev/mapper/usr /sysroot/usr || fail "/usr does not mount"
mount --move /dev /sysroot/dev
mount --move /proc /sysroot/proc
mount --move /sys /sysroot/sys
exec switch_root /sysroot /usr/bin/sh -c "/usr/lib/ingot/proof.sh; exec sleep 1000"
