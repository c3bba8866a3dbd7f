//! Any bytes are manifests, or none: what is taken becomes the tree that it says, and nothing beside it is touched.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur::cas::digest::{Digest, DigestFunction};
use secateur::cas::materialize::{Method, Options, materialize, update};
use secateur::cas::store::{Durability, Store};
use secateur::cas::tree::{LinkPolicy, Manifest};
use secateur::progress::Silent;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// So many inputs fill a store before it is thrown away.
const INPUTS: usize = 5000;

struct Bench {
    dir: TempDir,
    store: Store,
    inputs: usize,
}

static BENCH: Mutex<Option<Bench>> = Mutex::new(None);

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store =
            Store::open(&dir.path().join("store"), DigestFunction::Sha256).expect("a store");
        fs::create_dir(dir.path().join("outside")).expect("a directory");
        fs::write(dir.path().join("outside/file"), "precious").expect("a file");
        Self { dir, store, inputs: 0 }
    }

    fn dest(&self) -> PathBuf {
        self.dir.path().join("dest")
    }

    /// Nothing is left but what was there and the destination.
    fn check(&self) {
        let names = |path: &Path| -> Vec<_> {
            let names = fs::read_dir(path).expect("a directory");
            names.map(|entry| entry.expect("an entry").file_name()).collect()
        };
        for name in names(self.dir.path()) {
            assert!(["store", "outside", "dest"].iter().any(|known| name == *known), "{name:?}");
        }
        assert_eq!(names(&self.dir.path().join("outside")), ["file"]);
        let file = fs::read(self.dir.path().join("outside/file")).expect("a file");
        assert_eq!(file, b"precious");
    }
}

/// Reads instructions.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().map_or((0, self.0), |(byte, rest)| (*byte, rest));
        self.0 = rest;
        byte
    }

    fn text(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte() % 24).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        text
    }
}

/// A field of a message that has a length.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![tag << 3 | 2];
    let mut length = bytes.len();
    while length > 127 {
        field.push(length as u8 | 128);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend(bytes);
    field
}

fn digest_field(digest: &Digest, lie: u8) -> Vec<u8> {
    let mut message = field(1, digest.hex().as_bytes());
    message.extend([2 << 3, digest.size() as u8 & 127 ^ lie]);
    field(2, &message)
}

/// Writes the messages that the input asks for into the store; gives the last two.
fn write(store: &Store, mut input: Reader<'_>) -> Option<(Digest, Digest)> {
    let writer = store.writer(Durability::None).ok()?;
    let put = |bytes: &[u8], is_executable| writer.put(bytes, is_executable).ok();
    let files = [put(b"", false)?.digest, put(b"one", false)?.digest, put(b"two", true)?.digest];
    let mut roots: Vec<Digest> = Vec::new();
    let mut message = Vec::new();
    while !input.0.is_empty() {
        let order = input.byte();
        let lie = u8::from(order > 250);
        let named = field(1, input.text());
        match order % 6 {
            0 | 1 => {
                let digest = files[usize::from(input.byte()) % files.len()];
                let mut node = [named, digest_field(&digest, lie)].concat();
                if order % 6 == 1 {
                    node.extend([4 << 3, 1]);
                }
                message.extend(field(1, &node));
            }
            2 if !roots.is_empty() => {
                let digest = roots[usize::from(input.byte()) % roots.len()];
                message.extend(field(2, &[named, digest_field(&digest, lie)].concat()));
            }
            3 => message.extend(field(3, &[named, field(2, input.text())].concat())),
            4 => message.extend(input.text()),
            _ => roots.push(put(&std::mem::take(&mut message), false)?.digest),
        }
    }
    roots.push(put(&message, false)?.digest);
    writer.commit().ok()?;
    Some((*roots.first()?, *roots.last()?))
}

/// Entries below a directory; links are not followed.
fn count(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| {
            let is_dir = entry.file_type().expect("a kind").is_dir();
            1 + if is_dir { count(&entry.path()) } else { 0 }
        })
        .sum()
}

fuzz_target!(|bytes: &[u8]| {
    let mut bench = BENCH.lock().unwrap_or_else(PoisonError::into_inner);
    if bench.as_ref().is_none_or(|bench| bench.inputs > INPUTS) {
        *bench = Some(Bench::new());
    }
    let Some(bench) = bench.as_mut() else { return };
    bench.inputs += 1;
    let mut input = Reader(bytes);
    let how = input.byte();
    let mut options = Options::default();
    options.durability = Durability::None;
    options.check = how & 1 != 0;
    options.method = if how & 2 != 0 { Method::Copy } else { Method::Auto };
    if how & 4 != 0 {
        options.limits.links = LinkPolicy::Any;
    }
    options.limits.entries = 200;
    options.limits.bytes = 400;
    let Some((one, two)) = write(&bench.store, input) else { return };
    let lease = bench.store.lease().expect("a lease");
    for root in [one, two, one] {
        let load = || Manifest::load(&bench.store, root, &options.limits);
        let loaded = load();
        let made = if how & 8 != 0 {
            update(&lease, root, &bench.dest(), &options, &Silent)
        } else {
            load().and_then(|it| materialize(&lease, &it, &bench.dest(), &options, &Silent))
        };
        bench.check();
        match (made, loaded) {
            (Ok(_), Ok(manifest)) => {
                let totals = manifest.totals();
                let entries = totals.files + totals.directories + totals.links;
                assert_eq!(count(&bench.dest()), entries);
                // All is as it should be, to the byte.
                let mut again = options.clone();
                (again.check, again.verify) = (true, true);
                let found = update(&lease, root, &bench.dest(), &again, &Silent).expect("the same");
                assert_eq!(
                    (found.files, found.links, found.directories, found.removed),
                    (0, 0, 0, 0)
                );
            }
            (Ok(_), Err(error)) => panic!("taken although it is refused: {error}"),
            (Err(_), _) => {}
        }
    }
    let _ = fs::remove_dir_all(bench.dest());
});
