//! A whole manifest in memory: every distinct directory once, and what the tree amounts to. Pure; reads through [`Directories`].

use super::directory::Directory;
use super::limits::Limits;
use super::name::Refusal;
use crate::cas::digest::Digest;
use crate::error::{Error, Result};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Where directories come from: a store, a server, a test.
pub trait Directories {
    /// The directories of these digests, in this order, each checked against its digest.
    ///
    /// # Errors
    /// One of them is missing, damaged or refused.
    fn load(&self, digests: &[Digest]) -> Result<Vec<Arc<Directory>>>;
}

/// What stands at a path of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A file.
    File {
        /// Its content.
        digest: Digest,
        /// Whether it can be executed.
        is_executable: bool,
    },
    /// A directory.
    Directory(Digest),
    /// A symbolic link and where it leads.
    Link(&'a str),
}

/// What a tree amounts to. Shared directories and files count each time they are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files.
    pub files: u64,
    /// Directories, without the root.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Directories on the way to the deepest entry.
    pub depth: usize,
}

/// A Merkle tree with all its directories.
#[derive(Clone, Debug)]
pub struct Manifest {
    root: Digest,
    directories: FxHashMap<Digest, Arc<Directory>>,
    order: Vec<Digest>,
    totals: Totals,
}

impl Manifest {
    /// Reads the tree below `root`, level by level, and refuses what is above the limits.
    pub fn load(source: &dyn Directories, root: Digest, limits: &Limits) -> Result<Self> {
        let mut directories = FxHashMap::default();
        let mut order = Vec::new();
        let mut level = vec![root];
        let mut manifest_bytes = 0u64;
        while !level.is_empty() {
            manifest_bytes += level.iter().map(Digest::size).sum::<u64>();
            let count = (order.len() + level.len()) as u64;
            if manifest_bytes > limits.manifest_bytes || count > limits.entries {
                return Err(refused(root, &Refusal::TooManyEntries(limits.entries)));
            }
            let loaded = source.load(&level)?;
            let mut next = Vec::new();
            let mut seen = FxHashSet::default();
            for (digest, directory) in level.iter().zip(&loaded) {
                directories.insert(*digest, Arc::clone(directory));
                order.push(*digest);
            }
            for directory in &loaded {
                let below = directory.directories().iter().map(|node| node.digest);
                next.extend(
                    below
                        .filter(|digest| !directories.contains_key(digest) && seen.insert(*digest)),
                );
            }
            level = next;
        }
        Self::of_directories(root, directories, order, limits)
    }

    /// The tree below `root` of directories that are all there; `order` names each once.
    pub(crate) fn of_directories(
        root: Digest,
        directories: FxHashMap<Digest, Arc<Directory>>,
        order: Vec<Digest>,
        limits: &Limits,
    ) -> Result<Self> {
        let mut manifest = Self { root, directories, order, totals: Totals::default() };
        manifest.totals = manifest.check(limits)?;
        Ok(manifest)
    }

    /// What the tree amounts to, if it is within these limits.
    pub fn check(&self, limits: &Limits) -> Result<Totals> {
        let directories = &self.directories;
        let mut count = Count { directories, limits, known: FxHashMap::default() };
        let counted = count.counted(self.root, 0, "");
        counted.map(|counted| counted.totals).map_err(|refusal| refused(self.root, &refusal))
    }

    /// What names the tree.
    pub fn root(&self) -> Digest {
        self.root
    }

    /// What the tree amounts to.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Each distinct directory once, parents before what is first found in them.
    pub fn directories(&self) -> impl Iterator<Item = (Digest, &Directory)> {
        self.order.iter().filter_map(|digest| Some((*digest, self.directory(digest)?)))
    }

    /// One of its directories.
    pub fn directory(&self, digest: &Digest) -> Option<&Directory> {
        self.directories.get(digest).map(Arc::as_ref)
    }

    /// The distinct contents of its files, in the order of their digests. One that is executable at one place and not at
    /// another is there twice.
    pub fn contents(&self) -> Vec<(Digest, bool)> {
        let files = self.directories().flat_map(|(_, directory)| directory.files());
        let mut contents: Vec<_> = files.map(|file| (file.digest, file.is_executable)).collect();
        contents.sort_unstable();
        contents.dedup();
        contents
    }

    /// What stands at a path; `None` for the root itself and for what is not there. Links are not followed.
    pub fn find(&self, path: &str) -> Option<Entry<'_>> {
        let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut here = self.directory(&self.root)?;
        for dir in dirs.split('/').filter(|dir| !dir.is_empty()) {
            let node = here.directories().iter().find(|node| node.name.as_str() == dir)?;
            here = self.directory(&node.digest)?;
        }
        entries_of(here).into_iter().find_map(|(found, entry)| (found == name).then_some(entry))
    }

    /// All entries with their paths, directories before what is in them, in the order of their names.
    pub fn entries(&self) -> Vec<(String, Entry<'_>)> {
        let mut entries = Vec::new();
        if let Some(directory) = self.directory(&self.root) {
            self.add(directory, "", &mut entries);
        }
        entries
    }

    fn add<'a>(
        &'a self,
        directory: &'a Directory,
        path: &str,
        entries: &mut Vec<(String, Entry<'a>)>,
    ) {
        for (name, entry) in entries_of(directory) {
            let path = join(path, name);
            entries.push((path.clone(), entry));
            if let Entry::Directory(digest) = entry
                && let Some(below) = self.directory(&digest)
            {
                self.add(below, &path, entries);
            }
        }
    }
}

impl Directories for Manifest {
    fn load(&self, digests: &[Digest]) -> Result<Vec<Arc<Directory>>> {
        let found = digests.iter().map(|digest| {
            let missing = || Error::new(format!("the directory {digest} is not in the manifest"));
            self.directories.get(digest).cloned().ok_or_else(missing)
        });
        found.collect()
    }
}

/// The error of a manifest that is not taken.
pub(super) fn refused(root: Digest, refusal: &Refusal) -> Error {
    Error::new(format!("the manifest is refused: {refusal}")).at(root.to_string())
}

/// What a directory holds, in the order of the names.
pub(crate) fn entries_of(directory: &Directory) -> Vec<(&str, Entry<'_>)> {
    let files = directory.files().iter().map(|file| {
        let entry = Entry::File { digest: file.digest, is_executable: file.is_executable };
        (file.name.as_str(), entry)
    });
    let directories = directory.directories().iter();
    let directories = directories.map(|node| (node.name.as_str(), Entry::Directory(node.digest)));
    let links = directory.symlinks().iter();
    let links = links.map(|link| (link.name.as_str(), Entry::Link(&link.target)));
    let mut entries: Vec<_> = files.chain(directories).chain(links).collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    entries
}

/// `path/name`; the root's path is empty.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// Counts a tree without expanding it: each distinct directory is counted once, and multiplied.
struct Count<'a> {
    directories: &'a FxHashMap<Digest, Arc<Directory>>,
    limits: &'a Limits,
    /// `None` while the directory is being counted: who meets that stands in a cycle.
    known: FxHashMap<Digest, Option<Counted>>,
}

#[derive(Clone, Copy)]
struct Counted {
    totals: Totals,
    /// The fewest directories that must lie above it for its links to stay in the tree.
    needs_depth: usize,
}

impl Count<'_> {
    fn counted(
        &mut self,
        digest: Digest,
        depth: usize,
        path: &str,
    ) -> std::result::Result<Counted, Refusal> {
        match self.known.get(&digest) {
            Some(None) => return Err(Refusal::Cycle(path.to_owned())),
            Some(Some(counted)) if depth >= counted.needs_depth => {
                return self.within(depth, *counted);
            }
            _ if depth > self.limits.depth => return Err(Refusal::TooDeep(self.limits.depth)),
            _ => {}
        }
        self.known.insert(digest, None);
        let directory = self.directories.get(&digest).map(Arc::clone).unwrap_or_default();
        if !self.limits.allow_case_collisions
            && let Some(refusal) = directory.case_collision()
        {
            return Err(refusal);
        }
        for link in directory.symlinks() {
            self.limits.links.check(&join(path, link.name.as_str()), &link.target, depth)?;
        }
        let mut totals = Totals {
            files: directory.files().len() as u64,
            directories: directory.directories().len() as u64,
            links: directory.symlinks().len() as u64,
            bytes: directory
                .files()
                .iter()
                .fold(0, |sum, file| sum.saturating_add(file.digest.size())),
            depth: 0,
        };
        for node in directory.directories() {
            let below =
                self.counted(node.digest, depth + 1, &join(path, node.name.as_str()))?.totals;
            totals.files = totals.files.saturating_add(below.files);
            totals.directories = totals.directories.saturating_add(below.directories);
            totals.links = totals.links.saturating_add(below.links);
            totals.bytes = totals.bytes.saturating_add(below.bytes);
            totals.depth = totals.depth.max(below.depth + 1);
        }
        // Found right at this depth, it is right at any greater one: `..` only has further to go.
        let counted = Counted { totals, needs_depth: depth };
        self.known.insert(digest, Some(counted));
        self.within(depth, counted)
    }

    fn within(&self, depth: usize, counted: Counted) -> std::result::Result<Counted, Refusal> {
        let Totals { files, directories, links, bytes, depth: below } = counted.totals;
        if files.saturating_add(directories).saturating_add(links) > self.limits.entries {
            return Err(Refusal::TooManyEntries(self.limits.entries));
        }
        if bytes > self.limits.bytes {
            return Err(Refusal::TooManyBytes(self.limits.bytes));
        }
        if depth + below > self.limits.depth {
            return Err(Refusal::TooDeep(self.limits.depth));
        }
        Ok(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::super::directory::{DirectoryNode, SymlinkNode};
    use super::super::limits::LinkPolicy;
    use super::super::name::Name;
    use super::*;
    use crate::cas::testing::{Shelf, manifest};

    fn node(name: &str, digest: Digest) -> DirectoryNode {
        DirectoryNode { name: Name::new(name).unwrap(), digest }
    }

    fn link(target: &str) -> Directory {
        let link = SymlinkNode { name: Name::new("l").unwrap(), target: target.into() };
        Directory::new(vec![], vec![], vec![link]).unwrap()
    }

    fn said(result: Result<Manifest>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_tree_is_counted_and_listed() {
        let mut shelf = Shelf::default();
        let root = shelf.tree(&[("a/b/c", "123"), ("a/d", "12"), ("x/b/c", "123"), ("x/d", "12")]);
        let manifest = manifest(&shelf, root).unwrap();
        let totals = Totals { files: 4, directories: 4, links: 0, bytes: 10, depth: 2 };
        assert_eq!(manifest.totals(), totals);
        assert_eq!((manifest.directories().count(), manifest.contents().len()), (3, 2));
        let entries = manifest.entries();
        let paths: Vec<&str> = entries.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "a/b", "a/b/c", "a/d", "x", "x/b", "x/b/c", "x/d"]);
        assert!(entries.iter().all(|(path, entry)| manifest.find(path) == Some(*entry)));
        assert!(["", "b", "a/c", "a/d/e"].iter().all(|path| manifest.find(path).is_none()));
    }

    #[test]
    fn a_bomb_is_counted_without_being_expanded() {
        let mut shelf = Shelf::default();
        let mut digest = shelf.tree(&[("f", "12345678")]);
        for _ in 0..100 {
            digest = shelf.put(
                Directory::new(vec![], vec![node("a", digest), node("b", digest)], vec![]).unwrap(),
            );
        }
        assert!(said(manifest(&shelf, digest)).contains("more than 5000000 entries"));
        for _ in 0..100 {
            digest = shelf.put(Directory::new(vec![], vec![node("a", digest)], vec![]).unwrap());
        }
        assert!(said(manifest(&shelf, digest)).contains("128 directories deep"));
    }

    #[test]
    fn a_directory_that_contains_itself_is_refused() {
        let mut shelf = Shelf::default();
        let digest = Digest::new([1; 32], 5);
        shelf.put_as(digest, Directory::new(vec![], vec![node("again", digest)], vec![]).unwrap());
        assert!(said(manifest(&shelf, digest)).contains("the directory \"again\" contains itself"));
    }

    #[test]
    fn files_that_claim_to_be_huge_are_refused() {
        let mut shelf = Shelf::default();
        let file = |name: &str| super::super::directory::FileNode {
            name: Name::new(name).unwrap(),
            digest: Digest::new([2; 32], u64::MAX >> 1),
            is_executable: false,
        };
        let root = shelf
            .put(Directory::new(vec![file("a"), file("b"), file("c")], vec![], vec![]).unwrap());
        assert!(said(manifest(&shelf, root)).contains("its files have more than"));
    }

    #[test]
    fn links_are_judged_wherever_their_directory_is_shared() {
        let mut shelf = Shelf::default();
        let linked = shelf.put(link("../../x"));
        let deep = shelf.put(Directory::new(vec![], vec![node("b", linked)], vec![]).unwrap());
        // Two directories deep it stays in the tree, one directory deep it leaves.
        let root = shelf.put(Directory::new(vec![], vec![node("a", deep)], vec![]).unwrap());
        assert!(manifest(&shelf, root).is_ok());
        let root = shelf
            .put(Directory::new(vec![], vec![node("a", deep), node("z", linked)], vec![]).unwrap());
        assert!(
            said(manifest(&shelf, root)).contains("\"z/l\" to \"../../x\" leads out of the bundle")
        );
        let any = Limits { links: LinkPolicy::Any, ..Limits::default() };
        assert!(Manifest::load(&shelf, root, &any).is_ok());
    }
}
