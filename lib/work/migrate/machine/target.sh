# shellcheck shell=sh
# The steps where the process goes to. What arrives lies in `in`: images, their sums, the list of tasks, files.

left=$base/left
copies="$dir/copies"

# The machine takes this process and no other for now.
step_reserve() {
  fence
  mkdir "$dir/work"
  # shellcheck disable=SC2086 # a word or none
  rs_reserve "$id" "$TTL" "$CPU" $SETTLED
  case $? in
    0) ;;
    60 | 61 | 62) forget; exit 5 ;;
    *) forget; exit 1 ;;
  esac
}

step_renew() {
  rs_renew "$id" "$TTL" || exit 3
}

# What arrives is a folder of its own, new each time.
step_receive() {
  [ ! -e "$dir/continued" ] || exit 3
  rm -rf "$dir/in" && mkdir "$dir/in" "$dir/in/images" || exit 1
  # The disk is written to while more arrives; what is left is little when the process waits for it. Not at once: it
  # delays who writes. Nor does it hold what the connection waits for: a pause outlives it.
  (while sleep 0.3; do sync -d "$dir"/in/images/pages-*; done) >/dev/null 2>&1 3>&- 9>&- &
  writing=$!
  # shellcheck disable=SC2086 # options
  receive_pages && tar -C "$dir/in" $along -xif -
  status=$?
  kill "$writing" 2>/dev/null
  [ "$status" = 0 ] || why 'the images have not all arrived, or there is no room for them'
}

# See send_pages.
receive_pages() {
  while read -r number bytes; do
    case $number$bytes in '' | *[!0-9]*) return 1 ;; esac
    [ "$bytes" -gt 0 ] || return 0
    dd iflag=fullblock,count_bytes count="$bytes" bs=1M >>"$dir/in/images/pages-$number.img" 2>/dev/null || return 1
  done
  return 1
}

# The inbox of Taildrop, over the socket that the tailscale command uses itself; other files in it are left alone.
inbox() {
  curl --silent --fail --unix-socket /var/run/tailscale/tailscaled.sock "$@" \
    "http://local-tailscaled.sock/localapi/v0/files/$DROP"
}

step_cancatch() {
  command -v curl >/dev/null || why 'curl is needed to take files from tailscaled'
  curl --silent --fail --unix-socket /var/run/tailscale/tailscaled.sock -o /dev/null \
    http://local-tailscaled.sock/localapi/v0/status || why 'tailscaled does not answer'
}

step_catch() {
  fence
  [ ! -e "$dir/continued" ] || exit 3
  inbox -o "$dir/$DROP" || why 'the images are not in the inbox of Taildrop'
  inbox -X DELETE -o /dev/null
  step_receive <"$dir/$DROP"
  rm -f "$dir/$DROP"
}

# Restores what has arrived, stopped, and looks whether it is what left; meanwhile sums are checked and the disk written.
step_restore() {
  fence
  [ ! -e "$dir/continued" ] || exit 4
  [ "$FORWARD" = 1 ] || rs_holds "$id" || exit 3
  [ -s "$dir/in/sums" ] && [ -s "$dir/in/shapes" ] && [ -e "$dir/in/hashes" ] && [ -e "$dir/in/attributes" ] ||
    why 'the images have not all arrived'
  kill_copies
  [ ! -e "$dir/restored" ] && [ ! -e "$copies" ] || rm -f "$dir/restored" "$copies"
  is_whole &
  summing=$!
  sync_arrived &
  syncing=$!
  place_files
  prove_files &
  proving=$!
  restore_images
  verify_copies
  verify_attributes
  wait "$summing" || why 'the images differ from those that were sent'
  wait "$proving" || exit 1
  wait "$syncing" || why 'the images can not be written to the disk'
  ready continued
  mark restored
  read -r root rest <"$copies"
  printf 'root %s\n' "$root"
}

# criu gives each task the number that it had. Somebody may have got one of them since it was looked whether they are
# free: most of those end soon, so for some seconds it is tried again.
restore_images() {
  # Functions that are called here count their tries.
  attempts=0
  while :; do
    read -r uptime rest </proc/uptime
    # Ticks are a hundredth of a second to user space on every machine that criu runs on (USER_HZ).
    printf '%s%s\n' "${uptime%.*}" "${uptime#*.}" >"$dir/began"
    if [ -n "$TERMINAL" ]; then
      restore_in_terminal
    else
      # shellcheck disable=SC2086 # words
      as_it_was timeout --foreground -k 5 "$LIMIT" criu restore --images-dir "$dir/in/images" --work-dir "$dir/work" \
        --log-file "$dir/restore.log" --leave-stopped $CRIU >/dev/null 2>&1
    fi
    status=$?
    [ "$status" != 0 ] || return 0
    end_session $$ criu
    kill_copies
    taken=$(number_taken)
    [ -n "$taken" ] || break
    # It may be the terminal's.
    [ -z "$TERMINAL" ] || end_terminal
    attempts=$((attempts + 1))
    [ "$attempts" -lt 30 ] || why "another process has the number $taken now"
    sleep 0.1
  done
  errors_of restore.log
  why "criu restore ended with status $status"
}

# The number that criu could not give to a process or a thread since somebody has it (EEXIST, 17), as its log says.
number_taken() {
  sed -n "s/.*Error.*Can't fork for \([0-9]*\): File exists.*/\1/p; s/.*Error.*Unable to create a thread.* \([0-9]*\): -17.*/\1/p" \
    "$dir/restore.log" | head -n 1
}

sync_arrived() {
  sync "$dir"/in/images/* "$dir/in/shapes" "$dir/in/sums" "$dir/in/hashes" "$dir/in/attributes" "$dir/in/images" "$dir/in" "$dir" || return 1
  [ ! -e "$dir/in/files" ] || find "$dir/in/files" '(' -type f -o -type d ')' -exec sync '{}' +
}

# What has arrived is what was sent, to the last file.
is_whole() {
  (cd "$dir/in" && cksum images/*) 2>/dev/null | cmp -s - "$dir/in/sums"
}

# Each task is there, stopped, with the same program, threads and files.
verify_copies() {
  read -r began <"$dir/began"
  while read -r task task_start stopped wanted exe; do
    tries=0
    while stat_of "$task" && [ "$state" != T ] && [ "$tries" -lt 200 ]; do
      sleep 0.01
      tries=$((tries + 1))
    done
    stat_of "$task" && [ "$state" = T ] && [ "$start" -ge "$((began - 1))" ] || why "PID $task has not come back"
    shape_of "$task"
    [ "$shape" = "$wanted" ] && [ "$(readlink "/proc/$task/exe")" = "$exe" ] ||
      why "PID $task has not come back as it was"
    printf '%s %s %s\n' "$task" "$start" "$stopped"
  done <"$dir/in/shapes" >"$copies.part" || exit 1
  mv "$copies.part" "$copies"
}

# What an earlier attempt has left: processes of these numbers, of that program or still criu's, begun since then.
kill_copies() {
  read -r began <"$dir/began" 2>/dev/null || return 0
  # Leaves first. No file is written: the disk may be full.
  copies_wanted=$(tac "$dir/in/shapes" 2>/dev/null)
  rounds=0
  while [ "$rounds" -lt 500 ]; do
    found=
    while read -r task task_start stopped wanted exe; do
      stat_of "$task" && [ "$state" != Z ] && [ "$start" -ge "$((began - 1))" ] || continue
      case $(readlink "/proc/$task/exe") in
        "$exe" | */criu) ;;
        *) continue ;;
      esac
      kill -KILL "$task"
      found=1
    done <<END
$copies_wanted
END
    [ -n "$found" ] || return 0
    rounds=$((rounds + 1))
    sleep 0.01
  done
  why 'the copy does not end'
}

# From the mark on the images are never restored again: the program may have run on.
step_continue() {
  fence
  if ! marked continued; then
    [ ! -e "$dir/continued" ] || exit 4
    marked restored || exit 3
    while read -r task task_start stopped; do
      is_there "$task" "$task_start" || why "PID $task of the copy is gone" 6
    done <"$copies"
    [ -z "$TERMINAL" ] || has_terminal || { kill_copies; why 'the terminal of the copy is gone' 6; }
    mark continued
    # It has to survive a power failure: it is there before the process can have run.
    sync "$dir/continued" "$dir" || why "the mark continued can't be written"
  fi
  [ -z "$TERMINAL" ] || give_terminal
  # Children first: a shell that finds them stopped takes its terminal from them.
  children=
  while read -r task task_start stopped; do
    [ "$stopped" = 1 ] || ! is_there "$task" "$task_start" || children="$task $children"
  done <"$copies"
  for task in $children; do kill -CONT "$task"; done
  while read -r task task_start stopped; do
    tries=0
    while [ "$stopped" != 1 ] && is_there "$task" "$task_start" && [ "$state" = T ]; do
      tries=$((tries + 1))
      [ "$tries" -lt 500 ] || why "PID $task does not run"
      sleep 0.01
    done
  done <"$copies"
  read -r task task_start stopped <"$copies"
  if is_there "$task" "$task_start"; then printf 'process running\n'; else printf 'process gone\n'; fi
}

# Nothing of it stays: not the copy, not the files that were put in place for it.
step_undo() {
  # The mark that this begins with tells who has the terminal to end.
  [ -z "$TERMINAL" ] || note_held
  undo_begin 0
  if [ -e "$dir/continued" ]; then
    rm -f "$ended/$id"
    printf 'continued\n'
    exit 4
  fi
  [ -z "$TERMINAL" ] || end_restoring
  kill_copies
  [ -z "$TERMINAL" ] || end_terminal
  [ ! -e "$dir/placed" ] || unplace_files
  [ -z "$DROP" ] || inbox -X DELETE -o /dev/null
  rs_release "$id"
  forget
}

# It runs here: the images are no longer needed.
step_finish() {
  fence
  [ -e "$dir/continued" ] || exit 3
  read -r pid rest <"$dir/process"
  rs_arrived "$id" "$CPU" "$pid"
  if [ "$KEEP" = 1 ]; then
    mkdir -p "$base/kept" && mv "$dir/in" "$base/kept/$id" && printf 'kept %s\n' "$base/kept/$id"
  fi
  forget
}

step_facts() {
  fence
  for name in restored continued; do if [ -e "$dir/$name" ]; then printf 'mark %s\n' "$name"; fi; done
  if marked restored; then
    there=0 all=0
    while read -r task task_start stopped; do
      all=$((all + 1))
      if is_there "$task" "$task_start"; then there=$((there + 1)); fi
    done <"$copies"
    printf 'copies %s of %s\n' "$there" "$all"
  fi
  if [ -e "$dir/restored" ] && is_whole; then
    printf 'images whole\n'
  fi
}
