#!/bin/bash
# Makes a host one of the kinds of machines that people have; it stays one until the lab is closed.
# Usage: kind.sh KIND
set -eu
here=/srv/resource-sharing/test/lab/in-host
hidden=/opt/lab/hidden

# Takes the commands of Debian away and puts those applets of BusyBox in their place. The lab's own tools stay: bash, with
# which it does what it does to a host, python3, in which its stand-ins are written, sshd, and what is in /usr/local/bin.
only_busybox() {
  busybox=/opt/lab/bin/busybox
  mkdir -p "$hidden/bin" "$hidden/sbin"
  cp /usr/bin/busybox "$busybox"
  for file in /usr/bin/* /usr/sbin/*; do
    case ${file##*/} in bash | python3* | busybox | sshd* | unix_chkpwd) continue ;; esac
    "$busybox" mv "$file" "$hidden/${file#/usr/}"
  done
  for applet; do "$busybox" ln -s busybox "/usr/bin/$applet"; done
  hash -r
}

# stand_in NAME FILE: in the place of a command, or of one that was not there.
stand_in() {
  rm -f "/usr/bin/$1"
  cp "$here/$2" "/usr/bin/$1"
  chmod 755 "/usr/bin/$1"
}

log_in_by() {
  usermod --shell "$1" operator
  usermod --shell "$1" root
}

case $1 in
  debian) ;;
  # Alpine's BusyBox has nearly all that there is; there is no coreutils, and no bash, sudo or rsync.
  alpine)
    log_in_by /bin/sh
    # shellcheck disable=SC2046 # names
    only_busybox $(/usr/bin/busybox --list | grep -vx busybox)
    stand_in flock busybox-flock.sh
    ;;
  # The applets of OpenWrt's own configuration, package/utils/busybox: no nproc, getconf, stat, timeout, and a sleep
  # without parts of a second. People log in as root.
  openwrt)
    log_in_by /bin/sh
    only_busybox '[' ash awk basename cat chgrp chmod chown clear cmp cp cut date dd df dirname dmesg du echo egrep env \
      expr false fgrep find free grep gunzip gzip head hexdump hostname id ip kill killall less ln logger ls md5sum mkdir \
      mkfifo mknod mktemp mount mv nc netstat nice passwd pgrep pidof ping printf ps pwd readlink renice rm rmdir sed seq \
      setsid sh sha256sum sort strings sync sysctl tail tar tee test time top touch tr true umount uname uniq uptime vi wc \
      wget which xargs yes zcat
    stand_in flock busybox-flock.sh
    stand_in sleep whole-sleep.sh
    ;;
  fish | zsh | tcsh) log_in_by "/usr/bin/$1" ;;
  hidden-pids) mount -o remount,hidepid=2 /proc ;;
  no-proc) mount -t tmpfs -o mode=555 tmpfs /proc ;;
  read-only-home)
    mount --bind /home/operator /home/operator
    mount -o remount,bind,ro /home/operator
    ;;
  mac | freebsd | openbsd) bash "$here/persona.sh" "$1" ;;
  # A container that may use half a CPU.
  quota) echo 50000 >/sys/fs/cgroup/cpu/cpu.cfs_quota_us ;;
  no-sudo) rm /etc/sudoers.d/lab ;;
  ipv6-only)
    # It has the number of its IPv4 address.
    number=$(ip -4 -o addr show dev eth0 | sed 's/.*inet [0-9.]*\.\([0-9]*\)\/.*/\1/')
    ip addr add "fd00::$number/64" dev eth0 nodad
    ip -4 addr flush dev eth0
    ;;
  tailscale-ssh) /usr/local/bin/tailscale set --ssh ;;
  newer-criu) ln -sf /opt/newer-criu/criu /usr/local/sbin/criu ;;
  usual-criu) rm -f /usr/local/sbin/criu ;;
  *)
    echo "kind.sh: there is no kind $1" >&2
    exit 2
    ;;
esac
