#!/bin/busybox sh
# shellcheck shell=dash
# /init of the guest that enrols keys: writes the signed updates in /updates, in the order of their
# names, to the firmware's variables, as efi-updatevar does. NUMBER-VARIABLE.taken has to be taken,
# NUMBER-VARIABLE.refused not. The last line is INGOT-ENROL-END only if the firmware did so.
export PATH=/usr/sbin:/usr/bin:/bin
/bin/busybox mkdir -p /usr/bin /usr/sbin
/bin/busybox --install -s /bin
variables=/sys/firmware/efi/efivars
global=8be4df61-93ca-11d2-aa0d-00e098032b8c
database=d719b2cb-3d3a-4596-a3bc-dad00e67656f

finish() {
	printf '%s\n' "$*"
	poweroff -f
}

# The only byte, behind the attributes, of one of the firmware's own variables.
state() {
	tail -c 1 "$variables/$1-$global" | od -An -tu1 | tr -d ' \n'
}

# update FILE VARIABLE: one write of attributes and update, which the kernel hands over as they are.
# Says whether the firmware took it.
update() {
	case $2 in
	PK | KEK) path=$variables/$2-$global ;;
	*) path=$variables/$2-$database ;;
	esac
	[ ! -e "$path" ] || chattr -i "$path"
	# Kept, at boot, at run time, by authenticated writes with a time; and added to what is there.
	attributes='\0047\0000\0000\0000'
	case $1 in
	*append*) attributes='\0147\0000\0000\0000' ;;
	esac
	{ printf '%b' "$attributes" && cat "$1"; } >/update
	if answer=$(dd if=/update of="$path" bs=1M conv=notrunc 2>&1); then
		printf 'taken'
	elif printf '%s\n' "$answer" | grep -q 'error writing .*: Permission denied'; then
		printf 'refused'
	else
		printf 'not tried (%s)' "$answer"
	fi
}

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1 </dev/null
insmod /modules/efivarfs.ko
mount -t efivarfs efivarfs "$variables" || finish "INGOT-PROOF-FAIL: no firmware variables"
printf '\nenrol: setup mode %s\n' "$(state SetupMode)"

for file in /updates/*; do
	name=$(basename "$file")
	variable=${name#*-}
	said=$(update "$file" "${variable%%[-.]*}")
	printf 'enrol: %s %s, setup mode %s\n' "$name" "$said" "$(state SetupMode)"
	[ "$said" = "${name##*.}" ] || finish "INGOT-PROOF-FAIL: $name is $said"
done
sync
finish INGOT-ENROL-END
