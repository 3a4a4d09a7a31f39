#!/usr/bin/env bash
# mmdebstrap's extract hook of the small guest: hook-small.sh ROOT
# The packages are extracted, not configured: an initrd is put together by hand and all that is
# not needed to run proof.sh is thrown away.
set -euo pipefail
here=$(dirname "$0")
root=$1
kernel=$(basename "$root"/usr/lib/modules/*)
initrd=$(mktemp -d)
trap 'rm -rf "$initrd"' EXIT

install -D -m 755 "$here/proof.sh" "$root/usr/lib/ingot/proof.sh"
install -m 755 "$here/init-small.sh" "$initrd/init"
mkdir -p "$initrd"/{bin,dev,proc,sys,sysroot,run,modules}
cp "$root/usr/bin/busybox" "$initrd/bin/busybox"

# The modules, uncompressed (busybox cannot), in the order in which they have to be loaded.
chroot "$root" depmod "$kernel"
for module in virtio_pci virtio_blk ext4 dm-verity efivarfs; do
	chroot "$root" modprobe --set-version "$kernel" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
	name=$(basename "$path" .xz)
	case $path in
	*.xz) xz -dc "$root$path" >"$initrd/modules/$name" ;;
	*) cp "$root$path" "$initrd/modules/$name" ;;
	esac
	printf '%s\n' "$name" >>"$initrd/modules/list"
done

# Programs with the libraries that the dynamic linker names.
for program in /usr/sbin/veritysetup /usr/sbin/blkid /usr/bin/chattr; do
	printf '%s\n' "$program"
	chroot "$root" /lib64/ld-linux-x86-64.so.2 --list "$program" | grep -o '/[^ ]*'
done | sort -u | while read -r path; do
	mkdir -p "$initrd$(dirname "$path")"
	cp -L "$root$path" "$initrd$path"
done

find "$initrd" -exec touch -h -d @0 {} +
(cd "$initrd" && find . | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible -R 0:0) |
	zstd -q -9 >"$root/boot/initrd.img"
find "$root/usr/lib/systemd" -mindepth 1 -maxdepth 1 ! -name boot -exec rm -rf {} +
rm -rf "$root"/usr/lib/{modules,udev} "$root"/usr/share/{doc,man,locale,info,bash-completion,zoneinfo} \
	"$root"/usr/lib/x86_64-linux-gnu/{gconv,perl-base,systemd} "$root"/usr/share/{perl5,i18n,initramfs-tools} \
	"$root"/var/{cache,lib}/* "$root"/boot/{System.map,config}-*
ln -sf busybox "$root/usr/bin/sh"
ln -sf ../bin/busybox "$root/usr/sbin/poweroff"
mkdir -p "$root"/{dev,proc,sys,run,tmp}
