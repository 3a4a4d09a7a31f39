#!/usr/bin/env bash
# mmdebstrap's customize hook of the full guest: hook-full.sh ROOT
set -euo pipefail
here=$(dirname "$0")
root=$1

install -D -m 755 "$here/proof.sh" "$root/usr/lib/ingot/proof.sh"
install -m 644 "$here/ingot-proof.service" "$root/etc/systemd/system/ingot-proof.service"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../ingot-proof.service "$root/etc/systemd/system/multi-user.target.wants/"

# The serial console belongs to the proof.
ln -s /dev/null "$root/etc/systemd/system/serial-getty@ttyS0.service"
# The host key is made by the machine, as the image carries none. (Debian's sshd-keygen.service acts
# on a first boot only, which a machine with an empty machine-id never has; and its RSA key takes a
# minute under emulation.)
mkdir -p "$root/etc/systemd/system/ssh.service.d"
cat >"$root/etc/systemd/system/ssh.service.d/host-keys.conf" <<'END'
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c 'cd /etc/ssh; [ -e ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N "" -f ssh_host_ed25519_key'
ExecStartPre=/usr/sbin/sshd -t
END

kernel=$(basename "$root"/usr/lib/modules/*)
chroot "$root" dracut --quiet --force --no-hostonly --reproducible \
	--add "systemd systemd-veritysetup dm" \
	--add-drivers "virtio_blk virtio_pci ext4 dm-verity" \
	--kver "$kernel" "/boot/initrd.img-$kernel"
