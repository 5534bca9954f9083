#!/bin/sh
# flock(1) as BusyBox has it: it can't wait for a time.
case " $* " in *' -w '*) echo "flock: invalid option -- 'w'" >&2 && exit 1 ;; esac
real=/opt/lab/hidden/bin/flock
[ -x "$real" ] || real=/usr/bin/flock
exec "$real" "$@"
