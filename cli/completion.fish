# Above this, `just completions fish` has set __resource_sharing_root, _node and _commands.

function __resource_sharing
    set --local words (commandline --current-process --tokenize --cut-at-cursor)
    set --local current (commandline --current-token --cut-at-cursor | string replace --regex '^["\']' '')
    if not __resource_sharing_is_meant $words
        __resource_sharing_as_before $words[1]
        return
    end
    set --local given $words[2..]
    set --local lines ($__resource_sharing_node $__resource_sharing_root/cli/start.mjs scripts/completions.ts \
        words -- $given "$current" </dev/null 2>/dev/null)
    for line in $lines
        set --local parts (string split \t -- $line)
        switch $parts[1]
            case word unfinished
                # fish adds no space to what ends with a colon.
                printf '%s\t%s\n' "$parts[2]" "$parts[3]"
            case files folders
                # The name of a file may stand behind its flag.
                set --local flag (string match --regex '^--[^=]*=' -- $current)
                set --local name (string replace -- "$flag" '' "$current")
                set --local complete_names __fish_complete_path
                test $parts[1] = folders; and set complete_names __fish_complete_directories
                for each in ($complete_names $name)
                    printf '%s%s\n' "$flag" $each
                end
            case just
                __resource_sharing_as_before $words[1]
        end
    end
end

# Whether the line is about this justfile, as just would find it. No file of another folder is read.
function __resource_sharing_is_meant
    set --local file $JUST_JUSTFILE
    set --local words $argv[2..]
    if test (string replace --regex '.*/' '' -- "$argv[1]") != just
        set --local text (functions -- $argv[1] 2>/dev/null | string collect)
        # An alias that only shortens just goes by the folder, as just does.
        string match --quiet --regex -- "--wraps='?just\\b" "$text"
        and not string match --quiet -- '*justfile*' "$text"
        or return 0
    end
    while test (count $words) -gt 0
        switch $words[1]
            case --justfile -f
                set file $words[2]
                set --erase words[2]
            case '--justfile=*' '-f?*'
                set file (string replace --regex '^(--justfile=|-f)' '' -- $words[1])
            case --global-justfile -g
                return 1
            case '--*=*'
            case '-*'
                # A word that may be its value, or a recipe, whose own flags are not just's.
                string match --quiet -- '-*' "$words[2]"; or set --erase words[2]
            case '*=*'
            case '*'
                break
        end
        set --erase words[1]
    end
    if test -n "$file"
        set file (string replace --regex '^~/' "$HOME/" -- $file)
        test (realpath -- $file 2>/dev/null) = (realpath -- $__resource_sharing_root/justfile) 2>/dev/null
        return
    end
    set --local folder (pwd -P)
    set --local beginning (string sub --length (string length -- $__resource_sharing_root/) -- $folder/)
    test "$beginning" = $__resource_sharing_root/; or return 1
    while test $folder != $__resource_sharing_root
        for name in justfile Justfile JUSTFILE .justfile .Justfile .JUSTFILE
            test -e $folder/$name; and return 1
        end
        set folder (string replace --regex '/[^/]*$' '' -- $folder)
    end
end

# What would have been offered without this file: what just brings. Its completions are there while they are asked.
function __resource_sharing_as_before
    complete --command just --erase
    command just --completions fish 2>/dev/null </dev/null | source 2>/dev/null
    set --local line (commandline --current-process --cut-at-cursor | string collect)
    # Another command of ours would be asked again and again.
    contains -- "$argv[1]" $__resource_sharing_commands
    and set line (string replace --regex '^\s*\S+' just -- "$line" | string collect)
    set --local answers (complete --do-complete "$line")
    __resource_sharing_register
    printf '%s\n' $answers
end

function __resource_sharing_register
    # Without erasing them first, fish would add those that it finds in its folders.
    complete --command just --erase
    for name in $__resource_sharing_commands
        complete --command $name --no-files --keep-order --arguments '(__resource_sharing)'
    end
end
__resource_sharing_register
