# shellcheck shell=sh
# What this machine has of what a migration needs. POSIX sh; anything may be missing, also Linux. Records as those of
# lib/work/migrate/facts/machine.sh.
exec 2>/dev/null
items() { printf '%s\0' "$@" ''; }

items os "$(uname -s)"
items arch "$(uname -m)"
items kernel "$(uname -r)"
items user "$(id -un)" "$(id -u)"

missing=
for tool in awk base64 cksum df find flock getent grep mktemp od ps sed setsid sha256sum sort ss stat sync tac tar timeout xargs; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
# shellcheck disable=SC2086 # a list of names
items missing $missing
[ "$(find . -maxdepth 0 -printf x)" = x ] || items foreign find
[ -e "/proc/$$/task/$$/children" ] && items children yes
[ -n "$(ls "/proc/$$/map_files")" ] && items mappings yes

disk=/var/lib/resource-sharing
while [ ! -d "$disk" ]; do
  disk=${disk%/*}
  disk=${disk:-/}
done
items disk "$(df -Pk "$disk" | awk 'NR == 2 { printf "%.0f", $4 * 1024 }')"
[ -w "$disk" ] && items writable "$disk"
items memory "$(awk '$1 == "MemAvailable:" { printf "%.0f", $2 * 1024 }' /proc/meminfo)"

if command -v criu >/dev/null; then
  items criu "$(criu --version </dev/null | sed -n 's/^Version: *//p')"
  said=$(criu check 2>&1 </dev/null)
  items check "$?" "$(printf '%s\n' "$said" | sed '/^$/d' | tail -n 1)"
fi
if [ -S /var/run/tailscale/tailscaled.sock ] && command -v tailscale >/dev/null; then items tailscale yes; fi
exit 0
