# shellcheck shell=sh
# Reads what there is to know of the tree of $PID. Nothing is stopped, traced or changed.

# stat_of PID: the fields of its stat from the third on; the name may hold blanks, newlines and parentheses
stat_of() {
  stat=$(cat "/proc/$1/stat") || return 1
  stat=${stat##*') '}
}

stat_of "$PID" || exit 66
# shellcheck disable=SC2086 # fields
set -- $stat
parent=$2 kernel=$(($7 & 0x200000))

line='' each=$$
while [ "$each" -gt 0 ]; do
  line="$line $each"
  stat_of "$each" || break
  stat=${stat#* }
  each=${stat%% *}
done

# The machine's own processes are refused by their PID alone: their trees may be all that runs here.
brief=
[ "$PID" -gt 1 ] && [ "$kernel" = 0 ] || brief=yes
case " $line " in *" $PID "*) brief=yes ;; esac

# descend: the process and all below it, each parent before its children
descend() {
  below=$PID next=$PID
  [ -z "$brief" ] || next=
  while [ -n "$next" ]; do
    parents=$next next=
    for each in $parents; do
      for file in "/proc/$each/task"/*/children; do
        children=
        read -r children <"$file"
        [ -z "$children" ] || next="$next $children"
      done
    done
    below="$below $next"
  done
  # shellcheck disable=SC2086 # numbers
  echo $below
}
tree=$(descend)

# is_outside PID: neither in the tree nor begun by it since the tree was looked at
is_outside() {
  above=$1
  while [ "$above" -gt 0 ]; do
    case " $tree " in *" $above "*) return 1 ;; esac
    stat_of "$above" || return 1
    stat=${stat#* }
    above=${stat%% *}
  done
}

# below NAME…: these names in the folders of the tree's processes
below() {
  found=
  for each in $tree; do for name in "$@"; do found="$found /proc/$each/$name"; done; done
}

# shellcheck disable=SC2086 # lists of numbers
items line $line
# shellcheck disable=SC2086
items tree $tree
items uid "${SUDO_UID:-$(id -u)}"

# Those above the process: who of them waits for its end, and for what a shell has been started, shows in their words.
printf 'ancestors\0'
each=$parent
while [ "$each" -gt 0 ] && stat_of "$each"; do
  # shellcheck disable=SC2086 # fields
  set -- $stat
  name=$(cat "/proc/$each/comm")
  printf '%s\0' "$each" "${name:-?}" "$5" "=$(readlink "/proc/$each/fd/0")" "=$(tr '\0' ' ' <"/proc/$each/cmdline")" "${46:-0}"
  each=$2
done
printf '\0'
machine

# With a second file grep writes the path in front; a file without a NUL is one record.
below stat status cgroup
# shellcheck disable=SC2086 # paths of digits and letters
printf 'state\0' && grep -az '' $found /dev/null
printf '\0'
below task
# shellcheck disable=SC2086
text threads find $found -mindepth 1 -maxdepth 1 -printf '%p\n'
below ns
# shellcheck disable=SC2086
text namespaces find /proc/self/ns $found -mindepth 1 -printf '%h %f %l\n'
# A link that can't be read is empty, and an empty record would end the section.
below exe cwd root
# shellcheck disable=SC2086
printf 'places\0' && find $found -maxdepth 0 -printf '%p\0=%l\0' \
  -name exe -xtype f ! -lname '* (deleted)' -fprintf "$scratch/programs" '%l\0'
printf '\0'
# shellcheck disable=SC2086
printf '%s\0' $found >"$scratch/names"

below fd map_files
# shellcheck disable=SC2086
find $found -mindepth 1 -maxdepth 1 -print0 >>"$scratch/names"
# What is hashed later is what is seen now: whoever has it open may close it, or end, before that.
# shellcheck disable=SC2086
printf 'links\0' && find $found -mindepth 1 -maxdepth 1 -printf '%p\0=%l\0' \
  -xtype f ! -lname '* (deleted)' ! -lname '/proc/*' ! -lname '/sys/*' -fprintf "$scratch/open" '%l\0'
printf '\0stats\0'
xargs -0r stat -L --printf='%n\0%f %d:%i %h %s %t %T\0' -- <"$scratch/names"
printf '\0'
# A POSIX message queue looks like a file of the root folder, but for its file system.
queues() {
  below fd
  # shellcheck disable=SC2086
  find $found -mindepth 1 -maxdepth 1 -lname '/*' -xtype f -print0 | xargs -0r stat -Lf --printf='%t %n\n' | grep '^19800202 '
}
text queues queues
below maps
# shellcheck disable=SC2086
text shared grep -a '^[^ ]* .w.s ' $found /dev/null
below fdinfo
# shellcheck disable=SC2086
find $found -mindepth 1 -maxdepth 1 -print0 >"$scratch/fdinfo"
text fdinfo xargs -0r grep -aE '^(flags:|lock:|Pid:|tty-index:|inotify )' /dev/null <"$scratch/fdinfo"

# The kernel writes of what is deleted as of what is really called so.
below exe cwd root fd map_files
# shellcheck disable=SC2086,SC2016 # the inner shell's
printf 'named\0' && find $found -maxdepth 1 -lname '* (deleted)' -exec sh -c '
  for each; do
    link=$(readlink "$each" && echo .) && link=${link%??} && [ "$each" -ef "$link" ] && printf "%s\0" "$link"
  done' sh {} + | sort -zu
printf '\0'

# What an inotify watches is told by its number only, and criu opens it by a name there. In memory one is found at once; on
# a large disk it may not be found in time, and then criu says what is missing. (An overlay's numbers are not to be had.)
watched_paths() {
  xargs -0r grep -ahE '^inotify ' <"$scratch/fdinfo" |
    sed -n 's/^.* ino:\([0-9a-f]*\) sdev:\([0-9a-f]*\) .*$/\1 \2/p' | sort -u |
    while read -r inode device; do
      device=$((0x$device))
      awk -v device="$((device >> 20)):$((device & 0xfffff))" '$3 == device && !/ - overlay / { print $5 }' /proc/self/mountinfo |
        while read -r mount; do
          # It may be mounted twice: one name is enough.
          timeout 2 find "$(printf '%b' "$mount")" -xdev -inum "$((0x$inode))" -fprintf "$scratch/watched" '%y\0%p\0' -quit
          [ ! -s "$scratch/watched" ] || { cat "$scratch/watched" && break; }
        done
    done
}
printf 'watches\0'
watched_paths
printf '\0'

numbers() { sed -n -e "s/^$1:\\[\\([0-9]*\\)\\]\$/\\1/p" "$scratch/links"; }
below fd
# shellcheck disable=SC2086
find $found -mindepth 1 -maxdepth 1 \( -lname 'pipe:*' -o -lname 'socket:*' \) -printf '%l\n' | sort -u >"$scratch/links"
numbers socket >"$scratch/sockets"
: >"$scratch/peers"
: >"$scratch/holders"

# The tables are those of the network that the process is in.
if [ -s "$scratch/sockets" ]; then
  set --
  for table in tcp tcp6 udp udp6 udplite udplite6 icmp icmp6 raw raw6 netlink packet unix; do
    [ ! -r "/proc/$PID/net/$table" ] || set -- "$@" "/proc/$PID/net/$table"
  done
  # shellcheck disable=SC2016 # awk's
  text sockets awk '
    FNR == 1 { file++; table = FILENAME; sub(".*/", "", table) }
    file == 1 { wanted[$1]; next }
    { inode = table == "unix" ? $7 : table == "packet" ? $9 : $10 }
    !(inode in wanted) { next }
    table == "unix" { path = $0; sub("^[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ ?", "", path); print table, inode, $6, path; next }
    table ~ /^(tcp|udp|icmp|raw)/ { print table, inode, $4, $2; next }
    { print table, inode, "-" }
  ' "$scratch/sockets" "$@"
  # A name with blanks in it makes more fields: then nobody can tell.
  if command -v ss >/dev/null; then
    # shellcheck disable=SC2016
    ss -xaH | awk 'NR == FNR { wanted[$1]; next } NF == 8 && ($6 in wanted) { print $6, $8 }' "$scratch/sockets" - \
      >"$scratch/peers"
    text peers cat "$scratch/peers"
  fi
fi

if [ -s "$scratch/links" ]; then
  { numbers pipe && cat "$scratch/sockets" && sed -n 's/.* //p' "$scratch/peers"; } >"$scratch/inodes"
  # shellcheck disable=SC2016 # awk's
  find /proc/[0-9]*/fd -mindepth 1 -maxdepth 1 \( -lname 'pipe:*' -o -lname 'socket:*' \) -printf '%l %h\n' |
    tr '[]' '  ' |
    awk 'NR == FNR { wanted[$1]; next } $2 in wanted { sub("/proc/", "", $3); sub("/fd", "", $3); print $2, $3 }' "$scratch/inodes" - |
    sort -u >"$scratch/holders"
fi
# A named pipe is known by where it lies.
# shellcheck disable=SC2086
[ -z "$(find $found -mindepth 1 -maxdepth 1 -lname '/*' -xtype p -printf x)" ] ||
  find -L /proc/[0-9]*/fd -mindepth 1 -maxdepth 1 -type p -printf '%D:%i %h\n' |
  sed -e 's:/proc/::' -e 's:/fd$::' | sort -u >>"$scratch/holders"
printf 'holders\0'
while read -r inode each; do
  is_outside "$each" && name=$(cat "/proc/$each/comm") && printf '%s\0' "$inode" "$each" "${name:-?}"
done <"$scratch/holders"
printf '\0'

# Who else has mapped, to share it, what the tree writes to by mapping. Files and memory without one are told by their
# device and inode; nobody's maps are read where the tree has none.
printf 'sharers\0'
below maps
# shellcheck disable=SC2086
if grep -aqE '^[^ ]* .w.s [^ ]* [^ ]* [1-9]' $found; then
  {
    # shellcheck disable=SC2086
    grep -aHE '^[^ ]+ .w.s ' $found /dev/null | sed 's/^/tree /'
    grep -aHE '^[^ ]+ ...s ' /proc/[0-9]*/maps
  } | awk -v tree=" $tree " '
    $1 == "tree" { written[$5 " " $6]; next }
    { split($1, part, "/"); pid = part[3] }
    $5 != 0 && ($4 " " $5 in written) && !index(tree, " " pid " ") && !(pid in told) { told[pid]; print pid }
  ' | while read -r each; do
    is_outside "$each" && name=$(cat "/proc/$each/comm") && printf '%s\0' "$each" "${name:-?}"
  done
fi
printf '\0'

# cpulimit continues what it has stopped, also when somebody else has.
printf 'limiters\0'
# shellcheck disable=SC2013 # paths of digits and letters
for file in $(grep -ls '^cpulimit$' /proc/[0-9]*/comm); do
  printf '=%s\0' "$(tr '\0' ' ' <"${file%comm}cmdline")"
done
printf '\0'

# System V objects tell who made them and who used them last; of semaphores, of which only ipcs tells that, also those
# of the tree's users that nobody has used, or whose last user has ended.
system_v() {
  # shellcheck disable=SC2046,SC2086 # numbers
  owners=$(grep -hs '^Uid:' $(printf '/proc/%s/status ' $tree) | cut -f 2 | sort -un)
  awk -v tree="$tree" '
    BEGIN { split(tree, pids, " "); for (i in pids) own[pids[i]] }
    FNR > 1 && FILENAME ~ /msg$/ && (($6 in own) || ($7 in own)) { print "msg", $2 }
    FNR > 1 && FILENAME ~ /shm$/ && (($5 in own) || ($6 in own)) { print "shm", $2 }
  ' /proc/sysvipc/msg /proc/sysvipc/shm
  sed 1d /proc/sysvipc/sem | while read -r _ id _ _ _ _ maker _; do
    users=$(ipcs -s -i "$id" | awk 'NF == 5 && $1 ~ /^[0-9]+$/ && $5 > 0 { print $5 }' | sort -un)
    theirs=
    for each in $users; do
      case " $tree " in *" $each "*) echo "sem $id" && continue 2 ;; esac
      [ ! -d "/proc/$each" ] || theirs=yes
    done
    # shellcheck disable=SC2086 # numbers
    [ -n "$theirs" ] || ! printf '%s\n' $owners | grep -qx "$maker" || echo "sem $id"
  done
}
# shellcheck disable=SC2086
[ -n "$brief" ] || text ipc system_v

# shellcheck disable=SC2086 # numbers
[ -n "$brief" ] || text attributes attributes $tree
text groups cut -d : -f 3- /proc/self/cgroup

# Of what has ended by now only a part may have been read, and of what has begun nothing.
still() {
  for each in $(descend); do stat_of "$each" && printf '%s %s\n' "$each" "${stat%% *}"; done
}
text still still

# Where a process waits for a disk, a network file system, or a child that borrows its memory (vfork), nobody can stop it.
stuck() {
  for each in $tree; do
    for _ in 1 2 3 4 5; do
      stat_of "$each" && [ "${stat%% *}" = D ] || continue 2
      sleep 0.1
    done
    echo "$each"
  done
}
[ -n "$brief" ] || text stuck stuck

# shellcheck disable=SC2016 # awk's
text overlays awk '{ for (i = 7; i < NF; i++) if ($i == "-") { if ($(i + 1) == "overlay") print $3; break } }' /proc/self/mountinfo

below status
# shellcheck disable=SC2086
owners=$(grep -hs '^Uid:' $found | cut -f 2 | sort -un)
printf 'users\0'
for each in $owners; do
  name=$(getent passwd "$each" || awk -F : -v uid="$each" '$3 == uid' /etc/passwd)
  name=${name%%:*}
  [ -z "$name" ] || printf '%s\0' "$each" "$name"
done
printf '\0'

# The sizes of the terminals, and who else has one whose other end is the tree's.
terminals() {
  below fd
  # shellcheck disable=SC2086
  for each in $({ find $found -mindepth 1 -maxdepth 1 -lname '/dev/pts/*[0-9]' -printf '%l\n' && own_terminals; } | sort -u); do
    printf '%s %s\n' "$each" "$(stty -F "$each" size)"
  done
}
# What the kernel calls 136 * 256 + N, with the bits of a large N elsewhere, is /dev/pts/N.
own_terminals() {
  below stat
  # shellcheck disable=SC2086
  cat $found | sed 's/.*) //' | awk '
    { high = int($5 / 256) % 4096 }
    high >= 136 && high < 144 { print "/dev/pts/" (high - 136) * 1048576 + int($5 / 1048576) * 256 + $5 % 256 }'
}
text terminals terminals
printf 'onlookers\0'
below fdinfo
# shellcheck disable=SC2013,SC2086 # numbers
for index in $(xargs -0r grep -haE '^tty-index:' <"$scratch/fdinfo" | tr -dc '0-9\n' | sort -u); do
  find /proc/[0-9]*/fd -mindepth 1 -maxdepth 1 -lname "/dev/pts/$index" -printf '%h\n' | sed 's:/proc/::; s:/fd$::' | sort -u |
    while read -r each; do
      is_outside "$each" && name=$(cat "/proc/$each/comm") && printf '%s\0' "$index" "$each" "${name:-?}"
    done
done
printf '\0'

if [ -z "$brief" ]; then
  criu_facts
  criu cpuinfo dump -D "$scratch" </dev/null >/dev/null && items cpuinfo "$(base64 -w 0 "$scratch/cpuinfo.img")" || :
  cat "$scratch/programs" "$scratch/open" | sort -zu >"$scratch/files"
  printf 'files\0'
  xargs -0r stat --printf='%n\0%s %Y\0' -- <"$scratch/files"
  printf '\0hashes\0'
  xargs -0r sha256sum -z -- <"$scratch/files"
  printf '\0databases\0'
  below fd
  # shellcheck disable=SC2086,SC2016 # the inner shell's
  find $found -mindepth 1 -maxdepth 1 -perm -200 -xtype f ! -lname '* (deleted)' -printf '%l\0' | sort -zu |
    xargs -0r sh -c 'for each; do [ "$(head -c 15 <"$each")" != "SQLite format 3" ] || printf "%s\0" "$each"; done' sh
  printf '\0'
fi
items end yes
