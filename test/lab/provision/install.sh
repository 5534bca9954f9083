#!/bin/bash
# Installs a small Debian into a folder. Usage: install.sh SUITE FOLDER MIRROR PACKAGE…
# Runs in mount and PID namespaces of its own: killed half-way, no mount and no process of it stays behind.
set -eu
suite=$1 folder=$2 mirror=$3
shift 3
debootstrap --variant=minbase "$suite" "$folder" "$mirror"

# The packages come in a second step because debootstrap resolves neither alternatives nor pre-dependencies.
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod 755 "$folder/usr/sbin/policy-rc.d"
mount -t proc proc "$folder/proc"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot "$folder" apt-get -q update
chroot "$folder" apt-get -q -y --no-install-recommends install "$@"
chroot "$folder" apt-get clean
umount "$folder/proc"
rm -rf "$folder/usr/sbin/policy-rc.d" "$folder"/var/lib/apt/lists/*
