//! `caf ls` and `caf rm`. Reads and writes the store's names.

use super::args::Rm;
use super::output::{Bundle, Output};
use super::place::Depot;
use crate::bundle::record::Record;
use crate::cas::store::{RefName, Store};
use crate::cas::tree::{Limits, LinkPolicy, Manifest};
use crate::error::Result;

pub(super) fn list(depot: &Depot<'_>) -> Result<Output> {
    let store = depot.store()?;
    let names = store.references()?;
    let bundles = names.iter().map(|name| {
        bundle(name, &store, depot).unwrap_or_else(|error| Bundle {
            name: name.to_string(),
            root: String::new(),
            files: 0,
            bytes: 0,
            entry: None,
            signed_by: None,
            problem: Some(error.to_string()),
        })
    });
    Ok(Output::Ls { bundles: bundles.collect() })
}

fn bundle(name: &RefName, store: &Store, depot: &Depot<'_>) -> Result<Bundle> {
    let bytes = store.peek_reference(name)?.unwrap_or_default();
    let record = Record::decode(name, depot.platform(), depot.function(), &bytes)?;
    let limits = Limits { links: LinkPolicy::Any, ..Limits::default() };
    let totals = Manifest::load(store, record.root, &limits)?.totals();
    Ok(Bundle {
        name: name.to_string(),
        root: record.root.to_string(),
        files: totals.files,
        bytes: totals.bytes,
        entry: record.entry.as_ref().map(ToString::to_string),
        signed_by: record.signature.as_ref().map(|signature| signature.key.to_string()),
        problem: None,
    })
}

pub(super) fn remove(args: &Rm, depot: &Depot<'_>) -> Result<Output> {
    let store = depot.store()?;
    let names: Vec<RefName> =
        args.names.iter().map(|name| RefName::new(name)).collect::<Result<_>>()?;
    let (mut removed, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        let list = if store.remove_reference(&name)? { &mut removed } else { &mut unknown };
        list.push(name.to_string());
    }
    Ok(Output::Rm { removed, unknown })
}
