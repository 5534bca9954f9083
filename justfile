# Standalone scripts, one a recipe. `just` alone lists them; `just NAME --help` explains one.

set positional-arguments := true

root := justfile_directory()
export PATH := root / "node_modules/.bin:" + env("PATH", "/usr/local/bin:/usr/bin:/bin")

# tsx as a loader starts faster than its own command; the whole path lets recipes run in the caller's folder.
run := "exec node --import '" + root / "node_modules/tsx/dist/loader.mjs' '" + root + "/'"

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

# A real tailnet on this one machine (root, Linux): up [N], down, status, exec NODE CMD…
[group('develop')]
[no-cd]
[no-exit-message]
lab *args:
    @{{ run }}test/lab/main.ts "$@"
