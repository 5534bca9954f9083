# shellcheck shell=sh
# What both ends tell of themselves; read before source.sh and target.sh. POSIX sh, GNU find, stat and coreutils.
# Everything that is printed are records that end in NUL: the name of a section, its items, an empty record. So no
# path and no name of a command can pass for something else.

[ "$(uname -s)" = Linux ] || exit 78
[ "$(id -u)" = 0 ] || exit 77
exec 2>/dev/null
lacks=
[ -r /proc/self/stat ] || lacks=' /proc'
for each in awk base64 df find mktemp readlink sed sha256sum sort stat timeout tr xargs; do
  command -v "$each" >/dev/null || lacks="$lacks $each"
done
[ -z "$lacks" ] || { echo "lacks$lacks" && exit 72; }

items() { printf '%s\0' "$@" ''; }

# text NAME COMMAND…: all that a command prints, as one item
text() {
  printf '%s\0' "$1"
  shift
  "$@"
  printf '\0\0'
}

free_bytes() { df -Pk "$1" | awk 'NR == 2 { printf "%.0f", $4 * 1024 }'; }

machine() {
  disk=/var/lib/resource-sharing
  while [ ! -d "$disk" ]; do
    disk=${disk%/*}
    disk=${disk:-/}
  done
  items arch "$(uname -m)"
  items kernel "$(uname -r)"
  items boot "$(cat /proc/sys/kernel/random/boot_id).$(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20)"
  items identity "$(cat /proc/sys/kernel/random/boot_id).$(stat -Lc %i /proc/self/ns/pid)"
  items memory "$(awk '$1 == "MemAvailable:" { printf "%.0f", $2 * 1024 }' /proc/meminfo)"
  items disk "$(free_bytes "$disk")"
}

criu_facts() {
  command -v criu >/dev/null || return 0
  said=$(criu check 2>&1 </dev/null)
  items check "$?" "$(printf '%s\n' "$said" | tail -n 1)"
  items criu "$(criu --version </dev/null | sed -n 's/^Version: *//p')"
}

scratch=$(mktemp -d) || exit 73
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
