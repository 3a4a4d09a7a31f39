#!/usr/bin/env bash
# Boot an image in QEMU with UEFI firmware and watch its serial console:
#   boot.sh IMAGE [--timeout SECONDS] [--expect REGEX] [--log FILE] [--sector-size 512|4096]
#           [--secure-boot VARIABLES [--keep]] [--format raw|qcow2|vmdk|vpc|vhdx|vdi] [--data FILE]
#           [--patient]
# With --secure-boot the firmware has the keys of this UEFI variable store, of which it gets a copy;
# with --keep what it has in the end is put back.
# With --data the guest has this raw file as a second disk. With --patient only the expected line
# counts, whatever else the guest says. Neither image nor second disk is modified. Exit status: 0 the expected line was seen, 1 it was not, 2 usage.
# $INGOT_ACCEL, kvm or tcg, settles what is otherwise found out by trying.
set -euo pipefail

timeout=240 expect='^INGOT-PROOF-END' log='' sector=512 variables='' keep=no image='' format=raw data='' patient=no
while [ $# -gt 0 ]; do
	case $1 in
	--timeout) timeout=$2 && shift ;;
	--expect) expect=$2 && shift ;;
	--log) log=$2 && shift ;;
	--sector-size) sector=$2 && shift ;;
	--secure-boot) variables=$2 && shift ;;
	--keep) keep=yes ;;
	--format) format=$2 && shift ;;
	--data) data=$2 && shift ;;
	--patient) patient=yes ;;
	-*) printf 'boot.sh: unknown option %s\n' "$1" >&2 && exit 2 ;;
	*) image=$1 ;;
	esac
	shift
done
[ -r "$image" ] || { printf 'boot.sh: no image to read: %s\n' "$image" >&2 && exit 2; }

# What a guest says when it will not get there any more.
failure='INGOT-PROOF-FAIL|Kernel panic|emergency (mode|shell)|is corrupted|dracut-initqueue.*timeout'
failure+='|Entering.*emergency|EFI Internal Shell|No bootable option'
failure+='|Root hash verification failed \(-[A-Z]+\)|BdsDxe: failed to load .*: Access Denied'
[ $patient = no ] || failure='Kernel panic'

work=$(mktemp -d "${TMPDIR:-/tmp}/ingot-boot.XXXXXX")
qemu=
stop() {
	if [ -n "$qemu" ]; then
		# It may have ended by itself; how it ends says nothing.
		kill "$qemu" 2>/dev/null || :
		wait "$qemu" 2>/dev/null || :
		qemu=
	fi
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
serial=${log:-$work/serial.log}

start() {
	local with=(-accel "tcg,thread=multi") machine=q35 firmware=OVMF_CODE_4M.fd
	[ "$1" != kvm ] || with=(-accel kvm -cpu host)
	if [ -n "$variables" ]; then
		machine=q35,smm=on firmware=OVMF_CODE_4M.secboot.fd
		with+=(-global "driver=cfi.pflash01,property=secure,value=on")
	fi
	if [ -n "$data" ]; then
		with+=(-drive "if=none,id=data,format=raw,snapshot=on,file=$data"
			-device "virtio-blk-pci,drive=data")
	fi
	cp "${variables:-/usr/share/OVMF/OVMF_VARS_4M.fd}" "$work/vars.fd"
	: >"$serial"
	TMPDIR=$work qemu-system-x86_64 -machine "$machine" "${with[@]}" -m 1024 -smp 2 -nic none \
		-nodefaults -display none -no-reboot -serial "file:$serial" -device virtio-rng-pci \
		-drive "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/$firmware" \
		-drive "if=pflash,unit=1,format=raw,file=$work/vars.fd" \
		-drive "if=none,id=disk,format=$format,snapshot=on,file=$image" \
		-device "virtio-blk-pci,drive=disk,bootindex=0,logical_block_size=$sector,physical_block_size=$sector" \
		</dev/null >"$work/qemu.log" 2>&1 &
	qemu=$!
}

# watch SECONDS REGEX: 0 seen, 1 the guest failed, 2 the time is over, 3 QEMU ended
# (The shell's own word about a QEMU that crashed goes nowhere; its log is read instead.)
watch() {
	local end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		if grep -aqE "$2" "$serial"; then
			return 0
		elif grep -aqiE "$failure" "$serial"; then
			return 1
		elif ! kill -0 "$qemu" 2>/dev/null; then
			# Its last words may have come after the first look.
			if grep -aqE "$2" "$serial"; then
				return 0
			fi
			return 3
		fi
		sleep 0.3
	done
	return 2
} 2>/dev/null

# KVM may be there, and hang the guest nevertheless: it must bring up a kernel within seconds.
began=$SECONDS accel=${INGOT_ACCEL:-}
if [ -z "$accel" ]; then
	accel=tcg
	if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
		start kvm
		if watch 12 "Run /init|systemd\[1\]|$expect"; then
			accel=kvm
		else
			stop
		fi
	fi
fi
[ -n "$qemu" ] || start "$accel"

status=0
watch "$timeout" "$expect" || status=$?
case $status in
0) said='the expected line was seen' ;;
1) said="the guest failed: $(grep -aiE "$failure" "$serial" | head -n 1 | tr -cd '[:print:]')" ;;
2) said="nothing in $timeout s" ;;
3) said="QEMU ended: $(tail -n 1 "$work/qemu.log")" ;;
esac
stop
[ $keep = no ] || cp "$work/vars.fd" "$variables"
printf 'boot: %s (%s, %d s)\n' "$said" "$accel" $((SECONDS - began))
[ $status = 0 ]
