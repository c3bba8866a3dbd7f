//! What is left out of a bundle: version control, what editors leave behind, and what `.cafignore` files say. Reads those.

#![expect(clippy::disallowed_methods, reason = "what is packed may lie anywhere")]

use crate::error::{Error, Result};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustc_hash::FxHashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The file that says, in the syntax of `.gitignore`, what of its directory and below is left out.
pub const IGNORE_FILE: &str = ".cafignore";

/// What is left out unless somebody wants it in, by a glob with `!` before it.
pub const DEFAULTS: &[&str] = &[
    // Version control.
    ".git",
    ".hg",
    ".sl",
    ".svn",
    ".jj",
    // Editors, and file managers.
    ".*.sw[a-p]",
    "*~",
    ".#*",
    "\\#*#",
    ".DS_Store",
    // Caches of tools, which no program reads.
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    // What nobody who runs the bundle needs.
    IGNORE_FILE,
];

/// Decides, path by path, what is left out. The last pattern that matches decides: of [`DEFAULTS`], then of those handed in, then
/// of each `.cafignore` from the root down.
#[derive(Debug)]
pub struct Ignore {
    root: PathBuf,
    /// What holds in each directory that was asked about; those without a file of their own share what holds above.
    levels: RwLock<FxHashMap<String, Arc<Level>>>,
    /// The first file that cannot be read.
    failure: Mutex<Option<Error>>,
}

/// The patterns that hold in a directory.
#[derive(Debug)]
struct Level {
    own: Gitignore,
    above: Option<Arc<Self>>,
}

impl Level {
    fn leaves_out(&self, path: &str, is_dir: bool) -> bool {
        match self.own.matched(path, is_dir) {
            Match::Ignore(_) => true,
            Match::Whitelist(_) => false,
            Match::None => self.above.as_ref().is_some_and(|above| above.leaves_out(path, is_dir)),
        }
    }
}

impl Ignore {
    /// What is left out of the tree at `root`; `globs` are further lines, as of a `.cafignore` at the root.
    ///
    /// # Errors
    /// A glob is malformed.
    pub fn new(root: &Path, globs: &[String]) -> Result<Self> {
        let mut builder = builder(root);
        let lines = DEFAULTS.iter().copied().chain(globs.iter().map(String::as_str));
        lines.into_iter().try_for_each(|line| add(&mut builder, line))?;
        let level = |own, above| Arc::new(Level { own, above });
        let base = level(build(&builder)?, None);
        let top = match read(root, root)? {
            Some(own) => level(own, Some(base)),
            None => base,
        };
        let levels = FxHashMap::from_iter([(String::new(), top)]);
        Ok(Self { root: root.to_owned(), levels: RwLock::new(levels), failure: Mutex::new(None) })
    }

    /// Whether a path, relative to the root, is left out, and all below it if it is a directory. Those above it are not.
    pub fn leaves_out(&self, path: &str, is_dir: bool) -> bool {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        self.level(dir).leaves_out(path, is_dir)
    }

    /// Whether a `.cafignore` on the way could not be read; the walk says nothing of it.
    ///
    /// # Errors
    /// One could not.
    pub fn finish(self) -> Result<()> {
        let failure = self.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        failure.map_or(Ok(()), Err)
    }

    fn level(&self, dir: &str) -> Arc<Level> {
        let known = self.levels.read().unwrap_or_else(PoisonError::into_inner).get(dir).cloned();
        if let Some(level) = known {
            return level;
        }
        let above = self.level(dir.rsplit_once('/').map_or("", |(above, _)| above));
        let level = match read(&self.root, &self.root.join(dir)) {
            Ok(Some(own)) => Arc::new(Level { own, above: Some(above) }),
            Ok(None) => above,
            Err(error) => {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(error);
                above
            }
        };
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        levels.insert(dir.to_owned(), Arc::clone(&level));
        level
    }
}

/// Patterns for paths in a bundle, written as in a `.gitignore` at its root.
#[derive(Debug)]
pub(super) struct Patterns(Gitignore);

impl Patterns {
    /// # Errors
    /// A line is malformed.
    pub(super) fn new(lines: &[String]) -> Result<Self> {
        let mut builder = builder(Path::new(""));
        lines.iter().try_for_each(|line| add(&mut builder, line))?;
        build(&builder).map(Self)
    }

    /// Whether a file, or a directory above it, is meant.
    pub(super) fn matches(&self, path: &str) -> bool {
        !self.0.is_empty() && self.0.matched_path_or_any_parents(path, false).is_ignore()
    }
}

/// The patterns of a directory's own file, if it has one.
fn read(root: &Path, dir: &Path) -> Result<Option<Gitignore>> {
    let path = dir.join(IGNORE_FILE);
    let place = || path.display().to_string();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::new("cannot be read").at(place()).cause(error)),
    };
    // Paths are asked for relative to the root, and patterns hold relative to their directory.
    let mut builder = builder(dir.strip_prefix(root).unwrap_or(dir));
    for (number, line) in text.lines().enumerate() {
        add(&mut builder, line).map_err(|error| error.at(format!("{}:{}", place(), number + 1)))?;
    }
    build(&builder).map(Some)
}

fn builder(dir: &Path) -> GitignoreBuilder {
    let mut builder = GitignoreBuilder::new(dir);
    // git takes a class that nobody closed for a pattern that matches nothing; whoever wrote it meant something.
    builder.allow_unclosed_class(false);
    builder
}

fn add(builder: &mut GitignoreBuilder, line: &str) -> Result<()> {
    let added = builder.add_line(None, line).map(drop);
    added.map_err(|error| {
        Error::new(error.to_string()).hint("patterns are written as in a .gitignore")
    })
}

fn build(builder: &GitignoreBuilder) -> Result<Gitignore> {
    builder.build().map_err(|error| Error::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::pack::{OutsideLinks, walk};

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn kept(dir: &tempfile::TempDir, globs: &[&str]) -> Vec<String> {
        let globs: Vec<String> = globs.iter().map(|&glob| glob.to_owned()).collect();
        let ignore = Ignore::new(dir.path(), &globs).unwrap();
        let skip = |path: &str, is_dir| ignore.leaves_out(path, is_dir);
        let entries = walk(dir.path(), OutsideLinks::Refuse, &skip).unwrap();
        ignore.finish().unwrap();
        let is_file = |entry: &crate::cas::pack::SourceEntry| {
            !matches!(entry.node, crate::cas::pack::SourceNode::Directory)
        };
        entries.into_iter().filter(is_file).map(|entry| entry.path).collect()
    }

    #[test]
    fn what_no_program_needs_is_left_out() {
        let dir = tree(&[
            (".git/config", ""),
            ("a/.git", "gitdir: x"),
            (".hg/x", ""),
            (".sl/x", ""),
            ("a/.b.py.swp", ""),
            ("a/b.py~", ""),
            ("a/.#b.py", ""),
            ("a/#b.py#", ""),
            (".DS_Store", ""),
            (".mypy_cache/x", ""),
            ("a/b.py", ""),
            ("a/git", ""),
            ("a/#notes", ""),
            ("a/.hidden", ""),
            ("a/x.swp", ""),
        ]);
        assert_eq!(kept(&dir, &[]), ["a/#notes", "a/.hidden", "a/b.py", "a/git", "a/x.swp"]);
    }

    #[test]
    fn files_say_what_holds_below_them() {
        let dir = tree(&[
            (".cafignore", "# comment\n*.log\n/build/\ndata/*.bin\n"),
            ("a/.cafignore", "!keep.log\nlocal\n"),
            ("x.log", ""),
            ("build/x", ""),
            ("a/build/x", ""),
            ("data/x.bin", ""),
            ("a/data/x.bin", ""),
            ("a/keep.log", ""),
            ("a/b/keep.log", ""),
            ("a/b/other.log", ""),
            ("keep.log", ""),
            ("a/local/x", ""),
            ("local", ""),
        ]);
        let expected = ["a/b/keep.log", "a/build/x", "a/data/x.bin", "a/keep.log", "local"];
        assert_eq!(kept(&dir, &[]), expected);
    }

    #[test]
    fn globs_are_handed_in_and_take_defaults_back() {
        let dir = tree(&[("a/.git", ""), ("a/x.py", ""), ("tests/t.py", ""), ("a/tests/t.py", "")]);
        assert_eq!(kept(&dir, &["/tests", "!.git"]), ["a/.git", "a/tests/t.py", "a/x.py"]);
        let bad = Ignore::new(dir.path(), &["a[".to_owned()]).unwrap_err();
        assert_eq!(bad.hint_text(), Some("patterns are written as in a .gitignore"));
    }

    #[test]
    fn a_malformed_file_is_named() {
        let dir = tree(&[("a/.cafignore", "ok\nb[\n"), ("a/x", "")]);
        let ignore = Ignore::new(dir.path(), &[]).unwrap();
        assert!(!ignore.leaves_out("a/x", false));
        let error = ignore.finish().unwrap_err().to_string();
        assert!(error.contains("a/.cafignore:2: "), "{error}");
    }
}
