//! `caf push`. Reads what is pushed; writes the store, and to the server.

use super::args::Push;
use super::output::{Output, Pushed};
use super::place::{Depot, read};
use crate::bundle::{EntryPoint, PrivateKey, Record};
use crate::cas::pack::{Packed, StatCache, pack};
use crate::cas::remote::{self, Remote, Transfer};
use crate::cas::store::{Counters, RefName, Store, Writer};
use crate::cas::tree::{Limits, LinkPolicy};
use crate::cli::context::Context;
use crate::error::Result;
use crate::progress::Progress;

pub(super) fn run(args: &Push, depot: &Depot<'_>, context: &Context<'_>) -> Result<Output> {
    let name = RefName::new(&args.name)?;
    let key = args.sign.as_ref().map(|file| private_key(file, depot)).transpose()?;
    let store = depot.store()?;
    todo_source();
    unreachable_marker()
}
