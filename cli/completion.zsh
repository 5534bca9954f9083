# Above this, `just completions zsh` has set _resource_sharing_root, _resource_sharing_node and _resource_sharing_commands.

_resource_sharing() {
    local -a lines given whole unfinished
    local line kind value about besides current=${(Q)PREFIX}
    given=("${(@Q)words[2,CURRENT-1]}")
    ((CURRENT > 2)) || given=()
    if ! _resource_sharing_is_meant "${words[1]:t}" "${given[@]}"; then
        _resource_sharing_as_before "$@"
        return
    fi
    lines=("${(@f)$("$_resource_sharing_node" "$_resource_sharing_root/cli/start.mjs" \
        scripts/completions.ts words -- "${given[@]}" "$current" </dev/null 2>/dev/null)}")
    for line in "${lines[@]}"; do
        kind=${line%%$'\t'*} value=${${line#*$'\t'}%%$'\t'*} about=${line##*$'\t'}
        # A colon parts a value from its description.
        [[ -z $about ]] || about=:$about
        case $kind in
            (word) whole+=("${value//:/\\:}$about") ;;
            (unfinished) unfinished+=("${value//:/\\:}$about") ;;
            (?*) besides=$kind ;;
        esac
    done
    local -i found=1
    (($#whole == 0)) || _describe -V 'resource-sharing' whole && found=0
    (($#unfinished == 0)) || _describe -V 'resource-sharing' unfinished -S '' && found=0
    case $besides in
        (files | folders)
            [[ $current != --*=* ]] || compset -P '*='
            if [[ $besides == files ]]; then _files; else _files -/; fi && found=0
            ;;
        (just) _resource_sharing_as_before "$@" && found=0 ;;
    esac
    return found
}

# Whether the line is about this justfile, as just would find it. No file of another folder is read.
_resource_sharing_is_meant() {
    local command=$1 file=${JUST_JUSTFILE-} folder name text
    shift
    if [[ $command != just ]]; then
        text=${aliases[$command]-}
        # An alias that only shortens just goes by the folder, as just does.
        [[ $text == just* && $text != *justfile* && $text != *' -f'* ]] || return 0
    fi
    while (($# > 0)); do
        case $1 in
            (--justfile | -f) file=${2-}; (($# < 2)) || shift ;;
            (--justfile=*) file=${1#*=} ;;
            (-f?*) file=${1#-f} ;;
            (--global-justfile | -g) return 1 ;;
            (--*=*) ;;
            # A word that may be its value, or a recipe, whose own flags are not just's.
            (-*) [[ $# -lt 2 || $2 == -* ]] || shift ;;
            (*=*) ;;
            (*) break ;;
        esac
        shift
    done
    if [[ -n $file ]]; then
        [[ ${file/#\~\//$HOME/} -ef $_resource_sharing_root/justfile ]]
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
    if [[ -z $_resource_sharing_before ]]; then
        eval "$(command just --completions zsh </dev/null 2>/dev/null)" 2>/dev/null
        _resource_sharing_before=${_comps[just]}
        [[ $_resource_sharing_before != _resource_sharing ]] || _resource_sharing_before=_default
        compdef _resource_sharing "${_resource_sharing_commands[@]}"
    fi
    # Options may follow the name of a function there.
    ${=_resource_sharing_before} "$@"
}

if ((${+functions[compdef]})); then
    # What completed just before. This file may be read again and again.
    [[ ${_comps[just]-} == _resource_sharing ]] || _resource_sharing_before=${_comps[just]-}
    compdef _resource_sharing "${_resource_sharing_commands[@]}"
else
    print -u2 'just completions zsh: nothing is completed before `autoload -Uz compinit && compinit`: put this below it'
fi
