//! Any bytes are a build file and a file that it loads: evaluation ends, and literals lie where they say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur::buck::evaluate;
use secateur::progress::Silent;
use secateur::workspace::{Environment, Overrides, Workspace};
use std::fs;
use std::sync::LazyLock;
use tempfile::TempDir;

const SETTINGS: &str = "[limits]\nticks = 100_000\nheap-mib = 64\n";
const BUILD_FILE: &str = "load(\":loaded.bzl\", \"f\", \"g\")\nf(name = \"x\")\ng()\n";

static PROJECT: LazyLock<TempDir> = LazyLock::new(|| {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(64 << 20);
    pool.build_global().expect("the stack that the program has");
    let project = tempfile::tempdir().expect("a directory");
    for (file, text) in [
        (".buckconfig", ""),
        ("secateur.toml", SETTINGS),
        ("fuzzed/BUCK", ""),
        ("loading/BUCK", BUILD_FILE),
        ("loading/loaded.bzl", ""),
    ] {
        let path = project.path().join(file);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    project
});

fuzz_target!(|bytes: &[u8]| {
    let root = PROJECT.path();
    for file in ["fuzzed/BUCK", "loading/loaded.bzl"] {
        fs::write(root.join(file), bytes).expect("a file");
    }
    let environment = Environment { current_dir: root.to_owned(), ..Environment::default() };
    let workspace = Workspace::open(root, &environment, &Overrides::default()).expect("a project");
    let evaluation = evaluate(&workspace, &workspace.cells, &Silent).expect("an evaluation");
    for file in &evaluation.files {
        for literal in file.literals() {
            let written = file.text().get(literal.span.range()).expect("a literal in the file");
            assert!(written.ends_with(['"', '\'']), "no literal: {written}");
        }
    }
});
