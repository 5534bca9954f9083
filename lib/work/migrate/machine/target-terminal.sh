# shellcheck shell=sh
# A terminal for the copy; terminal.py makes it, and says how. It is made before the process is frozen, since that takes a
# while, and lies in memory: no process outlives a reboot, and no terminal either.

terminals=/run/resource-sharing/terminals
terminal_dir=$terminals/$id

step_terminal() {
  fence
  has_terminal || new_terminal
}

# Who has a process there may look on as its owner: so the way there is open, and nothing else.
new_terminal() {
  end_terminal
  sweep_terminals
  (umask 066 && mkdir -p "$terminals" && mkdir "$terminal_dir") && chmod 711 "${terminals%/*}" "$terminals" "$terminal_dir" &&
    mkfifo "$terminal_dir/go" "$terminal_dir/done" &&
    (umask 022 && terminal_program >"$terminal_dir/terminal.py") || why 'there is no room for a terminal'
  WAITS='' IN_TERMINAL=1 python3 -I -S "$terminal_dir/terminal.py" hold "$terminal_dir" "$ended/$id" "$ROWS" "$COLUMNS" "${TERMINAL##*/}" \
    sh "$dir/steps.sh" in_terminal 3>&- 9>&- || why 'no terminal can be made'
}

# holder ROLE: sets holder and holder_start of the process that has this role; fails when it is not there.
holder() {
  holder=
  while read -r role each each_start; do
    [ "$role" != "$1" ] || { holder=$each && holder_start=$each_start; }
  done <"$terminal_dir/holders" && [ -n "$holder" ] && is_there "$holder" "$holder_start"
} 2>/dev/null

# Where all who held a terminal were killed, nobody has removed its folder.
sweep_terminals() {
  for each_dir in "$terminals"/*; do
    [ -e "$each_dir/holders" ] || continue
    while read -r role each each_start; do
      ! is_there "$each" "$each_start" || continue 2
    done <"$each_dir/holders"
    rm -rf "$each_dir"
  done
}

# Somebody keeps it open, and its session has a leader.
has_terminal() {
  { holder holder || holder standby; } && holder leader
}

# Restores the images in the terminal; fails as criu does.
restore_in_terminal() {
  if [ -e "$terminal_dir/used" ] || ! has_terminal; then new_terminal; fi
  read -r tty <"$terminal_dir/slave"
  # criu opens by its name what is open more than once: that name may be somebody else's here.
  if [ "$tty" != "$TERMINAL" ] && [ "$(grep -ao "${TERMINAL#/}\>" "$dir/in/images/files.img" | wc -l)" -gt 1 ]; then
    printf 'why the process has opened %s more than once, and another terminal has that name here\n' "$TERMINAL" >&3
    exit 1
  fi
  # Who opens both ends of a pipe does not wait for another; who then has only one finds when nobody has the other.
  # shellcheck disable=SC2094 # that is meant
  { exec 6<>"$terminal_dir/done" 7<"$terminal_dir/done" && exec 6>&- 6<>"$terminal_dir/go"; } 2>/dev/null || return 1
  printf 'go\n' >&6
  exec 6>&-
  restored=$(timeout --foreground "$LIMIT" head -n 1 <&7)
  exec 7<&-
  # It restores once: its leader waits for the process to be continued then.
  [ "${restored:-1}" != 0 ] || : >"$terminal_dir/used"
  return "${restored:-1}"
}

# What the terminal runs to restore the images. Its input is the terminal. It waits for that ready to begin, since its start
# costs milliseconds.
step_in_terminal() {
  set -f
  read -r word <"$terminal_dir/go" || exit 1
  exec >/dev/null 2>&1
  # shellcheck disable=SC2086 # words
  as_it_was criu restore --images-dir "$dir/in/images" --work-dir "$dir/work" --log-file "$dir/restore.log" \
    --leave-stopped $CRIU
}

# Its foreground is the group that it was at the source, where that has come along; and who looks on may be told.
give_terminal() {
  read -r wanted <"$dir/in/foreground" || wanted=0
  read -r root rest <"$copies"
  stat_of "$root" && front=$group
  while read -r task rest; do
    [ "$front" != "$wanted" ] && stat_of "$task" && [ "$group" = "$wanted" ] && front=$wanted
  done <"$copies"
  uid=0
  while read -r key value rest; do [ "$key" != Uid: ] || uid=$value; done <"/proc/$root/status"
  running="$front $uid"
  while read -r task rest; do
    running="$running
$task $rest"
  done <"$copies"
  (umask 022 && printf '%s\nend\n' "$running" >"$terminal_dir/running") || why 'the terminal can not be given to the copy'
  holder leader && kill -USR1 "$holder"
  tries=0
  # A leader that has no terminal has lost it to the copy, which leads a session of its own.
  while [ "$tries" -lt 500 ] && stat_of "$holder" && [ "$terminal" != 0 ] && [ "$foreground" != "$front" ]; do
    tries=$((tries + 1))
    # It takes a moment only.
    [ "$tries" -lt 400 ] || sleep 0.005
  done
  ! holder holder || kill -USR1 "$holder"
}

# Ends what restores the images just now, and may go on to.
end_restoring() {
  holder leader || return 0
  leader=$holder
  for each in /proc/[0-9]*; do
    stat_of "${each##*/}" && [ "$session" = "$leader" ] && [ "${each##*/}" != "$leader" ] && kill -KILL "${each##*/}"
  done 2>/dev/null
  return 0
}

# Without the list of those who have it nobody takes the place of one that ends. Those of an earlier list, `held`, may have
# ended by themselves and removed it, and have left what was started by them.
end_terminal() {
  end_held "$held"
  tries=0
  while [ -e "$terminal_dir/holders" ] && [ "$tries" -lt 50 ]; do
    tries=$((tries + 1))
    held=$(cat "$terminal_dir/holders" 2>/dev/null)
    rm -f "$terminal_dir/holders"
    end_held "$held"
    sleep 0.01
  done
  rm -rf "$terminal_dir"
  rmdir "$terminals" 2>/dev/null
  return 0
}

held=
note_held() {
  held=$(cat "$terminal_dir/holders" 2>/dev/null)
}

# end_held LIST: ends the sessions of those on a list of holders. A session outlives who leads it, and its number is nobody
# else's meanwhile.
end_held() {
  while read -r role each each_start; do
    [ -n "$each" ] || continue
    ! stat_of "$each" || [ "$start" = "$each_start" ] || continue
    end_session "$each" ''
  done <<END
$1
END
}
