#!/bin/bash
# Starts and stops the daemons of a lab host; there is no systemd in it.
# Usage: service.sh start|stop|kill|alive NAME [ARGUMENT…]
set -eu
action=$1 name=$2
shift 2
pidfile=/run/services/$name
here=/srv/resource-sharing/test/lab/in-host

case $name in
  sshd) command=(/usr/sbin/sshd -D -e -o PidFile=none) ;;
  cron) command=(/usr/sbin/cron -f) ;;
  # No relay, no control server and no port mapper of the public network are ever to be asked from the lab.
  tailscaled) command=(env TS_DEBUG_USE_DERP_HTTP=true TS_DEBUG_DERP_WS_CLIENT=true
    TS_ASSUME_NETWORK_UP_FOR_TEST=1 TS_PANIC_IF_HIT_MAIN_CONTROL=1 TS_DISABLE_PORTMAPPER=1
    /usr/local/bin/tailscaled --statedir=/var/lib/tailscale --port=41641 --no-logs-no-support) ;;
  load) command=(bash "$here/follow-load.sh" "$@") ;;
  hung-sshd) command=(python3 "$here/hung-sshd.py") ;;
  app) command=("/Applications/Visual Studio Code.app/Contents/MacOS/Code Helper" infinity) ;;
  *)
    echo "service.sh: no service $name" >&2
    exit 2
    ;;
esac

# Field 22 of /proc/PID/stat, so that a PID given out again is never taken for the service.
start_time() {
  local line
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  line=${line##*) }
  [ "${line%% *}" != Z ] || return 1
  # shellcheck disable=SC2086 # fields
  set -- $line
  echo "${20}"
}

alive() {
  [ -s "$pidfile" ] && read -r pid started <"$pidfile" && [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

# What shows that a service can be used, beyond that it runs.
usable() {
  case $name in
    sshd | hung-sshd) grep -qE ':0016 [0-9A-F]+:0000 0A' /proc/net/tcp /proc/net/tcp6 ;;
    tailscaled) [ -S /run/tailscale/tailscaled.sock ] ;;
  esac
}

case $action in
  alive) alive ;;
  start)
    alive && exit 0
    # What the lab itself was started from may have left descriptors open; a daemon would hand them to all it begins.
    for each in "/proc/$$/fd"/*; do
      each=${each##*/}
      [ "$each" -le 2 ] || [ "$each" = 255 ] || eval "exec $each>&-"
    done
    /opt/lab/bin/setsid "${command[@]}" </dev/null >>"/var/log/lab-$name.log" 2>&1 &
    pid=$!
    # Empty if it has ended already, which the loop below then finds out.
    started=$(start_time "$pid") || :
    echo "$pid $started" >"$pidfile"
    for _ in {1..500}; do
      alive || break
      usable && exit 0
      sleep 0.02
    done
    echo "service.sh: $name did not start, see /var/log/lab-$name.log" >&2
    exit 1
    ;;
  stop | kill)
    alive || exit 0
    signal=TERM
    [ "$action" = stop ] || signal=KILL
    kill -"$signal" "$pid" || :
    for _ in {1..100}; do
      alive || break
      sleep 0.05
    done
    ! alive || kill -KILL "$pid" || :
    rm -f "$pidfile"
    [ "$name" != tailscaled ] || rm -f /run/tailscale/tailscaled.sock
    ;;
esac
