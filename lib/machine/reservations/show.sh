# shellcheck shell=sh
# What a machine keeps about the work that is sent to it: who has reserved it, what came and what left within the last
# 300 s, which its load average does not show yet, and whether its owner has closed it. Root keeps this for everybody in
# the first folder, where everybody may read it; another user keeps it for themselves in the second, and minds the first
# as well. Shell built-ins alone: it is part of the probe too.
rs_system=/var/lib/resource-sharing/receiver
case ${XDG_STATE_HOME-} in
/*) rs_own=$XDG_STATE_HOME/resource-sharing/receiver ;;
*) rs_own=${HOME-}/.local/state/resource-sharing/receiver ;;
esac

# rs_boot: what stays the same until this machine, or this container, is started again: the machine's boot id, which its
# containers share, and the start of process 1, where one may look at that. rs_now: its uptime in seconds. Both are empty
# where there is no /proc.
rs_clock() {
  rs_boot='' rs_start='' rs_now=''
  {
    read -r rs_boot </proc/sys/kernel/random/boot_id
    read -r rs_start </proc/1/stat
    read -r rs_now </proc/uptime
  } 2>/dev/null
  rs_now=${rs_now%%.*}
  # shellcheck disable=SC2086 # the fields after the command's name
  set -- ${rs_start##*) }
  rs_boot=${rs_boot:+$rs_boot.${20-}}
}

# rs_this_boot BOOT: whether that was noted since the last start.
rs_this_boot() {
  [ -n "$rs_boot" ] || return 1
  case $1 in "$rs_boot" | "${rs_boot%.*}.") return 0 ;; esac
  [ "$rs_boot" = "${1%.*}." ]
}

# rs_reservation FOLDER: rs_owner, rs_left and rs_cpu of the reservation there that has not expired; empty without one.
rs_reservation() {
  rs_at='' rs_until='' rs_owner='' rs_left='' rs_cpu=''
  [ -r "$1/reservation" ] || return 0
  { read -r rs_at rs_until rs_owner rs_cpu <"$1/reservation"; } 2>/dev/null
  case $rs_until in '' | *[!0-9]*) rs_until=0 ;; esac
  [ -z "$rs_now" ] || rs_left=$((rs_until - rs_now))
  if ! rs_this_boot "$rs_at" || [ "$rs_left" -le 0 ]; then rs_owner='' rs_left='' rs_cpu=''; fi
}

# rs_changes FOLDER arrivals|departures: calls rs_change SECONDS_AGO CPU OWNER UPTIME PID for each of the last 300 s
# there; PID is empty where it is not known.
rs_changes() {
  [ -r "$1/$2" ] || return 0
  while read -r rs_at rs_when rs_what rs_cpu rs_pid; do
    case $rs_when in '' | *[!0-9]*) continue ;; esac
    rs_this_boot "$rs_at" || continue
    [ $((rs_now - rs_when)) -gt 300 ] || rs_change $((rs_now - rs_when)) "$rs_cpu" "$rs_what" "$rs_when" "$rs_pid"
  done <"$1/$2"
}

# Prints what is so: `closed WHY`, `reserved OWNER SECONDS_LEFT CPU`, `arrivals SECONDS_AGO:CPU[:PID]…`, and
# `departures` likewise.
rs_show() {
  [ -d "$rs_system" ] || [ -d "$rs_own" ] || return 0
  rs_clock
  rs_why='' rs_holder='' rs_came='' rs_went=''
  for rs_folder in "$rs_system" "$rs_own"; do
    [ -z "$rs_why" ] && [ -r "$rs_folder/closed" ] && IFS= read -r rs_why <"$rs_folder/closed"
    rs_reservation "$rs_folder"
    [ -n "$rs_holder" ] || rs_holder=${rs_owner:+$rs_owner $rs_left $rs_cpu}
    rs_change() { rs_came="$rs_came $1:$2${5:+:$5}"; }
    rs_changes "$rs_folder" arrivals
    rs_change() { rs_went="$rs_went $1:$2${5:+:$5}"; }
    rs_changes "$rs_folder" departures
  done
  [ -z "$rs_why" ] || printf 'closed %s\n' "$rs_why"
  [ -z "$rs_holder" ] || printf 'reserved %s\n' "$rs_holder"
  [ -z "$rs_came" ] || printf 'arrivals%s\n' "$rs_came"
  [ -z "$rs_went" ] || printf 'departures%s\n' "$rs_went"
}
