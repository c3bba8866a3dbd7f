//! What differs between two Merkle trees: equal directories are not even read. Pure; reads through [`Directories`].

use super::limits::{Limits, LinkPolicy};
use super::manifest::{Directories, Entry, Manifest, entries_of, join, refused};
use super::name::Refusal;
use crate::cas::digest::Digest;
use crate::error::Result;
use std::collections::BTreeMap;

/// An entry that is not the same in both trees. Owned, since the directories are read as they are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A file.
    File {
        /// Its content.
        digest: Digest,
        /// Whether it can be executed.
        is_executable: bool,
    },
    /// A directory; what is in it is listed, too.
    Directory(Digest),
    /// A symbolic link and where it leads.
    Link(String),
}

impl From<Entry<'_>> for Change {
    fn from(entry: Entry<'_>) -> Self {
        match entry {
            Entry::File { digest, is_executable } => Self::File { digest, is_executable },
            Entry::Directory(digest) => Self::Directory(digest),
            Entry::Link(target) => Self::Link(target.to_owned()),
        }
    }
}

/// What stands at a path before and after; never twice the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// In the old tree.
    pub before: Option<Change>,
    /// In the new tree.
    pub after: Option<Change>,
}

/// Two directories at one path; one of them may be missing.
struct Pair {
    path: String,
    depth: usize,
    before: Option<Digest>,
    after: Option<Digest>,
}

/// The paths at which the trees differ, in their order: a directory before what is in it. Directories that are in both
/// are listed where their contents differ. What is new is held to the limits.
pub fn diff(
    source: &dyn Directories,
    before: Option<Digest>,
    after: Option<Digest>,
    limits: &Limits,
) -> Result<BTreeMap<String, Difference>> {
    if let (None, Some(new)) = (before, after) {
        refuse_bomb(source, new, limits)?;
    }
    let mut differences = BTreeMap::new();
    let mut level = vec![Pair { path: String::new(), depth: 0, before, after }];
    level.retain(|pair| pair.before != pair.after);
    while !level.is_empty() {
        let digests: Vec<Digest> =
            level.iter().flat_map(|pair| [pair.before, pair.after]).flatten().collect();
        let mut loaded = source.load(&digests)?.into_iter();
        let mut next = Vec::new();
        for pair in level {
            let old = pair.before.and_then(|_| loaded.next()).unwrap_or_default();
            let new = pair.after.and_then(|_| loaded.next()).unwrap_or_default();
            let refuse =
                |refusal: Refusal| refused(pair.after.unwrap_or(Digest::new([0; 32], 0)), &refusal);
            let mut both: BTreeMap<&str, Difference> = BTreeMap::new();
            for (name, entry) in entries_of(&old) {
                both.entry(name).or_default().before = Some(entry.into());
            }
            for (name, entry) in entries_of(&new) {
                if let Entry::Link(target) = entry {
                    limits.links.check(name, target, pair.depth).map_err(refuse)?;
                }
                both.entry(name).or_default().after = Some(entry.into());
            }
            if !limits.allow_case_collisions
                && let Some(refusal) = new.case_collision()
            {
                return Err(refuse(refusal));
            }
            both.retain(|_, difference| difference.before != difference.after);
            for (name, difference) in both {
                let path = join(&pair.path, name);
                if let Some(below) = below(&path, pair.depth + 1, &difference) {
                    if let (None, Some(new)) = (below.before, below.after)
                        && pair.before.is_some()
                    {
                        refuse_bomb(source, new, limits)?;
                    }
                    next.push(below);
                }
                differences.insert(path, difference);
            }
            if differences.len() as u64 > limits.entries {
                return Err(refuse(Refusal::TooManyEntries(limits.entries)));
            }
            if pair.depth > limits.depth {
                return Err(refuse(Refusal::TooDeep(limits.depth)));
            }
        }
        level = next;
    }
    Ok(differences)
}

/// Refuses a directory with more below it than is taken. Counted before it is listed: it may hold itself many times over.
fn refuse_bomb(source: &dyn Directories, new: Digest, limits: &Limits) -> Result<()> {
    // Links are judged where they stand.
    let limits = Limits { links: LinkPolicy::Any, ..*limits };
    Manifest::load(source, new, &limits).map(drop)
}

fn below(path: &str, depth: usize, difference: &Difference) -> Option<Pair> {
    let directory = |change: &Option<Change>| match change {
        Some(Change::Directory(digest)) => Some(*digest),
        _ => None,
    };
    let (before, after) = (directory(&difference.before), directory(&difference.after));
    (before.is_some() || after.is_some()).then(|| Pair {
        path: path.to_owned(),
        depth,
        before,
        after,
    })
}

#[cfg(test)]
mod tests {
    use super::super::directory::{Directory, DirectoryNode};
    use super::super::name::Name;
    use super::*;
    use crate::cas::testing::Shelf;

    #[test]
    fn only_what_differs_is_listed() {
        let mut shelf = Shelf::default();
        let old =
            shelf.tree(&[("a/x.py", "1"), ("a/y.py", "2"), ("b/z.py", "3"), ("gone/deep/f", "4")]);
        let new =
            shelf.tree(&[("a/x.py", "1"), ("a/y.py", "changed"), ("b/z.py", "3"), ("new", "5")]);
        let differences = diff(&shelf, Some(old), Some(new), &Limits::default()).unwrap();
        let paths: Vec<(&str, bool, bool)> = differences
            .iter()
            .map(|(path, found)| (path.as_str(), found.before.is_some(), found.after.is_some()))
            .collect();
        assert_eq!(
            paths,
            [
                ("a", true, true),
                ("a/y.py", true, true),
                ("gone", true, false),
                ("gone/deep", true, false),
                ("gone/deep/f", true, false),
                ("new", false, true),
            ]
        );
        let reads = shelf.reads();
        let same = shelf.tree(&[("z.py", "3")]);
        assert!(!reads.contains(&same) && reads.contains(&old));
        assert!(diff(&shelf, Some(old), Some(old), &Limits::default()).unwrap().is_empty());
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_listed() {
        let mut shelf = Shelf::default();
        let old = shelf.tree(&[("f", "1")]);
        let mut digest = old;
        for _ in 0..60 {
            let node = |name: &str| DirectoryNode { name: Name::new(name).unwrap(), digest };
            let both = vec![node("a"), node("b")];
            digest = shelf.put(Directory::new(vec![], both, vec![]).unwrap());
        }
        let error = diff(&shelf, Some(old), Some(digest), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("more than 5000000 entries"), "{error}");
        assert!(shelf.reads().len() < 1000);
    }

    #[test]
    fn a_file_that_becomes_a_directory_is_both() {
        let mut shelf = Shelf::default();
        let (old, new) = (shelf.tree(&[("a", "1")]), shelf.tree(&[("a/b", "1")]));
        let differences = diff(&shelf, Some(old), Some(new), &Limits::default()).unwrap();
        assert!(matches!(differences["a"].before, Some(Change::File { .. })));
        assert!(matches!(differences["a"].after, Some(Change::Directory(_))));
        assert_eq!(differences["a/b"].before, None);
    }
}
