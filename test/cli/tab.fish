# What a Tab at the end of LINE offers, a line each with a tab before its description: fish tab.fish LINE [FLAG…], where
# FLAGs are those of `just completions`, and BEFORE is what the person has set up before.
eval "$BEFORE"
node $ROOT/cli/start.mjs scripts/completions.ts fish $argv[2..] | source
complete --do-complete $argv[1]
