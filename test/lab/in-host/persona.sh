#!/bin/bash
# Makes a host answer as another kind of machine. Usage: persona.sh mac | freebsd | openbsd | linux | cpus N
# The commands are exchanged in their own places, so that they are found whatever PATH is: cron's, ssh's, sudo's.
set -eu
here=/srv/resource-sharing/test/lab/in-host
hidden=/opt/lab/hidden

# Commands of Linux that a Mac has not, nor a BSD. The lab keeps copies of those it needs itself in /opt/lab/bin.
not_on_mac=(bin/nproc bin/timeout bin/setsid bin/flock bin/free bin/taskset bin/ionice bin/chrt bin/lscpu sbin/criu)
# Where a Mac keeps those that answer differently. (sysctl is not on its cron's PATH, either.)
different_on_mac=(bin/uname bin/ps bin/vm_stat sbin/sysctl)

hide() {
  if [ ! -e "$hidden/$1" ] && [ -e "/usr/$1" ]; then
    mkdir -p "$hidden/${1%/*}"
    mv "/usr/$1" "$hidden/$1"
  fi
  rm -f "/usr/$1"
}

install_command() {
  hide "$1"
  cat >"/usr/$1"
  chmod 755 "/usr/$1"
}

say_cpus() {
  [ -s /opt/lab/cpus ] || return 0
  read -r cpus </opt/lab/cpus
  install_command bin/nproc <<<"#!/bin/sh
echo $cpus"
  install_command bin/getconf <<<"#!/bin/sh
case \$1 in _NPROCESSORS_*) echo $cpus ;; *) exec $hidden/bin/getconf \"\$@\" ;; esac"
  # What the kernel tells of its CPUs can't be exchanged; another file stands over it.
  online=/sys/devices/system/cpu/online
  echo "0$([ "$cpus" = 1 ] || echo "-$((cpus - 1))")" >/run/cpus-online
  grep -q " $online " /proc/self/mountinfo || mount --bind /run/cpus-online "$online"
}

become_linux() {
  bash "$here/service.sh" kill app
  rm -rf /opt/lab/boot /Applications /usr/bin/vm_stat
  for folder in bin sbin; do
    for file in "$hidden/$folder"/*; do [ ! -e "$file" ] || mv -f "$file" "/usr/$folder/"; done
  done
  [ -s /proc/loadavg ] || umount /proc/loadavg
}

case $1 in
  linux)
    become_linux
    say_cpus
    ;;
  cpus)
    echo "$2" >/opt/lab/cpus
    [ -e /opt/lab/boot ] || say_cpus
    ;;
  mac | freebsd | openbsd)
    become_linux
    echo "$1" >/opt/lab/system
    for name in "${not_on_mac[@]}"; do hide "$name"; done
    for name in "${different_on_mac[@]}"; do install_command "$name" <"$here/mac/${name#*/}"; done
    # An application whose path holds spaces, as most do on a Mac.
    app="/Applications/Visual Studio Code.app/Contents/MacOS/Code Helper"
    mkdir -p "${app%/*}"
    cp /usr/bin/sleep "$app"
    install -m 755 "$here/mac/boot.sh" /opt/lab/boot
    /opt/lab/boot
    ;;
esac
