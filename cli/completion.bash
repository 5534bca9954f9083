# Above this, `just completions bash` has set _resource_sharing_root, _resource_sharing_node and _resource_sharing_commands.

# What completed just before, as `complete -p` prints it. This file may be read again and again.
if [[ $(complete -p just 2>/dev/null) != *' -F _resource_sharing '* ]]; then
    _resource_sharing_before=$(complete -p just 2>/dev/null)
fi

_resource_sharing() {
    local -a words=()
    local line kind value rest current unbroken
    _resource_sharing_words
    current=${words[${#words[@]} - 1]}
    COMPREPLY=()
    if ! _resource_sharing_is_meant "${1##*/}" "${words[@]:1:${#words[@]}-2}"; then
        _resource_sharing_as_before "$@"
        return
    fi
    # bash replaces only what follows the last = or : of the word.
    unbroken=${current%"${2//[\"\'\\]/}"}
    while IFS= read -r line; do
        kind=${line%%$'\t'*} rest=${line#*$'\t'}
        value=${rest%%$'\t'*}
        case $kind in
            word | unfinished)
                [[ $value == "$current"* ]] || continue
                COMPREPLY+=("${value#"$unbroken"}")
                [[ $kind == word ]] || _resource_sharing_option nospace
                ;;
            files) _resource_sharing_option default ;;
            folders) _resource_sharing_option dirnames ;;
            just) _resource_sharing_as_before "$@" ;;
        esac
    done < <("$_resource_sharing_node" "$_resource_sharing_root/cli/start.mjs" scripts/completions.ts \
        words -- "${words[@]:1}" </dev/null 2>/dev/null)
}

# Sets `words` to those of the line up to the cursor. bash also parts them at = and :, where no blank is between.
_resource_sharing_words() {
    local index piece blank left=${COMP_LINE:0:COMP_POINT}
    for ((index = 0; index <= COMP_CWORD; index++)); do
        blank=${left%%[![:blank:]]*}
        left=${left#"$blank"}
        piece=${COMP_WORDS[index]}
        ((index < COMP_CWORD)) || piece=$left
        left=${left#"$piece"}
        if [[ $index == 0 || -n $blank ]]; then words+=(''); fi
        # Quotation marks go, and nothing is evaluated: what a word stands for beyond that is for bash to know.
        words[${#words[@]} - 1]+=${piece//[\"\'\\]/}
    done
}

# Whether the line is about this justfile, as just would find it. No file of another folder is read.
_resource_sharing_is_meant() {
    local command=$1 file=${JUST_JUSTFILE-} folder name text
    shift
    if [[ $command != just ]]; then
        text=$(alias -- "$command" 2>/dev/null)
        # An alias that only shortens just goes by the folder, as just does.
        [[ $text == *=\'just* && $text != *justfile* && $text != *' -f'* ]] || return 0
    fi
    while (($# > 0)); do
        case $1 in
            --justfile | -f) file=${2-}; shift ;;
            --justfile=*) file=${1#*=} ;;
            -f?*) file=${1#-f} ;;
            --global-justfile | -g) return 1 ;;
            --*=*) ;;
            # A word that may be its value, or a recipe, whose own flags are not just's.
            -*) [[ ${2-} == -* ]] || shift ;;
            *=*) ;;
            *) break ;;
        esac
        shift
    done
    if [[ -n $file ]]; then
        [[ $file != '~/'* ]] || file=$HOME/${file:2}
        [[ $file -ef $_resource_sharing_root/justfile ]]
        return
    fi
    folder=$(pwd -P)
    [[ $folder/ == "$_resource_sharing_root"/* ]] || return 1
    while [[ $folder != "$_resource_sharing_root" ]]; do
        for name in justfile Justfile JUSTFILE .justfile .Justfile .JUSTFILE; do
            [[ ! -e $folder/$name ]] || return 1
        done
        folder=${folder%/*}
    done
}

# What would have been offered without this file: by what completed just before, else by what just brings.
_resource_sharing_as_before() {
    local -a words
    local index answer
    if [[ -z $_resource_sharing_before ]]; then
        complete -r just
        eval "$(command just --completions bash </dev/null 2>/dev/null)" 2>/dev/null
        _resource_sharing_before=$(complete -p just 2>/dev/null)
        : "${_resource_sharing_before:=nothing}"
        _resource_sharing_register
    fi
    read -ra words <<<"$_resource_sharing_before"
    for ((index = 1; index < ${#words[@]}; index++)); do
        case ${words[index]} in
            -o) _resource_sharing_option "${words[++index]}" ;;
            -F) "${words[++index]}" "$@" ;;
        esac
    done
    # The `just` of npm's package loses a `--`, and answers with a script instead of candidates.
    for answer in "${COMPREPLY[@]}"; do
        if [[ $answer == *$'\n'* ]]; then COMPREPLY=(); fi
    done
    if ((${#COMPREPLY[@]} == 0)); then _resource_sharing_option default; fi
}

# bash 3.2, a Mac's, has no compopt: there names of files are offered where nothing else is.
_resource_sharing_option() {
    compopt -o "$1" 2>/dev/null
}

_resource_sharing_register() {
    local options=()
    if ! type compopt &>/dev/null; then
        options=(-o default)
    elif ((BASH_VERSINFO[0] > 4 || BASH_VERSINFO[1] >= 4)); then
        options=(-o nosort)
    fi
    complete "${options[@]}" -F _resource_sharing "${_resource_sharing_commands[@]}"
}
_resource_sharing_register
