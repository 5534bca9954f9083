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

# stat_of PID: sets state, parent and start (ticks since boot) of a process; fails when there is none.
stat_of() {
  stat_text=$(cat "/proc/$1/stat" 2>/dev/null) && [ -n "$stat_text" ] || return 1
  set -- ${stat_text##*) }
  state=$1 parent=$2 start=${20}
}

# Which start of this machine it is: containers share the kernel's, and are told apart by their first process.
read -r boot </proc/sys/kernel/random/boot_id
stat_of 1 || exit 1
boot=$boot.$start.$(readlink /proc/self/ns/pid | tr -dc 0-9)

# is_there PID START: this very process is there and has not ended.
is_there() {
  stat_of "$1" && [ "$start" = "$2" ] && [ "$state" != Z ] && [ "$state" != X ]
}

# The only step of this migration on this machine from here on; nothing is done when the migration has ended here.
fence() {
  exec 9>"$dir/lock" || exit 3
  flock -w 30 9 || why 'another step of this migration does not end'
  stat_of $$
  printf '%s %s\n' $$ "$start" >"$dir/running" || exit 3
  [ -e "$dir/steps.sh" ] && [ ! -e "$ended/$id" ] || exit 3
}

# Writes a mark so that it survives a power failure: it is there before what follows is done.
mark() {
  printf '%s\n' "$boot" >"$dir/$1" && sync "$dir/$1" "$dir" || why "the mark $1 can't be written"
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
  if [ "${1:-0}" -gt 0 ] && flock -w "$1" 9; then return; fi
  tries=0
  until flock -w 1 9; do
    end_running
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || why 'a step of this migration does not end'
  done
}

end_running() {
  read -r running running_start <"$dir/running" 2>/dev/null || return 0
  if is_there "$running" "$running_start"; then kill -KILL -- "-$running" 2>/dev/null; fi
}

# What tells whether the right program has come back: its threads, and its files without the numbers of this kernel's.
shape_of() {
  {
    cat "/proc/$1/comm"
    ls "/proc/$1/task" | wc -l
    find "/proc/$1/fd" -type l -printf '%f %l\n' | grep -v '(deleted)$' | sed 's/\[[0-9]*\]/[]/' | sort
  } 2>/dev/null | cksum | tr ' ' -
}

# What changes as soon as any thread of a process runs (sched-stats(5) of the kernel: /proc/PID/schedstat).
runs_of() {
  { cat "/proc/$1"/task/*/schedstat; grep -h ctxt "/proc/$1"/task/*/status; } 2>/dev/null | cksum | tr ' ' -
}

# The lines of a log of criu's that say what went wrong.
errors_of() {
  grep -a 'Error' "$dir/$1" 2>/dev/null | tail -n 20 | sed 's/^/log /'
}

# Ends this migration here.
forget() {
  rm -rf "$dir"
  rmdir "${dir%/*}" "$base/claims" 2>/dev/null
  return 0
}
