//! Lists a directory that is to be packed. Reads the tree that it is told to; changes nothing.
#![expect(clippy::disallowed_methods, reason = "what is packed may lie anywhere")]

use super::entry::{FileStat, SourceEntry, SourceFile, SourceNode};
use crate::cas::store::failed;
use crate::cas::tree::{join, leads_outside};
use crate::error::{Error, Result};
use rayon::prelude::*;
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What becomes of symbolic links that lead out of the tree. Those that stay in it are kept as links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutsideLinks {
    /// What they lead to is packed in their place, as for Buck2's link trees.
    #[default]
    Follow,
    /// They are kept; such a bundle is refused by others unless they ask for it.
    Keep,
    /// They are an error.
    Refuse,
}

/// Whether a path, relative to the root, is left out; the flag says that it is a directory.
pub type Skip<'a> = dyn Fn(&str, bool) -> bool + Sync + 'a;

/// All that is below `root`, in the order of the paths' segments.
///
/// # Errors
/// Something cannot be read, or has no place in a bundle: names that are no UTF-8, sockets, links to nothing.
pub fn walk(root: &Path, links: OutsideLinks, skip: &Skip<'_>) -> Result<Vec<SourceEntry>> {
    let metadata = fs::metadata(root).map_err(|error| failed("read", root, error))?;
    if !metadata.is_dir() {
        return Err(Error::new("is no directory").at(root.display().to_string()));
    }
    let walk = Walk { links, skip };
    walk.directory(&Dir {
        path: root.to_owned(),
        name: String::new(),
        depth: 0,
        above: vec![inode(&metadata)],
    })
}

struct Walk<'a> {
    links: OutsideLinks,
    skip: &'a Skip<'a>,
}

/// A directory on the way down.
struct Dir {
    path: PathBuf,
    /// Its path in the bundle.
    name: String,
    depth: usize,
    /// The inodes of the directories above and of itself: followed links may lead back to one.
    above: Vec<(u64, u64)>,
}

fn inode(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

impl Walk<'_> {
    fn directory(&self, dir: &Dir) -> Result<Vec<SourceEntry>> {
        let fail = |error| failed("list", &dir.path, error);
        let mut entries = fs::read_dir(&dir.path)
            .map_err(fail)?
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(fail)?;
        entries.sort_unstable_by_key(fs::DirEntry::file_name);
        let lists: Vec<Vec<SourceEntry>> = entries
            .par_iter()
            .with_min_len(8)
            .map(|entry| self.entry(dir, entry))
            .collect::<Result<_>>()?;
        Ok(lists.into_iter().flatten().collect())
    }

    fn entry(&self, dir: &Dir, entry: &fs::DirEntry) -> Result<Vec<SourceEntry>> {
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(Error::new("the name is not UTF-8, which no manifest can hold")
                .at(path.display().to_string())
                .hint("rename it, or leave it out in a `.cafignore`"));
        };
        let name = join(&dir.name, name);
        let metadata = entry.metadata().map_err(|error| failed("read", &path, error))?;
        if (self.skip)(&name, metadata.is_dir()) {
            return Ok(Vec::new());
        }
        if metadata.is_symlink() {
            self.link(dir, path, name)
        } else {
            self.node(dir, path, name, &metadata)
        }
    }

    fn node(
        &self,
        dir: &Dir,
        path: PathBuf,
        name: String,
        metadata: &Metadata,
    ) -> Result<Vec<SourceEntry>> {
        if metadata.is_dir() {
            return self.below(dir, path, name, metadata);
        }
        if !metadata.is_file() {
            return Err(Error::new("is neither a file nor a directory nor a link")
                .at(path.display().to_string())
                .hint("remove it, or leave it out in a `.cafignore`"));
        }
        let file = SourceFile {
            origin: path,
            stat: FileStat::of(metadata),
            is_executable: metadata.permissions().mode() & 0o111 != 0,
            rewrite: None,
        };
        Ok(vec![SourceEntry { path: name, node: SourceNode::File(file) }])
    }

    fn below(
        &self,
        dir: &Dir,
        path: PathBuf,
        name: String,
        metadata: &Metadata,
    ) -> Result<Vec<SourceEntry>> {
        let inode = inode(metadata);
        if dir.above.contains(&inode) {
            return Err(Error::new("the link leads back to a directory above it")
                .at(path.display().to_string())
                .hint("leave it out in a `.cafignore`"));
        }
        let mut above = dir.above.clone();
        above.push(inode);
        let mut entries = vec![SourceEntry { path: name.clone(), node: SourceNode::Directory }];
        entries.extend(self.directory(&Dir { path, name, depth: dir.depth + 1, above })?);
        Ok(entries)
    }

    fn link(&self, dir: &Dir, path: PathBuf, name: String) -> Result<Vec<SourceEntry>> {
        let target = fs::read_link(&path).map_err(|error| failed("read the link", &path, error))?;
        let text = target.to_str();
        let stays = text.is_some_and(|target| !leads_outside(target, dir.depth));
        match (text, self.links) {
            (Some(target), OutsideLinks::Keep) => Ok(vec![link(name, target)]),
            (Some(target), _) if stays => Ok(vec![link(name, target)]),
            (_, OutsideLinks::Refuse) => {
                Err(Error::new(format!("the link leads out of the tree, to {}", target.display()))
                    .at(path.display().to_string())
                    .hint("pass `--links follow` to pack what it leads to, or `--links keep`"))
            }
            _ => {
                let metadata = fs::metadata(&path).map_err(|error| {
                    failed(&format!("follow the link to {}", target.display()), &path, error)
                        .hint("build what it leads to first, or leave it out in a `.cafignore`")
                })?;
                self.node(dir, path, name, &metadata)
            }
        }
    }
}

fn link(name: String, target: &str) -> SourceEntry {
    SourceEntry { path: name, node: SourceNode::Link(target.to_owned()) }
}

impl FileStat {
    /// What the inode says.
    pub fn of(metadata: &Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            dev: metadata.dev(),
            ino: metadata.ino(),
            size: metadata.size(),
            mtime: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the file may have been written to at `moment` (nanoseconds since 1970) or later, so that a write after it
    /// was looked at could leave the same times. git calls this racily clean. Kernels count in ticks of up to 10 ms.
    pub(super) fn is_racy(&self, moment: i64) -> bool {
        self.mtime.max(self.ctime) >= moment - 20_000_000
    }
}
