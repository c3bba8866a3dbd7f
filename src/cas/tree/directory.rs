//! One directory of a bundle, in the canonical form of the Remote Execution API's `Directory` message. Pure values; touches nothing.
//!
//! The form, from `remote_execution.proto`: each list sorted by the bytes of the names, names unique over all lists,
//! fields in the order of their tags, nothing unknown. So one directory has one encoding and one digest.

use super::name::{Name, Refusal, check_target};
use crate::cas::digest::Digest;
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use prost::Message;
use rustc_hash::FxHashMap;

/// A file in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileNode {
    /// Its name.
    pub name: Name,
    /// Its content.
    pub digest: Digest,
    /// Whether it can be executed.
    pub is_executable: bool,
}

/// A directory in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryNode {
    /// Its name.
    pub name: Name,
    /// Its encoding.
    pub digest: Digest,
}

/// A symbolic link in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymlinkNode {
    /// Its name.
    pub name: Name,
    /// Where it leads.
    pub target: String,
}

/// What a directory holds. Each list is sorted by name, and no name is there twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    files: Vec<FileNode>,
    directories: Vec<DirectoryNode>,
    symlinks: Vec<SymlinkNode>,
}

/// Bytes of the largest directory that is read: some 400,000 entries.
pub const MAX_DIRECTORY_BYTES: u64 = 64 << 20;

impl Directory {
    /// A directory of these entries, in any order.
    pub fn new(
        mut files: Vec<FileNode>,
        mut directories: Vec<DirectoryNode>,
        mut symlinks: Vec<SymlinkNode>,
    ) -> Result<Self, Refusal> {
        files.sort_by(|one, other| one.name.cmp(&other.name));
        directories.sort_by(|one, other| one.name.cmp(&other.name));
        symlinks.sort_by(|one, other| one.name.cmp(&other.name));
        let directory = Self { files, directories, symlinks };
        directory.check()?;
        Ok(directory)
    }

    /// Its files.
    pub fn files(&self) -> &[FileNode] {
        &self.files
    }

    /// The directories in it.
    pub fn directories(&self) -> &[DirectoryNode] {
        &self.directories
    }

    /// Its symbolic links.
    pub fn symlinks(&self) -> &[SymlinkNode] {
        &self.symlinks
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.files.len() + self.directories.len() + self.symlinks.len()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The canonical encoding.
    pub fn encode(&self) -> Vec<u8> {
        self.message().encode_to_vec()
    }

    /// Reads an encoding, and refuses what is not canonical or cannot be written to a disk.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() as u64 > MAX_DIRECTORY_BYTES {
            return Err(Refusal::TooLarge { size: bytes.len() as u64, limit: MAX_DIRECTORY_BYTES });
        }
        let message =
            api::Directory::decode(bytes).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let directory = Self::of_message(&message)?;
        directory.check()?;
        // Unknown fields, fields out of order and over-long numbers are not in what we would write.
        if directory.encode() == bytes { Ok(directory) } else { Err(Refusal::NotCanonical) }
    }

    /// The two names that a file system without case would hold as one, if there are such.
    pub fn case_collision(&self) -> Option<Refusal> {
        let mut seen: FxHashMap<String, &str> = FxHashMap::default();
        self.names().find_map(|name| {
            let other = seen.insert(name.as_str().to_lowercase(), name.as_str())?;
            Some(Refusal::CaseCollision(other.to_owned(), name.to_string()))
        })
    }

    fn names(&self) -> impl Iterator<Item = &Name> {
        let files = self.files.iter().map(|file| &file.name);
        let directories = self.directories.iter().map(|directory| &directory.name);
        files.chain(directories).chain(self.symlinks.iter().map(|link| &link.name))
    }

    fn check(&self) -> Result<(), Refusal> {
        check_order(self.files.iter().map(|file| &file.name))?;
        check_order(self.directories.iter().map(|directory| &directory.name))?;
        check_order(self.symlinks.iter().map(|link| &link.name))?;
        let mut names: Vec<&Name> = self.names().collect();
        names.sort();
        if let Some(name) =
            names.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0]))
        {
            return Err(Refusal::Duplicate(name.to_string()));
        }
        self.symlinks.iter().try_for_each(|link| check_target(link.name.as_str(), &link.target))
    }

    fn message(&self) -> api::Directory {
        let files = self.files.iter().map(|file| api::FileNode {
            name: file.name.as_str().to_owned(),
            digest: Some(message_of(&file.digest)),
            is_executable: file.is_executable,
            node_properties: None,
        });
        let directories = self.directories.iter().map(|directory| api::DirectoryNode {
            name: directory.name.as_str().to_owned(),
            digest: Some(message_of(&directory.digest)),
        });
        let symlinks = self.symlinks.iter().map(|link| api::SymlinkNode {
            name: link.name.as_str().to_owned(),
            target: link.target.clone(),
            node_properties: None,
        });
        api::Directory {
            files: files.collect(),
            directories: directories.collect(),
            symlinks: symlinks.collect(),
            node_properties: None,
        }
    }

    fn of_message(message: &api::Directory) -> Result<Self, Refusal> {
        if message.node_properties.is_some() {
            return Err(Refusal::Properties(".".to_owned()));
        }
        let files = message.files.iter().map(|file| {
            refuse_properties(&file.name, file.node_properties.as_ref())?;
            Ok(FileNode {
                name: Name::new(&file.name)?,
                digest: digest_of(file.digest.as_ref())?,
                is_executable: file.is_executable,
            })
        });
        let directories = message.directories.iter().map(|directory| {
            let digest = digest_of(directory.digest.as_ref())?;
            if digest.size() > MAX_DIRECTORY_BYTES {
                return Err(Refusal::TooLarge { size: digest.size(), limit: MAX_DIRECTORY_BYTES });
            }
            Ok(DirectoryNode { name: Name::new(&directory.name)?, digest })
        });
        let symlinks = message.symlinks.iter().map(|link| {
            refuse_properties(&link.name, link.node_properties.as_ref())?;
            Ok(SymlinkNode { name: Name::new(&link.name)?, target: link.target.clone() })
        });
        Ok(Self {
            files: files.collect::<Result<_, Refusal>>()?,
            directories: directories.collect::<Result<_, Refusal>>()?,
            symlinks: symlinks.collect::<Result<_, Refusal>>()?,
        })
    }
}

fn check_order<'a>(names: impl Iterator<Item = &'a Name>) -> Result<(), Refusal> {
    let mut last: Option<&Name> = None;
    for name in names {
        match last.map(|last| last.cmp(name)) {
            Some(std::cmp::Ordering::Equal) => return Err(Refusal::Duplicate(name.to_string())),
            Some(std::cmp::Ordering::Greater) => return Err(Refusal::Unsorted(name.to_string())),
            _ => last = Some(name),
        }
    }
    Ok(())
}

fn refuse_properties(name: &str, properties: Option<&api::NodeProperties>) -> Result<(), Refusal> {
    properties.map_or(Ok(()), |_| Err(Refusal::Properties(name.to_owned())))
}

/// A digest as the Remote Execution API writes it.
pub(crate) fn message_of(digest: &Digest) -> api::Digest {
    api::Digest { hash: digest.hex(), size_bytes: digest.size().cast_signed() }
}

/// A digest that the Remote Execution API wrote.
pub(crate) fn digest_of(message: Option<&api::Digest>) -> Result<Digest, Refusal> {
    let message = message.ok_or_else(|| Refusal::Digest(String::new()))?;
    u64::try_from(message.size_bytes)
        .ok()
        .and_then(|size| Digest::of_hex(&message.hash, size))
        .ok_or_else(|| Refusal::Digest(format!("{}/{}", message.hash, message.size_bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cas::digest::DigestFunction;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn file(text: &str) -> FileNode {
        let digest = DigestFunction::Sha256.digest(text.as_bytes());
        FileNode { name: name(text), digest, is_executable: false }
    }

    fn raw(text: &str) -> api::FileNode {
        let digest = DigestFunction::Sha256.digest(b"x");
        api::FileNode { name: text.into(), digest: Some(message_of(&digest)), ..Default::default() }
    }

    fn refusal(message: &api::Directory) -> Refusal {
        Directory::decode(&message.encode_to_vec()).unwrap_err()
    }

    #[test]
    fn entries_are_sorted_by_bytes_and_come_back() {
        let link = SymlinkNode { name: name("l"), target: "../b".into() };
        let sub = DirectoryNode { name: name("sub"), digest: DigestFunction::Sha256.digest(b"d") };
        let directory =
            Directory::new(vec![file("b"), file("B"), file("ä")], vec![sub], vec![link]).unwrap();
        let names: Vec<&str> = directory.files().iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["B", "b", "ä"]);
        assert_eq!(Directory::decode(&directory.encode()), Ok(directory.clone()));
        assert_eq!(
            directory.case_collision(),
            Some(Refusal::CaseCollision("B".into(), "b".into()))
        );
        assert_eq!(Directory::decode(b""), Ok(Directory::default()));
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        let files = |names: &[&str]| api::Directory {
            files: names.iter().map(|name| raw(name)).collect(),
            ..Default::default()
        };
        assert_eq!(refusal(&files(&["b", "a"])), Refusal::Unsorted("a".into()));
        assert_eq!(refusal(&files(&["a", "a"])), Refusal::Duplicate("a".into()));
        for bad in ["", ".", "..", "a/b", "a\0"] {
            assert!(matches!(refusal(&files(&[bad])), Refusal::Name { .. }), "{bad:?}");
        }
        let mut both = files(&["a"]);
        both.symlinks.push(api::SymlinkNode {
            name: "a".into(),
            target: "b".into(),
            ..Default::default()
        });
        assert_eq!(refusal(&both), Refusal::Duplicate("a".into()));
        let mut properties = files(&["a"]);
        properties.files[0].node_properties = Some(api::NodeProperties::default());
        assert_eq!(refusal(&properties), Refusal::Properties("a".into()));
        let mut digest = files(&["a"]);
        digest.files[0].digest = Some(api::Digest { hash: "ff".into(), size_bytes: 1 });
        assert_eq!(refusal(&digest), Refusal::Digest("ff/1".into()));
        digest.files[0].digest.as_mut().unwrap().size_bytes = -1;
        assert!(matches!(refusal(&digest), Refusal::Digest(_)));
        assert!(matches!(Directory::decode(b"\xff\xff"), Err(Refusal::Malformed(_))));
        // A field that nobody knows: tag 15, a number.
        let mut unknown = files(&["a"]).encode_to_vec();
        unknown.extend([15 << 3, 1]);
        assert_eq!(Directory::decode(&unknown), Err(Refusal::NotCanonical));
    }

    #[test]
    fn a_directory_that_claims_to_be_huge_is_refused_before_it_is_read() {
        let digest = Digest::new([7; 32], 10 << 30);
        let node = api::DirectoryNode { name: "d".into(), digest: Some(message_of(&digest)) };
        let message = api::Directory { directories: vec![node], ..Default::default() };
        assert!(matches!(refusal(&message), Refusal::TooLarge { .. }));
    }

    #[test]
    fn links_need_a_target() {
        let link = |target: &str| SymlinkNode { name: name("l"), target: target.into() };
        assert!(Directory::new(vec![], vec![], vec![link("")]).is_err());
        assert!(Directory::new(vec![], vec![], vec![link("a\0b")]).is_err());
    }
}
