//! A target of the project as what is pushed. Reads the project.

use super::args::Push;
use super::place::Depot;
use crate::bundle::entry::EntryPoint;
use crate::bundle::target::{self, Options};
use crate::cas::pack::SourceEntry;
use crate::cli::context::Context;
use crate::error::{Error, Result};
use crate::graph;
use std::path::PathBuf;

/// A target as a tree.
pub(super) struct LaidOut {
    pub(super) entries: Vec<SourceEntry>,
    /// What the tree is remembered by.
    pub(super) name: PathBuf,
    pub(super) entry: Option<EntryPoint>,
}

pub(super) fn lay_out(args: &Push, depot: &Depot<'_>, context: &Context<'_>) -> Result<LaidOut> {
    let workspace = context.open()?;
    let graph = context.work(|progress| graph::build(&workspace, progress))?;
    let [id] = graph.named(&workspace, &args.source)?[..] else {
        return Err(Error::new("names more than one target")
            .at(args.source.clone())
            .hint("name one, such as //app:main"));
    };
    let out = args.out.as_ref().map(|out| depot.path(out));
    let python = args.python.as_ref().and_then(|python| python.to_str());
    let options = Options { out: out.as_deref(), external: &args.external, python };
    let layout = target::lay_out(&graph, &workspace, id, &options)?;
    let label = graph.targets.node(id).label.to_string();
    Ok(LaidOut { entries: layout.entries, name: workspace.root.join(label), entry: layout.entry })
}
