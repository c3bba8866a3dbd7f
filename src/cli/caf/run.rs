//! `caf run`: materializes a bundle beside the store and becomes its program. Writes the store and the trees beside it.

use super::args::Run;
use super::place::Depot;
use super::pull::{fetch, options};
use crate::bundle::record::Record;
use crate::cas::store::{RefName, Store, failed};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::error::{Error, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) fn run(args: &Run, depot: &Depot<'_>, context: &Context<'_>) -> Result<Exit> {
    let name = RefName::new(&args.name)?;
    let store = depot.store()?;
    let trees = trees(&store);
    let place = |record: &Record| trees.join(&record.root.hex()[..32]);
    let base = |record: &Record| Some(place(record));
    let mut fetched = fetch(&name, &args.demands, depot, &store, base, context)?;
    let entry = fetched.record.entry.clone().ok_or_else(|| {
        Error::new("the bundle does not say what it starts")
            .at(name.to_string())
            .hint("push it with `--entry`, or pull it into a directory")
    })?;
    fs::create_dir_all(&trees).map_err(|error| failed("make", &trees, error))?;
    let tree = place(&fetched.record);
    let used = hold(&lock_of(&tree))?;
    fetched.place(&tree, &options(&args.demands, depot), context)?;
    let words = entry.command(&tree, &args.python);
    drop(fetched);
    let Some((program, rest)) = words.split_first() else {
        return Err(Error::new("the bundle starts nothing").at(name.to_string()));
    };
    let error = Command::new(program).args(rest).args(&args.arguments).exec();
    drop(used);
    Err(failed("run", Path::new(program), error))
}

/// Where the trees of a store's bundles are: beside it, so that they can share its inodes.
pub(super) fn trees(store: &Store) -> PathBuf {
    let mut path = store.root().as_os_str().to_owned();
    path.push(".run");
    path.into()
}

fn lock_of(tree: &Path) -> PathBuf {
    tree.with_extension("lock")
}

/// Says that a tree is used. The lock goes with the last process that has it, and so is handed on to the program.
fn hold(path: &Path) -> Result<OwnedFd> {
    let fail = |error: rustix::io::Errno| failed("lock", path, error);
    let flags = OFlags::RDWR | OFlags::CREATE;
    let file = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).map_err(fail)?;
    flock(&file, FlockOperation::LockShared).map_err(fail)?;
    // When it was last used.
    let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW as _ };
    let times = rustix::fs::Timestamps { last_access: now, last_modification: now };
    rustix::fs::futimens(&file, &times).map_err(fail)?;
    Ok(file)
}

/// Removes the trees that no process uses and that nobody started for so many seconds; how many.
pub(super) fn remove_unused(
    store: &Store,
    seconds: i64,
    now: i64,
    is_dry_run: bool,
) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let trees = trees(store);
    let entries = match fs::read_dir(&trees) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(|error| failed("list", &trees, error))?,
    };
    let mut removed = 0;
    for entry in entries.flatten() {
        let tree = entry.path();
        let lock = fs::File::open(lock_of(&tree));
        let (true, Ok(lock)) = (tree.is_dir(), lock) else { continue };
        let used = lock.metadata().map_or(now, |metadata| metadata.mtime());
        if used > now - seconds || flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        if !is_dry_run {
            fs::remove_dir_all(&tree).map_err(|error| failed("remove", &tree, error))?;
        }
        removed += 1;
    }
    Ok(removed)
}
