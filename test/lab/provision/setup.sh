#!/bin/bash
# Makes the layer that all lab hosts share above a plain Debian: the users and their key, sshd, PATH.
# Usage: setup.sh DEBIAN LAYER; runs in a mount namespace of its own, so its mounts end with it.
set -eu
debian=$1 layer=$2
mkdir "$layer/upper" "$layer/work" "$layer/root"
mount -t overlay overlay -o "lowerdir=$debian,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"

chroot "$layer/root" /bin/bash -eu <<'INSIDE'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
lab_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/srv/resource-sharing/node_modules/.bin

# Mount points, and the lab's own copies of the tools it enters a host with: a host that plays a Mac hides the originals.
mkdir -p /srv/resource-sharing /opt/lab/bin /opt/lab/hidden /var/lib/tailscale
touch /usr/local/bin/node /usr/local/bin/tailscale /usr/local/bin/tailscaled
cp /usr/bin/timeout /usr/bin/setsid /usr/bin/setpriv /usr/bin/env /opt/lab/bin/

# Debian has a system group of this name, which nothing here uses.
groupdel operator
useradd --uid 1000 --user-group --create-home --shell /bin/bash operator
# '*' is "no password" but, unlike '!', not "locked": sshd lets such an account in with a key.
usermod --password '*' operator
usermod --password '*' root
printf 'Defaults secure_path="%s"\noperator ALL=(ALL) NOPASSWD: ALL\n' "$lab_path" >/etc/sudoers.d/lab
chmod 440 /etc/sudoers.d/lab

# One key for the whole lab. Each host makes host keys of its own when it first boots.
rm -f /etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -C lab -f /tmp/id_ed25519
for home in /root /home/operator; do
  mkdir -p "$home/.ssh"
  cp /tmp/id_ed25519 /tmp/id_ed25519.pub "$home/.ssh/"
  cp /tmp/id_ed25519.pub "$home/.ssh/authorized_keys"
  chmod 700 "$home/.ssh"
  chmod 600 "$home/.ssh/id_ed25519" "$home/.ssh/authorized_keys"
done
chown -R operator:operator /home/operator/.ssh
rm /tmp/id_ed25519 /tmp/id_ed25519.pub

cat >/etc/ssh/sshd_config.d/lab.conf <<CONFIG
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_ecdsa_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 200:30:400
SetEnv PATH=$lab_path
CONFIG

# The three other ways into a PATH: PAM (cron), login shells, and non-login shells that su starts.
printf 'PATH="%s"\n' "$lab_path" >/etc/environment
printf 'export PATH="%s"\n' "$lab_path" >/etc/profile.d/lab.sh

# debootstrap copies these from the machine; a host has its own.
rm -f /etc/resolv.conf /etc/hostname /etc/machine-id
: >/etc/resolv.conf
: >/etc/machine-id
INSIDE
umount "$layer/root"
rmdir "$layer/root"
rm -rf "$layer/work"
