# shellcheck shell=sh
# Counts on its standard output, in a loop whose every turn begins programs that end: a line `NUMBER SECONDS` each.
number=0
while :; do
  number=$((number + 1))
  echo "$number $(date +%s.%6N)"
  sleep 0.02
done
