# shellcheck shell=sh
# What a run of a command is on the machine where it runs: a folder of this user's alone, named by the job and the
# attempt. It comes after show.sh and reservation.sh of lib/machine/reservations. ID is a value of the script, and so is what is in capitals.
#   boot       the start of the machine that the folder belongs to
#   files/     what was sent; the command runs here unless told otherwise
#   run/       made once: who makes it starts the command, or makes sure that nobody does
#   run/process, run/log, run/status      PID and start of the session's first process; output; exit status at the end
#   stop       nothing is to begin any more
#   over       the other side of a foreground command knows that it has ended
#   beat       changes while the other side of a foreground command is there
case ${XDG_STATE_HOME-} in
/*) runs=$XDG_STATE_HOME/resource-sharing/runs ;;
*) runs=$HOME/.local/state/resource-sharing/runs ;;
esac
dir=$runs/$ID

# ARGV, ENV, SENT and RETURN are words as `shellWords` quotes them.
# Ends: 0, 62 not this start of the machine, 63 the reservation is lost, 66 somebody else's, 67 too late, 68 no such
# folder, 69 can't: each with a line.
no() {
  printf '%s\n' "$2"
  exit "$1"
}

# run_prepare: makes the folder. Prints `boot BOOT` and `now SECONDS`.
run_prepare() {
  rs_clock
  [ -n "$rs_boot" ] && [ -n "$rs_now" ] || no 69 'there is no /proc'
  for each in setsid flock head mkfifo ${TAR:+tar}; do
    command -v "$each" >/dev/null 2>&1 || no 69 "there is no $each"
  done
  run_said=$({ mkdir -p -- "$runs" && mkdir -- "$dir"; } 2>&1) || no 69 "$runs can't be written: ${run_said##*: }"
  { printf '%s\n' "$rs_boot" >"$dir/boot"; } 2>/dev/null && mkdir -- "$dir/files" || no 69 "$dir can't be written"
  printf 'boot %s\nnow %s\n' "$rs_boot" "$rs_now"
  if [ -n "$TAR" ] && run_gnu_tar; then echo 'tar gnu'; fi
}

# run_unpack: puts the tar that it reads into the files' folder. Not every tar says so when it has got half of one.
run_unpack() {
  umask 022
  tar -xof - -C "$dir/files" || no 69 "the files can't be unpacked"
  eval "set -- $SENT"
  for each; do [ -e "$dir/files/$each" ] || [ -L "$dir/files/$each" ] || no 69 "$each did not get there"; done
}

# run_begin: the last checks, and the one step that only one can take.
run_begin() {
  rs_clock
  { IFS= read -r run_boot <"$dir/boot"; } 2>/dev/null || no 62 'its folder there is gone'
  [ "$run_boot" = "$BOOT" ] && rs_this_boot "$BOOT" || no 62 'the machine has been started again'
  [ "$rs_now" -le "$BEFORE" ] || no 67 'the start came too late'
  rs_holds "$OWNER" 5 >/dev/null || no 63 'the reservation has expired'
  # shellcheck disable=SC2088 # the sign itself
  case $CWD in
  '') where=$dir/files ;;
  /*) where=$CWD ;;
  '~') where=$HOME ;;
  '~/'*) where=$HOME/${CWD#'~/'} ;;
  *) where=$dir/files/$CWD ;;
  esac
  cd -- "$where" 2>/dev/null || no 68 "there is no folder $CWD"
  mkdir -- "$dir/run" 2>/dev/null || no 66 'somebody else has started it'
  sync "$dir" 2>/dev/null || :
  umask 022
  unset LC_ALL
  run_enclose
  eval "set -- $ENV"
  for each; do export "${each?}"; done
  RESOURCE_SHARING_RUN=$ID/
  export RESOURCE_SHARING_RUN
}

# The first process of the command's session, as text for `sh -c`: DIR COMMAND… . It is seen by run_members before it
# looks whether it is to stop.
# shellcheck disable=SC2016 # the inner shell's
RUN_FIRST='
run_dir=$1; shift
umask 077
read -r run_line </proc/$$/stat || exit 125
run_start=$(set -- ${run_line##*) }; echo "${20}")
printf "%s %s\n" $$ "$run_start" >"$run_dir/run/process.part" &&
  mv -- "$run_dir/run/process.part" "$run_dir/run/process" || exit 125
umask 022
if { read -r run_line <"$run_dir/run/group" && ! echo $$ >"$run_line/cgroup.procs"; } 2>/dev/null; then
  rmdir -- "$run_line"
  rm -f -- "$run_dir/run/group"
fi
[ ! -e "$run_dir/stop" ] || exit 125'

# As detached: the exit status is written when the command has ended, also where its own output has filled the disk.
# shellcheck disable=SC2016
RUN_DETACHED="$RUN_FIRST"'
( exec "$@" ) >>"$run_dir/run/log" 2>&1
status=$?
umask 077
cd /
{ printf "%s\n" "$status" >"$run_dir/run/status.part" && sync "$run_dir/run/status.part"; } 2>/dev/null ||
  { printf "%-4s\n" "$status" 1<>"$run_dir/run/spare" && mv -f -- "$run_dir/run/spare" "$run_dir/run/status.part"; }
mv -- "$run_dir/run/status.part" "$run_dir/run/status"; sync "$run_dir/run" 2>/dev/null'

# run_detached: starts the command in a session of its own, and says which process that is.
run_detached() {
  run_begin
  (umask 077 && printf '     \n' >"$dir/run/spare" && : >"$dir/run/log") || no 69 "$dir can't be written"
  eval "set -- $ARGV"
  setsid sh -c "$RUN_DETACHED" sh "$dir" "$@" </dev/null >/dev/null 2>&1 &
  unset RESOURCE_SHARING_RUN
  run_count=0
  until [ -e "$dir/run/process" ] || [ "$run_count" -ge 50 ]; do
    rs_nap
    run_count=$((run_count + rs_tenths))
  done
  run_report
}

# run_enclose: a control group of the run's own within this session's, where this user may make one (root mostly may):
# nothing that is begun in it gets out by itself.
run_enclose() {
  while IFS=: read -r _ run_kinds run_path; do
    case $run_kinds in
    '') run_at=/sys/fs/cgroup ;;
    freezer | pids) run_at=/sys/fs/cgroup/$run_kinds ;;
    *) continue ;;
    esac
    [ -w "$run_at$run_path/cgroup.procs" ] || run_path=''
    [ -w "$run_at$run_path/cgroup.procs" ] && mkdir -- "$run_at$run_path/resource-sharing-$ID" || continue
    printf '%s\n' "$run_at$run_path/resource-sharing-$ID" >"$dir/run/group"
    return
  done </proc/self/cgroup 2>/dev/null
}

# run_members: the PIDs of what belongs to the run: its session, also when that has lost its first process, whatever
# carries its mark in its environment or is in its control group, what was seen before to belong, and all that these have
# begun. It keeps what it has seen.
run_members() {
  run_pid='' run_start='' run_session='' run_group=''
  { read -r run_pid run_start <"$dir/run/process"; } 2>/dev/null
  # Its number is nobody else's while somebody is in the session, unless a later process has it.
  if run_alive || { [ -n "$run_pid" ] && [ ! -e "/proc/$run_pid" ]; }; then run_session=$run_pid; fi
  { IFS= read -r run_group <"$dir/run/group"; } 2>/dev/null
  run_seen=$({
    grep -lF "RESOURCE_SHARING_RUN=$ID/" /proc/[0-9]*/environ | sed 's|^/proc/\([0-9]*\)/.*|is \1|'
    [ -z "$run_group" ] || sed 's/^/is /' "$run_group/cgroup.procs"
    sed 's/^/was /' "$dir/seen"
    grep '' /proc/[0-9]*/stat /dev/null
  } 2>/dev/null | awk -v session="$run_session" '
    $1 == "is" { is[$2]; next }
    $1 == "was" { was[$2] = $3; next }
    # A name may hold newlines and parentheses: the last line counts, and what follows the last of them.
    sub(/^\/proc\//, "") {
      pid = $0 + 0
      if (!sub(/^.*\) /, "")) next
      split($0, field, " ")
      state[pid] = field[1]; parent[pid] = field[2]; start[pid] = field[20]
      if (session != "" && field[4] == session) is[pid]
    }
    END {
      for (pid in was) if (start[pid] == was[pid]) is[pid]
      do {
        more = 0
        for (pid in parent) if (!(pid in is) && parent[pid] in is) { is[pid]; more = 1 }
      } while (more)
      for (pid in is) if (pid in state && state[pid] != "Z") print pid, start[pid]
    }' | sort -n)
  # On a full disk what was seen before stays.
  { printf '%s\n' "$run_seen" >"$dir/seen.${run_watches:-$$}" && mv -f -- "$dir/seen.${run_watches:-$$}" "$dir/seen"; } 2>/dev/null
  [ -z "$run_seen" ] || printf '%s\n' "$run_seen" | cut -d ' ' -f 1
}

# run_alive: whether the process run_pid is the one that began at run_start, and has not ended.
run_alive() {
  case $run_pid in '' | *[!0-9]*) return 1 ;; esac
  # A name may hold newlines and parentheses: the last line counts, and what follows the last of them.
  run_line=''
  { while IFS= read -r run_next; do run_line=$run_next; done </proc/"$run_pid"/stat; } 2>/dev/null
  [ -n "$run_line" ] || return 1
  # shellcheck disable=SC2086
  set -- ${run_line##*) }
  [ "${20}" = "$run_start" ] && [ "$1" != Z ]
}

# run_signal NAME: to all of it, also to what it has begun by sudo as another user.
run_signal() {
  run_pids=$(run_members)
  # shellcheck disable=SC2086
  [ -z "$run_pids" ] || kill -s "$1" $run_pids 2>/dev/null || {
    run_others=$(run_others)
    [ -z "$run_others" ] || sudo -n kill -s "$1" $run_others
  } >/dev/null 2>&1
}

# run_others: those of run_pids that are not this user's.
run_others() {
  run_me=$(id -u)
  for each in $run_pids; do
    { run_owner=$(sed -n 's/^Uid:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$each/status"); } 2>/dev/null
    case $run_owner in '' | "$run_me") ;; *) echo "$each" ;; esac
  done
}

# run_left: what of it is there still, for a person.
run_left() {
  for each in $(run_members); do
    { IFS= read -r run_name <"/proc/$each/comm"; } 2>/dev/null || continue
    printf '%sPID %s (%s)' "${run_comma-}" "$each" "$run_name"
    run_comma=', '
  done
}

# run_stop [now]: nothing of it runs or begins any more. TERM, and KILL after two seconds, or at once, and then a person
# waits: within two seconds or so. False when something is left.
run_stop() {
  [ -d "$dir" ] || return 0
  : >"$dir/stop" && mkdir -- "$dir/run" 2>/dev/null
  run_count=0 run_quiet=0
  [ "${1-}" != now ] || run_count=20
  rs_clock
  run_began=$rs_now
  while [ "$run_count" -lt 60 ]; do
    if [ -z "$(run_members)" ]; then
      run_quiet=$((run_quiet + 1))
      [ "$run_quiet" -lt 3 ] || return 0
    elif [ "$run_count" -lt 20 ]; then
      run_quiet=0
      [ $((run_count % 10)) -ne 0 ] || run_signal TERM
    else
      run_quiet=0
      run_signal KILL
    fi
    rs_nap
    run_count=$((run_count + rs_tenths))
    # By the clock: on a busy machine each look takes a while.
    rs_clock
    [ "${1-}" != now ] || [ $((rs_now - run_began)) -lt 2 ] || break
  done
  [ -z "$(run_members)" ]
}

# run_report: `state NAME`, one of: none (no such folder), never (it was not begun), ended (`status N`), running
# (`process PID START`), gone (it is not there, and has left no status), rebooted.
run_report() {
  rs_clock
  { IFS= read -r run_boot <"$dir/boot"; } 2>/dev/null || { echo 'state none' && return; }
  run_pid='' run_start='' run_status=''
  { read -r run_pid run_start <"$dir/run/process"; } 2>/dev/null
  # Whether it runs before whether it has ended: it may end in between.
  run_now=gone
  ! run_alive || run_now=running
  { read -r run_status <"$dir/run/status"; } 2>/dev/null
  # A command that has left something running has not ended: it may write still what is to come back.
  if [ -n "$run_status" ] && rs_this_boot "$run_boot" && [ -n "$(run_members)" ]; then
    printf 'state running\nprocess 0 0\n'
  elif [ -n "$run_status" ]; then printf 'state ended\nstatus %s\n' "$run_status"
  elif ! rs_this_boot "$run_boot"; then echo 'state rebooted'
  elif [ "$run_now" = running ]; then printf 'state running\nprocess %s %s\n' "$run_pid" "$run_start"
  elif [ -e "$dir/run/never" ] || [ ! -e "$dir/run" ]; then echo 'state never'
  elif [ -n "$(run_members)" ]; then printf 'state running\nprocess 0 0\n'
  else echo 'state gone'; fi
}

# run_settle: where nobody knows whether it was begun, it is not going to be.
run_settle() {
  rs_clock
  { IFS= read -r run_boot <"$dir/boot"; } 2>/dev/null
  ! rs_this_boot "$run_boot" || ! mkdir -- "$dir/run" 2>/dev/null || : >"$dir/run/never"
  run_report
}

# run_cancel: as run_settle, and what has begun is stopped.
run_cancel() {
  run_settle >/dev/null
  run_stop || no 69 "this does not end there: $(run_left)"
  run_report
}

# run_pack: the tar of what is to come back, from the folder where the files are. Prints nothing else.
run_pack() {
  # shellcheck disable=SC2088
  case $CWD in /*) where=$CWD ;; '~') where=$HOME ;; '~/'*) where=$HOME/${CWD#'~/'} ;; *) where=$dir/files ;; esac
  cd -- "$where" || exit 68
  eval "set -- $RETURN"
  for each; do
    shift
    if [ -e "./$each" ] || [ -L "./$each" ]; then set -- "$@" "./$each"; fi
  done
  # Not every tar makes, or takes, an archive of nothing; this is one.
  if [ $# -eq 0 ]; then head -c 10240 /dev/zero
  elif [ -n "$HOLES" ] && run_gnu_tar; then tar --sparse -cf - -- "$@"
  else tar -cf - -- "$@"; fi
}

# run_forget: what is there of a run that has ended goes.
run_forget() {
  { IFS= read -r run_group <"$dir/run/group"; } 2>/dev/null && rmdir -- "$run_group" 2>/dev/null
  rm -rf -- "$dir"
}

# run_foreground: the command, its input, output and exit status being this script's. What it leaves behind is stopped.
# Its output goes through a pipe of its own, so that it can be closed while the connection goes on.
run_foreground() {
  run_begin
  eval "set -- $ARGV"
  mkfifo -m 600 "$dir/output" || no 69 "$dir can't be written"
  (unset RESOURCE_SHARING_RUN && exec cat <"$dir/output") &
  run_reader=$!
  echo "$run_reader" >"$dir/reader"
  printf '\n%s begin\n' "$MARK"
  printf '\n%s begin\n' "$MARK" >&2
  setsid sh -c "$RUN_FIRST"'
exec "$@"' sh "$dir" "$@" >"$dir/output"
  run_status=$?
  unset RESOURCE_SHARING_RUN
  # Its status would be that of the signal which stopped it.
  if [ -e "$dir/silent" ] || [ ! -d "$dir" ]; then run_status=silence; fi
  [ -z "$(run_members)" ] || run_stop
  # What is not this user's may hold the output open for ever; a slow link may take a while to pass it on.
  (
    exec </dev/null >/dev/null 2>&1
    trap 'kill "$run_sleep"; exit' TERM
    sleep 20 &
    run_sleep=$!
    wait "$run_sleep"
    kill "$run_reader"
  ) &
  run_watch=$!
  wait "$run_reader"
  kill "$run_watch"
  printf '\036%s end %s\n' "$MARK" "$run_status" >&2
  printf '\036%s end %s\n' "$MARK" "$run_status"
}

# run_lifeline: reads what the other side of a foreground command says, a word a line. When that ends, or is silent for
# SILENCE seconds, the other side is gone, and the command is stopped.
run_lifeline() {
  echo 0 >"$dir/beat" || exit 69
  # Redirected by exec: around a function, a shell keeps what it will restore, and the connection open with it.
  (exec </dev/null >/dev/null 2>&1 && run_watch) &
  printf '\n%s begin\n' "$MARK"
  run_beats=0
  while read -r word; do
    case $word in
    beat) run_beats=$((run_beats + 1)) && echo "$run_beats" >"$dir/beat" ;;
    interrupt) run_signal INT ;;
    unread) { read -r run_reader <"$dir/reader" && kill "$run_reader"; } 2>/dev/null ;;
    stop) if run_stop now; then echo stopped; else echo "left $(run_left)"; fi ;;
    over) : >"$dir/over" && break ;;
    esac
  done
  [ -e "$dir/over" ] || run_stop
  run_forget
}
run_watch() {
  run_last='' run_misses=0 run_watches=watch
  while [ -d "$dir" ] && [ ! -e "$dir/over" ]; do
    { read -r run_beat <"$dir/beat"; } 2>/dev/null
    if [ "$run_beat" = "$run_last" ]; then run_misses=$((run_misses + 1)); else run_misses=0; fi
    run_last=$run_beat
    # What begins something else and ends is a link that would be missing later; out of a control group nothing gets.
    [ -s "$dir/run/group" ] || run_members >/dev/null
    if [ "$((run_misses * 4))" -ge "$SILENCE" ]; then
      : >"$dir/silent"
      run_stop
      run_forget
    fi
    sleep 4
  done
}

# run_stream FUNCTION…: what that prints, to the last byte, between two lines.
run_stream() {
  printf '\n%s begin\n' "$MARK"
  ("$@")
  printf '\036%s end %s\n' "$MARK" $?
}

# run_log: what the command has printed.
run_log() { cat -- "$dir/run/log"; }
