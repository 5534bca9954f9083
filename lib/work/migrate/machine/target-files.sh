# shellcheck shell=sh
# The files that go along, at the target: those that came while the process ran lie in `staged`, those that came again
# when it was frozen in `in`, with the hash that each of them had then.

# The files that have to be there, while the process still runs. Their hashes are made now, when nobody waits for them.
step_take() {
  # shellcheck disable=SC2086 # options
  rm -rf "$dir/staged" && mkdir "$dir/staged" && tar -C "$dir/staged" $along -xif - || exit 1
  cd "$dir" && number_files "$dir/staged/files" && states >staged.states || exit 1
  # shellcheck disable=SC2046 # numbers
  hashes_of $(cut -d ' ' -f 1 staged.states) >staged.hashes || exit 1
  find staged '(' -type f -o -type d ')' -exec sync '{}' + || why 'the files can not be written to the disk'
}

hash_of() {
  sha256sum <"$1" 2>/dev/null | cut -d ' ' -f 1
}

# Puts the files that came along in their places. One that is there and differs is replaced only when an earlier
# migration has left it so, or when it was the same as the one here before the freeze.
place_files() {
  [ -e "$dir/ship" ] || return 0
  : >>"$dir/placed" && : >"$dir/arrived" && : >"$dir/kept" || why "the disk is full"
  while IFS= read -r word; do
    folder=$(printf '%b.' "$word") folder=${folder%.}
    make_folder "$folder" || why "the folder $folder can't be made"
  done <"$dir/folders"
  cut -d ' ' -f 2 "$dir/in/hashes" | cmp -s - "$dir/ship" || why 'the hashes of the files have not all arrived'
  twins=$(find "$dir/in/files" "$dir/staged/files" -type f -links +1 -print -quit 2>/dev/null)
  number=0
  # Of those that are placed: what it was and where it is now.
  set --
  while read -r hash word; do
    number=$((number + 1))
    # Nobody has it by this name any more.
    [ "$hash" != - ] || continue
    file=$(printf '%b.' "$word") file=${file%.}
    from=$dir/in/files$file
    if [ -f "$from" ] && [ ! -L "$from" ]; then
      printf '%s %s\n' "$hash" "$word" >>"$dir/arrived"
    else
      from=$dir/staged/files$file
      printf '%s %s\n' "$number" "$hash" >>"$dir/kept"
    fi
    [ -f "$from" ] && [ ! -L "$from" ] || why "a file has not arrived: $file"
    [ -z "$twins" ] || twin_of "$from" "$@"
    place_file || exit 1
    [ -z "$twins" ] || set -- "$@" "$from" "$file"
  done <"$dir/in/hashes"
}

# twin_of FROM [OTHER PLACE]…: sets twin to the place of one that is another name of the same file, or to nothing.
twin_of() {
  twin=
  wanted=$1
  shift
  while [ $# -gt 0 ]; do
    # shellcheck disable=SC3013 # -ef: every shell of a Linux has it
    [ ! "$1" -ef "$wanted" ] || twin=$2
    shift 2
  done
}

# Puts `from` to `file`, or makes it a name of `twin`.
place_file() {
  make_folder "${file%/*}" || why "the folder of $file can't be made"
  if [ -e "$file" ] || [ -L "$file" ]; then
    [ -f "$file" ] && [ ! -L "$file" ] || why "$file is there and is no regular file"
    there=$(hash_of "$file")
    # shellcheck disable=SC3013
    if [ "$there" = "$hash" ] && { [ -z "${twin-}" ] || [ "$twin" -ef "$file" ]; }; then
      printf 'same - %s\n' "$word" >>"$dir/placed"
      return
    fi
    [ "$there" = "$hash" ] || grep -qx "$there" "$dir/known" 2>/dev/null || [ "$there" = "$(left_hash "$word")" ] ||
      why "$file is there and differs"
    replaced=$dir/replaced.$number
    [ -e "$replaced" ] || ln -- "$file" "$replaced" 2>/dev/null || cp --preserve=all -- "$file" "$replaced" || why "$file can't be kept"
    printf 'replaced %s %s\n' "$replaced" "$word" >>"$dir/placed"
  else
    printf 'new - %s\n' "$word" >>"$dir/placed"
  fi
  part=$file.$id.part
  if [ -n "${twin-}" ]; then
    ln -- "$twin" "$part" || why "$file can't be another name of $twin here"
  else
    cp --preserve=mode,ownership,timestamps,xattr -- "$from" "$part"
  fi && mv -f -- "$part" "$file" || { rm -f -- "$part"; why "$file can't be written"; }
}

# Each is what it was at the source when nobody wrote to it any more: those that came again where they are now, the
# others by the hash that was made when they came, and that they are untouched since then.
prove_files() {
  [ -e "$dir/ship" ] || return 0
  while read -r hash word; do printf '%b\0' "$word"; done <"$dir/arrived" >"$dir/arrived.names"
  xargs -0r sha256sum -z -- <"$dir/arrived.names" | tr '\n\0' ' \n' | cut -c -64 >"$dir/arrived.hashes"
  word=$(cut -d ' ' -f 1 "$dir/arrived" | paste -d ' ' - "$dir/arrived.hashes" "$dir/arrived" |
    awk '$1 != $2 { print $4; exit }')
  if [ -z "$word" ] && [ -s "$dir/kept" ]; then
    number=$(cd "$dir" && states | awk '
      FILENAME == "staged.states" { was[$1] = $0; next }
      FILENAME == "staged.hashes" { hash[$1] = $2; next }
      FILENAME == "kept" { wanted[$1] = $2; next }
      { now[$1] = $0 }
      END { for (each in wanted) if (hash[each] != wanted[each] || was[each] != now[each]) { print each; exit } }
    ' staged.states staged.hashes kept -)
    [ -z "$number" ] || word=$(sed -n "${number}p" "$dir/ship")
  fi
  [ -z "$word" ] || why "$(printf '%b' "$word") is not what it was when the process was frozen: somebody else writes to it"
}

left_hash() {
  WORD=$1 awk '$2 == ENVIRON["WORD"] { hash = $1 } END { print hash }' "$left" 2>/dev/null
}

# Folders that are missing are made like the ones they come from.
make_folder() {
  [ -n "$1" ] && [ ! -d "$1" ] || return 0
  make_folder "${1%/*}" || return 1
  mkdir -- "$1" || return 1
  model=$dir/staged/files$1
  if [ -d "$model" ]; then chown --reference="$model" -- "$1" && chmod --reference="$model" -- "$1"; else chmod 755 -- "$1"; fi
  printf 'folder - %s\n' "$(printf %s "$1" | octal_word)" >>"$dir/placed"
}

# Any bytes as a word without blanks, as printf %b reads it.
octal_word() {
  od -An -v -to1 | sed 's/ /\\0/g' | tr -d '\n'
}

unplace_files() {
  tac "$dir/placed" | while read -r how replaced word; do
    file=$(printf '%b.' "$word") file=${file%.}
    case $how in
      new) rm -f -- "$file" "$file.$id.part" ;;
      replaced) rm -f -- "$file.$id.part" && mv -f -- "$replaced" "$file" ;;
      folder) rmdir -- "$file" 2>/dev/null ;;
    esac
  done
}
