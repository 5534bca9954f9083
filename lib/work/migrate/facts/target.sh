# shellcheck shell=sh
# Reads what is here of what a migration would need. Its input are paths, one a line, in the escapes of printf's %b;
# $NUMBERS are PIDs, $USERS lines `uid name`, $PORTS numbers of ports, $CPU criu's cpuinfo.img in base64.

machine
criu_facts
items most "$(cat /proc/sys/kernel/pid_max)"

printf 'tools\0'
for each in taskset ionice chrt setarch setpriv python3; do ! command -v "$each" >/dev/null || printf '%s\0' "$each"; done
# A control group may have no time for what runs in real time.
chrt --rr 1 true && printf 'realtime\0'
printf '\0'
items cpus "$(cat /sys/devices/system/cpu/online)"

while IFS= read -r each; do printf '%b\0' "$each"; done >"$scratch/paths"
printf 'paths\0'
xargs -0r stat -L --printf='%n\0%f %s %u %g\0' -- <"$scratch/paths"
printf '\0hashes\0'
# shellcheck disable=SC2016 # the inner shell's
xargs -0r sh -c 'for each; do case $each in /proc/* | /sys/*) ;; *) [ ! -f "$each" ] || printf "%s\0" "$each" ;; esac; done' sh <"$scratch/paths" |
  xargs -0r sha256sum -z --
printf '\0'

# How an earlier migration left the files that are asked about; the last line of a path counts.
printf 'left\0'
if [ -r /var/lib/resource-sharing/left ]; then
  while read -r hash each; do printf '%s %b\0' "$hash" "$each"; done </var/lib/resource-sharing/left
fi
printf '\0'

# A number is in use as long as a process, a thread, a group or a session has it.
cat /proc/[0-9]*/task/[0-9]*/stat | awk -v wanted="$NUMBERS" '
  BEGIN { count = split(wanted, list); for (i = 1; i <= count; i++) asked[list[i]] }
  { pid = $1; sub(/.*\) /, ""); split($0, field, " ") }
  pid in asked { print pid }
  field[3] in asked { print field[3] }
  field[4] in asked { print field[4] }
' | sort -un >"$scratch/taken"
# shellcheck disable=SC2046 # numbers
items taken $(cat "$scratch/taken")

printf 'users\0'
printf '%s\n' "$USERS" | while read -r uid name; do
  there=$(getent passwd "$uid" || awk -F : -v uid="$uid" '$3 == uid' /etc/passwd)
  entry=
  [ -z "$name" ] || entry=$(getent passwd -- "$name" || awk -F : -v name="$name" '$1 == name' /etc/passwd)
  entry=${entry#*:*:}
  printf '%s\0' "$uid" "=${there%%:*}" "=${entry%%:*}"
done
printf '\0'

# What was closed some time ago (06) hinders nobody.
if [ -n "$PORTS" ]; then
  # shellcheck disable=SC2046 # addresses
  items addresses $(awk '$1 == "|--" { address = $2 } /32 host LOCAL/ { print address }' /proc/net/fib_trie | sort -u; cut -d ' ' -f 1 /proc/net/if_inet6)
  set --
  for table in tcp tcp6 udp udp6 udplite udplite6; do
    [ ! -r "/proc/net/$table" ] || set -- "$@" "/proc/net/$table"
  done
  # shellcheck disable=SC2016 # awk's
  text ports awk -v wanted="$PORTS" '
    BEGIN { count = split(wanted, list); for (i = 1; i <= count; i++) asked[sprintf("%04X", list[i])] }
    FNR == 1 { table = FILENAME; sub(".*/", "", table); next }
    { split($2, end, ":") }
    (end[2] in asked) && $4 != "06" { print table, $2 }' "$@"
fi

if [ -n "$CPU" ] && command -v criu >/dev/null && printf '%s' "$CPU" | base64 -d >"$scratch/cpuinfo.img"; then
  said=$(criu cpuinfo check -D "$scratch" 2>&1 </dev/null)
  items cpu "$?" "$(printf '%s\n' "$said" | grep -a Error | head -n 1)"
fi
items end yes
