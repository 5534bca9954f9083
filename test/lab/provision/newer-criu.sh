#!/bin/bash
# Makes a layer with a criu from a later Debian, 4.2 or newer, beside the one that a host has: programs and libraries of
# their own folder, so that whatever else there is, which a process that moves has open, stays the same on all hosts.
# Usage: newer-criu.sh DEBIAN LAYER MIRROR; runs in a mount namespace of its own, so its mounts end with it.
set -eu
debian=$1 layer=$2 mirror=$3
mkdir "$layer/upper" "$layer/scratch" "$layer/scratch/upper" "$layer/scratch/work" "$layer/scratch/root"
root=$layer/scratch/root
mount -t overlay overlay -o "lowerdir=$debian,upperdir=$layer/scratch/upper,workdir=$layer/scratch/work" "$root"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/newer"

# Testing first: what it has now stays on the mirror, as the next stable. A mirror may be a copy of some time ago, which
# calls itself out of date; signatures are checked all the same.
for suite in forky sid; do
  echo "deb $mirror $suite main" >"$root/etc/apt/sources.list"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb "$root"/newer/*
  chroot "$root" apt-get -q -o Acquire::Check-Valid-Until=false update || continue
  # With those of its libraries that this Debian lacks, or has in an older version.
  chroot "$root" apt-get -q -y --no-install-recommends --download-only install criu || continue
  for archive in "$root"/var/cache/apt/archives/*.deb; do dpkg-deb -x "$archive" "$root/newer"; done
  [ -x "$root/newer/usr/sbin/criu" ] || continue
  [ ! -e "$(echo "$root"/newer/usr/lib/*/libc.so.6)" ] || continue
  cat >"$root/newer/criu" <<'WRAPPER'
#!/bin/sh
LD_LIBRARY_PATH=$(echo /opt/newer-criu/lib/*-linux-gnu*)
export LD_LIBRARY_PATH
exec /opt/newer-criu/sbin/criu "$@"
WRAPPER
  chmod 755 "$root/newer/criu"
  mkdir -p "$layer/upper/opt/newer-criu" "$root/opt/newer-criu"
  cp -a "$root/newer/criu" "$root/newer/usr/sbin" "$root/newer/usr/lib" "$root/opt/newer-criu/"
  version=$(chroot "$root" /opt/newer-criu/criu --version | sed -n 's/^Version: //p')
  [ "$(printf '4.2\n%s\n' "$version" | sort -V | head -n 1)" = 4.2 ] || continue
  cp -a "$root/opt/newer-criu/." "$layer/upper/opt/newer-criu/"
  umount "$root"
  rm -rf "$layer/scratch"
  exit 0
done
echo "neither forky nor sid of the mirror has a criu 4.2 or newer that runs here" >&2
exit 1
