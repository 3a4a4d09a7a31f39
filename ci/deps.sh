#!/usr/bin/env bash
# Install what is needed on Debian 12 or 13: ci/deps.sh [build|test|demo]
# Only what is missing is installed; a second run needs neither root nor network.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

build=(cmake ninja-build gcc libc6-dev pkg-config
	libext2fs-dev comerr-dev libcryptsetup-dev libssl-dev libp11-kit-dev libarchive-dev
	libzstd-dev libdeflate-dev zlib1g-dev liblzma-dev libjansson-dev libyaml-dev)
demo=(mmdebstrap debian-archive-keyring ca-certificates uidmap qemu-system-x86 ovmf
	cpio zstd xz-utils jq openssl binutils
	e2fsprogs cryptsetup-bin fdisk gdisk dosfstools mtools sbsigntool)
check=(git clang libclang-rt-dev shellcheck libcmocka-dev zlib1g-dev libcap2-bin attr acl faketime
	systemd-boot-efi qemu-utils p7zip-full libvhdi-utils libvmdk-utils libxml2-utils libvirt-clients qemu-user
	softhsm2 opensc gnutls-bin expect efitools osslsigncode
	pigz tabix libarchive-tools python3)

case ${1:-build} in
build) wanted=("${build[@]}") ;;
demo) wanted=("${build[@]}" "${demo[@]}") ;;
test) wanted=("${build[@]}" "${demo[@]}" "${check[@]}") ;;
*) die "usage: ci/deps.sh [build|test|demo]" ;;
esac

. /etc/os-release
case ${ID:-}-${VERSION_ID:-} in
debian-12) [ "${1:-}" != test ] || wanted+=(clang-format-14) ;;
debian-13) ;;
*) printf 'This is %s; the package names are those of Debian 12 and 13.\n' "$PRETTY_NAME" ;;
esac

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# QEMU 7.2, Debian 12's own, corrupts a guest's memory in system management mode under emulation.
qemu_is_old() {
	dpkg --compare-versions "$(dpkg-query -W -f '${Version}' qemu-system-x86)" lt 1:8
}

missing=()
for package in "${wanted[@]}"; do
	installed "$package" || missing+=("$package")
done
needs_backport=no
if [ "${ID:-}-${VERSION_ID:-}" = debian-12 ] && [[ " ${wanted[*]} " == *" qemu-system-x86 "* ]]; then
	if ! installed qemu-system-x86 || qemu_is_old; then
		needs_backport=yes
	fi
fi
if [ ${#missing[@]} = 0 ] && [ $needs_backport = no ]; then
	exit 0
fi

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		-o Dpkg::Use-Pty=0 -o Dpkg::Progress-Fancy=0 --no-install-recommends "$@"
}

# bookworm-backports, from the mirror and with the key that this machine already uses.
add_backports() {
	local codenames site
	codenames=$(apt-get indextargets --format '$(CODENAME)' 'Created-By: Packages')
	if grep -qx bookworm-backports <<<"$codenames"; then
		return
	fi
	site=$(apt_mirror bookworm)
	if [ -z "$site" ]; then
		return
	fi
	printf 'Adding bookworm-backports to the sources of apt, for QEMU 10\n'
	printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s bookworm-backports main\n' \
		"$site" | as_root tee /etc/apt/sources.list.d/ingot-backports.list >/dev/null
	as_root apt-get update -qq
}

printf 'Installing %s\n' "${missing[*]:-QEMU 10}"
as_root apt-get update -qq
if [ $needs_backport = yes ]; then
	add_backports
	if apt_install -t bookworm-backports qemu-system-x86; then
		remaining=()
		for package in "${missing[@]}"; do
			[ "$package" = qemu-system-x86 ] || remaining+=("$package")
		done
		missing=("${remaining[@]}")
	else
		printf 'QEMU 10 is not to be had here: QEMU 7.2 boots without Secure Boot only\n'
	fi
fi
[ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
