# shellcheck shell=sh
# The steps where the process is. `process` holds "PID START BOOT".

read -r pid pid_start pid_boot <"$dir/process" 2>/dev/null || exit 3
claims=$base/claims
claim=$claims/$pid_boot-$pid-$pid_start

# A process and its descendants, each after its parent, are added to the tree.
tree_of() {
  tree="$tree $1"
  for children in "/proc/$1"/task/*/children; do
    read_line "$children"
    for child in $line; do tree_of "$child"; done
  done
}

# read_line FILE: sets line to all that is in a file of /proc that has no newline at its end, or to nothing.
read_line() {
  line=
  { IFS= read -r line <"$1"; } 2>/dev/null
}

# above PID OTHER: OTHER is an ancestor of PID, or PID itself.
above() {
  above_pid=$1
  while [ "$above_pid" -gt 0 ]; do
    [ "$above_pid" = "$2" ] && return 0
    stat_of "$above_pid" || return 1
    above_pid=$parent
  done
  return 1
}

# This process, and no process of its tree or above it, belongs to this migration alone.
step_claim() {
  fence
  tries=0
  # The folder that was locked may have gone meanwhile, with the last claim in it.
  # shellcheck disable=SC3013 # -ef: every shell of a Linux has it
  until mkdir -p "$claims" && command exec 8<"$claims" && rs_lock 10 8 && [ /proc/self/fd/8 -ef "$claims" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || why 'the claims can not be locked'
  done
  [ "$pid_boot" = "$boot" ] && is_there "$pid" "$pid_start" || unclaimed 6
  for other in "$claims/$boot"-*; do
    [ -e "$other" ] && [ "$other" != "$claim" ] || continue
    other_pid=${other#"$claims/$boot-"} other_start=${other##*-}
    other_pid=${other_pid%%-*}
    is_there "$other_pid" "$other_start" || continue
    if above "$pid" "$other_pid" || above "$other_pid" "$pid"; then
      printf 'claimed %s\n' "$(cat "$other")"
      unclaimed 5
    fi
  done
  if ! (set -C && printf '%s\n' "$id" >"$claim") 2>/dev/null; then
    [ "$(cat "$claim")" = "$id" ] || { printf 'claimed %s\n' "$(cat "$claim")"; unclaimed 5; }
  fi
  find "$claims" -type f ! -name "$boot-*" -delete
}

# unclaimed STATUS: the claims are locked still.
unclaimed() {
  forget
  rmdir "$claims" 2>/dev/null
  exit "$1"
}

is_ours() {
  [ "$pid_boot" = "$boot" ] && { read -r owner <"$claim"; } 2>/dev/null && [ "$owner" = "$id" ] || exit 3
}

# Freezes the tree and writes it to images; it stays stopped. criu writes into the process while it looks at it: were
# it killed in those milliseconds, the process would die. So it is the last that a machine without memory kills.
step_dump() {
  fence
  is_ours
  [ ! -e "$dir/dumped" ] || exit 4
  is_there "$pid" "$pid_start" || exit 6
  [ "$(df -Pk "$dir" | awk 'END { print $4 }')" -gt "$NEED_KIB" ] || why "there is no room for the images below $base"
  tree= && tree_of "$pid"
  for task in $tree; do
    stat_of "$task" && printf '%s %s %s\n' "$task" "$start" "$state"
  done >"$dir/before"
  # Whoever waits for it may take the terminal as soon as it stands still.
  stat_of "$pid" && printf '%s\n' "$foreground" >"$dir/foreground"
  # For who plans what goes where: the load average shows for some minutes what is about to leave.
  rs_departed "$id" "$CPU" "$pid" >/dev/null
  { printf '%s\n' -1000 >/proc/$$/oom_score_adj; } 2>/dev/null
  stop_giver
  [ -z "$TERMINAL" ] || case $(stty -F "$TERMINAL" -a 2>/dev/null) in *' -icanon'*) : >"$dir/raw" ;; esac
  mkdir "$dir/images" || why 'the folder of the images is there already'
  set -f
  # shellcheck disable=SC2086 # words
  timeout --foreground -k 5 "$LIMIT" criu dump --tree "$pid" --images-dir "$dir/images" --log-file ../dump.log \
    --leave-stopped $CRIU >/dev/null 2>&1
  status=$?
  set +f
  if [ "$status" != 0 ]; then
    errors_of dump.log
    why "criu dump ended with status $status"
  fi
  tree= && tree_of "$pid"
  before=$(cat "$dir/before")
  for task in $tree; do
    settle_stop "$task" || why 'somebody has continued it meanwhile' 7
    [ "$state" != Z ] || continue
    runs_of "$task"
    case "
$before
" in
      *"
$task $start T
"*) printf '%s %s 1 %s\n' "$task" "$start" "$runs" ;;
      *) printf '%s %s 0 %s\n' "$task" "$start" "$runs" ;;
    esac
  done >"$dir/tasks"
  ready killing
  ready killed
  mark dumped
}

# What the target looks at when the copy is there.
shapes() {
  tty=${TERMINAL-}
  while read -r task task_start stopped runs; do
    shape_of "$task"
    printf '%s %s %s %s %s\n' "$task" "$task_start" "$stopped" "$shape" "$(readlink "/proc/$task/exe")"
  done <tasks >shapes
}

# The images as one stream: pages of memory while criu writes them, then archives with the rest. Sums are made meanwhile;
# files that have changed since they were staged follow.
step_send() {
  cd "$dir" || exit 3
  number=1 sent=0 dumping=1
  until [ -e dumped ] || ! stat_of "${DUMPING:-0}" || [ "$state" = Z ]; do
    had=$number.$sent
    send_pages || exit 1
    [ "$number.$sent" != "$had" ] || sleep 0.005
  done
  dumping=
  [ -e dumped ] || exit 3
  # Against what disks and cut streams do; against people, ssh and WireGuard have sums of their own. A CRC costs little.
  (send_pages) &
  sending=$!
  cksum images/* >sums &
  summing=$!
  # shellcheck disable=SC2046,SC2094 # numbers; a function and a file have the same name
  shapes && attributes $(cut -d ' ' -f 1 tasks) >attributes && ship_changed && wait "$summing" && wait "$sending" && printf '0 0\n' || exit 1
  size=0
  while read -r _ bytes _; do size=$((size + bytes)); done <sums
  printf 'bytes %s\n' "$size" >&2
  send_changed || exit 1
  [ -e foreground ] || : >foreground
  tar -cf - --exclude='images/pages-*.img' images shapes sums hashes attributes foreground
}

# What is new in the files with pages of memory, pages-1.img and so on, in pieces: a line `NUMBER BYTES`, then the bytes.
# criu appends to one after the other. `0 0` is the end.
send_pages() {
  while [ -e "images/pages-$number.img" ]; do
    whole=
    [ ! -e "images/pages-$((number + 1)).img" ] || whole=1
    send_piece || return 1
    [ -n "$whole" ] || return 0
    number=$((number + 1)) sent=0
  done
}

# As long as a file may grow, only what is worth a program.
send_piece() {
  bytes=$(stat -c %s "images/pages-$number.img") || return 1
  bytes=$((bytes - sent))
  if [ -n "$dumping" ] && [ -z "$whole" ] && [ "$bytes" -lt 4194304 ]; then return 0; fi
  [ "$bytes" -gt 0 ] || return 0
  printf '%s %s\n' "$number" "$bytes"
  dd if="images/pages-$number.img" iflag=skip_bytes,count_bytes skip="$sent" count="$bytes" bs=1M 2>/dev/null || return 1
  sent=$((sent + bytes))
}

# By Taildrop, under a name that nobody else uses. It has arrived when this is done.
step_drop() {
  fence
  is_ours
  (step_send) >"$dir/$DROP" || why 'there is no room for an archive of the images'
  timeout --foreground -k 5 "$LIMIT" tailscale file cp "$dir/$DROP" "$TO:" >"$dir/drop.log" 2>&1 ||
    why "tailscale file cp: $(tail -n 1 "$dir/drop.log")"
  rm -f "$dir/$DROP"
}

step_candrop() {
  command -v tailscale >/dev/null || why 'there is no tailscale command'
}

# Only what is still as it was frozen is killed: from here on there is no way back.
step_kill() {
  fence
  # Nothing survives a reboot: there is nothing to kill.
  if [ "$pid_boot" != "$boot" ]; then exit 0; fi
  is_ours
  marked dumped || exit 3
  if ! marked killing; then
    tree= && tree_of "$pid"
    tasks=$(cat "$dir/tasks")
    for task in $tree; do
      stat_of "$task" && [ "$state" != Z ] || continue
      case "
$tasks" in
        *"
$task $start "*) ;;
        *) why "PID $task was not there when it was frozen" 7 ;;
      esac
    done
    while read -r task task_start stopped frozen; do
      is_there "$task" "$task_start" || continue
      runs_of "$task"
      [ "$state" = T ] && [ "$runs" = "$frozen" ] || why "PID $task has run" 7
    done <"$dir/tasks"
    mark killing
    tell_terminal "moved to $TARGET: just attach $id"
  fi
  # Leaves first: a stopped group that loses its parent is woken by the kernel.
  tac "$dir/tasks" | while read -r leaf leaf_start rest; do
    if is_there "$leaf" "$leaf_start"; then kill -KILL "$leaf"; fi
  done
  tries=0
  while still_there; do
    tries=$((tries + 1))
    [ "$tries" -lt 1000 ] || why "PID $task does not end"
    # Small ones end at once.
    [ "$tries" -lt 20 ] || sleep 0.005
  done
  continue_giver
  mark killed
}

still_there() {
  while read -r task task_start rest; do
    if is_there "$task" "$task_start"; then return 0; fi
  done <"$dir/tasks"
  return 1
}

# tmux and screen continue at once what stands still in their windows. So the one that has given the process its terminal
# stands still as long as that does; but not for long, whatever becomes of this migration.
stop_giver() {
  [ -n "$TERMINAL" ] && stat_of "$pid" && [ "$session" = "$pid" ] && [ "$terminal" != 0 ] || return 0
  giver=$parent
  IFS= read -r name <"/proc/$giver/comm" || return 0
  case $name in tmux* | screen | SCREEN) ;; *) return 0 ;; esac
  stat_of "$giver" && [ "$state" != T ] && printf '%s %s\n' "$giver" "$start" >"$dir/giver" || return 0
  (
    exec >/dev/null 2>&1 3>&- 9>&-
    tries=0
    while [ "$tries" -lt 30 ] && [ -e "$dir/giver" ]; do
      tries=$((tries + 1))
      sleep 1
    done
    continue_giver
  ) &
  kill -STOP "$giver"
}

continue_giver() {
  { read -r giver giver_start <"$dir/giver"; } 2>/dev/null || return 0
  ! is_there "$giver" "$giver_start" || kill -CONT "$giver"
}

# tell_terminal TEXT: a line on the terminal of the process, and of no other: a number may be another's by now. It never
# waits, and what a full screen has set is undone first.
tell_terminal() {
  [ -n "$TERMINAL" ] && stat_of "$pid" || return 0
  [ "$terminal" = "$TERMINAL_NUMBER" ] || [ -n "$(find "/proc/$pid/fd" -lname "$TERMINAL" -printf x 2>/dev/null)" ] || return 0
  leave=
  [ ! -e "$dir/raw" ] || leave='\033[?1049l\033[?25h\033[?1000l\033[?1006l\033[?2004l'
  printf "$leave"'\r\n%s\r\n' "$1" | dd of="$TERMINAL" oflag=nonblock,noctty conv=notrunc 2>/dev/null
  return 0
}

# A shell that waits for the process has taken the terminal from it when it stood still.
tell_foreground() {
  [ -n "$TERMINAL" ] && [ -e "$dir/foreground" ] && stat_of "$pid" || return 0
  read -r before_it <"$dir/foreground"
  [ "$foreground" = "$before_it" ] || [ "$before_it" = -1 ] || tell_terminal "PID $pid was not moved, and goes on here in the background: fg brings it back"
}

# The process goes on here as if nothing had been.
step_undo() {
  undo_begin 60
  if marked killing; then
    rm -f "$ended/$id"
    printf 'killing\n'
    exit 4
  fi
  outcome=gone
  if [ "$pid_boot" = "$boot" ] && [ -e "$dir/before" ]; then
    # Children first: a shell that finds them stopped takes its terminal from them.
    tree= reversed=
    tree_of "$pid"
    for task in $tree; do reversed="$task $reversed"; done
    for task in $reversed; do
      stat_of "$task" || continue
      grep -q "^$task $start T" "$dir/before" || kill -CONT "$task" 2>/dev/null
    done
    # Those whose parent has gone are in no tree any more.
    while read -r task task_start task_state; do
      [ "$task_state" = T ] || ! is_there "$task" "$task_start" || kill -CONT "$task" 2>/dev/null
    done <"$dir/before"
  fi
  continue_giver
  if [ "$pid_boot" = "$boot" ] && is_there "$pid" "$pid_start"; then
    outcome=running
    # One that was frozen and has lost a part of itself is not what it was.
    if [ -e "$dir/dumped" ]; then
      while read -r task task_start rest; do is_there "$task" "$task_start" || outcome=torn; done <"$dir/tasks"
    fi
  fi
  [ "$outcome" != running ] || tell_foreground
  printf 'process %s\n' "$outcome"
  [ "$outcome" != running ] || [ ! -e "$dir/before" ] || rs_stayed "$id" >/dev/null
  # The images of a process that is not what it was are all that is left of it.
  if [ "$outcome" != running ] && [ -e "$dir/dumped" ]; then
    mkdir -p "$base/kept" && mv "$dir/images" "$base/kept/$id" && printf 'kept %s\n' "$base/kept/$id"
  fi
  release_claim
  forget
}

release_claim() {
  [ "$(cat "$claim" 2>/dev/null)" != "$id" ] || rm -f "$claim"
}

step_finish() {
  fence
  if [ -s "$dir/hashes" ]; then grep -v '^-' "$dir/hashes" >>"$base/left"; fi
  release_claim
  forget
}

# What is known of the process, for who has to decide how to go on.
step_facts() {
  fence
  for name in dumped killing killed; do if [ -e "$dir/$name" ]; then printf 'mark %s\n' "$name"; fi; done
  lost=0
  if [ "$pid_boot" != "$boot" ] || ! is_there "$pid" "$pid_start"; then lost=1; fi
  if [ -e "$dir/dumped" ] && [ "$lost" = 0 ]; then
    while read -r task task_start rest; do is_there "$task" "$task_start" || lost=1; done <"$dir/tasks"
  fi
  printf 'lost %s\n' "$lost"
}
