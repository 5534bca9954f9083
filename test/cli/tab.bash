# What a Tab at the end of LINE offers, a line each: bash tab.bash LINE [FLAG…], where FLAGs are those of
# `just completions`, and BEFORE is what the person has set up before. What is allowed besides is in parentheses:
# (default) are names of files.
line=$1
shift
eval "$BEFORE"
source <(node "$ROOT/cli/start.mjs" scripts/completions.ts bash "$@")
compopt() { printf '(%s)\n' "$2"; }

# As readline parts a line.
COMP_WORDS=() COMP_LINE=$line COMP_POINT=${#line} rest=$line
while [[ $rest =~ ^[[:blank:]]*([=:]+|[^=:[:blank:]]+) ]]; do
    COMP_WORDS+=("${BASH_REMATCH[1]}")
    rest=${rest#"${BASH_REMATCH[0]}"}
done
[[ -z $rest ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
current=${COMP_WORDS[COMP_CWORD]}
[[ $current != [=:]* ]] || current=

read -ra spec < <(complete -p -- "${COMP_WORDS[0]}")
for ((index = 0; index < ${#spec[@]}; index++)); do
    [[ ${spec[index]} != -F ]] || "${spec[index + 1]}" "${COMP_WORDS[0]}" "$current" "${COMP_WORDS[COMP_CWORD - 1]}"
done
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
