//! `caf pull`, and what `run` shares with it. Writes the store and the directory that it is told to.

use super::args::{Demands, Pull};
use super::output::{Output, Pulled};
use super::place::Depot;
use crate::bundle::record::Record;
use crate::cas::materialize::{Options, Placed, placed_root, update};
use crate::cas::remote::{Remote, Transfer};
use crate::cas::store::{Counters, Lease, RefName, Store};
use crate::cas::tree::{Limits, LinkPolicy};
use crate::cli::context::Context;
use crate::error::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) fn run(args: &Pull, depot: &Depot<'_>, context: &Context<'_>) -> Result<Output> {
    let name = RefName::new(&args.name)?;
    let dest = depot.path(&args.dest);
    let store = depot.store()?;
    // Who wants everything to be looked at gets that.
    let base = |_: &Record| (!args.check).then(|| dest.clone());
    let mut fetched = fetch(&name, &args.demands, depot, &store, base, context)?;
    let options = Options { check: args.check, force: args.force, ..options(&args.demands, depot) };
    let placed = fetched.place(&dest, &options, context)?;
    let root = fetched.record.root.to_string();
    Ok(Output::Pull(Pulled {
        signed_by: fetched.signed_by,
        transfer: fetched.transfer.map(Into::into),
        ..Pulled::new(name.to_string(), root, dest.display().to_string(), &placed)
    }))
}

/// A bundle that is in the store, and stays there.
pub(super) struct Fetched {
    pub(super) record: Record,
    signed_by: Option<String>,
    transfer: Option<Transfer>,
    lease: Arc<Lease>,
    /// The server, if only what differs from the tree at the destination was looked for.
    partly_from: Option<Remote>,
}

/// Looks a bundle up, checks who signed it, and brings what the store lacks; of what is in the tree at `base` already, no
/// more than placing it turns out to need.
pub(super) fn fetch(
    name: &RefName,
    demands: &Demands,
    depot: &Depot<'_>,
    store: &Store,
    base: impl Fn(&Record) -> Option<PathBuf>,
    context: &Context<'_>,
) -> Result<Fetched> {
    let trusted = depot.trusted(&demands.require_signature)?;
    let remote = depot.remote()?;
    let record = depot.resolve(name, store, remote.as_ref())?;
    let signed_by = if demands.require_signature.is_empty() {
        None
    } else {
        let entry = record.entry_text();
        let key = trusted.verify(&record.statement(&entry), record.signature.as_ref())?;
        Some(key.to_string())
    };
    let Some(remote) = remote else {
        let lease = Arc::new(store.lease()?);
        return Ok(Fetched { record, signed_by, transfer: None, lease, partly_from: None });
    };
    let writer = store.writer(depot.durability())?;
    let (root, limits) = (record.root, limits(demands));
    let base = base(&record).filter(|_| !demands.verify);
    let base = base.map(|dest| placed_root(store, &dest, limits.links)).transpose()?.flatten();
    let difference = match base {
        Some(base) => context
            .work(|progress| remote.pull_difference(base, root, &writer, &limits, progress))?,
        None => None,
    };
    let (transfer, partly_from) = match difference {
        Some(transfer) => (transfer, Some(remote)),
        None => (context.work(|progress| remote.pull(root, &writer, &limits, progress))?.1, None),
    };
    // What is pulled stays until the quota needs its place; what was pushed here has a name.
    store.put_action_result(&record.key().digest, &record.encode(None))?;
    let lease = writer.shared_lease();
    Ok(Fetched { record, signed_by, transfer: Some(transfer), lease, partly_from })
}

impl Fetched {
    /// Makes `dest` the bundle's tree.
    pub(super) fn place(
        &mut self,
        dest: &Path,
        options: &Options,
        context: &Context<'_>,
    ) -> Result<Placed> {
        let placed = match self.update(dest, options, context) {
            // What was missing may be what was not looked for.
            Err(_) if self.complete(options, context)? => self.update(dest, options, context),
            placed => placed,
        }?;
        let fetched = self.transfer.map_or(0, |transfer| transfer.bytes);
        let more = Counters {
            bytes_pulled: placed.bytes.max(fetched),
            bytes_fetched: fetched,
            ..Counters::default()
        };
        self.lease.store().count(&more)?;
        Ok(placed)
    }

    fn update(&self, dest: &Path, options: &Options, context: &Context<'_>) -> Result<Placed> {
        let root = self.record.root;
        context.work(|progress| update(&self.lease, root, dest, options, progress))
    }

    /// Brings all that the store lacks, if only a part of the bundle was looked for; whether anything came.
    fn complete(&mut self, options: &Options, context: &Context<'_>) -> Result<bool> {
        let Some(remote) = self.partly_from.take() else { return Ok(false) };
        let writer = self.lease.store().writer(options.durability)?;
        let (root, limits) = (self.record.root, &options.limits);
        let (_, more) = context.work(|progress| remote.pull(root, &writer, limits, progress))?;
        self.lease = writer.shared_lease();
        self.transfer = Some(self.transfer.unwrap_or_default() + more);
        Ok(more.blobs > 0)
    }
}

fn limits(demands: &Demands) -> Limits {
    let links = if demands.allow_outside_links { LinkPolicy::Any } else { LinkPolicy::Inside };
    Limits { links, ..Limits::default() }
}

pub(super) fn options(demands: &Demands, depot: &Depot<'_>) -> Options {
    Options {
        method: demands.method,
        limits: limits(demands),
        durability: depot.durability(),
        verify: demands.verify,
        ..Options::default()
    }
}
