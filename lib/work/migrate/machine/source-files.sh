# shellcheck shell=sh
# The files that go along, at the source. They are sent while the process runs, and what may have changed since then is
# sent again when it is frozen; with the hash that each has then, so that the target can prove what it has got.
#
# Size, times and inode tell of a change only where every write moves a time. Writing to a mapping does so on the file
# systems below, at the first write to a page that is clean: so all pages are written to the disk between the look and
# the reading. It does not on tmpfs, and nobody knows of NFS, FUSE or what lies under an overlay. ext2-4, XFS, btrfs, f2fs:
tells=' ef53 58465342 9123683e f2f52010 '

# live_files PID…: which of them these processes may write to: lines NUMBER `mapped` and NUMBER `open`.
live_files() {
  maps='' fds=''
  for task; do maps="$maps /proc/$task/maps" fds="$fds /proc/$task/fd"; done
  # shellcheck disable=SC2086 # paths
  {
    awk '$2 ~ /s$/ && $6 ~ /^\// { print ($2 ~ /w/ ? "mapped " : "open ") substr($0, index($0, "/")) }' $maps
    find $fds -mindepth 1 -maxdepth 1 -perm -200 -lname '/*' -printf 'open %l\n'
  } 2>/dev/null | awk '
    names { number = $1; sub(/^[0-9]+ /, ""); numbers[$0] = number; next }
    { how = $1; sub(/^[a-z]+ /, ""); if ($0 in numbers) print numbers[$0], how }' names=1 "$dir/names" names= -
  # A name with a newline is in no such list.
  sed 's/$/ mapped/' "$dir/odd"
}

# What the files look like is written down before they are read: what changes later is sent again.
step_stage() {
  cd "$dir" && number_files '' && : >staging && : >names && : >odd || exit 3
  states >staged.states
  newline='
'
  number=0
  [ ! -e ship ] || while IFS= read -r word; do
    number=$((number + 1))
    file=$(printf '%b.' "$word") file=${file%.}
    case $file in *"$newline"*) printf '%s\n' "$number" >>odd ;; *) printf '%s %s\n' "$number" "$file" >>names ;; esac
  done <ship
  tree= && tree_of "$pid"
  # shellcheck disable=SC2086 # numbers
  live_files $tree >live
  # What is written to by mapping has to be sent when nobody writes, and only then.
  numbers=$(awk 'FILENAME == "live" { if ($2 == "mapped") mapped[$1]; next } !($1 in mapped) { print $1 }' live staged.states)
  # shellcheck disable=SC2086 # numbers
  if [ -n "$numbers" ]; then (cd numbered && sync -d -- $numbers 2>/dev/null; stat -L -f -c '%n %t' -- $numbers) >systems; else : >systems; fi
  # What has changed just now can change again without a trace: clocks of file systems tick some hundred times a second.
  awk -v tells="$tells" -v now="$(date +%s)" '
    FILENAME == "systems" { if (index(tells, " " $2 " ")) told[$1]; next }
    !($1 in told) || $4 > now - 2 { print $1 }' systems staged.states >silent
  # shellcheck disable=SC2086 # numbers
  hashes_of $numbers >staged.hashes &
  hashing=$!
  while IFS= read -r word; do printf '.%b\0' "$word"; done <folders >staging
  listed "$numbers" >>staging
  # shellcheck disable=SC2086 # options
  tar -cf - -C / $along --no-recursion --transform='flags=rh;s,^\./,files/,' --null -T staging
  # 1: a file has changed while it was read; it will be sent again.
  status=$?
  # Who has gone meanwhile has no hash, and is looked at again.
  wait "$hashing" || : >staged.hashes
  [ "$status" -le 1 ]
}

# listed NUMBERS: their names, each ended by NUL, as tar takes them.
listed() {
  printf '%s\n' "$1" | awk 'list { wanted[$1]; next } FNR in wanted' list=1 - list= ship | while IFS= read -r word; do
    printf '.%b\0' "$word"
  done
}

# When nobody writes: `changed` lists for tar what has to be sent again, `hashes` has a line HASH WORD for each file,
# with `-` for a HASH where there is none any more.
ship_changed() {
  : >changed && : >hashes
  [ -e ship ] || return 0
  [ -e staged.states ] && [ -e staged.hashes ] || return 1
  tasks=
  while read -r task rest; do tasks="$tasks $task"; done <tasks
  states >now.states
  # shellcheck disable=SC2086 # numbers
  live_files $tasks >live
  # Who writes to a file by one name has written to it by all.
  awk '
    FILENAME == "staged.states" { staged[$1] = $0; next }
    FILENAME == "staged.hashes" { hashed[$1]; next }
    FILENAME == "silent" { silent[$1]; next }
    FILENAME == "live" { if ($2 == "mapped") mapped[$1]; else open[$1]; next }
    { now[$1] = $0; inode[$1] = $5; if ($1 in mapped) mapped_inode[$5]; if ($1 in open) open_inode[$5] }
    END {
      for (each in now) {
        again = staged[each] != now[each] || !(each in hashed) || (inode[each] in mapped_inode)
        if (again) print each, "again"
        else if ((inode[each] in open_inode) || (each in silent)) print each, "look"
      }
    }' staged.states staged.hashes silent live now.states >unsure
  # shellcheck disable=SC2046 # numbers
  hashes_of $(cut -d ' ' -f 1 unsure) >now.hashes || return 1
  awk '
    FILENAME == "unsure" { if ($2 == "again") again[$1]; next }
    FILENAME == "staged.hashes" { staged[$1] = $2; next }
    { if (staged[$1] != $2) again[$1] }
    END { for (each in again) print each }' unsure staged.hashes now.hashes >again
  awk '
    FILENAME == "now.states" { there[$1]; next }
    FILENAME != "ship" { hash[$1] = $2; next }
    { print FNR in there ? hash[FNR] : "-", $0 }' now.states staged.hashes now.hashes ship >hashes
  listed "$(cat again)" >changed
}

# The second part of the stream.
send_changed() {
  # shellcheck disable=SC2086 # options
  [ ! -s changed ] || tar -cf - -C / $along --no-recursion --transform='flags=rh;s,^\./,files/,' --null -T changed
}
