# What a Tab at the end of LINE offers, a line each with a tab before its description: zsh -f tab.zsh LINE [FLAG…], where
# FLAGs are those of `just completions`, and BEFORE is what the person has set up before. A real line editor runs in a
# terminal of its own, and each match is written down as it is given to it.
line=$1
shift
export ZDOTDIR=$(mktemp -d) flags="${(j: :)${(@q)@}}"
cat >$ZDOTDIR/.zshrc <<'RC'
PROMPT= RPROMPT=
autoload -Uz compinit
compinit -D -u
eval "$BEFORE"
source <(node "$ROOT/cli/start.mjs" scripts/completions.ts zsh ${(Q)${(z)flags}})
compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
        builtin compadd "$@"
        return
    fi
    local -a matches shown
    local -i at=${@[(i)-d]}
    if ((at < $#)); then shown=("${(@P)@[at+1]}"); fi
    builtin compadd -A matches -D shown "$@"
    for ((at = 1; at <= $#matches; at++)); do
        print -r -- "${matches[at]}"$'\t'"${shown[at]-}" >>$ZDOTDIR/matches
    done
    builtin compadd "$@"
}
after() { : >$ZDOTDIR/done }
comppostfuncs=(after)
bindkey '^I' complete-word
zle-line-init() { : >$ZDOTDIR/ready }
zle -N zle-line-init
RC
zmodload zsh/zpty
zpty -b shell zsh -i
until [[ -e $ZDOTDIR/ready ]]; do sleep 0.05; done
zpty -w -n shell $line$'\t'
until [[ -e $ZDOTDIR/done ]]; do
    zpty -r -t shell >/dev/null
    sleep 0.05
done
cat $ZDOTDIR/matches 2>/dev/null
zpty -d shell
rm -r $ZDOTDIR
