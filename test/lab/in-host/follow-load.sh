#!/bin/bash
# Makes the load average of this host follow its own work, as the kernel does for a whole machine: every
# interval it counts the tasks that run (R) or wait for a disk (D) and averages them exponentially, in the kernel's own
# fixed-point arithmetic (11 bits).
# Usage: follow-load.sh INTERVAL_SECONDS EXP_1 EXP_5 EXP_15; EXP_n = 2048 × e^(-interval / constant).
set -u
interval=$1
exps=("$2" "$3" "$4")
file=/run/lab/loadavg
shopt -s nullglob

read -r -a shown <"$file" || exit 1
avenrun=()
for i in 0 1 2; do
  digits=${shown[i]/./}
  avenrun[i]=$((10#$digits * 2048 / 100))
done

# A timed read of a pipe nobody writes to: a sleep that starts no process.
exec {never}<> <(:)

while :; do
  running=0 tasks=0
  for stat in /proc/[0-9]*/task/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    tasks=$((tasks + 1))
    [ "${stat%%/task/*}" != "/proc/$$" ] || continue
    state=${line##*) }
    case ${state%% *} in R | D) running=$((running + 1)) ;; esac
  done

  active=$((running * 2048))
  text=
  for i in 0 1 2; do
    exp=${exps[i]}
    load=$((avenrun[i] * exp + active * (2048 - exp)))
    # As the kernel does: round up while the load rises, so that it reaches what it rises to.
    ((active < avenrun[i])) || load=$((load + 2047))
    avenrun[i]=$((load / 2048))
    rounded=$((avenrun[i] + 10))
    printf -v part '%d.%02d ' $((rounded / 2048)) $((rounded % 2048 * 100 / 2048))
    text+=$part
  done
  text+="$running/$tasks $$"

  # The file is bind-mounted, so it cannot be replaced: one write over it, and only then the old tail cut off.
  before=$(stat -c %s "$file")
  printf '%s\n' "$text" 1<>"$file"
  ((before <= ${#text} + 1)) || truncate -s $((${#text} + 1)) "$file"
  read -r -t "$interval" -u "$never" _
done
