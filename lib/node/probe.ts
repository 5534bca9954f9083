import { randomBytes } from 'node:crypto'
import { SHOW } from '../receiver/script.ts'

/** A program for a POSIX `sh`, to be read from its standard input, and the nonce that frames its answer. */
export type Probe = { nonce: string; script: string }

/** What is asked besides the load. */
export type Sampling = {
  /** The processes too, over a window of so many milliseconds. */
  windowMs?: number
  /** Of the processes, also who began whom, and which of them are held back: see `Family`. */
  family?: boolean
}

/**
 * The program that asks a machine for its load, and with `windowMs` also for its processes, in one round trip.
 *
 * It prints lines `key value…` between `NONCE begin` and `NONCE end`; what a login shell prints before or after
 * can't be mistaken for them. It is one compound command: `sh` reads all of it before it runs any of it, and a
 * command in it can't eat the rest of standard input.
 */
export function probe({ windowMs, family = false }: Sampling = {}): Probe {
  const nonce = randomBytes(16).toString('hex')
  const processes = windowMs === undefined ? '' : sampleProcesses(windowMs / 1000, family ? FAMILY : '')
  const script = PROBE.replace('QUOTA', () => QUOTA)
    .replace('RECEIVER', () => SHOW)
    .replace('PROCESSES', () => processes)
  return { nonce, script: script.replaceAll('NONCE', nonce) }
}

// The load is the machine's, and so are the CPUs that are online; nproc tells those that the session may use, by its
// affinity mask. It obeys OMP_NUM_THREADS and OMP_THREAD_LIMIT too, which say what one program wants.
// The PATH is extended at its end: a non-interactive session may lack the folder of sysctl.
const PROBE = `{
LC_ALL=C; export LC_ALL
unset OMP_NUM_THREADS OMP_THREAD_LIMIT
PATH="\${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"; export PATH
exec 2>/dev/null
printf '\\n%s begin\\n' NONCE
os=$(uname -s)
printf 'os %s\\n' "$os"
if [ "$os" = Linux ]; then
  if read -r line </sys/devices/system/cpu/online; then printf 'online %s\\n' "$line"
  else printf 'processors %s\\n' "$(grep -c '^processor' /proc/cpuinfo)"; fi
  printf 'cpus %s\\n' "$(nproc || getconf _NPROCESSORS_ONLN)"
QUOTA
  read -r line </proc/loadavg && printf 'load %s\\n' "$line"
  read -r line </proc/uptime && printf 'uptime %s\\n' "$line"
  [ -r /proc/pressure/cpu ] && read -r line </proc/pressure/cpu && printf 'pressure %s\\n' "$line"
  while read -r key value; do
    case $key in MemAvailable:) printf 'available %s\\n' "$value"; break ;; esac
  done </proc/meminfo
else
  printf 'cpus %s\\n' "$(sysctl -n hw.ncpu)"
  printf 'load %s\\n' "$(sysctl -n vm.loadavg)"
  printf 'boottime %s\\n' "$(sysctl -n kern.boottime)"
  printf 'now %s\\n' "$(date +%s)"
fi
RECEIVER
rs_show
PROCESSES
printf '%s end\\n' NONCE
} </dev/null
`

// The least of the quotas of the session's control groups and those above them, in thousandths of a CPU: version 2 has
// both numbers in cpu.max, version 1 a file for each. In a container the path may be one of outside.
const QUOTA = `
  least=
  while IFS=: read -r line kinds path; do
    case ,$kinds, in
      ,,) at=/sys/fs/cgroup$path name=cpu.max ;;
      *,cpu,*) at=/sys/fs/cgroup/cpu$path name=cpu.cfs_quota_us ;;
      *) continue ;;
    esac
    [ -d "$at" ] || at=\${at%"$path"}
    while [ -n "$at" ]; do
      quota='' period=''
      read -r quota period <"$at/$name"
      [ "$name" = cpu.max ] || read -r period <"$at/cpu.cfs_period_us"
      case $quota:$period in
        :* | *: | *[!0-9:]*) ;;
        *) [ "$period" -eq 0 ] || { quota=$((quota * 1000 / period)); [ -n "$least" ] && [ "$least" -le "$quota" ] || least=$quota; } ;;
      esac
      case $at in /sys/fs/cgroup | /sys/fs/cgroup/cpu) break ;; esac
      at=\${at%/*}
    done
  done </proc/self/cgroup
  [ -z "$least" ] || printf 'quota %s\\n' "$least"`

// The records of what this user holds there lie beside the marks of a receiver.
const FAMILY = `
  read -r line </proc/sys/kernel/random/boot_id
  printf 'NONCE family %s\\n' "$line"
  cat "\${rs_own%/*}"/held/*.json`

// Not every sleep takes a part of a second; the window is what has passed by the machine's own clock.
// grep with a second file name writes the path in front of each line, so a command name with a newline in it
// stays with its process. ps shows a lifetime average on Linux and a decaying share elsewhere. What takes long is
// done while the window passes.
const sampleProcesses = (seconds: number, more: string) =>
  `
if [ "$os" = Linux ]; then
  printf 'memory %s\\n' "$(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
  printf 'page %s\\n' "$(getconf PAGESIZE || echo 4096)"
  printf 'ticks %s\\n' "$(getconf CLK_TCK || echo 100)"
  printf 'self %s\\n' "$$"
  printf 'window %s\\n' ${seconds}
  read -r line </proc/uptime; printf 'NONCE sample %s\\n' "$line"
  grep '' /proc/[0-9]*/stat /dev/null
  { sleep ${seconds} || sleep ${Math.ceil(seconds)}; } &
  owners=$(grep '^Uid:' /proc/[0-9]*/status /dev/null)
  printf 'NONCE owners\\n%s\\n' "$owners"
  printf 'NONCE users\\n'
  getent passwd $(printf '%s\\n' "$owners" | cut -f 2 | sort -un) || cat /etc/passwd${more}
  wait
  read -r line </proc/uptime; printf 'NONCE sample %s\\n' "$line"
  grep '' /proc/[0-9]*/stat /dev/null
else
  printf 'NONCE ps\\n'
  ps axo pid,%cpu,%mem,comm
  printf 'NONCE details\\n'
  ps axo pid,rss,etime,user
fi
`.trim()
