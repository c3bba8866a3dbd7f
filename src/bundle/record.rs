//! What a name stands for: a root, what it starts, who signed it. As messages of the Remote Execution API. Pure.
//!
//! A record is the `ActionResult` of an action that nobody runs, `caf-package NAME PLATFORM REVISION`, so that any server with an
//! action cache keeps names. The same bytes are what a name stands for in the local store. In it:
//!
//! - `output_directories` has the root, by `root_directory_digest`. Servers that check whether a result is complete say that a
//!   bundle is not there when a part of it was evicted, instead of failing in the middle of a run.
//! - `tree_digest`, the older way, needs a [`tree`]: one message with *all* directories, 4 MB for 36,000 files, new with every
//!   change, where the directories that changed have 56 kB. It is therefore left out, unless the server asks for it. buildbox-casd
//!   2.8 and `BuildGrid` 0.4 take the root alone and check everything below it; `NativeLink` takes it and checks nothing; bazel-remote
//!   refuses it (`utils/validate/action_result.go`, "nil tree digest"), and Buildbarn's completeness checking says `NOT_FOUND`. No
//!   capability tells them apart. So a result is stored without a tree and read back, and stored with one if that fails.
//! - `execution_metadata.auxiliary_metadata` has the rest: a `StringValue` with JSON. It is the one field that no server changes:
//!   bazel-remote moves `stdout_raw` into a blob of its own unless every reader asks it not to.
//!
//! Anybody who can write to the server can write a record: without a signature it is a hint.

use super::entry::EntryPoint;
use super::sign::{Signature, Statement};
use crate::cas::digest::{Digest, DigestFunction, hex};
use crate::cas::store::RefName;
use crate::cas::tree::{Directory, Manifest, digest_of, message_of};
use crate::error::{Error, Result};
use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
use bazel_remote_apis::google::protobuf::Any;
use prost::Message;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

/// The type of the message that holds what we add.
const TEXT: &str = "type.googleapis.com/google.protobuf.StringValue";
/// The version of what we add.
const VERSION: u32 = 1;
/// The path that the bundle has as the output of its action.
const PATH: &str = "bundle";
/// More bytes than any record has.
const MAX_BYTES: usize = 1 << 20;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Name and revision.
    pub name: RefName,
    /// The platform that it runs on; empty if any.
    pub platform: String,
    /// What names its contents.
    pub function: DigestFunction,
    /// Its tree.
    pub root: Digest,
    /// What it starts, if anything.
    pub entry: Option<EntryPoint>,
    /// Who says so.
    pub signature: Option<Signature>,
}

/// The action that stands for a name, and what it consists of, for servers that want to see that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The action's digest: the key in action caches.
    pub digest: Digest,
    /// The encoded `Action`.
    pub action: Vec<u8>,
    /// The encoded `Command`.
    pub command: Vec<u8>,
}

impl Key {
    /// The action of a name.
    pub fn new(name: &RefName, platform: &str, function: DigestFunction) -> Self {
        let words = ["caf-package", &name.name, platform, &name.revision];
        let command = api::Command {
            arguments: words.map(str::to_owned).to_vec(),
            output_paths: vec![PATH.to_owned()],
            ..Default::default()
        };
        let command = command.encode_to_vec();
        let action = api::Action {
            command_digest: Some(message_of(&function.digest(&command))),
            // The empty directory, which every server has.
            input_root_digest: Some(message_of(&function.digest(b""))),
            ..Default::default()
        };
        let action = action.encode_to_vec();
        Self { digest: function.digest(&action), action, command }
    }
}

/// What the API has no field for.
#[derive(Serialize, Deserialize)]
struct Extra {
    /// The version; its name says that this is ours.
    caf: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    entry: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<Signed>,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    key: String,
    bytes: String,
}

impl Record {
    /// The key under which servers keep it.
    pub fn key(&self) -> Key {
        Key::new(&self.name, &self.platform, self.function)
    }

    /// What is signed of it: all of it. `entry` is [`Record::entry_text`].
    pub fn statement<'a>(&'a self, entry: &'a str) -> Statement<'a> {
        Statement {
            name: &self.name.name,
            revision: &self.name.revision,
            platform: &self.platform,
            function: self.function,
            root: self.root,
            entry,
        }
    }

    /// What it starts, as text; empty if nothing.
    pub fn entry_text(&self) -> String {
        self.entry.as_ref().map(EntryPoint::text).unwrap_or_default()
    }

    /// The encoded `ActionResult`. `tree` names a stored [`tree`] for servers that want one.
    pub fn encode(&self, tree: Option<&Digest>) -> Vec<u8> {
        let signature = self.signature.as_ref().map(|signature| Signed {
            key: signature.key.to_string(),
            bytes: hex(&signature.bytes),
        });
        let extra = Extra { caf: VERSION, entry: self.entry_text(), signature };
        // A struct of strings has no value that JSON cannot hold.
        let text = serde_json::to_string(&extra).unwrap_or_default();
        let metadata = Any { type_url: TEXT.to_owned(), value: text.encode_to_vec() };
        let directory = api::OutputDirectory {
            path: PATH.to_owned(),
            tree_digest: tree.map(message_of),
            is_topologically_sorted: tree.is_some(),
            root_directory_digest: Some(message_of(&self.root)),
        };
        let result = api::ActionResult {
            output_directories: vec![directory],
            execution_metadata: Some(api::ExecutedActionMetadata {
                auxiliary_metadata: vec![metadata],
                ..Default::default()
            }),
            ..Default::default()
        };
        result.encode_to_vec()
    }

    /// Reads an encoded `ActionResult` as what somebody says that a name stands for. Servers may have added to it.
    ///
    /// # Errors
    /// It is none of ours, or of a later version.
    pub fn decode(
        name: &RefName,
        platform: &str,
        function: DigestFunction,
        bytes: &[u8],
    ) -> Result<Self> {
        let refuse = |why: String| {
            Error::new(format!("the record of the bundle cannot be read: {why}"))
                .at(name.to_string())
                .hint("push the bundle again under this name")
        };
        if bytes.len() > MAX_BYTES {
            return Err(refuse(format!("it has {} bytes", bytes.len())));
        }
        let result = api::ActionResult::decode(bytes).map_err(|error| refuse(error.to_string()))?;
        let [directory] = result.output_directories.as_slice() else {
            return Err(refuse(format!("it has {} trees", result.output_directories.len())));
        };
        let root = digest_of(directory.root_directory_digest.as_ref())
            .map_err(|refusal| refuse(format!("of the root's digest, {refusal}")))?;
        let metadata = result.execution_metadata.unwrap_or_default().auxiliary_metadata;
        let extra = metadata.iter().filter(|any| any.type_url == TEXT).find_map(|any| {
            let text = String::decode(any.value.as_slice()).ok()?;
            serde_json::from_str::<Extra>(&text).ok()
        });
        let extra = extra.ok_or_else(|| refuse("it is not of a bundle".to_owned()))?;
        if extra.caf != VERSION {
            return Err(refuse(format!("it is of version {}", extra.caf))
                .hint("it was pushed by a later version of this program: update"));
        }
        let entry = match extra.entry.as_str() {
            "" => None,
            text => Some(EntryPoint::of_text(text).map_err(|error| error.at(name.to_string()))?),
        };
        let signature = extra.signature.map(|signed| {
            Signature::of_hex(&signed.key, &signed.bytes)
                .ok_or_else(|| refuse("its signature is none".to_owned()))
        });
        Ok(Self {
            name: name.clone(),
            platform: platform.to_owned(),
            function,
            root,
            entry,
            signature: signature.transpose()?,
        })
    }
}

/// The encoded `Tree` of a manifest: each directory once, the root first, parents before their children, as
/// `is_topologically_sorted` promises.
pub fn tree(manifest: &Manifest) -> Vec<u8> {
    let mut order = Vec::new();
    let mut seen = FxHashSet::default();
    finish(manifest, manifest.root(), &mut seen, &mut order);
    let mut bytes = Vec::new();
    for (at, directory) in order.into_iter().rev().enumerate() {
        let encoded = directory.encode();
        // Field 1, the root; field 2, a child: a length and bytes.
        bytes.push(if at == 0 { 0x0a } else { 0x12 });
        prost::encoding::encode_varint(encoded.len() as u64, &mut bytes);
        bytes.extend_from_slice(&encoded);
    }
    bytes
}

/// Adds a directory behind all that is below it. A manifest is no deeper than its limits allow.
fn finish<'a>(
    manifest: &'a Manifest,
    digest: Digest,
    seen: &mut FxHashSet<Digest>,
    order: &mut Vec<&'a Directory>,
) {
    let Some(directory) = manifest.directory(&digest).filter(|_| seen.insert(digest)) else {
        return;
    };
    for node in directory.directories() {
        finish(manifest, node.digest, seen, order);
    }
    order.push(directory);
}

#[cfg(test)]
mod tests {
    use super::super::sign::{PrivateKey, TrustedKeys};
    use super::*;
    use crate::cas::testing::{Shelf, manifest};

    fn record() -> Record {
        Record {
            name: RefName::new("serving/ranker@8f3a2c1").unwrap(),
            platform: "linux-x86_64".to_owned(),
            function: DigestFunction::Sha256,
            root: DigestFunction::Sha256.digest(b"root"),
            entry: Some(EntryPoint::script("app/main.py")),
            signature: None,
        }
    }

    fn decoded(record: &Record, bytes: &[u8]) -> Result<Record> {
        Record::decode(&record.name, &record.platform, record.function, bytes)
    }

    #[test]
    fn a_record_comes_back_signed_and_with_what_servers_add() {
        let key = PrivateKey::generate().unwrap();
        let mut record = record();
        record.signature = Some(key.sign(&record.statement(&record.entry_text())));
        for tree in [None, Some(&record.root)] {
            let mut result = api::ActionResult::decode(&*record.encode(tree)).unwrap();
            assert_eq!(result.output_directories[0].tree_digest.is_some(), tree.is_some());
            let metadata = result.execution_metadata.as_mut().unwrap();
            metadata.worker = "10.0.0.1".to_owned();
            metadata.auxiliary_metadata.insert(0, Any::default());
            let back = decoded(&record, &result.encode_to_vec()).unwrap();
            assert_eq!(back, record);
            let mut trusted = TrustedKeys::default();
            trusted.add_pem(&key.public().to_pem().unwrap()).unwrap();
            let entry = back.entry_text();
            trusted.verify(&back.statement(&entry), back.signature.as_ref()).unwrap();
        }
        let plain = Record { entry: None, signature: None, ..record };
        assert_eq!(decoded(&plain, &plain.encode(None)).unwrap(), plain);
        assert!(plain.encode(None).len() < 300);
    }

    #[test]
    fn names_have_keys_of_their_own() {
        let key = |name: &str, platform: &str| {
            Key::new(&RefName::new(name).unwrap(), platform, DigestFunction::Sha256)
        };
        let one = key("a@1", "x");
        for (name, platform) in [("b@1", "x"), ("a@2", "x"), ("a@1", "y"), ("a/x@1", "")] {
            assert_ne!(one.digest, key(name, platform).digest);
        }
        let action = api::Action::decode(&*one.action).unwrap();
        let command = digest_of(action.command_digest.as_ref()).unwrap();
        assert_eq!(command, DigestFunction::Sha256.digest(&one.command));
        // Everybody who has pushed so far looks here.
        let expected = "cf1a56081c8fcb9c3593b06c2563d143a4d59d31d4fd49d63b8d4aa0e7fcd998";
        assert_eq!(one.digest.hex(), expected);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let record = record();
        let said = |change: &dyn Fn(&mut api::ActionResult)| {
            let mut result = api::ActionResult::decode(&*record.encode(None)).unwrap();
            change(&mut result);
            decoded(&record, &result.encode_to_vec()).unwrap_err().to_string()
        };
        assert!(said(&|result| result.output_directories.clear()).contains("it has 0 trees"));
        assert!(said(&|result| result.execution_metadata = None).contains("it is not of a bundle"));
        let unrooted = said(&|result| result.output_directories[0].root_directory_digest = None);
        assert!(unrooted.contains("of the root's digest"), "{unrooted}");
        let with = |text: &str| {
            said(&|result| {
                let metadata = &mut result.execution_metadata.as_mut().unwrap().auxiliary_metadata;
                metadata[0].value = text.to_owned().encode_to_vec();
            })
        };
        assert!(with(r#"{"caf":2}"#).contains("it is of version 2"));
        let outside = r#"{"caf":1,"entry":"{\"kind\":\"program\",\"start\":\"../x\"}"}"#;
        assert!(with(outside).contains("leads out of the bundle"));
        assert!(with(r#"{"caf":1,"signature":{"key":"x","bytes":"y"}}"#).contains("its signature"));
        assert!(decoded(&record, b"\xff").is_err());
        assert!(decoded(&record, &vec![0; MAX_BYTES + 1]).is_err());
    }

    #[test]
    fn a_tree_has_each_directory_once_and_parents_first() {
        let mut shelf = Shelf::default();
        // `x` is found at the root first, and is below `a/b`, too.
        let root = shelf.tree(&[("a/b/x/f", "1"), ("x/f", "1"), ("a/g", "2")]);
        let manifest = manifest(&shelf, root).unwrap();
        let bytes = tree(&manifest);
        let message = api::Tree::decode(&*bytes).unwrap();
        assert_eq!(message.encode_to_vec(), bytes);
        let digests: Vec<Digest> = message
            .root
            .iter()
            .chain(&message.children)
            .map(|directory| DigestFunction::Sha256.digest(&directory.encode_to_vec()))
            .collect();
        assert_eq!((digests[0], digests.len()), (root, 4));
        for (at, directory) in message.root.iter().chain(&message.children).enumerate() {
            for node in &directory.directories {
                let digest = digest_of(node.digest.as_ref()).unwrap();
                assert!(digests.iter().position(|known| *known == digest).unwrap() > at);
            }
        }
    }
}
