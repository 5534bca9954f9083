/**
 * The parts of the programs that ask a machine for its load: once (probe.ts), or round after round (probe-rounds.ts). They
 * are POSIX sh. `$rs_nonce` stands at the beginning of each line that parts an answer.
 */

// The PATH is extended at its end: a non-interactive session may lack the folder of sysctl. nproc obeys OMP_NUM_THREADS
// and OMP_THREAD_LIMIT too, which say what one program wants.
export const SETTING = `LC_ALL=C; export LC_ALL
unset OMP_NUM_THREADS OMP_THREAD_LIMIT
PATH="\${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"; export PATH
exec 2>/dev/null`

// What begins an answer: with a newline, in case something was printed before.
export const BEGIN = `printf '\\n%s begin\\n' "$rs_nonce"`

// What stays the same while a session lasts: the CPUs that it may use by its affinity mask are told by nproc.
export const CONSTANTS = `os=$(uname -s)
if [ "$os" = Linux ]; then cpus=$(nproc || getconf _NPROCESSORS_ONLN)
else cpus=$(sysctl -n hw.ncpu); fi`

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

// The load is the machine's, and so are the CPUs that are online. On Linux the shell itself reads all this: it starts no
// program, so that it costs next to nothing in each round of who watches.
export const FACTS = `printf 'os %s\\n' "$os"
if [ "$os" = Linux ]; then
  if read -r line </sys/devices/system/cpu/online; then printf 'online %s\\n' "$line"
  else printf 'processors %s\\n' "$(grep -c '^processor' /proc/cpuinfo)"; fi
  printf 'cpus %s\\n' "$cpus"${QUOTA}
  read -r line </proc/loadavg && printf 'load %s\\n' "$line"
  read -r line </proc/uptime && printf 'uptime %s\\n' "$line"
  [ -r /proc/pressure/cpu ] && read -r line </proc/pressure/cpu && printf 'pressure %s\\n' "$line"
  while read -r key value; do
    case $key in MemAvailable:) printf 'available %s\\n' "$value"; break ;; esac
  done </proc/meminfo
else
  printf 'cpus %s\\n' "$cpus"
  printf 'load %s\\n' "$(sysctl -n vm.loadavg)"
  printf 'boottime %s\\n' "$(sysctl -n kern.boottime)"
  printf 'now %s\\n' "$(date +%s)"
fi`

export const END = `printf '%s end\\n' "$rs_nonce"`

export const UNITS = `printf 'memory %s\\n' "$(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
  printf 'page %s\\n' "$(getconf PAGESIZE || echo 4096)"
  printf 'ticks %s\\n' "$(getconf CLK_TCK || echo 100)"
  printf 'self %s\\n' "$$"`

// grep with a second file name writes the path in front of each line, so a command name with a newline in it
// stays with its process.
export const SAMPLE = `read -r line </proc/uptime; printf '%s sample %s\\n' "$rs_nonce" "$line"
  grep '' /proc/[0-9]*/stat /dev/null`

export const OWNERS = `owners=$(grep '^Uid:' /proc/[0-9]*/status /dev/null)
  printf '%s owners\\n%s\\n' "$rs_nonce" "$owners"
  printf '%s users\\n' "$rs_nonce"
  getent passwd $(printf '%s\\n' "$owners" | cut -f 2 | sort -un) || cat /etc/passwd`

// ps shows a share that decays within seconds on macOS and the BSDs.
export const PS = `printf '%s ps\\n' "$rs_nonce"
  ps axo pid,%cpu,%mem,comm
  printf '%s details\\n' "$rs_nonce"
  ps axo pid,rss,etime,user`
