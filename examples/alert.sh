#!/bin/sh
# Mails what has happened to a machine: just cron-install --alert /path/to/resource-sharing/examples/alert.sh
# The letter goes to $ALERT_TO, or to the user whose crontab it is. When mail(1) fails, the next run tries again.
set -eu
event=$RESOURCE_SHARING_EVENT
case $event in
unmeasured) text="It could not be measured: $RESOURCE_SHARING_REASON" ;;
*) text="Its load is $RESOURCE_SHARING_LOAD1 on $RESOURCE_SHARING_CPUS CPUs: trit $RESOURCE_SHARING_TRIT." ;;
esac
printf '%s\n' "$text" | mail -s "$(uname -n): $event" "${ALERT_TO:-$(id -un)}"
