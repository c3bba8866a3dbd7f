//! `caf diff`. Reads the store, and from the server what the store lacks.

use super::args::Diff;
use super::output::{ChangeOutput, Differences, Output};
use super::place::Depot;
use crate::cas::digest::Digest;
use crate::cas::remote::Remote;
use crate::cas::store::{RefName, Store};
use crate::cas::tree::{Change, Difference, Limits, LinkPolicy, Manifest, diff};
use crate::cli::context::Context;
use crate::error::Result;

pub(super) fn run(args: &Diff, depot: &Depot<'_>, context: &Context<'_>) -> Result<Output> {
    let store = depot.store()?;
    let remote = depot.remote()?;
    let old = root(&args.old, depot, &store, remote.as_ref())?;
    let new = root(&args.new, depot, &store, remote.as_ref())?;
    let limits = Limits { links: LinkPolicy::Any, ..Limits::default() };
    context.work(|progress| {
        if let Some(remote) = &remote {
            let writer = store.writer(depot.durability())?;
            remote.manifest(old, &writer, &limits, progress)?;
            remote.manifest(new, &writer, &limits, progress)?;
            writer.commit()?;
        }
        let changes = diff(&store, Some(old), Some(new), &limits)?;
        let (before, after) =
            (Manifest::load(&store, old, &limits)?, Manifest::load(&store, new, &limits)?);
        Ok(Output::Diff(differences(args, &changes, &before, &after)))
    })
}

/// The root that `NAME@REV` or `hash/size` means.
fn root(text: &str, depot: &Depot<'_>, store: &Store, remote: Option<&Remote>) -> Result<Digest> {
    if let Ok(digest) = text.parse() {
        return Ok(digest);
    }
    Ok(depot.resolve(&RefName::new(text)?, store, remote)?.root)
}

fn differences(
    args: &Diff,
    changes: &std::collections::BTreeMap<String, Difference>,
    before: &Manifest,
    after: &Manifest,
) -> Differences {
    let mut differences = Differences {
        old: args.old.clone(),
        new: args.new.clone(),
        changes: Vec::new(),
        added_files: 0,
        added_bytes: 0,
        removed_files: 0,
        removed_bytes: 0,
        shared_bytes: shared(before, after),
        new_bytes: after.totals().bytes,
    };
    for (path, difference) in changes {
        let (old, new) = (difference.before.as_ref(), difference.after.as_ref());
        if is_directory(old) && is_directory(new) {
            continue;
        }
        let (old_bytes, new_bytes) = (size(old), size(new));
        differences.removed_files += u64::from(old_bytes.is_some());
        differences.removed_bytes += old_bytes.unwrap_or(0);
        differences.added_files += u64::from(new_bytes.is_some());
        differences.added_bytes += new_bytes.unwrap_or(0);
        let change = match (old, new) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        let slash =
            if is_directory(new) || (new.is_none() && is_directory(old)) { "/" } else { "" };
        let path = format!("{path}{slash}");
        differences.changes.push(ChangeOutput { path, change, old_bytes, new_bytes });
    }
    differences
}

fn is_directory(change: Option<&Change>) -> bool {
    matches!(change, Some(Change::Directory(_)))
}

fn size(change: Option<&Change>) -> Option<u64> {
    match change {
        Some(Change::File { digest, .. }) => Some(digest.size()),
        _ => None,
    }
}

/// Bytes of the files of `after` whose contents `before` has, too, at whatever path.
fn shared(before: &Manifest, after: &Manifest) -> u64 {
    let contents = |manifest: &Manifest| manifest.contents().into_iter().map(|(digest, _)| digest);
    let old: rustc_hash::FxHashSet<Digest> = contents(before).collect();
    let entries = after.entries();
    let files = entries.iter().filter_map(|(_, entry)| match entry {
        crate::cas::tree::Entry::File { digest, .. } => Some(digest),
        _ => None,
    });
    files.filter(|digest| old.contains(digest)).map(Digest::size).sum()
}
