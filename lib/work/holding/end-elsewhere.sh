# shellcheck shell=sh
# Ends a process of this machine for another one that has decided so: kindly first. PID, START and GRACE (seconds) are values
# of the script. Ends with 0 and says how it went, or with 1 and says why it can't be signalled.

# is_there: this very process, and not a later one with its PID, is there and has not ended.
is_there() {
  stat_text=$(cat "/proc/$PID/stat" 2>/dev/null) || return 1
  # shellcheck disable=SC2086 # the fields after the command's name
  set -- ${stat_text##*) }
  [ "${20-}" = "$START" ] && [ "${1-}" != Z ]
}

# gone_within TENTHS: it has ended, at the latest after so many tenths of a second.
gone_within() {
  tenths=$1
  while is_there; do
    [ "$tenths" -gt 0 ] || return 1
    if sleep 0.1 2>/dev/null; then tenths=$((tenths - 1)); else sleep 1 && tenths=$((tenths - 10)); fi
  done
}

end() {
  if ! is_there; then echo ended && return; fi
  if ! said=$(kill -TERM "$PID" 2>&1) && is_there; then echo "${said:-it can not be signalled}" && exit 1; fi
  # One that is stopped could not hear it.
  kill -CONT "$PID" 2>/dev/null
  if gone_within $((GRACE * 10)); then echo ended && return; fi
  kill -KILL "$PID" 2>/dev/null
  if gone_within 30; then echo killed; else echo 'still there'; fi
}
