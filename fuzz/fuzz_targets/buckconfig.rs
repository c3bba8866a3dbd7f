//! Any bytes are a `.buckconfig`: the project opens, and says what is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur::workspace::{Environment, Overrides, Workspace};
use std::fs;
use std::sync::LazyLock;
use tempfile::TempDir;

static PROJECT: LazyLock<TempDir> = LazyLock::new(|| {
    let project = tempfile::tempdir().expect("a directory");
    fs::create_dir(project.path().join("a")).expect("a package");
    fs::write(project.path().join("a/BUCK"), "python_library(name = \"a\")\n").expect("a file");
    project
});

fuzz_target!(|bytes: &[u8]| {
    let root = PROJECT.path();
    fs::write(root.join(".buckconfig"), bytes).expect("a configuration");
    let environment = Environment { current_dir: root.to_owned(), ..Environment::default() };
    Workspace::open(root, &environment, &Overrides::default()).expect("a mistake is a problem");
});
