# shellcheck shell=sh
# Holds a process of this machine back and lets it go, for another machine that has decided so; after show.sh of
# lib/machine/reservations. PID, START, ID and what else is in capitals are values of the script. Records are those of scum-throttle.
# Ends: 0, 1 failed and nothing is changed (a line says why), 5 it is held already, 6 the process is gone.
held=${rs_own%/*}/held

# is_there PID START: this very process is there and has not ended; sets state.
is_there() {
  stat_text=$(cat "/proc/$1/stat" 2>/dev/null)
  # shellcheck disable=SC2086 # fields
  set -- "$2" ${stat_text##*) }
  state=${2-}
  [ "${21-}" = "$1" ] && [ "$state" != Z ]
}

# The process and its descendants, parents first, each as PID/START.
tree_of() {
  stat_text=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  (
    # shellcheck disable=SC2086
    set -- "$1" ${stat_text##*) }
    printf '%s/%s\n' "$1" "${21-}"
  )
  # shellcheck disable=SC2013 # numbers in one line
  for child in $(cat "/proc/$1"/task/*/children 2>/dev/null); do tree_of "$child"; done
}

# look: what has to be known to undo it, before anything is done.
look() {
  is_there "$PID" "$START" || exit 6
  sed 's/^/mount /' /proc/self/mountinfo
  for key in $(tree_of "$PID"); do
    # shellcheck disable=SC2046
    printf 'task %s %s\n' "$key" "$(set -- $(sed -n '$s/.*) //p' "/proc/${key%/*}/stat") && echo "${17-}")"
    sed "s|^|group $key |" "/proc/${key%/*}/cgroup"
  done
  # A child that has ended meanwhile needs not be known.
  is_there "$PID" "$START" || exit 6
}

# save TEXT: a record, which lacks its writer and the brace at its end.
save() {
  read -r own </proc/$$/stat
  # shellcheck disable=SC2046,SC2086
  own=$(set -- ${own##*) } && echo "${20}")
  printf '%s,"writer":{"pid":%s,"start":"%s"}}\n' "$1" $$ "$own" >"$held/.$ID.part" &&
    sync "$held/.$ID.part" && mv "$held/.$ID.part" "$held/$ID.json"
}

hold() {
  is_there "$PID" "$START" || exit 6
  mkdir -p "$held" 2>/dev/null && { : >>"$held/.lock"; } 2>/dev/null || { echo "$held can't be written" && exit 1; }
  exec 9>>"$held/.lock"
  ! command -v flock >/dev/null || rs_lock 10 9
  # As records are written: start and boot one after the other.
  ! grep -qs "\"start\":\"$START\",\"boot\":\"$BOOT\"" "$held/$PID"-*.json || exit 5
  save "$APPLYING" || { echo "$held can't be written" && exit 1; }
  # shellcheck disable=SC2153 # HELD is a record, held the folder of all
  if limit >/dev/null 2>&1 && save "$HELD"; then exit 0; fi
  let_go
  echo "$MEANS does not work there"
  exit 1
}

limit() {
  case $MEANS in
  cgroup2) echo +cpu >"${GROUP%/*}/cgroup.subtree_control" && mkdir "$GROUP" && echo "$QUOTA 100000" >"$GROUP/cpu.max" ;;
  cgroup1) mkdir "$GROUP" && echo 100000 >"$GROUP/cpu.cfs_period_us" && echo "$QUOTA" >"$GROUP/cpu.cfs_quota_us" ;;
  renice) for key in $(tree_of "$PID"); do nice_of "$key" 19 || return 1; done && return ;;
  esac || return 1
  # What is forked meanwhile may be born outside.
  for round in 1 2 3 4 5 6 7 8 9 10; do
    outside=
    for key in $(tree_of "$PID"); do
      grep -qx "${key%/*}" "$GROUP/cgroup.procs" || { outside=$round && echo "${key%/*}" >"$GROUP/cgroup.procs"; }
    done
    [ -n "$outside" ] || return 0
  done
  return 1
}

# nice_of PID/START NICE: of each thread; one that has ended meanwhile is none.
nice_of() {
  is_there "${1%/*}" "${1#*/}" || return 0
  for thread in "/proc/${1%/*}/task"/*; do
    renice -n "$2" -p "${thread##*/}" || [ ! -e "$thread" ] || return 1
  done
}

# was KEY: what is written down of a process: its group, its nice value, or whether it was stopped; else of the first.
was() {
  printf '%s\n' "$UNDO" | while read -r key value; do [ "$key" != "$1" ] || printf '%s' "$value"; done
}

release() {
  gone=
  is_there "$PID" "$START" || gone=1
  let_go || { echo "$MEANS can't be undone there" && exit 1; }
  [ -z "$gone" ] || exit 6
}

let_go() {
  case $MEANS in
  cgroup*) leave_group ;;
  renice) for key in $(tree_of "$PID"); do value=$(was "$key") && nice_of "$key" "${value:-${FIRST:-0}}" || return 1; done ;;
  pause)
    for key in $(printf '%s\n' "$UNDO" | sed -n 's/ running$//p'; ! is_there "$PID" "$START" || tree_of "$PID"); do
      [ "$(was "$key")" = stopped ] || ! is_there "${key%/*}" "${key#*/}" || [ "$state" != T ] || kill -CONT "${key%/*}" || return 1
    done ;;
  esac >/dev/null 2>&1 || return 1
  rm -f "$held/$ID.json"
}

leave_group() {
  for round in 1 2 3 4 5 6 7 8 9 10; do
    [ -e "$GROUP/cgroup.procs" ] || return 0
    rmdir "$GROUP" 2>/dev/null && return
    while read -r member; do
      key=$(tree_of "$member" | head -n 1)
      value=$(was "$key")
      echo "$member" >"${value:-${FIRST:-${GROUP%/*}}}/cgroup.procs"
    done <"$GROUP/cgroup.procs"
    sleep "0.$round"
  done
  return 1
}
