#!/bin/bash
# PID 1 of a lab host. It begins as root of the machine, already in the host's own network, PID, mount, UTS and
# IPC namespaces; it builds the host's file system, moves into it, starts the services and then only reaps.
# All mounts happen here, in the host's own namespace, so that a killed host leaves none behind.
set -eu
: "$LAB_NAME" "$LAB_LAYERS" "$LAB_DISK" "$LAB_SCRATCH" "$LAB_ROOT" "$LAB_SHARED" "$LAB_ADDRESS" "$LAB_FIRST_PID"
# shellcheck disable=SC2153 # tailscale and its daemon
: "$LAB_REPOSITORY" "$LAB_NODE" "$LAB_TAILSCALE" "$LAB_TAILSCALED" "$LAB_SERVICES" "$LAB_CGROUP"

hostname "$LAB_NAME"
mount -t overlay overlay -o "lowerdir=$LAB_LAYERS,upperdir=$LAB_DISK,workdir=$LAB_SCRATCH" "$LAB_ROOT"
cd "$LAB_ROOT"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev

while read -r node major minor; do mknod -m 666 "dev/$node" c "$major" "$minor"; done <<'NODES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
mkdir -p dev/net dev/pts dev/shm
mknod -m 666 dev/net/tun c 10 200
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

read_only() {
  mount --bind "$1" "$2"
  mount -o remount,bind,ro "$2"
}
mkdir -p run/lab run/sshd run/lock run/services
mount --bind "$LAB_SHARED" run/lab
read_only "$LAB_REPOSITORY" srv/resource-sharing
read_only "$LAB_NODE" usr/local/bin/node
if [ -n "$LAB_TAILSCALE" ]; then
  read_only "$LAB_TAILSCALE" usr/local/bin/tailscale
  read_only "$LAB_TAILSCALED" usr/local/bin/tailscaled
fi
# The kernel's /proc/loadavg is the machine's, not the namespace's.
mount --bind run/lab/loadavg proc/loadavg

for controller in cpu freezer; do
  outside=/sys/fs/cgroup/$controller/$LAB_CGROUP
  [ -d "$outside" ] || continue
  mountpoint -q sys/fs/cgroup || mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  echo $$ >"$outside/cgroup.procs"
  mkdir "sys/fs/cgroup/$controller"
  mount --bind "$outside" "sys/fs/cgroup/$controller"
done

mkdir -p old
pivot_root . old
cd /
umount -l /old
rmdir /old
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

# Kernels before 6.14 have one pid_max for all namespaces, later ones a pid_max each; it bounds the next line.
[ "$(cat /proc/sys/kernel/pid_max)" -ge 4194304 ] || echo 4194304 >/proc/sys/kernel/pid_max
echo "$LAB_FIRST_PID" >/proc/sys/kernel/ns_last_pid

ip link set lo up
ip link set eth0 up
ip addr replace "$LAB_ADDRESS/24" dev eth0

cp /run/lab/hosts /etc/hosts
echo "$LAB_NAME" >/etc/hostname
[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
for type in ed25519 ecdsa; do
  key=/etc/ssh/ssh_host_${type}_key
  [ -s "$key" ] || ssh-keygen -q -t "$type" -N '' -C "$LAB_NAME" -f "$key"
done

# shellcheck disable=SC2086 # a list of names
for service in $LAB_SERVICES; do bash /srv/resource-sharing/test/lab/in-host/service.sh start "$service"; done
[ ! -x /opt/lab/boot ] || /opt/lab/boot
[ ! -s /opt/lab/cpus ] || bash /srv/resource-sharing/test/lab/in-host/persona.sh cpus "$(cat /opt/lab/cpus)"
: >/run/lab/ready
unset "${!LAB_@}"

# bash reaps whatever is handed to PID 1 while it waits.
while :; do
  sleep infinity &
  wait $! || :
done
