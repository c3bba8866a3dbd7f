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

# Shows what there is to see.
demo:
    cargo run --locked --release -- -C sample-repos/ml-monorepo lint --exit-zero
    cargo run --locked --release -- -C sample-repos/ml-monorepo why //eta/serving:server //eta/features:geo
    cargo run --locked --release -- explain unused-dep

# Shows how long a key and the screen after it take with many findings, at 200x60.
bench-tui COUNT="10000":
    BENCH_TUI={{COUNT}} cargo test --locked --release the_screen_follows_the_keys -- --nocapture
