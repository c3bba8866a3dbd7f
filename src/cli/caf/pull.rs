//! `caf pull`, and what `run` shares with it. Writes the store and the directory that it is told to.

use super::args::{Demands, Pull};
use super::output::{Output, Pulled};
use super::place::Depot;
use crate::bundle::record::Record;
use crate::cas::materialize::{Options, Placed, update};
use crate::cas::remote::Transfer;
use crate::cas::store::{Counters, Lease, RefName, Store};
use crate::cas::tree::{Limits, LinkPolicy};
use crate::cli::context::Context;
use crate::error::Result;
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(args: &Pull, depot: &Depot<'_>, context: &Context<'_>) -> Result<Output> {
    let name = RefName::new(&args.name)?;
    let dest = depot.path(&args.dest);
    let store = depot.store()?;
    let fetched = fetch(&name, &args.demands, depot, &store, context)?;
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
}

/// Looks a bundle up, checks who signed it, and brings what the store lacks.
pub(super) fn fetch(
    name: &RefName,
    demands: &Demands,
    depot: &Depot<'_>,
    store: &Store,
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
        return Ok(Fetched { record, signed_by, transfer: None, lease: Arc::new(store.lease()?) });
    };
    let writer = store.writer(depot.durability())?;
    let (_, transfer) =
        context.work(|progress| remote.pull(record.root, &writer, &limits(demands), progress))?;
    // What is pulled stays until the quota needs its place; what was pushed here has a name.
    store.put_action_result(&record.key().digest, &record.encode(None))?;
    Ok(Fetched { record, signed_by, transfer: Some(transfer), lease: writer.shared_lease() })
}

impl Fetched {
    /// Makes `dest` the bundle's tree.
    pub(super) fn place(
        &self,
        dest: &Path,
        options: &Options,
        context: &Context<'_>,
    ) -> Result<Placed> {
        let root = self.record.root;
        let placed = context.work(|progress| update(&self.lease, root, dest, options, progress))?;
        let fetched = self.transfer.map_or(0, |transfer| transfer.bytes);
        let more = Counters {
            bytes_pulled: placed.bytes.max(fetched),
            bytes_fetched: fetched,
            ..Counters::default()
        };
        self.lease.store().count(&more)?;
        Ok(placed)
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
