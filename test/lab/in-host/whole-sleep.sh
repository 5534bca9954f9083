#!/bin/sh
# sleep(1) as OpenWrt's BusyBox is built: without parts of a second, and without units.
case ${1-} in
  '' | *[!0-9]*) echo "sleep: invalid number '${1-}'" >&2 && exit 1 ;;
esac
exec /opt/lab/hidden/bin/sleep "$1"
