# shellcheck shell=sh
# The files that go along, at either end. `ship` has their paths, one a line, in the escapes of printf's %b. In the
# folder `numbered` each is a link whose name is the number of that line: so lists of files are words, whatever the
# files are called, and one program looks at all of them.

# What a file has beside its content and its mode goes along: holes, names that are links to the same file, attributes
# of the user, capabilities, access control lists. Where a tar knows nothing of them it says so and goes on.
along="--sparse --acls --xattrs --xattrs-include=user.* --xattrs-include=security.capability"

# number_files ROOT: makes the links, to the files below ROOT.
number_files() {
  rm -rf "$dir/numbered" && mkdir "$dir/numbered" || return 1
  [ -e "$dir/ship" ] || return 0
  number=0
  while IFS= read -r word; do
    number=$((number + 1))
    file=$(printf '%b.' "$word") file=${file%.}
    ln -s -- "$1$file" "$dir/numbered/$number" || return 1
  done <"$dir/ship"
}

# A line for each that is a regular file: NUMBER SIZE MODIFIED CHANGED DEVICE:INODE.
states() {
  find -L "$dir/numbered" -mindepth 1 -maxdepth 1 -type f -printf '%f %s %T@ %C@ %D:%i\n'
}

# hashes_of NUMBER…: a line NUMBER HASH for each. SHA-256 in hex.
hashes_of() {
  [ $# -gt 0 ] || return 0
  (cd "$dir/numbered" && sha256sum -- "$@") >"$dir/summed" || return 1
  awk '{ print $2, $1 }' "$dir/summed"
}
