# shellcheck shell=sh
# What the copy has to have besides what criu gives it; `in/attributes` tells what the process had when it was frozen.

# as_it_was COMMAND…: what it starts begins with the groups and the personality that the process had. criu gives both on
# to the copy: the groups where a process has none, the personality always.
as_it_was() {
  personality=
  while read -r task name value; do
    [ "$name" = personality ] || break
    case $personality in '' | "$value") personality=$value ;; *) personality=several ;; esac
  done <"$dir/in/attributes"
  [ "$personality" != 00040000 ] || ! command -v setarch >/dev/null || set -- setarch "$(uname -m)" --addr-no-randomize "$@"
  ! command -v setpriv >/dev/null || set -- setpriv --clear-groups "$@"
  [ -z "${IN_TERMINAL-}" ] || exec "$@"
  "$@"
}

# Gives the copy what it lacks, and looks whether it has it.
verify_attributes() {
  cut -d ' ' -f 1 "$copies" >"$dir/copied"
  tasks=
  while read -r task; do tasks="$tasks $task"; done <"$dir/copied"
  lacking "$tasks" >"$dir/lacking"
  [ -s "$dir/lacking" ] || return 0
  # shellcheck disable=SC2086 # words
  while read -r task name value; do give "$task" "$name" $value >/dev/null 2>&1; done <"$dir/lacking"
  lacking "$tasks" >"$dir/lacking"
  # A control group may have no time for what runs in real time.
  realtime=1
  [ ! -s "$dir/lacking" ] || chrt --rr 1 true 2>/dev/null || realtime=
  while read -r task name value; do
    case "$realtime $name $value" in ' sched '[126]* | '1 sched 6'*) continue ;; esac
    why "PID $task would lose its $name ($value)"
  done <"$dir/lacking"
}

# lacking TASKS: lines of in/attributes that are not true of the copy, those of scheduling first, on which others
# depend. What this machine does not have at all, and what nobody can give a process, a plan has named.
lacking() {
  read -r cpus </sys/devices/system/cpu/online
  # shellcheck disable=SC2086 # numbers
  attributes $1 >"$dir/attributes.now"
  awk -v cpus="$cpus" -v given=" $(command -v taskset >/dev/null && echo affinity) " '
    function expand(list, set,   count, i, range, ends, each) {
      count = split(list, range, ",")
      for (i = 1; i <= count; i++) {
        if (split(range[i], ends, "-") == 1) ends[2] = ends[1]
        for (each = ends[1] + 0; each <= ends[2]; each++) set[each]
      }
    }
    function missing(list,   asked, each) {
      expand(list, asked)
      for (each in asked) if (!(each in online)) return 1
      return 0
    }
    BEGIN { expand(cpus, online) }
    { key = $1 " " $2; value = $0; sub(/^[^ ]+ [^ ]+ /, "", value) }
    NR == FNR { now[key] = value; next }
    !(key in now) || now[key] == value || $2 == "personality" || $2 == "memory_errors" { next }
    # The kernel shows 0 for what runs in real time, which has none.
    $2 == "timerslack" && value == 0 { next }
    $2 == "affinity" && (value ~ / usual$/ || now[key] == value " usual" || missing(value) || given !~ /affinity/) { next }
    $2 == "sched" { print; next }
    { later = later $0 "\n" }
    END { printf "%s", later }' "$dir/attributes.now" "$dir/in/attributes"
}

# give TASK NAME VALUE…
give() {
  case $2 in
    affinity) taskset -pc "$3" "$1" ;;
    io)
      case $3 in
        none) ionice -c 0 -p "$1" ;;
        idle) ionice -c 3 -p "$1" ;;
        realtime) ionice -c 1 -n "$4" -p "$1" ;;
        *) ionice -c 2 -n "$4" -p "$1" ;;
      esac
      ;;
    sched)
      case $3 in
        1) chrt --fifo -p "$4" "$1" ;;
        2) chrt --rr -p "$4" "$1" ;;
        3) chrt --batch -p 0 "$1" ;;
        5) chrt --idle -p 0 "$1" ;;
        *) chrt --other -p 0 "$1" ;;
      esac
      renice -n "$5" -p "$1"
      ;;
    coredump_filter) printf '0x%s\n' "$3" >"/proc/$1/$2" ;;
    oom_score_adj | autogroup) printf '%s\n' "$3" >"/proc/$1/$2" ;;
    timerslack) printf '%s\n' "$3" >"/proc/$1/timerslack_ns" ;;
  esac
}
