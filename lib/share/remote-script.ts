import { IS_GNU_TAR } from '../base/tar.ts'

/**
 * What runs on the other machine, as constant POSIX shell. Where things go is read from standard input, a line, so that no
 * name is ever part of a shell's text.
 */
const ENTER = `IFS= read -r dest || exit 1
case $dest in "~") dest=$HOME ;; "~/"*) dest=$HOME/\${dest#"~/"} ;; /*) ;; *) dest=$HOME/$dest ;; esac
mkdir -p -- "$dest" && cd -- "$dest" || exit 1`

/** Makes the folder, and says what is there, a word each: rsync, GNU's tar. */
export const PREPARE = `${ENTER}
if command -v rsync >/dev/null 2>&1; then echo rsync; fi
if ${IS_GNU_TAR}; then echo gnu-tar; fi`

/** Unpacks what follows the line into a folder of its own, and says its name when all of it is there. */
export const UNPACK = `${ENTER}
part=$(mktemp -d ./.resource-sharing-XXXXXXXX) || exit 1
trap 'rm -rf -- "$part"' EXIT
trap 'exit 1' HUP INT TERM PIPE
tar -xof - -C "$part" || exit 1
trap - EXIT
echo "\${part#./}"`

/** Moves what was unpacked to its place, beside what has its name: the second line is the folder. */
export const PLACE = `${ENTER}
IFS= read -r part || exit 1
case $part in .resource-sharing-????????) ;; *) exit 1 ;; esac
for each in "$part"/* "$part"/.[!.]* "$part"/..?*; do
  if ! [ -e "$each" ] && ! [ -L "$each" ]; then continue; fi
  name=\${each##*/} target=\${each##*/} count=0
  while [ -e "./$target" ] || [ -L "./$target" ]; do count=$((count + 1)); target="$name ($count)"; done
  mv -- "$each" "./$target" || exit 1
done
rmdir -- "$part"`

/** Forgets what was unpacked. */
export const FORGET = `${ENTER}
IFS= read -r part || exit 1
case $part in .resource-sharing-????????) rm -rf -- "$part" ;; esac`
