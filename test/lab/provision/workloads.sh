#!/bin/bash
# Makes a layer with programs that people run, besides those that a host has: only small ones.
# Usage: workloads.sh DEBIAN LAYER; runs in a mount namespace of its own, so its mounts end with it.
set -eu
debian=$1 layer=$2
mkdir "$layer/upper" "$layer/work" "$layer/root"
mount -t overlay overlay -o "lowerdir=$debian,upperdir=$layer/upper,workdir=$layer/work" "$layer/root"
cp /etc/resolv.conf "$layer/root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$layer/root/usr/sbin/policy-rc.d"
chmod 755 "$layer/root/usr/sbin/policy-rc.d"
mount -t proc proc "$layer/root/proc"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot "$layer/root" apt-get -q -o Acquire::Check-Valid-Until=false update
chroot "$layer/root" apt-get -q -y --no-install-recommends install \
  bc lua5.4 nginx pigz python3-numpy redis-server sqlite3 vim-tiny wget
chroot "$layer/root" apt-get clean
umount "$layer/root/proc"
rm -rf "$layer/root/usr/sbin/policy-rc.d" "$layer/root"/var/lib/apt/lists/*
umount "$layer/root"
rm -rf "$layer/root" "$layer/work"
