//! Tests of the client against our own server, with and without faults.

mod chunks;

use super::server::faults::{FOREVER, Trouble};
use super::server::{Faults, ServeOptions, Server, TlsIdentity};
use super::*;
use crate::cas::digest::{Digest, DigestFunction};
use crate::cas::store::{Durability, Store, Writer};
use crate::cas::testing::{Shelf, manifest};
use crate::cas::tree::{Limits, Manifest};
use prost::Message;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const NOW: u64 = 1_000_000;

/// Bytes of a content that goes as a stream.
const LARGE: usize = 3 << 20;

/// A server, a store to push from and one to pull into.
struct Bench {
    dir: tempfile::TempDir,
    server: Option<Server>,
    options: RemoteOptions,
    here: Store,
    there: Store,
}

impl Bench {
    fn new(change: impl FnOnce(&mut ServeOptions)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store =
            |name: &str| Store::open(&dir.path().join(name), DigestFunction::Sha256).unwrap();
        let (here, there) = (store("here"), store("there"));
        let options = RemoteOptions::new("");
        let mut bench = Self { server: None, options, here, there, dir };
        bench.options.patience = Patience {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(5),
            stall: Duration::from_secs(5),
            total: Duration::from_secs(20),
            attempts: 6,
            pause: Duration::from_millis(1),
        };
        bench.serve(change);
        bench
    }

    /// Starts the server, anew if it runs, over the same store.
    fn serve(&mut self, change: impl FnOnce(&mut ServeOptions)) {
        self.server = None;
        let mut options = ServeOptions::new(self.served(), ([127, 0, 0, 1], 0).into());
        options.durability = Durability::None;
        change(&mut options);
        let server = Server::start(options).unwrap();
        self.options.url = format!("grpc://{}", server.address());
        self.server = Some(server);
    }

    /// The server's store.
    fn served(&self) -> Store {
        Store::open(&self.dir.path().join("served"), DigestFunction::Sha256).unwrap()
    }

    fn connect(&self) -> Remote {
        Remote::connect(&self.options).unwrap()
    }

    fn known(&self) -> Known {
        Known::open(&self.here, "the server", "", NOW, USUAL_TTL)
    }

    fn push(&self, remote: &Remote, manifest: &Manifest) -> Result<Transfer> {
        remote.push(&self.here.lease().unwrap(), manifest, &self.known(), &Silent)
    }

    fn writer(&self) -> Writer {
        self.there.writer(Durability::Batch).unwrap()
    }

    fn pull(&self, remote: &Remote, root: Digest) -> Result<Transfer> {
        Ok(remote.pull(root, &self.writer(), &Limits::default(), &Silent)?.1)
    }

    /// Whether all of a tree is in the store that it is pulled into, byte for byte.
    fn is_there(&self, manifest: &Manifest) -> bool {
        let contents = manifest.contents().into_iter().map(|(digest, _)| digest);
        let mut all = contents.chain(manifest.directories().map(|(digest, _)| digest));
        all.all(|digest| self.there.read(&digest).unwrap().is_some())
    }

    /// A tree that is on the server: small files, and streams that compress and that don't.
    fn pushed(&self) -> Manifest {
        let manifest = pack_contents(&self.served());
        assert_eq!(manifest.contents().len(), 6);
        manifest
    }
}

/// Makes a tree in a store: two directories of files with these bytes.
fn pack(store: &Store, files: &[&[u8]]) -> Manifest {
    let writer = store.writer(Durability::None).unwrap();
    let mut shelf = Shelf::default();
    let names: Vec<String> = files
        .iter()
        .enumerate()
        .map(|(at, bytes)| {
            let stored = writer.put(bytes, false).unwrap();
            format!("d{}/{}-{at}", at % 2, stored.digest.hex())
        })
        .collect();
    let nodes = |side: usize| {
        let all = names.iter().zip(files).enumerate();
        let side = all.filter(|(at, _)| at % 2 == side).map(|(_, (name, bytes))| {
            crate::cas::tree::FileNode {
                name: crate::cas::tree::Name::new(&name[3..]).unwrap(),
                digest: DigestFunction::Sha256.digest(bytes),
                is_executable: false,
            }
        });
        crate::cas::tree::Directory::new(side.collect(), vec![], vec![]).unwrap()
    };
    let below = [0, 1].map(|side| crate::cas::tree::DirectoryNode {
        name: crate::cas::tree::Name::new(&format!("d{side}")).unwrap(),
        digest: shelf.put(nodes(side)),
    });
    let root = crate::cas::tree::Directory::new(vec![], below.to_vec(), vec![]).unwrap();
    let root = shelf.put(root);
    let manifest = manifest(&shelf, root).unwrap();
    for (_, directory) in manifest.directories() {
        writer.put(&directory.encode(), false).unwrap();
    }
    writer.commit().unwrap();
    manifest
}

/// Small files, and streams that compress and that don't; never the same twice.
fn pack_contents(store: &Store) -> Manifest {
    let text = |line: &str, count| format!("{line}, {:?}\n", noise(8)).repeat(count);
    let files = [
        text("one", 1).into_bytes(),
        text("two, a bit longer", 100).into_bytes(),
        noise(3000),
        Vec::new(),
        noise(LARGE),
        text("a large text, which gets smaller", 60_000).into_bytes(),
    ];
    pack(store, &files.each_ref().map(Vec::as_slice))
}

fn noise(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

fn words(error: &crate::error::Error) -> String {
    format!("{error} ({})", error.hint_text().unwrap_or(""))
}

#[test]
fn what_is_pushed_is_pulled() {
    for compress in [true, false] {
        let mut bench = Bench::new(|_| {});
        bench.options.compress = compress;
        let remote = bench.connect();
        assert!(remote.capabilities().zstd && remote.capabilities().zstd_batches);
        let manifest = pack_contents(&bench.here);
        let pushed = bench.push(&remote, &manifest).unwrap();
        assert_eq!((pushed.blobs, pushed.retried), (8, 0));
        assert!(pushed.bytes > manifest.totals().bytes);
        // The noise travels as it is, the text does not.
        let expected = if compress { 3 << 20..4 << 20 } else { 6 << 20..9 << 20 };
        assert!(expected.contains(&pushed.wire_bytes), "{pushed:?}");
        let pulled = bench.pull(&remote, manifest.root()).unwrap();
        assert_eq!((pulled.blobs, pulled.bytes), (8, pushed.bytes));
        assert!(expected.contains(&pulled.wire_bytes), "{pulled:?}");
        assert!(bench.is_there(&manifest));
        assert_eq!(remote.missing(&[manifest.root(), Digest::new([7; 32], 7)]).unwrap().len(), 1);
    }
}

#[test]
fn passing_trouble_is_sat_out() {
    let later = Trouble::Unavailable { retry_after: Duration::from_millis(20) };
    let slow = Trouble::Stall(Duration::from_mins(1));
    let mut bench = Bench::new(|_| {});
    for trouble in
        [Trouble::Corrupt, Trouble::Truncate, Trouble::Exhausted, Trouble::DiskFull, later, slow]
    {
        let faults = Faults::seeded(1).with(trouble.clone(), 1000, 1);
        bench.serve(|options| options.faults = faults.clone());
        if matches!(trouble, Trouble::Stall(_)) {
            bench.options.patience.call = Duration::from_millis(300);
            bench.options.patience.stall = Duration::from_millis(300);
            bench.options.patience.attempts = 8;
        }
        let remote = bench.connect();
        if trouble != Trouble::Corrupt && trouble != Trouble::Truncate {
            let manifest = pack_contents(&bench.here);
            let pushed = bench.push(&remote, &manifest);
            let pushed = pushed.unwrap_or_else(|error| panic!("{trouble:?}: {}", words(&error)));
            assert!(pushed.retried > 0 && pushed.blobs == 8, "{trouble:?}: {pushed:?}");
        }
        let manifest = bench.pushed();
        let pulled = bench.pull(&remote, manifest.root());
        let pulled = pulled.unwrap_or_else(|error| panic!("{trouble:?}: {}", words(&error)));
        assert!(pulled.retried > 0 || trouble == Trouble::DiskFull, "{trouble:?}: {pulled:?}");
        assert!(bench.is_there(&manifest) && faults.count() > 0, "{trouble:?}");
    }
}

#[test]
fn lasting_trouble_ends_in_words_and_leaves_nothing_behind() {
    let later = Trouble::Unavailable { retry_after: Duration::from_hours(1) };
    let soon = Trouble::Unavailable { retry_after: Duration::ZERO };
    let slow = Trouble::Stall(Duration::from_mins(1));
    let mut bench = Bench::new(|_| {});
    let manifest = bench.pushed();
    // The noise goes as a stream, which the server breaks off.
    let is_large = |(digest, _): &(Digest, bool)| digest.size() == LARGE as u64;
    let large = manifest.contents().into_iter().find(is_large).unwrap();
    bench.options.patience.stall = Duration::from_millis(100);
    for (trouble, expected) in [
        (Trouble::Lose, "the server has lost"),
        (Trouble::Corrupt, "came with other bytes"),
        (Trouble::Truncate, "broke off after"),
        (Trouble::Exhausted, "no room or no time"),
        (later, "come back later"),
        (soon, "come back later"),
        (slow, "no byte moved for"),
    ] {
        let faults = Faults::seeded(1).with(trouble.clone(), 1000, FOREVER);
        bench.serve(|options| options.faults = faults);
        let remote = bench.connect();
        let writer = bench.writer();
        let error = remote.fetch(&[large], &writer, &Silent).unwrap_err();
        assert!(words(&error).contains(expected), "{trouble:?}: {}", words(&error));
        assert!(error.hint_text().is_some(), "{trouble:?}");
        writer.commit().unwrap();
        assert!(!bench.there.contains(&large.0).unwrap());
        if !matches!(trouble, Trouble::Stall(_)) {
            let pulled = remote.pull(manifest.root(), &writer, &Limits::default(), &Silent);
            assert!(pulled.is_err());
        }
        assert!(!bench.there.contains(&manifest.root()).unwrap());
    }
    bench.serve(|_| {});
    bench.pull(&bench.connect(), manifest.root()).unwrap();
    assert!(bench.is_there(&manifest));
}

#[test]
fn a_push_to_a_server_that_dies_is_completed_by_the_next() {
    let mut bench = Bench::new(|_| {});
    bench.options.compress = false;
    for bytes in [100, 2 << 20, 4 << 20] {
        bench.serve(|options| options.faults = Faults::seeded(1).dying_after_bytes(bytes));
        let manifest = pack_contents(&bench.here);
        let remote = bench.connect();
        let error = bench.push(&remote, &manifest).unwrap_err();
        assert!(words(&error).contains("cannot push"), "{}", words(&error));
        bench.serve(|_| {});
        let remote = bench.connect();
        bench.push(&remote, &manifest).unwrap();
        bench.pull(&remote, manifest.root()).unwrap();
        assert!(bench.is_there(&manifest));
    }
}

#[test]
fn what_the_server_loses_behind_our_back_is_sent_again() {
    let mut bench = Bench::new(|_| {});
    let files: Vec<Vec<u8>> = (0..100u8).map(|n| vec![n; 10]).collect();
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let manifest = pack(&bench.here, &files);
    let result = api::ActionResult {
        output_directories: vec![api::OutputDirectory {
            path: "bundle".into(),
            root_directory_digest: Some(crate::cas::tree::message_of(&manifest.root())),
            ..Default::default()
        }],
        ..Default::default()
    };
    let result = result.encode_to_vec();
    let action = DigestFunction::Sha256.digest(b"an action");
    let record = Record { action, result: &result, contents: &[] };
    let publish = |bench: &Bench, remote: &Remote| {
        let lease = bench.here.lease().unwrap();
        remote.publish(&lease, &manifest, &bench.known(), &record, &Silent).unwrap()
    };
    let remote = bench.connect();
    assert_eq!(publish(&bench, &remote).blobs, 103);
    // Nothing is asked but a sample.
    let again = publish(&bench, &remote);
    assert_eq!((again.blobs, again.queried), (0, 1));
    let lost = DigestFunction::Sha256.digest(&[50; 10]);
    let path = format!("cas/sha256/{}/{}", &lost.hex()[..2], lost.hex());
    std::fs::remove_file(bench.served().root().join(path)).unwrap();
    let healed = publish(&bench, &remote);
    assert_eq!((healed.blobs, healed.queried), (1, 104));
    assert_eq!(publish(&bench, &remote).queried, 1);
    assert_eq!(remote.action_result(&action).unwrap(), Some(result.clone()));
    // A server that was emptied.
    bench.server = None;
    std::fs::remove_dir_all(bench.served().root()).unwrap();
    bench.serve(|_| {});
    let remote = bench.connect();
    assert_eq!(bench.push(&remote, &manifest).unwrap().blobs, 103);
}

#[test]
fn of_an_edit_only_what_is_new_is_asked_for() {
    let bench = Bench::new(|_| {});
    let mut files: Vec<Vec<u8>> = (0..100u8).map(|n| vec![n; 10]).collect();
    let pack = |files: &[Vec<u8>]| {
        pack(&bench.served(), &files.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    let old = pack(&files);
    files[50] = b"edited".to_vec();
    let new = pack(&files);
    let remote = bench.connect();
    let difference = |limits: &Limits| {
        let (base, root) = (old.root(), new.root());
        remote.pull_difference(base, root, &bench.writer(), limits, &Silent)
    };
    assert_eq!(difference(&Limits::default()).unwrap(), None, "the base is not there");
    assert!(!bench.there.contains(&new.root()).unwrap());
    bench.pull(&remote, old.root()).unwrap();
    // What is in both is not looked for.
    let unchanged = DigestFunction::Sha256.digest(&[7; 10]);
    let path = format!("cas/sha256/{}/{}", &unchanged.hex()[..2], unchanged.hex());
    std::fs::remove_file(bench.there.root().join(path)).unwrap();
    let few = Limits { bytes: 5, ..Limits::default() };
    assert_eq!(difference(&few).unwrap(), None, "the whole is refused with its reason");
    let transfer = difference(&Limits::default()).unwrap().unwrap();
    // The file, its directory and the root, each in one message.
    assert_eq!((transfer.blobs, transfer.requests), (3, 3));
    assert!(!bench.there.contains(&unchanged).unwrap());
    assert_eq!(difference(&Limits::default()).unwrap().unwrap().requests, 0);
    assert_eq!(bench.pull(&remote, new.root()).unwrap().blobs, 1);
    assert!(bench.is_there(&new));
}

#[test]
fn a_new_directory_is_fetched_once_and_held_to_the_limits() {
    use crate::cas::tree::{Directory, DirectoryNode, Name};
    let bench = Bench::new(|_| {});
    let remote = bench.connect();
    let old = pack(&bench.served(), &[b"1"]);
    bench.pull(&remote, old.root()).unwrap();
    let writer = bench.served().writer(Durability::None).unwrap();
    let mut digest = old.root();
    let mut deepened = |names: &[&str], count| {
        for _ in 0..count {
            let node = |name: &&str| DirectoryNode { name: Name::new(name).unwrap(), digest };
            let above = Directory::new(vec![], names.iter().map(node).collect(), vec![]).unwrap();
            digest = writer.put(&above.encode(), false).unwrap().digest;
        }
        writer.commit().unwrap();
        digest
    };
    let (deep, bomb) = (deepened(&["a"], 3), deepened(&["a", "b"], 40));
    let difference = |root| {
        let (base, writer) = (old.root(), bench.writer());
        remote.pull_difference(base, root, &writer, &Limits::default(), &Silent)
    };
    assert_eq!(difference(deep).unwrap().unwrap().blobs, 3);
    assert_eq!(difference(bomb).unwrap(), None);
    let error = bench.pull(&remote, bomb).unwrap_err().to_string();
    assert!(error.contains("more than 5000000 entries"), "{error}");
}

#[test]
fn a_server_that_fails_is_not_asked_for_the_whole() {
    let mut bench = Bench::new(|_| {});
    let old = pack(&bench.served(), &[b"1"]);
    let new = pack(&bench.served(), &[b"2"]);
    bench.pull(&bench.connect(), old.root()).unwrap();
    let difference = |bench: &Bench| {
        let (base, root) = (old.root(), new.root());
        let writer = bench.writer();
        bench.connect().pull_difference(base, root, &writer, &Limits::default(), &Silent)
    };
    for (trouble, is_error) in [(Trouble::Exhausted, true), (Trouble::Lose, false)] {
        let faults = Faults::seeded(1).with(trouble.clone(), 1000, FOREVER);
        bench.serve(|options| options.faults = faults);
        let outcome = difference(&bench);
        assert_eq!(outcome.is_err(), is_error, "{trouble:?}: {outcome:?}");
        assert!(is_error || outcome.unwrap().is_none());
    }
    bench.serve(|_| {});
    assert_eq!(difference(&bench).unwrap().unwrap().blobs, 3);
}

#[test]
fn a_damaged_content_of_ours_is_found_when_the_server_refuses_it() {
    let bench = Bench::new(|_| {});
    let large = noise(3 << 20);
    let manifest = pack(&bench.here, &[&large]);
    let digest = DigestFunction::Sha256.digest(&large);
    let path = format!("cas/sha256/{}/{}", &digest.hex()[..2], digest.hex());
    let path = bench.here.root().join(path);
    // Without a trace in the inode: a bad disk.
    let mut damaged = large.clone();
    damaged[7] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, &damaged).unwrap();
    let times = std::fs::FileTimes::new().set_modified(
        std::time::UNIX_EPOCH + Duration::from_secs(crate::cas::store::SENTINEL.unsigned_abs()),
    );
    std::fs::File::options().append(true).open(&path).unwrap().set_times(times).unwrap();
    let error = bench.push(&bench.connect(), &manifest).unwrap_err();
    assert!(words(&error).contains("nor whole in the store"), "{}", words(&error));
    assert!(!bench.here.contains(&digest).unwrap());
}

/// A helper whose first token is not taken any more.
#[derive(Default)]
struct Helper(AtomicUsize);

impl CredentialHelper for Helper {
    fn get(&self, _request: &str) -> Result<String> {
        let token = if self.0.fetch_add(1, Ordering::Relaxed) == 0 { "old" } else { "secret" };
        Ok(format!(r#"{{"headers":{{"Authorization":["Bearer {token}"]}}}}"#))
    }

    fn now(&self) -> i64 {
        0
    }
}

#[test]
fn who_may_not_is_told_so() {
    let mut bench = Bench::new(|options| options.token = Some("secret".into()));
    let fails = |bench: &Bench| words(&Remote::connect(&bench.options).err().unwrap());
    assert!(fails(&bench).contains("name a token"), "{}", fails(&bench));
    bench.options.token = Some(Token::Bearer("wrong".into()));
    assert!(fails(&bench).contains("may be of another server"), "{}", fails(&bench));
    bench.options.token = Some(Token::Bearer("secret".into()));
    bench.connect();
    let helper = Arc::new(Helper::default());
    bench.options.token = Some(Token::Helper(Arc::clone(&helper) as _));
    let remote = bench.connect();
    remote.missing(&[]).unwrap();
    assert_eq!(helper.0.load(Ordering::Relaxed), 2);
    bench.options.token = None;

    bench.serve(|options| options.is_read_only = true);
    let manifest = pack(&bench.here, &[b"1"]);
    let text = words(&bench.push(&bench.connect(), &manifest).unwrap_err());
    assert!(text.contains("read-only"), "{text}");

    bench.serve(|options| options.instance = "main".into());
    bench.options.instance = "other".into();
    assert!(fails(&bench).contains("instance name may be another"), "{}", fails(&bench));
    bench.options.instance = "main".into();
    let remote = bench.connect();
    bench.push(&remote, &manifest).unwrap();
    bench.pull(&remote, manifest.root()).unwrap();
}

#[test]
fn certificates_are_checked() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = own.cert.pem().into_bytes();
    let tls = TlsIdentity {
        certificate: certificate.clone(),
        key: own.signing_key.serialize_pem().into_bytes(),
    };
    let mut bench = Bench::new(|options| options.tls = Some(tls));
    let port = bench.server.as_ref().unwrap().address().port();
    // A side that hangs up early may do so before the other has read why.
    let check = |bench: &Bench, wanted: &str| {
        let fails = || words(&Remote::connect(&bench.options).err().unwrap());
        let said = (0..20).map(|_| fails()).find(|said| said.contains(wanted));
        assert!(said.is_some(), "not {wanted}: {}", fails());
    };
    bench.options.url = format!("grpcs://localhost:{port}");
    bench.options.tls.ca_certificate = Some(certificate);
    let remote = bench.connect();
    let manifest = pack(&bench.here, &[b"1"]);
    bench.push(&remote, &manifest).unwrap();
    bench.options.url = format!("grpcs://127.0.0.1:{port}");
    check(&bench, "for another host");
    bench.options.url = format!("grpc://localhost:{port}");
    check(&bench, "grpcs://");
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    bench.options.tls.ca_certificate = Some(other.cert.pem().into_bytes());
    bench.options.url = format!("grpcs://localhost:{port}");
    check(&bench, "not trusted");
    // And the other way round: a server without TLS.
    bench.serve(|_| {});
    bench.options.url = bench.options.url.replace("grpc:", "grpcs:");
    check(&bench, "grpc:// instead");
}
