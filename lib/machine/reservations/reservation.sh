# shellcheck shell=sh
# What changes the marks of show.sh, which comes before it; it never changes them but under flock(1), and a reader sees
# the old file or the new one. Each prints one line when it does not do what it is told, and ends with one of
#   60 closed WHY   61 reserved OWNER SECONDS_LEFT   62 arrived SECONDS_AGO CPU   63 lost   64 wrong WHAT   65 cannot WHY

# rs_enter: makes the folder that this user may write to. What root keeps, everybody may read.
rs_enter() {
  if [ "$(id -u)" = 0 ]; then rs_dir=$rs_system rs_mode=644; else rs_dir=$rs_own rs_mode=600; fi
  mkdir -p -- "$rs_dir" 2>/dev/null || { echo "cannot make $rs_dir" && return 65; }
  [ "$rs_mode" = 600 ] || chmod 755 -- "${rs_dir%/*}" "$rs_dir"
}

# rs_write NAME: puts what it reads in the place of the file of that name.
rs_write() {
  rs_part=$rs_dir/.$1.$$
  # Not every sync(1) takes files.
  if cat >"$rs_part" 2>/dev/null && chmod "$rs_mode" "$rs_part" && { sync "$rs_part" 2>/dev/null || sync; } &&
    mv -f -- "$rs_part" "$rs_dir/$1" && { sync "$rs_dir" 2>/dev/null || sync; }; then return 0; fi
  rm -f -- "$rs_part"
  echo "cannot write $rs_dir/$1"
  return 65
}

# rs_nap: a tenth of a second, or a whole one where sleep(1) takes no parts of it; rs_tenths is how much.
rs_nap() {
  rs_tenths=1
  sleep 0.1 2>/dev/null || { rs_tenths=10 && sleep 1; }
}

# rs_lock SECONDS DESCRIPTOR: locks an open file within that time. BusyBox's flock(1) can't wait for a time.
rs_lock() {
  rs_patience=$(($1 * 10))
  until flock -n "$2"; do
    [ "$rs_patience" -gt 0 ] || return 1
    rs_nap
    rs_patience=$((rs_patience - rs_tenths))
  done
}

# rs_locked COMMAND…: what happens in there, no other does at the same time.
rs_locked() (
  [ "$(uname -s)" = Linux ] || { echo 'cannot reserve anything: that is for Linux machines only' && exit 65; }
  rs_clock
  [ -n "$rs_now" ] && [ -n "$rs_boot" ] || { echo 'cannot tell the time: there is no /proc' && exit 65; }
  rs_enter || exit
  command -v flock >/dev/null 2>&1 || { echo 'cannot lock: there is no flock' && exit 65; }
  { : >>"$rs_dir/lock"; } 2>/dev/null || { echo "cannot write $rs_dir/lock" && exit 65; }
  exec 9>>"$rs_dir/lock"
  rs_lock 20 9 || { echo 'cannot lock: it takes too long' && exit 65; }
  # Waiting has taken some time.
  rs_clock
  "$@"
)

rs_is_owner() { case $1 in '' | *[!a-z0-9-]*) false ;; *) [ "${#1}" -le 64 ] ;; esac; }
rs_is_cpu() { case $1 in '' | .* | *. | *[!0-9.]* | *.*.*) false ;; *) [ "${#1}" -le 9 ] ;; esac; }
rs_is_pid() { case $1 in 0* | *[!0-9]*) false ;; *) [ "${#1}" -le 7 ] ;; esac; }
rs_is_ttl() { case $1 in '' | 0* | *[!0-9]*) false ;; *) [ "${#1}" -le 4 ] ;; esac; }

# rs_reserve OWNER TTL_SECONDS CPU [settled]: with `settled`, only when nothing has arrived within 90 s. Who has reserved
# it already gets the new time.
rs_reserve() {
  rs_is_owner "$1" || { echo 'wrong owner' && return 64; }
  rs_is_ttl "$2" || { echo 'wrong time' && return 64; }
  rs_is_cpu "$3" || { echo 'wrong number of CPUs' && return 64; }
  rs_locked rs_reserve_now "$@"
}
rs_reserve_now() {
  rs_last='' rs_why=''
  rs_change() {
    [ "$1" -le 90 ] || return 0
    if [ -z "$rs_last" ] || [ "$1" -lt "${rs_last%% *}" ]; then rs_last="$1 $2"; fi
  }
  for rs_folder in "$rs_system" "$rs_own"; do
    if [ -e "$rs_folder/closed" ]; then
      { IFS= read -r rs_why <"$rs_folder/closed"; } 2>/dev/null
      printf 'closed %s\n' "$rs_why"
      return 60
    fi
    rs_reservation "$rs_folder"
    case $rs_owner in '' | "$1") ;; *) echo "reserved $rs_owner $rs_left" && return 61 ;; esac
    rs_changes "$rs_folder" arrivals
  done
  [ "${4-}" != settled ] || [ -z "$rs_last" ] || { echo "arrived $rs_last" && return 62; }
  printf '%s %s %s %s\n' "$rs_boot" $((rs_now + $2)) "$1" "$3" | rs_write reservation
}

# rs_renew OWNER TTL_SECONDS: also the check before the step that it was reserved for. Closing the machine does not take
# it away.
rs_renew() {
  rs_is_owner "$1" || { echo 'wrong owner' && return 64; }
  rs_is_ttl "$2" || { echo 'wrong time' && return 64; }
  rs_locked rs_renew_now "$@"
}
rs_renew_now() {
  rs_reservation "$rs_dir"
  [ "$rs_owner" = "$1" ] || { echo lost && return 63; }
  printf '%s %s %s %s\n' "$rs_boot" $((rs_now + $2)) "$1" "$rs_cpu" | rs_write reservation
}

# rs_holds OWNER [SECONDS]: whether it is reserved by that one, for so long at least. It changes nothing and needs no
# lock, so that a user can look at what root has reserved for them.
rs_holds() {
  rs_clock
  for rs_folder in "$rs_system" "$rs_own"; do
    rs_reservation "$rs_folder"
    [ "$rs_owner" != "$1" ] || [ "$rs_left" -lt "${2:-1}" ] || return 0
  done
  echo lost
  return 63
}

# rs_release OWNER: what is reserved by another stays as it is; what has expired goes.
rs_release() {
  rs_is_owner "$1" || { echo 'wrong owner' && return 64; }
  rs_locked rs_release_now "$@"
}
rs_release_now() {
  rs_reservation "$rs_dir"
  case $rs_owner in '' | "$1") rm -f -- "$rs_dir/reservation" ;; esac
}

# rs_arrived OWNER CPU [PID]: the work is there. The reservation of that one, if it is still there, turns into it; said
# again, it counts once.
rs_arrived() { rs_noted arrivals "$@"; }

# rs_left OWNER: the work has ended, and counts no more.
rs_left() { rs_forgotten arrivals "$@"; }

# rs_departed OWNER CPU [PID]: that much is about to go elsewhere. rs_stayed OWNER: it has not.
rs_departed() { rs_noted departures "$@"; }
rs_stayed() { rs_forgotten departures "$@"; }

rs_noted() {
  rs_is_owner "$2" || { echo 'wrong owner' && return 64; }
  rs_is_cpu "$3" || { echo 'wrong number of CPUs' && return 64; }
  rs_is_pid "${4-}" || { echo 'wrong PID' && return 64; }
  rs_locked rs_noted_now "$@"
}
rs_noted_now() {
  { rs_others "$1" "$2"; printf '%s %s %s %s\n' "$rs_boot" "$rs_now" "$2" "$3${4:+ $4}"; } | rs_write "$1" || return
  [ "$1" != arrivals ] || rs_release_now "$2"
}

rs_forgotten() {
  rs_is_owner "$2" || { echo 'wrong owner' && return 64; }
  rs_locked rs_forgotten_now "$@"
}
rs_forgotten_now() {
  [ -e "$rs_dir/$1" ] || return 0
  rs_others "$1" "$2" | rs_write "$1"
}

# rs_others FILE OWNER: the lines of that file that are not this one's, and not too old.
rs_others() {
  rs_mine=$2
  rs_change() { [ "$3" = "$rs_mine" ] || printf '%s %s %s %s\n' "$rs_boot" "$4" "$3" "$2${5:+ $5}"; }
  rs_changes "$rs_dir" "$1"
}

# rs_close [WHY], rs_open: what the owner says. They stay as they are when the machine is started again, and need neither
# flock nor /proc.
rs_close() {
  rs_enter || return
  printf '%s\n' "${1:-by its owner}" | tr '\n' ' ' | sed 's/ *$//' | rs_write closed
}
rs_open() {
  rs_enter || return
  rm -f -- "$rs_dir/closed" && { sync "$rs_dir" 2>/dev/null || sync; }
  [ ! -e "$rs_dir/closed" ] || { echo "cannot remove $rs_dir/closed" && return 65; }
  [ ! -e "$rs_system/closed" ] || { echo "cannot open what root has closed" && return 65; }
}
