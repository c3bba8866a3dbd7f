//! Files by their paths in a tree, each with the target that brought it. Reads the files that it is given.
#![expect(clippy::disallowed_methods, reason = "what is packed is read from the disk")]

use super::LIBRARIES;
use crate::cas::pack::{FileStat, OutsideLinks, SourceEntry, SourceFile, SourceNode, walk};
use crate::cas::tree::join;
use crate::error::{Error, Result};
use crate::label::Label;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A file of the tree, and who brought it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) owner: Label,
    pub(super) node: SourceNode,
}

/// What is laid out so far.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, Kept>,
}

impl Tree {
    /// Adds the file at a place of the disk, or all below it if it is a directory.
    pub(super) fn add_path(
        &mut self,
        destination: &str,
        origin: &Path,
        owner: &Label,
    ) -> Result<()> {
        let fail =
            |error| Error::new("cannot be read").at(origin.display().to_string()).cause(error);
        let metadata = fs::metadata(origin).map_err(fail)?;
        if !metadata.is_dir() {
            let file = SourceFile {
                origin: origin.to_owned(),
                stat: FileStat::of(&metadata),
                is_executable: metadata.permissions().mode() & 0o111 != 0,
                rewrite: None,
            };
            return self.add(destination.to_owned(), SourceNode::File(file), owner);
        }
        let is_skipped = |path: &str, _: bool| path.ends_with("/.git") || path == ".git";
        for entry in walk(origin, OutsideLinks::Follow, &is_skipped)? {
            if !matches!(entry.node, SourceNode::Directory) {
                self.add(join(destination, &entry.path), entry.node, owner)?;
            }
        }
        Ok(())
    }

    /// Adds what is in a wheel as an installer would: `purelib` and `platlib` of its data belong to the root, other data does not.
    pub(super) fn add_wheel(&mut self, path: &Path, owner: &Label) -> Result<()> {
        let place = || path.display().to_string();
        let fail = |error| Error::new("cannot be read").at(place()).cause(error);
        let file = fs::File::open(path).map_err(fail)?;
        let broken = |error: zip::result::ZipError| {
            Error::new(format!("cannot be read as a wheel: {error}")).at(place())
        };
        let mut wheel = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(broken)?;
        for at in 0..wheel.len() {
            let mut file = wheel.by_index(at).map_err(broken)?;
            let Some(destination) = in_root(file.name()).map(str::to_owned) else { continue };
            if file.is_dir() {
                continue;
            }
            if destination.split('/').any(|part| matches!(part, "" | "." | "..")) {
                return Err(Error::new(format!(
                    "the wheel has a file {destination:?}, which leads out of it"
                ))
                .at(place()));
            }
            let is_executable = file.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(fail)?;
            self.add_made(&destination, bytes, is_executable, owner)?;
        }
        Ok(())
    }

    /// Adds a file that is made here.
    pub(super) fn add_made(
        &mut self,
        destination: &str,
        bytes: Vec<u8>,
        is_executable: bool,
        owner: &Label,
    ) -> Result<()> {
        self.add(destination.to_owned(), SourceNode::Bytes { bytes, is_executable }, owner)
    }

    fn add(&mut self, destination: String, node: SourceNode, owner: &Label) -> Result<()> {
        match self.files.get(&destination) {
            Some(kept) if !is_same(&kept.node, &node) => {
                Err(twice(&destination, &kept.owner, &destination, owner))
            }
            Some(_) => Ok(()),
            None => {
                self.files.insert(destination, Kept { owner: owner.clone(), node });
                Ok(())
            }
        }
    }

    /// Whether something is at a path, or below it.
    pub(super) fn has(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.files.contains_key(path)
            || self
                .files
                .range(below.clone()..)
                .next()
                .is_some_and(|(next, _)| next.starts_with(&below))
    }

    /// Makes every directory that holds Python a package.
    pub(super) fn add_inits(&mut self, owner: &Label) {
        let is_python = |path: &str| {
            [".py", ".pyc", ".so", ".pyd"].iter().any(|end| path.ends_with(end))
                && !path.starts_with(LIBRARIES)
        };
        let mut dirs = BTreeSet::new();
        for path in self.files.keys().filter(|path| is_python(path)) {
            let mut rest = path.as_str();
            while let Some((dir, _)) = rest.rsplit_once('/') {
                dirs.insert(dir.to_owned());
                rest = dir;
            }
        }
        for dir in dirs {
            let has_one = ["py", "pyc", "so"]
                .iter()
                .any(|end| self.files.contains_key(&format!("{dir}/__init__.{end}")));
            if !has_one {
                let node = SourceNode::Bytes { bytes: Vec::new(), is_executable: false };
                self.files
                    .insert(format!("{dir}/__init__.py"), Kept { owner: owner.clone(), node });
            }
        }
    }

    /// All files, in the order of their paths.
    ///
    /// # Errors
    /// One of them is a directory for another.
    pub(super) fn entries(self) -> Result<Vec<SourceEntry>> {
        for (path, kept) in &self.files {
            let mut rest = path.as_str();
            while let Some((dir, _)) = rest.rsplit_once('/') {
                if let Some(file) = self.files.get(dir) {
                    return Err(twice(dir, &file.owner, path, &kept.owner));
                }
                rest = dir;
            }
        }
        let entry = |(path, kept): (String, Kept)| SourceEntry { path, node: kept.node };
        Ok(self.files.into_iter().map(entry).collect())
    }
}

fn twice(path: &str, owner: &Label, other_path: &str, other: &Label) -> Error {
    Error::new(format!(
        "two files have one place in the tree: {path} of {owner}, and {other_path} of {other}"
    ))
    .hint("Buck2 refuses such a program, too: take one of the two out of its closure")
}

/// One source through two targets is one file.
fn is_same(one: &SourceNode, other: &SourceNode) -> bool {
    match (one, other) {
        (SourceNode::File(one), SourceNode::File(other)) => {
            one.origin == other.origin
                || (one.stat.dev, one.stat.ino) == (other.stat.dev, other.stat.ino)
        }
        (SourceNode::Bytes { bytes: one, .. }, SourceNode::Bytes { bytes: other, .. }) => {
            one == other
        }
        (SourceNode::Link(one), SourceNode::Link(other)) => one == other,
        _ => false,
    }
}

/// Where a file of a wheel goes; `None` for what is not for the root.
fn in_root(name: &str) -> Option<&str> {
    match name.split_once('/') {
        Some((top, rest)) if top.ends_with(".data") => {
            rest.strip_prefix("purelib/").or_else(|| rest.strip_prefix("platlib/"))
        }
        _ => Some(name),
    }
}

/// Whether something is there.
pub(super) fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok()
}

/// Whether it is a directory.
pub(super) fn is_dir(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}
