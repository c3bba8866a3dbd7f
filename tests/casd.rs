//! Against a server that others wrote: buildbox-casd, which `SECATEUR_CASD` names; `just casd-test` fetches it. Without it
//! there is nothing to compare with.

use secateur::cas::digest::{Digest, DigestFunction};
use secateur::cas::remote::{Known, Patience, Record, Remote, RemoteOptions, USUAL_TTL};
use secateur::cas::store::{Durability, Store};
use secateur::cas::tree::{Directory, DirectoryNode, FileNode, Limits, Manifest, Name};
use secateur::progress::Silent;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server of its own for each test.
struct Casd {
    process: Child,
    dir: tempfile::TempDir,
    options: RemoteOptions,
}

impl Drop for Casd {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Casd {
    fn start() -> Option<Self> {
        let program = std::env::var_os("SECATEUR_CASD")?;
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["--bind", &format!("127.0.0.1:{port}"), "--log-level", "error"])
            .arg(dir.path().join("server"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut options = RemoteOptions::new(format!("grpc://127.0.0.1:{port}"));
        options.patience.pause = Duration::from_millis(20);
        Some(Self { process, dir, options })
    }

    fn connect(&self) -> Remote {
        Remote::connect(&self.options).unwrap()
    }

    fn store(&self, name: &str) -> Store {
        Store::open(&self.dir.path().join(name), DigestFunction::Sha256).unwrap()
    }

    fn known(&self, store: &Store) -> Known {
        Known::open(store, &self.options.url, "", 1_000_000, USUAL_TTL)
    }

    /// The server's file of a content.
    fn file(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let objects = self.dir.path().join("server/cas/objects");
        let path = objects.join(&hex[..2]).join(&hex[2..]);
        if path.exists() {
            path
        } else {
            PathBuf::from(format!("{}_{}", path.display(), digest.size()))
        }
    }
}

/// Paths with their contents; those that end in `!` are executable.
type Files = BTreeMap<String, Vec<u8>>;

fn files(files: &[(&str, &[u8])]) -> Files {
    files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}

fn pack(store: &Store, files: &Files) -> Manifest {
    let writer = store.writer(Durability::None).unwrap();
    let put = |bytes: &[u8], is_executable| writer.put(bytes, is_executable).unwrap().digest;
    let all: Vec<(&str, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let root = pack_below(&all, &put);
    writer.commit().unwrap();
    Manifest::load(store, root, &Limits::default()).unwrap()
}

fn pack_below(files: &[(&str, &[u8])], put: &dyn Fn(&[u8], bool) -> Digest) -> Digest {
    let mut here = Vec::new();
    let mut below: BTreeMap<&str, Vec<(&str, &[u8])>> = BTreeMap::new();
    for (path, bytes) in files {
        match path.split_once('/') {
            Some((dir, rest)) => below.entry(dir).or_default().push((rest, bytes)),
            None => {
                let is_executable = path.ends_with('!');
                let digest = put(bytes, is_executable);
                here.push(FileNode { name: Name::new(path).unwrap(), digest, is_executable });
            }
        }
    }
    let below = below.into_iter().map(|(name, files)| {
        let digest = pack_below(&files, put);
        DirectoryNode { name: Name::new(name).unwrap(), digest }
    });
    let below = below.collect();
    put(&Directory::new(here, below, Vec::new()).unwrap().encode(), false)
}

/// Bytes that look like nothing and don't compress.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    });
    next.take(size).collect()
}

fn check(store: &Store, manifest: &Manifest, files: &Files) {
    let all: BTreeMap<String, _> = manifest.entries().into_iter().collect();
    let is_file = |entry: &&_| matches!(entry, secateur::cas::tree::Entry::File { .. });
    assert_eq!(all.values().filter(is_file).count(), files.len());
    for (path, bytes) in files {
        let secateur::cas::tree::Entry::File { digest, is_executable } = all[path] else {
            panic!()
        };
        assert_eq!(is_executable, path.ends_with('!'));
        assert!(store.read(&digest).unwrap().unwrap() == *bytes, "{path}");
    }
}

/// An action result whose output directory is the tree, as servers that check completeness know it.
fn publish(remote: &Remote, store: &Store, manifest: &Manifest, known: &Known) -> (Digest, u64) {
    use bazel_remote_apis::build::bazel::remote::execution::v2 as api;
    use prost::Message;
    let message = |digest: Digest| {
        let size_bytes = i64::try_from(digest.size()).unwrap();
        Some(api::Digest { hash: digest.hex(), size_bytes })
    };
    let decode = |directory: &Directory| api::Directory::decode(&*directory.encode()).unwrap();
    let mut directories = manifest.directories().map(|(_, directory)| decode(directory));
    let tree = api::Tree { root: directories.next(), children: directories.collect() };
    let writer = store.writer(Durability::None).unwrap();
    let action = writer.put(b"an action", false).unwrap().digest;
    let tree = writer.put(&tree.encode_to_vec(), false).unwrap().digest;
    writer.commit().unwrap();
    let output = api::OutputDirectory {
        path: "bundle".into(),
        tree_digest: message(tree),
        root_directory_digest: message(manifest.root()),
        ..Default::default()
    };
    let result = api::ActionResult { output_directories: vec![output], ..Default::default() };
    let result = result.encode_to_vec();
    let record = Record { action, result: &result, contents: &[action, tree] };
    let lease = store.lease().unwrap();
    let transfer = remote.publish(&lease, manifest, known, &record, &Silent).unwrap();
    assert_eq!(remote.action_result(&action).unwrap().unwrap(), result);
    (action, transfer.blobs)
}

#[test]
fn a_tree_goes_to_casd_and_comes_back() {
    let Some(casd) = Casd::start() else { return };
    let files = files(&[
        ("empty", b""),
        ("bin/run!", b"#!/bin/sh\n"),
        ("bin/same", b"#!/bin/sh\n"),
        ("lib/a.py", b"print(1)\n"),
        ("lib/deep/er/b.py", b"print(2)\n"),
        ("lib/large.so!", &noise(1, 5 << 20)),
        ("lib/text", &b"compresses well\n".repeat(1 << 18)),
        // Just above and below what goes in one message, and a stream of whole pieces.
        ("sizes/a", &noise(2, (1 << 20) - 128)),
        ("sizes/b", &noise(3, (1 << 20) - 127)),
        ("sizes/c", &noise(4, 1 << 20)),
    ]);
    let (remote, here, there) = (casd.connect(), casd.store("here"), casd.store("there"));
    let manifest = pack(&here, &files);
    let lease = here.lease().unwrap();
    let known = casd.known(&here);
    let pushed = remote.push(&lease, &manifest, &known, &Silent).unwrap();
    assert_eq!((pushed.blobs, pushed.queried, pushed.retried), (14, 14, 0));
    let again = remote.push(&lease, &manifest, &casd.known(&here), &Silent).unwrap();
    assert_eq!((again.blobs, again.queried, again.requests), (0, 1, 1));

    let writer = there.writer(Durability::Batch).unwrap();
    let limits = Limits::default();
    let (pulled, transfer) = remote.pull(manifest.root(), &writer, &limits, &Silent).unwrap();
    assert_eq!((transfer.blobs, transfer.bytes), (14, pushed.bytes));
    check(&there, &pulled, &files);
    // Both twins, since one content is executable here and not there.
    let twin = |dir: &str| {
        let hex = DigestFunction::Sha256.digest(b"#!/bin/sh\n").hex();
        let path = there.root().join(dir).join("sha256").join(&hex[..2]).join(hex);
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((twin("cas"), twin("cas-x")), (0o444, 0o555));
    let (_, transfer) = remote.pull(manifest.root(), &writer, &limits, &Silent).unwrap();
    assert_eq!((transfer.blobs, transfer.requests), (0, 0));

    let (action, _) = publish(&remote, &here, &manifest, &known);
    assert!(remote.action_result(&action).unwrap().is_some());
    assert_eq!(remote.action_result(&manifest.root()).unwrap(), None);
}

#[test]
fn a_large_tree_with_one_change_is_pushed_by_a_handful_of_blobs() {
    let Some(casd) = Casd::start() else { return };
    // Above what goes in one question; `SECATEUR_CASD_FILES` asks for more.
    let count = std::env::var("SECATEUR_CASD_FILES").map_or(12_000, |it| it.parse().unwrap());
    let mut files: Files = (0..count)
        .map(|n| {
            let path = format!("p{}/q{}/f{n}", n % 10, n % 500);
            (path, format!("# file {n}\n").into_bytes())
        })
        .collect();
    let (remote, here, there) = (casd.connect(), casd.store("here"), casd.store("there"));
    let lease = here.lease().unwrap();
    let old = pack(&here, &files);
    let pushed = remote.push(&lease, &old, &casd.known(&here), &Silent).unwrap();
    assert!(pushed.queried > count && pushed.blobs == pushed.queried, "{pushed:?}");
    let writer = there.writer(Durability::None).unwrap();
    remote.pull(old.root(), &writer, &Limits::default(), &Silent).unwrap();

    let path = files.keys().nth(7_000).unwrap().clone();
    files.insert(path, b"changed".to_vec());
    let new = pack(&here, &files);
    let pushed = remote.push(&lease, &new, &casd.known(&here), &Silent).unwrap();
    // A file, the directories above it, and a few for a sample.
    assert_eq!((pushed.blobs, pushed.queried), (4, 8), "{pushed:?}");
    let (pulled, transfer) = remote.pull(new.root(), &writer, &Limits::default(), &Silent).unwrap();
    assert_eq!(transfer.blobs, 4);
    check(&there, &pulled, &files);
}

#[test]
fn what_casd_loses_is_sent_again() {
    let Some(casd) = Casd::start() else { return };
    let tree = files(&[("a/x", b"1"), ("a/y", b"22"), ("b/z", b"333"), ("c/w", b"4444")]);
    let (remote, here) = (casd.connect(), casd.store("here"));
    let manifest = pack(&here, &tree);
    publish(&remote, &here, &manifest, &casd.known(&here));
    let lose = |bytes: &[u8]| {
        let path = casd.file(&DigestFunction::Sha256.digest(bytes));
        fs::remove_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    };
    for (path, bytes) in &tree {
        lose(bytes);
        let there = casd.store(&path.replace('/', "-"));
        let writer = there.writer(Durability::Batch).unwrap();
        let error = remote.pull(manifest.root(), &writer, &Limits::default(), &Silent);
        let error = error.unwrap_err();
        assert!(error.to_string().contains("the server has lost"), "{error}");
        assert!(error.hint_text().unwrap().contains("push the bundle again"));
        // The file is believed to be there, and the server says by the result that it is not.
        let (_, sent) = publish(&remote, &here, &manifest, &casd.known(&here));
        assert_eq!(sent, 1, "{path}");
        remote.pull(manifest.root(), &writer, &Limits::default(), &Silent).unwrap();
    }
    // A server that was emptied is found out by a sample.
    for (_, directory) in manifest.directories() {
        lose(&directory.encode());
    }
    let lease = here.lease().unwrap();
    let sent = remote.push(&lease, &manifest, &casd.known(&here), &Silent).unwrap();
    assert_eq!(sent.blobs, 4);
}

#[test]
fn what_casd_damages_is_not_taken() {
    let Some(casd) = Casd::start() else { return };
    let large = noise(9, 3 << 20);
    let tree = files(&[("small", b"sound"), ("large", &large)]);
    let (here, there) = (casd.store("here"), casd.store("there"));
    let manifest = pack(&here, &tree);
    let mut options = casd.options.clone();
    options.patience = Patience { attempts: 3, ..options.patience };
    let remote = Remote::connect(&options).unwrap();
    let lease = here.lease().unwrap();
    remote.push(&lease, &manifest, &casd.known(&here), &Silent).unwrap();
    for bytes in [b"sound".as_slice(), &large] {
        let digest = DigestFunction::Sha256.digest(bytes);
        let path = casd.file(&digest);
        let mut damaged = bytes.to_vec();
        damaged[bytes.len() / 2] ^= 1;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&path, damaged).unwrap();
        let writer = there.writer(Durability::Batch).unwrap();
        let error = remote.fetch(&[(digest, false)], &writer, &Silent).unwrap_err().to_string();
        assert!(error.contains("came with other bytes"), "{error}");
        writer.commit().unwrap();
        assert!(!there.contains(&digest).unwrap());
        fs::write(&path, bytes).unwrap();
        remote.fetch(&[(digest, false)], &writer, &Silent).unwrap();
        writer.commit().unwrap();
        assert!(there.contains(&digest).unwrap());
    }
}

#[test]
fn casd_says_no_in_words() {
    let Some(mut casd) = Casd::start() else { return };
    let here = casd.store("here");
    let manifest = pack(&here, &files(&[("f", b"1")]));
    let remote = casd.connect();
    let fails = |change: &dyn Fn(&mut RemoteOptions)| {
        let mut options = casd.options.clone();
        options.patience.attempts = 2;
        change(&mut options);
        let error = Remote::connect(&options).err().unwrap();
        format!("{error} ({})", error.hint_text().unwrap_or(""))
    };
    let text = fails(&|options| options.instance = "other".into());
    assert!(text.contains("instance name may be another"), "{text}");
    let text = fails(&|options| options.function = DigestFunction::Blake3);
    assert!(text.contains("does not name contents by blake3"), "{text}");
    let text = fails(&|options| options.url = options.url.replace("grpc:", "grpcs:"));
    assert!(text.contains("grpc:// instead of grpcs://"), "{text}");
    casd.process.kill().unwrap();
    casd.process.wait().unwrap();
    let text = fails(&|_| {});
    assert!(text.contains("cannot be reached") && text.contains("refused"), "{text}");
    let lease = here.lease().unwrap();
    assert!(remote.push(&lease, &manifest, &Known::nothing(0), &Silent).is_err());
}
