//! `caf push`. Reads what is pushed; writes the store, and to the server.

use super::args::Push;
use super::interpreter::Interpreter;
use super::output::{Output, Pushed};
use super::place::{Depot, read};
use super::target;
use crate::bundle::entry::{ENTRY_FILE, EntryPoint};
use crate::bundle::ignore::Ignore;
use crate::bundle::record::{Record, tree};
use crate::bundle::secrets::Guard;
use crate::bundle::sign::PrivateKey;
use crate::bundle::{prepare, pyc};
use crate::cas::pack::{OutsideLinks, Packed, SourceEntry, StatCache, pack, walk};
use crate::cas::remote::{self, Remote, Transfer};
use crate::cas::store::{Counters, RefName, Store, Writer, Written};
use crate::cas::tree::{Entry, Limits, LinkPolicy, Manifest};
use crate::cli::context::Context;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::source::ProjectPath;
use std::path::{Path, PathBuf};

pub(super) fn run(args: &Push, depot: &Depot<'_>, context: &Context<'_>) -> Result<Output> {
    let name = RefName::new(&args.name)?;
    let key = args.sign.as_deref().map(|file| private_key(file, depot)).transpose()?;
    let store = depot.store()?;
    let remote = depot.remote()?;
    let source = Source::new(args, depot, context)?;
    let writer = store.writer(depot.durability())?;
    let push = PushOf { args, depot, store: &store, writer: &writer };
    let packed = context.work(|progress| push.pack(source, progress))?;
    writer.commit()?;
    let mut record = Record {
        entry: push.entry(&packed.packed.manifest, packed.entry)?,
        root: packed.packed.manifest.root(),
        platform: depot.platform().to_owned(),
        function: depot.function(),
        signature: None,
        name,
    };
    if let Some(key) = &key {
        let entry = record.entry_text();
        record.signature = Some(key.sign(&record.statement(&entry)));
    }
    let written = push.keep(&record)?;
    let manifest = &packed.packed.manifest;
    let transfer = match &remote {
        Some(remote) => {
            let known = depot.known(&store, context);
            let sent = context
                .work(|progress| push.publish(&record, manifest, remote, &known, progress))?;
            known.save()?;
            Some(sent)
        }
        None => None,
    };
    let totals = manifest.totals();
    let files_read = packed.packed.files_read;
    store.count(&Counters { files_packed: totals.files, files_read, ..Counters::default() })?;
    Ok(Output::Push(Pushed {
        name: record.name.to_string(),
        root: record.root.to_string(),
        files: totals.files,
        bytes: totals.bytes,
        files_read,
        new_objects: written.count,
        new_bytes: written.bytes,
        left_out: packed.packed.left_out,
        signed_by: key.map(|key| key.public().id().to_string()),
        transfer: transfer.map(Into::into),
    }))
}

fn private_key(file: &Path, depot: &Depot<'_>) -> Result<PrivateKey> {
    let path = depot.path(file);
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    PrivateKey::from_pem(&text).map_err(|error| error.at(path.display().to_string()))
}

/// What is pushed.
enum Source {
    Directory(PathBuf),
    Target(target::LaidOut),
}

impl Source {
    /// A directory if there is one of that name; else a target if it can be a label.
    fn new(args: &Push, depot: &Depot<'_>, context: &Context<'_>) -> Result<Self> {
        let path = depot.path(Path::new(&args.source));
        if path.is_dir() {
            return Ok(Self::Directory(path));
        }
        if args.source.contains("//") || args.source.starts_with(':') {
            return target::lay_out(args, depot, context).map(Self::Target);
        }
        Err(Error::new("is neither a directory nor a target")
            .at(args.source.clone())
            .hint("name a directory, or a target such as //app:main"))
    }
}

/// One push.
struct PushOf<'a> {
    args: &'a Push,
    depot: &'a Depot<'a>,
    store: &'a Store,
    writer: &'a Writer,
}

struct PackedSource {
    packed: Packed,
    /// What a target starts.
    entry: Option<EntryPoint>,
}

impl PushOf<'_> {
    fn pack(&self, source: Source, progress: &dyn Progress) -> Result<PackedSource> {
        let (mut entries, name, entry) = match source {
            Source::Directory(path) => (self.list(&path, progress)?, path, None),
            Source::Target(laid_out) => (laid_out.entries, laid_out.name, laid_out.entry),
        };
        if let Some(python) = &self.args.python {
            let mut python = Interpreter(self.depot.program(python));
            let scratch = self.store.root().join("stat").join("pyc");
            pyc::compile(&mut entries, &mut python, &scratch)?;
        }
        let guard = Guard::new(&entries, &self.args.allow_secret)?;
        prepare(&mut entries, Some(&guard))?;
        let cache = StatCache::load(self.store, &name);
        let packed = pack(entries, self.writer, &cache, &self.limits(), progress)?;
        Ok(PackedSource { packed, entry })
    }

    fn list(&self, root: &Path, progress: &dyn Progress) -> Result<Vec<SourceEntry>> {
        progress.start("listing", None);
        let ignore = Ignore::new(root, &self.args.ignore)?;
        let entries = walk(root, self.args.links, &|path, is_dir| ignore.leaves_out(path, is_dir))?;
        ignore.finish()?;
        Ok(entries)
    }

    fn limits(&self) -> Limits {
        let links = if self.args.links == OutsideLinks::Keep {
            LinkPolicy::Any
        } else {
            LinkPolicy::Inside
        };
        Limits { links, ..Limits::default() }
    }

    /// What the command line says that the bundle starts, else the target, else a file in it.
    fn entry(
        &self,
        manifest: &Manifest,
        of_target: Option<EntryPoint>,
    ) -> Result<Option<EntryPoint>> {
        let files = |path: &str| executable(manifest, path);
        if let Some(text) = &self.args.entry {
            return EntryPoint::new(text, self.args.entry_python.as_deref(), &files).map(Some);
        }
        if of_target.is_some() {
            return Ok(of_target);
        }
        let file = match manifest.find(ENTRY_FILE) {
            Some(Entry::File { digest, .. }) => Some(digest),
            _ => None,
        };
        let text = file.map(|digest| self.store.read(&digest)).transpose()?.flatten();
        let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        EntryPoint::found(text.as_deref(), &files)
    }

    /// Makes everything visible in the store, its name last.
    fn keep(&self, record: &Record) -> Result<Written> {
        let key = record.key();
        self.writer.put(&key.action, false)?;
        self.writer.put(&key.command, false)?;
        let written = self.writer.commit()?;
        self.store.put_reference(&record.name, &record.encode(None))?;
        Ok(written)
    }

    /// Sends what the server lacks, and gives the tree its name there. Some servers know no roots, only flat trees; nothing
    /// tells them apart but their answer.
    fn publish(
        &self,
        record: &Record,
        manifest: &Manifest,
        remote: &Remote,
        known: &remote::Known,
        progress: &dyn Progress,
    ) -> Result<Transfer> {
        let key = record.key();
        let function = self.depot.function();
        let (action, command) = (key.digest, function.digest(&key.command));
        let publish = |result: &[u8], contents: &[crate::cas::digest::Digest]| {
            let record = remote::Record { action, result, contents };
            remote.publish(self.writer.lease(), manifest, known, &record, progress)
        };
        let result = record.encode(None);
        let refused = match publish(&result, &[action, command]) {
            Ok(sent) => return Ok(sent),
            Err(error) => error,
        };
        let flat = self.writer.put(&tree(manifest), false)?.digest;
        self.writer.commit()?;
        publish(&record.encode(Some(&flat)), &[action, command, flat]).map_err(|_| refused)
    }
}

/// Whether the file at a path can be executed; `None` if there is none.
fn executable(manifest: &Manifest, path: &str) -> Option<bool> {
    // Links to links to links are nobody's entry.
    let mut path = path.to_owned();
    for _ in 0..8 {
        match manifest.find(&path)? {
            Entry::File { is_executable, .. } => return Some(is_executable),
            Entry::Directory(_) => return None,
            Entry::Link(target) => {
                let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
                let target = ProjectPath::new(dir).join(target)?;
                path = target.to_string();
            }
        }
    }
    None
}
