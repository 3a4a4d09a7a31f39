#!/usr/bin/env bash
# Make a root filesystem tree to build images from, as a tar file, and print its path:
#   ci/tree.sh full    Debian 13 with kernel, systemd, dracut and ssh
#   ci/tree.sh small   the same kernel with a hand-made initrd: boots in seconds, for the tests
#   ci/tree.sh bench   Debian 12 with containerd: a /usr of the size that matters, to measure with
#   ci/tree.sh virt-firmware   not to build from: virt-fw-vars of Debian 13, which puts
#                              certificates into a UEFI variable store (Debian 12 has none)
#   ci/tree.sh dissect         nor this: systemd-dissect of Debian 13, whose --validate needs no
#                              loop device (Debian 12's does)
#   ci/tree.sh debian13        nor this: Debian 13 with what ci/deps.sh installs, to build and test
#                              the program in
# Kept in build/cache (or $INGOT_CACHE) and made anew when something that goes into it changes.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
guest=$top/tests/boot/guest
made_by=("$0" "$guest"/*)

full=(systemd systemd-sysv udev dbus linux-image-cloud-amd64 dracut systemd-cryptsetup
	cryptsetup-bin dmsetup iproute2 openssh-server systemd-boot-efi e2fsprogs passwd zstd)
small=(base-files linux-image-cloud-amd64 busybox-static cryptsetup-bin dmsetup coreutils grep sed
	findutils util-linux mount kmod liblzma5 systemd-boot-efi e2fsprogs)
bench=(linux-image-amd64 systemd systemd-sysv containerd openssh-server)

case ${1:-} in
full)
	suite=trixie
	options=(--variant=minbase --include="${full[*]}" --customize-hook="$guest/hook-full.sh")
	;;
small)
	suite=trixie
	options=(--variant=extract --include="${small[*]}" --extract-hook="$guest/hook-small.sh")
	;;
bench)
	suite=bookworm
	options=(--variant=minbase --include="${bench[*]}")
	;;
virt-firmware)
	suite=trixie
	options=(--variant=extract --include=python3-virt-firmware)
	;;
dissect)
	suite=trixie
	options=(--variant=extract "--include=systemd-container libcryptsetup12")
	;;
debian13)
	suite=trixie
	made_by+=("$top/ci/deps.sh" "$top/ci/common.sh" "$top/ci/debian13/packages.sh")
	options=(--variant=minbase --dpkgopt=force-unsafe-io "--dpkgopt=path-exclude=/usr/share/man/*"
		--customize-hook="$top/ci/debian13/packages.sh")
	;;
*) die "usage: ci/tree.sh full|small|bench|virt-firmware|dissect|debian13" ;;
esac

key=$(cat "${made_by[@]}" | sha256sum | cut -c 1-12)
tar=$cache/tree-$1-$key.tar
if [ ! -e "$tar" ]; then
	mkdir -p "$cache"
	# Ask the mirrors that apt uses here, if it names any: every Debian mirror has both suites.
	sources=()
	mirror=$(apt_mirror bookworm trixie)
	[ -z "$mirror" ] || sources+=("deb $mirror $suite main")
	mirror=$(apt_mirror bookworm-security trixie-security)
	[ -z "$mirror" ] || sources+=("deb $mirror $suite-security main")
	trap 'rm -f "$tar.part"' EXIT
	mmdebstrap --quiet "${options[@]}" --format=tar "$suite" "$tar.part" "${sources[@]}" >&2
	mv "$tar.part" "$tar"
fi
printf '%s\n' "$tar"
