# shellcheck shell=sh
# What the steps of a migration share on one machine. The whole program lies beside what it works on, in the folder of
# its migration, and is run as `steps.sh STEP`; each step is a process group of its own, which outlives the connection.
#
# A step ends with 0 done, 1 failed (a line "why …"), 3 fenced off (nothing was touched), 4 too late (a line says which
# mark is there), 5 refused, 6 the process is gone, 7 it has run since it was frozen.

set -u
umask 077
LC_ALL=C
PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export LC_ALL PATH

dir=${0%/*}
id=${dir##*/}
base=/var/lib/resource-sharing
# What has been undone stays undone: a step that was on its way here finds this. No step outlives a reboot.
ended=/run/resource-sharing/undone
# Where an answer goes, also from within what is redirected.
exec 3>&1

why() {
  printf 'why %s\n' "$1" >&3
  exit "${2:-1}"
}

# What happens while a process stands still is done by the shell itself where it can be: a program costs milliseconds.

# stat_of PID: sets state, parent, group, session, terminal (as the kernel numbers it), foreground (that one's group) and
# start (ticks since boot) of a process; fails when there is none.
stat_of() {
  # Of nobody: the file above is the whole machine's.
  [ -n "$1" ] || return 1
  # A name may hold newlines and parentheses: the last line counts, and what follows the last of them.
  stat_text=
  { while IFS= read -r stat_line; do stat_text=$stat_line; done <"/proc/$1/stat"; } 2>/dev/null || return 1
  [ -n "$stat_text" ] || return 1
  # shellcheck disable=SC2086 # fields
  set -- ${stat_text##*) }
  # shellcheck disable=SC2034 # the ends need different ones
  state=$1 parent=$2 group=$3 session=$4 terminal=$5 foreground=$6 start=${20}
}

# Which start of this machine it is: containers share the kernel's, and are told apart by their first process.
read -r boot </proc/sys/kernel/random/boot_id
stat_of 1 || exit 1
boot=$boot.$start

# is_there PID START: this very process is there and has not ended.
is_there() {
  stat_of "$1" && [ "$start" = "$2" ] && [ "$state" != Z ] && [ "$state" != X ]
}

# settle_stop PID: waits until it stands still. A stop that criu has asked for takes each thread a moment of a CPU, which
# one of low priority may have to wait for.
settle_stop() {
  tries=0
  until is_stopped "$1"; do
    tries=$((tries + 1))
    [ "$tries" -lt 1000 ] || return 1
    sleep 0.01
  done
  stat_of "$1"
}

# is_stopped PID: with each of its threads; or it has ended.
is_stopped() {
  for thread in "/proc/$1/task"/*; do
    stat_of "$1/task/${thread##*/}" || continue
    case $state in T | Z | X) ;; *) return 1 ;; esac
  done
}

# The only step of this migration on this machine from here on; nothing is done when the migration has ended here.
fence() {
  exec 9>"$dir/lock" || exit 3
  rs_lock 30 9 || why 'another step of this migration does not end'
  stat_of $$
  # In place, which a full disk can't refuse.
  printf '%-32s\n' "$$ $start" 1<>"$dir/running" || exit 3
  [ -e "$dir/steps.sh" ] && [ ! -e "$ended/$id" ] || exit 3
}

# mark NAME: processes of an earlier start are gone, so most marks need not survive a power failure.
mark() {
  printf '%s\n' "$boot" >"$dir/$1" || mv -f "$dir/$1.ready" "$dir/$1" || why "the mark $1 can't be written"
}

# ready NAME: that mark can be made later, also when the disk is full by then.
ready() {
  printf '%s\n' "$boot" >"$dir/$1.ready" || why "the disk is full"
}

# marked NAME: the mark was made since this machine was started.
marked() {
  [ -e "$dir/$1" ] && read -r marked_boot <"$dir/$1" && [ "$marked_boot" = "$boot" ]
}

# The migration is over on this machine: first the mark that stops steps on their way, then the step that runs now.
# With an argument, so many seconds are given to it: criu that is killed may take its process along.
undo_begin() {
  mkdir -p "$ended" && : >"$ended/$id"
  find "$ended" -type f -mtime +1 -delete 2>/dev/null
  exec 9>"$dir/lock" || exit 3
  if [ "${1:-0}" -gt 0 ] && rs_lock "$1" 9; then return; fi
  tries=0
  until rs_lock 1 9; do
    end_running
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || why 'a step of this migration does not end'
  done
}

end_running() {
  read -r running running_start <"$dir/running" 2>/dev/null || return 0
  if stat_of "$running" && [ "$start" != "$running_start" ]; then return 0; fi
  end_session "$running" ''
}

# end_session SESSION NAME: its processes, or those of them with that name. While one is there, no other session has
# its number.
end_session() {
  for each in /proc/[0-9]*; do
    stat_of "${each##*/}" && [ "$session" = "$1" ] && [ "${each##*/}" != $$ ] || continue
    [ -z "$2" ] || [ "$(cat "$each/comm" 2>/dev/null)" = "$2" ] || continue
    kill -KILL "${each##*/}" 2>/dev/null
  done
}

# What tells whether the right program has come back: its name, its threads, and its files without this kernel's numbers.
# The terminal that moves with it is $tty here.
shape_of() {
  shape=$({ IFS= read -r name <"/proc/$1/comm" && printf '%s\n' "$name" &&
    find "/proc/$1/task" "/proc/$1/fd" -mindepth 1 -maxdepth 1 '(' -type l -printf '%f %l\n' -o -printf 'thread\n' ')'; } \
    2>/dev/null | sed "/(deleted)\$/d; s/\[[0-9]*\]/[]/; s: ${tty:-none}\$: terminal:" | cksum)
  shape=${shape%% *}
}

# What changes as soon as any thread of a process runs (sched-stats of the kernel: time on a CPU, and how often).
runs_of() {
  runs=
  for schedstat in "/proc/$1"/task/*/schedstat; do
    { read -r on_cpu _ times <"$schedstat"; } 2>/dev/null && runs=$runs-$on_cpu.$times
  done
}

# The lines of a log of criu's that say what went wrong.
errors_of() {
  grep -a 'Error' "$dir/$1" 2>/dev/null | tail -n 20 | sed 's/^/log /'
}

# Ends this migration here: at once, and then what it has left, while somebody may still write to it.
forget() {
  mv "$dir" "$dir.gone" && remains=$dir.gone || remains=$dir
  remains=$(cd "$remains" && pwd -P) || return 0
  tries=0
  until unmount_below "$remains" && rm -rf --one-file-system "$remains" 2>/dev/null || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
  rmdir "${remains%/*}" 2>/dev/null
  # Who claims a process meanwhile has locked the folder of the claims, and needs it.
  (exec 8<"$base/claims" && flock -n 8 && rmdir "$base/claims") 2>/dev/null
  return 0
}

# unmount_below FOLDER: criu that was killed may have left what it mounts while it works, views of the control groups.
unmount_below() {
  while read -r _ _ _ _ mount_point _; do
    case $mount_point in "$1"/*) umount -l "$mount_point" ;; esac
  done </proc/self/mountinfo 2>/dev/null
  return 0
}
