#!/bin/bash
# What a host that plays a Mac needs anew at each boot.
set -eu
# A Mac has no /proc/loadavg. Bound over the host's own, which the sysctl shim reads under another name.
mount --bind /dev/null /proc/loadavg
bash /srv/resource-sharing/test/lab/in-host/service.sh start app
