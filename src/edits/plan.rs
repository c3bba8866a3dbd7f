//! What a batch of changes does, whole enough to do it again or to take it back. As a value, and as the journal keeps it.

use super::disk::{Attributes, Node};
use crate::source::ProjectPath;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The form of the journal; another one is not read.
const VERSION: u32 = 1;

/// What a batch does.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) title: String,
    pub(super) entries: Vec<Entry>,
    /// Directories that become empty and go, those below before those above.
    pub(super) directories: Vec<Directory>,
}

/// What becomes of one path.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: ProjectPath,
    pub(super) before: Node,
    pub(super) after: Node,
}

/// A directory that goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Directory {
    #[serde(with = "path_text")]
    pub(super) path: ProjectPath,
    pub(super) mode: u32,
}

/// One of the two states that every path of a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
        }
    }
}

impl Entry {
    pub(super) fn at(&self, side: Side) -> &Node {
        match side {
            Side::Before => &self.before,
            Side::After => &self.after,
        }
    }
}

/// A plan without the contents of its files, as `plan.json` holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    version: u32,
    pub(super) title: String,
    entries: Vec<StoredEntry>,
    directories: Vec<Directory>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredEntry {
    #[serde(with = "path_text")]
    path: ProjectPath,
    before: StoredNode,
    after: StoredNode,
}

/// A node whose bytes stand in `contents`, one after another in the order of `plan.json`. Digests are BLAKE3.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum StoredNode {
    Absent,
    File { mode: u32, uid: u32, gid: u32, length: usize, digest: String },
    Link { length: usize, digest: String },
}

impl Header {
    /// Splits a plan into what is stored as text and the contents.
    pub(super) fn split(plan: &Plan) -> (Self, Vec<u8>) {
        let mut contents = Vec::new();
        let entries = plan.entries.iter().map(|entry| StoredEntry {
            path: entry.path.clone(),
            before: store(&entry.before, &mut contents),
            after: store(&entry.after, &mut contents),
        });
        let entries = entries.collect();
        let (title, directories) = (plan.title.clone(), plan.directories.clone());
        (Self { version: VERSION, title, entries, directories }, contents)
    }

    /// Puts a plan together again. Says what is wrong with a journal that somebody changed.
    pub(super) fn join(self, contents: &[u8]) -> Result<Plan, String> {
        self.check_version()?;
        let mut rest = contents;
        let entry = |entry: StoredEntry| {
            let before = restore(entry.before, &mut rest);
            let after = restore(entry.after, &mut rest);
            let broken = || format!("the contents of {} are damaged", entry.path);
            let (before, after) = before.zip(after).ok_or_else(broken)?;
            Ok(Entry { path: entry.path, before, after })
        };
        let entries = self.entries.into_iter().map(entry).collect::<Result<_, String>>()?;
        Ok(Plan { title: self.title, entries, directories: self.directories })
    }

    pub(super) fn check_version(&self) -> Result<(), String> {
        let version = self.version;
        let fits = version == VERSION;
        fits.then_some(()).ok_or_else(|| format!("written by another secateur (form {version})"))
    }

    /// The files that are there afterwards, or those that are not.
    pub(super) fn paths(&self, deleted: bool) -> Vec<ProjectPath> {
        let is_deleted = |entry: &StoredEntry| matches!(entry.after, StoredNode::Absent);
        let entries = self.entries.iter().filter(|entry| is_deleted(entry) == deleted);
        entries.map(|entry| entry.path.clone()).collect()
    }
}

fn store(node: &Node, contents: &mut Vec<u8>) -> StoredNode {
    let mut put = |bytes: &[u8]| {
        contents.extend_from_slice(bytes);
        (bytes.len(), blake3::hash(bytes).to_hex().to_string())
    };
    match node {
        Node::Absent => StoredNode::Absent,
        Node::File { bytes, attributes } => {
            let Attributes { mode, uid, gid } = *attributes;
            let (length, digest) = put(bytes);
            StoredNode::File { mode, uid, gid, length, digest }
        }
        Node::Link(target) => {
            let (length, digest) = put(target.as_os_str().as_bytes());
            StoredNode::Link { length, digest }
        }
    }
}

fn restore(node: StoredNode, rest: &mut &[u8]) -> Option<Node> {
    let mut take = |length, digest: String| {
        let (bytes, after) = rest.split_at_checked(length)?;
        *rest = after;
        (blake3::hash(bytes).to_hex().as_str() == digest).then(|| bytes.to_vec())
    };
    Some(match node {
        StoredNode::Absent => Node::Absent,
        StoredNode::File { mode, uid, gid, length, digest } => {
            let bytes = take(length, digest)?;
            Node::File { bytes, attributes: Attributes { mode: mode & 0o7777, uid, gid } }
        }
        StoredNode::Link { length, digest } => {
            Node::Link(OsString::from_vec(take(length, digest)?).into())
        }
    })
}

/// Paths of the project as strings. What would lead out of it is refused when it is read.
mod path_text {
    use super::ProjectPath;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(path: &ProjectPath, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(path.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ProjectPath, D::Error> {
        let path = String::deserialize(from)?;
        let normal = ProjectPath::root().join(&path).filter(|normal| normal.as_str() == path);
        normal.ok_or_else(|| D::Error::custom(format!("`{path}` is no path in the project")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let attributes = Attributes { mode: 0o640, uid: 1, gid: 2 };
        let file = |bytes: &[u8]| Node::File { bytes: bytes.to_vec(), attributes };
        let entry = |path, before, after| Entry { path: ProjectPath::new(path), before, after };
        let link = OsString::from_vec(b"../\xff".to_vec());
        let entries = vec![
            entry("a b/é", file(b"old\r\n"), file(b"")),
            entry("link", Node::Link(link.into()), Node::Absent),
            entry("x", file(b"\x00\xff"), Node::Absent),
        ];
        let directories = vec![Directory { path: ProjectPath::new("d/e"), mode: 0o755 }];
        Plan { title: "a title".to_owned(), entries, directories }
    }

    #[test]
    fn a_plan_survives_the_journal() {
        let (header, contents) = Header::split(&plan());
        let text = serde_json::to_string(&header).unwrap();
        let header: Header = serde_json::from_str(&text).unwrap();
        assert_eq!(header.paths(true), ["link", "x"].map(ProjectPath::new));
        assert_eq!(format!("{:?}", header.join(&contents).unwrap()), format!("{:?}", plan()));
    }

    #[test]
    fn damage_is_noticed() {
        let (header, contents) = Header::split(&plan());
        for at in 0..contents.len() {
            let mut damaged = contents.clone();
            damaged[at] ^= 1;
            assert!(header.clone().join(&damaged).is_err(), "byte {at}");
            assert!(header.clone().join(&contents[..at]).is_err(), "cut at {at}");
        }
        let newer = Header { version: 2, ..header };
        assert!(newer.join(&contents).unwrap_err().contains("another secateur"));
    }

    #[test]
    fn paths_that_leave_the_project_are_refused() {
        let text = serde_json::to_string(&Header::split(&plan()).0).unwrap();
        for bad in ["../x", "/x", "a/../../x", "a//b", "./a"] {
            let text = text.replace("\"x\"", &format!("\"{bad}\""));
            assert!(serde_json::from_str::<Header>(&text).is_err(), "{bad}");
        }
    }
}
