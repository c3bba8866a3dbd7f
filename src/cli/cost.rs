//! `secateur cost`: what dependencies cost, the dearest first.

use super::args::{Cost, CostFormat};
use super::context::Context;
use super::exit::Exit;
use super::history;
use crate::buck::Target;
use crate::checks::{self, Selection};
use crate::cost::{GraphChange, History, Ledger, Price, place_of, usage};
use crate::error::Result;
use crate::finding::{CheckId, Confidence};
use crate::graph::{self, Graph, TargetId};
use crate::label::Label;
use crate::progress::Progress;
use crate::report::{self, CostReport, CostRoot, CostRow};
use crate::workspace::{Pattern, Workspace};
use rayon::prelude::*;
use std::collections::BTreeMap;

pub(super) fn run(args: &Cost, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.open()?;
    let patterns = args.patterns.iter();
    let patterns = patterns.map(|text| Pattern::parse(text, &workspace.cells, &workspace.start));
    let patterns = patterns.collect::<Result<Vec<_>>>()?;
    let report = context.work(|progress| {
        let (graph, history) = rayon::join(
            || graph::build(&workspace, progress),
            || (args.commits > 0).then(|| history::read(&workspace.root, args.commits)),
        );
        let (history, no_history) = match history {
            None => (None, None),
            Some(Ok(history)) => (Some(history), None),
            Some(Err(reason)) => (None, Some(reason)),
        };
        let graph = graph?;
        let report = price(args, &patterns, &workspace, &graph, history.as_ref(), progress);
        Ok(CostReport { no_history, ..report })
    })?;
    let look = context.look();
    context.write(|out| match args.format {
        CostFormat::Text => report::cost(&report, look, out),
        CostFormat::Json => report::cost_json(&report, out),
    })?;
    Ok(Exit::Clean)
}

fn price(
    args: &Cost,
    patterns: &[Pattern],
    workspace: &Workspace,
    graph: &Graph,
    history: Option<&History>,
    progress: &dyn Progress,
) -> CostReport {
    let unused = unused_deps(workspace, graph, progress);
    progress.start("weigh dependencies", None);
    let ledger = Ledger::new(workspace, graph, history);
    let label = |id: TargetId| &graph.targets.node(id).label;
    let mut prices = ledger.prices();
    prices.retain(|price| {
        let from = label(price.from);
        let selected = patterns.iter().any(|pattern| pattern.matches_label(from));
        let to = label(price.to);
        let is_written =
            |target: &Target| !target.deps.iter().any(|dep| dep.to == *to && dep.is_own_of_rule());
        graph.definition(price.from).is_some_and(is_written) && (patterns.is_empty() || selected)
    });
    let dependencies = prices.len();
    prices.retain(|price| price.roots > 0);
    let holding = prices.len();
    prices.truncate(if args.top == 0 { usize::MAX } else { args.top });
    let rows = prices.par_iter().map(|price| {
        let ends = (label(price.from).clone(), label(price.to).clone());
        let confidence = unused.get(&ends).copied();
        row(&ledger, graph, price, confidence)
    });
    CostReport {
        schema_version: report::COST_SCHEMA_VERSION,
        roots: ledger.roots(),
        whole: ledger.whole(),
        commits: ledger.commits(),
        dependencies,
        holding,
        edges: rows.collect(),
        no_history: None,
    }
}

fn row(
    ledger: &Ledger<'_>,
    graph: &Graph,
    price: &Price,
    confidence: Option<Confidence>,
) -> CostRow {
    let (from, to) = (price.from, price.to);
    let (saving, roots) = ledger.saving_by_root(&GraphChange::of_edge(graph, from, to));
    let (path, line) = place_of(graph, from, to).unwrap_or_default();
    let by_root =
        roots.into_iter().map(|(root, saving)| CostRoot { root: root.to_string(), saving });
    CostRow {
        from: graph.targets.node(from).label.to_string(),
        to: graph.targets.node(to).label.to_string(),
        path,
        line,
        saving,
        retained: price.retained,
        usage: usage(graph, from, to),
        unused_dep: confidence.map(Confidence::as_str),
        by_root: by_root.collect(),
    }
}

/// The dependencies that nothing needs, both ends, with how sure it is.
fn unused_deps(
    workspace: &Workspace,
    graph: &Graph,
    progress: &dyn Progress,
) -> BTreeMap<(Label, Label), Confidence> {
    let selection = Selection { checks: vec![CheckId::UnusedDep], ..Selection::default() };
    let report = checks::run(workspace, graph, &selection, progress);
    let found = report.findings.into_iter();
    found.filter_map(|it| Some(((it.target?, it.dep?), it.confidence))).collect()
}
