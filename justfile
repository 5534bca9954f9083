# Standalone scripts, one a recipe. `just` alone lists them; `just NAME --help` explains one.

set positional-arguments := true

root := justfile_directory()
# cron's PATH is bare: where Node usually is comes last.
export PATH := root / "node_modules/.bin:" + env("PATH", "/usr/bin:/bin") + ":/usr/local/bin:/opt/homebrew/bin"

# start.mjs takes the copy that `npm ci` has compiled, or calls tsx when a source was changed since.
start := '[ -z "${FORCE_COLOR+x}" ] || unset NO_COLOR; exec node '
program := quote(root / "cli/start.mjs") + " "
# Node warns when both variables of colours are set; FORCE_COLOR decides.
run := start + program

# What moves large files, or goes on for long, collects its garbage early instead of taking more memory.
run_lean := start + "--max-semi-space-size=1 " + program

# What runs all the time keeps to a small heap, and has nothing that is worth being optimised.
run_small := start + "--max-semi-space-size=1 --max-old-space-size=24 --no-opt " + program

[private]
default:
    @just --justfile '{{ justfile() }}' --list --unsorted

# A row a machine: trit, load, CPUs; then Σ and the rule that applies
[group('see')]
[no-cd]
[no-exit-message]
mesh-balance *args:
    @{{ run }}scripts/mesh-balance.ts "$@"

# The other machines with the most room, best first
[group('see')]
[no-cd]
[no-exit-message]
find-minus *args:
    @{{ run }}scripts/find-minus.ts "$@"

# The trit and the busy processes of this machine, for people and for cron
[group('see')]
[no-cd]
[no-exit-message]
node-trit *args:
    @{{ run }}scripts/node-trit.ts "$@"

# Which processes are to blame for the load, and why
[group('see')]
[no-cd]
[no-exit-message]
scum-view *args:
    @{{ run }}scripts/scum-view.ts "$@"

# What a machine lacks for processes to be moved from it or to it, and what to install
[group('see')]
[no-cd]
[no-exit-message]
doctor *args:
    @{{ run }}scripts/doctor.ts "$@"

# The mesh as it changes: a screen with keys, or a line a change: --interval S, --lines
[group('watch')]
[no-cd]
[no-exit-message]
watch *args:
    @{{ run_lean }}scripts/watch.ts "$@"

# Tell the load of this machine to a server of NATS, for who asks --source nats=URL; --install prints a service
[group('watch')]
[no-cd]
[no-exit-message]
agent *args:
    @{{ run_small }}scripts/agent.ts "$@"

# The files of a nats-server for the mesh: --dir FOLDER, --node NAME, --create makes the bucket
[group('watch')]
[no-cd]
[no-exit-message]
nats-setup *args:
    @{{ run }}scripts/nats-setup.ts "$@"

# cron runs node-trit: --every 5, --log FILE, --textfile FILE.prom, --alert CMD; --systemd prints a timer instead
[group('watch')]
[no-cd]
[no-exit-message]
cron-install *args:
    @{{ run }}scripts/cron-install.ts "$@"

# Take the block of cron-install out of your crontab
[group('watch')]
[no-cd]
[no-exit-message]
cron-remove *args:
    @{{ run }}scripts/cron-remove.ts "$@"

# The block of cron-install in your crontab
[group('watch')]
[no-cd]
[no-exit-message]
cron-show *args:
    @{{ run }}scripts/cron-show.ts "$@"

# Slow a process and its children down, or stop them for a while; --release undoes it
[group('act')]
[no-cd]
[no-exit-message]
scum-throttle *args:
    @{{ run }}scripts/scum-throttle.ts "$@"

# What scum-throttle holds
[group('act')]
[no-cd]
[no-exit-message]
throttled *args:
    @{{ run }}scripts/throttled.ts "$@"

# End processes, kindly first
[group('act')]
[no-cd]
[no-exit-message]
scum-kill *args:
    @{{ run }}scripts/scum-kill.ts "$@"

# Move a running process to the machine with the most room: --target NAME, --copy-files, --dry-run
[group('act')]
[no-cd]
[no-exit-message]
migrate-scum *args:
    @{{ run }}scripts/migrate-scum.ts "$@"

# What migrate-scum has under way, in doubt, and behind it
[group('act')]
[no-cd]
[no-exit-message]
migrations *args:
    @{{ run }}scripts/migrations.ts "$@"

# Connect this terminal with the one of a process that has moved: just attach [ID]; Ctrl-B d leaves it
[group('act')]
[no-cd]
[no-exit-message]
attach *args:
    @{{ run }}scripts/attach.ts "$@"

# Bring interrupted migrations to their end
[group('act')]
[no-cd]
[no-exit-message]
migrate-recover *args:
    @{{ run }}scripts/migrate-recover.ts "$@"

# What should move, be held back, woken or started in the mesh, and why; --apply does it
[group('act')]
[no-cd]
[no-exit-message]
rebalance *args:
    @{{ run }}scripts/rebalance.ts "$@"

# Run a command now, on the machine with the most room: --send PATH, --return PATH, --wait, --or-here
[group('act')]
[no-cd]
[no-exit-message]
offload *args:
    @{{ run }}scripts/offload.ts "$@"

# Run a command later, on a machine that has nothing to do: --send PATH, --return PATH, --name NAME
[group('act')]
[no-cd]
[no-exit-message]
enqueue *args:
    @{{ run }}scripts/enqueue.ts "$@"

# What became of enqueued commands: list, log ID, start ID, cancel ID, retry ID, forget ID
[group('act')]
[no-cd]
[no-exit-message]
jobs *args:
    @{{ run }}scripts/jobs.ts "$@"

# Keep work away from this machine, and say why: just close [WHY]
[group('act')]
[no-cd]
[no-exit-message]
close *args:
    @{{ run }}scripts/close.ts "$@"

# Let work come to this machine again
[group('act')]
[no-cd]
[no-exit-message]
open *args:
    @{{ run }}scripts/open.ts "$@"

# Send files to the idle machine with the most room: --target NAME, --via localsend|taildrop|ssh|auto
[group('share')]
[no-cd]
[no-exit-message]
share-to-idle *args:
    @{{ run_lean }}scripts/share-to-idle.ts "$@"

# Take files from LocalSend, on a machine without the app
[group('share')]
[no-cd]
[no-exit-message]
receive *args:
    @{{ run_lean }}scripts/receive.ts "$@"

# A systemd user service that receives, and where to put it
[group('share')]
[no-cd]
[no-exit-message]
receive-install *args:
    @{{ run_lean }}scripts/receive.ts --systemd "$@"

# The machines of the tailnet where LocalSend answers now
[group('share')]
[no-cd]
[no-exit-message]
peers *args:
    @{{ run }}scripts/peers.ts "$@"

# For an agent: the same things over the Model Context Protocol: --allow WHAT, --root FOLDER, --tools localsend
[group('agents')]
[no-cd]
[no-exit-message]
mcp *args:
    @{{ run }}scripts/mcp.ts "$@"

# For an agent: copy the skill that tells it how to use all this to ~/.claude/skills, or below --to DIR
[group('agents')]
[no-cd]
[no-exit-message]
skill-install *args:
    @{{ run }}scripts/skill-install.ts "$@"

# What Tab completes, for your shell: source <(just completions bash), or zsh; just completions fish | source
[group('shell')]
[no-cd]
[no-exit-message]
completions *args:
    @{{ run }}scripts/completions.ts "$@"

# A real tailnet on this one machine (root, Linux): up [N], down, status, exec NODE CMD…
[group('develop')]
[no-cd]
[no-exit-message]
lab *args:
    @{{ run }}test/lab/main.ts "$@"

# Format, lint, types, shellcheck, unit tests, and the lab tests where there is root and Linux: --changed, or WORD…
[group('develop')]
[no-exit-message]
test *args:
    @{{ run }}test/main.ts "$@"

# What `just test` proves with a short sample, many times over: [NAME…] [--rounds N]
[group('develop')]
[no-exit-message]
soak *args:
    @{{ run }}test/soak.ts "$@"

# A mesh over time under the planner and four other policies: --nodes N, --hours H, --seed S, --svg FILE
[group('develop')]
[no-cd]
[no-exit-message]
simulate *args:
    @{{ run }}test/sim/main.ts "$@"

# N migrations (40), each with something going wrong: --seed S, --fault WORDS, --systematic, --terminals
[group('develop')]
[no-exit-message]
torture-migrate *args:
    @{{ run }}test/migrate/torture.ts "$@"

# Speed beside other programs, and what watching and agents cost: [--json] [NAME [ARGUMENT…]], --help lists them
[group('develop')]
[no-exit-message]
bench *args:
    @{{ run }}bench/main.ts "$@"

# What is unreleased gets a version, a commit and a tag, and is not pushed: just release VERSION
[group('develop')]
[no-exit-message]
release *args:
    @{{ run }}tools/release.ts "$@"

# Write the format that `just test` checks
[group('develop')]
fmt:
    @oxfmt .
