//! `caf gc`, `caf verify` and `caf stat`. Reads and writes the store.

use super::args::Gc;
use super::output::{Collected, MissingOutput, Output, Stat, Verified};
use super::place::Depot;
use super::run::remove_unused;
use crate::bundle::record::Record;
use crate::cas::digest::Digest;
use crate::cas::remote::Remote;
use crate::cas::store::{CollectOptions, Store};
use crate::cas::tree::{Limits, LinkPolicy, Manifest};
use crate::cli::context::Context;
use crate::error::Result;
use rustc_hash::FxHashSet;

pub(super) fn collect(args: &Gc, depot: &Depot<'_>, context: &Context<'_>) -> Result<Output> {
    let store = depot.store()?;
    let now = context.started().cast_signed();
    let dropped_trees = remove_unused(&store, args.grace, now, args.dry_run)?;
    let options = CollectOptions { quota: args.quota, grace: args.grace, is_dry_run: args.dry_run };
    let collected = context.work(|progress| store.collect(&options, progress))?;
    Ok(Output::Gc(Collected {
        objects: collected.objects,
        bytes: collected.bytes,
        kept_objects: collected.kept_objects,
        kept_bytes: collected.kept_bytes,
        dropped_results: collected.dropped_results,
        dropped_trees,
        above_quota: collected.above_quota,
        dry_run: args.dry_run,
    }))
}

pub(super) fn verify(depot: &Depot<'_>, context: &Context<'_>) -> Result<Output> {
    let store = depot.store()?;
    let remote = depot.remote()?;
    let mut verified = context.work(|progress| store.verify(progress))?;
    let mut repaired = 0;
    if let Some(remote) = remote
        && !verified.missing.is_empty()
    {
        let wanted: Vec<Digest> = verified.missing.keys().copied().collect();
        for digest in repair(&remote, &store, &wanted, depot, context)? {
            verified.missing.remove(&digest);
            repaired += 1;
        }
    }
    let missing = verified.missing.into_iter();
    Ok(Output::Verify(Verified {
        objects: verified.objects,
        bytes: verified.bytes,
        damaged: verified.damaged,
        repaired,
        missing: missing
            .map(|(digest, needed_by)| MissingOutput { digest: digest.to_string(), needed_by })
            .collect(),
    }))
}

/// Fetches what the server has of the wanted contents; gives those.
fn repair(
    remote: &Remote,
    store: &Store,
    wanted: &[Digest],
    depot: &Depot<'_>,
    context: &Context<'_>,
) -> Result<Vec<Digest>> {
    let lost: FxHashSet<Digest> = remote.missing(wanted)?.into_iter().collect();
    let found: Vec<(Digest, bool)> = wanted
        .iter()
        .filter(|digest| !lost.contains(digest))
        .map(|digest| (*digest, false))
        .collect();
    let writer = store.writer(depot.durability())?;
    context.work(|progress| remote.fetch(&found, &writer, progress))?;
    writer.commit()?;
    Ok(found.into_iter().map(|(digest, _)| digest).collect())
}

pub(super) fn stat(depot: &Depot<'_>, context: &Context<'_>) -> Result<Output> {
    let store = depot.store()?;
    let usage = store.usage()?;
    let counters = store.counters()?;
    let limits = Limits { links: LinkPolicy::Any, ..Limits::default() };
    let names = store.references()?;
    let (bundle_bytes, unique) = context.work(|_| {
        let mut unique = FxHashSet::default();
        let mut bytes = 0;
        for name in &names {
            let record = store.peek_reference(name)?.unwrap_or_default();
            // `ls` says what is wrong with those that cannot be read.
            let Ok(record) = Record::decode(name, depot.platform(), depot.function(), &record)
            else {
                continue;
            };
            let Ok(manifest) = Manifest::load(&store, record.root, &limits) else { continue };
            bytes += manifest.totals().bytes;
            unique.extend(manifest.contents().into_iter().map(|(digest, _)| digest));
        }
        Ok((bytes, unique))
    })?;
    Ok(Output::Stat(Stat {
        store: store.root().display().to_string(),
        digest_function: store.function().name(),
        objects: usage.objects,
        bytes: usage.bytes,
        quarantined: usage.quarantined,
        bundles: names.len() as u64,
        action_results: usage.results,
        bundle_bytes,
        unique_bytes: unique.iter().map(Digest::size).sum(),
        files_packed: counters.files_packed,
        files_read: counters.files_read,
        bytes_pulled: counters.bytes_pulled,
        bytes_fetched: counters.bytes_fetched,
    }))
}
