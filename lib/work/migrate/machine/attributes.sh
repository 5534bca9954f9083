# shellcheck shell=sh
# What processes have that criu does not carry along, or not in each of its versions.

# attributes PID…: a line `ID NAME VALUE` for each that these processes and their threads have. The personality comes
# first: it has to be known before a copy is made. Few programs, however many threads: who is looked at stands still.
attributes() {
  looked='' ids=''
  for each; do
    for name in personality oom_score_adj coredump_filter autogroup; do looked="$looked /proc/$each/$name"; done
    for thread in "/proc/$each/task"/*; do
      # Of one that has ended the pattern is left, which would mean all processes below.
      [ -d "$thread" ] || continue
      ids="$ids ${thread##*/}"
      looked="$looked /proc/${thread##*/}/timerslack_ns $thread/status $thread/stat"
    done
  done
  # shellcheck disable=SC2086 # paths and numbers
  {
    # A set of CPUs that everybody has is none that somebody has chosen.
    for each in online possible; do read -r cpus </sys/devices/system/cpu/$each && printf 'usual %s\n' "$cpus"; done
    sed -n 's/^Cpus_allowed_list:/usual/p' /proc/self/status /proc/1/status
    grep -aH '' $looked /dev/null
    if command -v ionice >/dev/null; then printf 'ids%s\n' "$ids" && ionice -p $ids; fi
  } 2>/dev/null | awk '
    $1 == "usual" { usual[$2]; next }
    $1 == "ids" { for (i = 2; i <= NF; i++) io[i - 1] = $i; count = 1; next }
    count { sub(/ prio/, ""); sub(/:/, ""); sub(/^none.*/, "none"); print io[count++], "io", $0; next }
    {
      at = index($0, ":")
      split(substr($0, 1, at - 1), part, "/")
      text = substr($0, at + 1)
      thread = part[4] == "task"
      id = thread ? part[5] : part[3]
      name = thread ? part[6] : part[4]
      if (name == "stat") {
        # A name may hold a newline and parentheses: the last line counts, and what follows the last of them.
        sub(/^.*\) /, "", text)
        if (split(text, field, " ") > 38) sched[id] = field[39] " " field[38] " " field[17]
        if (id == part[3] && int(field[7] / 128) % 2) memory_errors[id]
      } else if (name == "status") {
        if (text ~ /^Cpus_allowed_list:/) { sub(/^[^\t]*\t/, "", text); print id, "affinity", text (text in usual ? " usual" : "") }
        if (text ~ /^Groups:/ && id == part[3]) { sub(/^[^\t]*\t */, "", text); sub(/ +$/, "", text); print id, "groups", text == "" ? "none" : text }
      } else if (name == "autogroup") { sub(/.* /, "", text); print id, name, text }
      else if (name == "timerslack_ns") print id, "timerslack", text
      else print id, name, text
    }
    END {
      for (id in sched) print id, "sched", sched[id]
      for (id in memory_errors) print id, "memory_errors", "own"
    }'
}
