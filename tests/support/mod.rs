//! What several tests need: small projects made of text, and the command line run inside this process.

use secateur::cli::{self, Exit, Surroundings};
use secateur::workspace::Environment;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// The repository of this program.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a directory of the repository, relative to the repository, sorted.
pub fn files_below(dir: &str) -> Vec<String> {
    fn visit(dir: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { visit(&path, files) } else { files.push(path) }
        }
    }
    let mut files = Vec::new();
    visit(&repository().join(dir), &mut files);
    let relative =
        |path: &PathBuf| path.strip_prefix(repository()).unwrap().to_str().unwrap().into();
    let mut files: Vec<String> = files.iter().map(relative).collect();
    files.sort();
    files
}

/// What a run of the command line left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// Where the programs that a test starts keep what they found out; gone with the test.
pub fn cache_home() -> PathBuf {
    thread_local!(static HOME: TempDir = tempfile::tempdir().unwrap());
    HOME.with(|home| home.path().to_path_buf())
}

/// The time of day since the epoch.
pub fn now() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap()
}

/// Runs `secateur` with these arguments, split at spaces, in `dir`, seeing nothing of this machine's environment. What one run
/// of a test finds out, the next one knows.
pub fn secateur(dir: &Path, args: &str) -> Outcome {
    let current_dir = dir.to_path_buf();
    let environment = Environment { current_dir, ..Environment::default() };
    let today = jiff::civil::date(2026, 5, 17);
    let (cache_dir, started) = (Some(cache_home()), now());
    let surroundings =
        Surroundings { environment, today, cache_dir, started, ..Surroundings::default() };
    secateur_in(&surroundings, args)
}

/// The same in given surroundings.
pub fn secateur_in(surroundings: &Surroundings, args: &str) -> Outcome {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("secateur").chain(args.split_whitespace()).map(OsString::from);
    let exit = cli::run(args, surroundings, &mut out, &mut err);
    let [out, err] = [out, err].map(|bytes| String::from_utf8(bytes).unwrap());
    Outcome { exit, out, err }
}

/// A project in a temporary directory.
pub struct Project {
    dir: TempDir,
}

impl Project {
    /// Makes the files of `text`: `//- path` begins a file, its contents are the lines up to the next one.
    pub fn new(text: &str) -> Self {
        let project = Self { dir: tempfile::tempdir().unwrap() };
        project.add(".buckconfig", "");
        for file in text.split("//- ").skip(1) {
            let (path, contents) = file.split_once('\n').unwrap();
            project.add(path, contents);
        }
        project
    }

    /// Makes or replaces a file.
    pub fn add(&self, path: &str, contents: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// A path in the project.
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Runs `secateur` at the root of the project.
    pub fn secateur(&self, args: &str) -> Outcome {
        secateur(self.dir.path(), args)
    }
}
