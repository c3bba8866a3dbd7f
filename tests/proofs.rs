//! Every dependency literal of a tree, removed alone: what is proven is right, and what is not says why.
//!
//! `PROOF_TREE` names a tree to take instead of the sample; `PROOF_CHECK` makes every n-th proof be compared with a whole
//! evaluation of the changed tree.

use crate::support::repository;
use secateur::buck::{Evaluator, LiteralId};
use secateur::edits::{Contents, Prover};
use secateur::finding::{Change, Removal};
use secateur::graph::{self, Graph};
use secateur::progress::Silent;
use secateur::workspace::{Environment, Overrides, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// An edge as the export has it.
type Edge = (String, String, String);

pub fn open(root: &Path) -> Workspace {
    let environment = Environment { current_dir: root.to_owned(), ..Environment::default() };
    Workspace::open(root, &environment, &Overrides::default()).unwrap()
}

fn edges(graph: &Graph) -> BTreeSet<Edge> {
    let mut edges = BTreeSet::new();
    graph.export_targets(&mut |target| {
        let label = target["label"].as_str().unwrap();
        edges.insert((label.to_owned(), target["kind"].to_string(), target["srcs"].to_string()));
        for dep in target["deps"].as_array().unwrap() {
            let text = |key: &str| dep[key].as_str().unwrap().to_owned();
            edges.insert((label.to_owned(), text("label"), text("attr")));
        }
    });
    edges
}

/// The dependencies that each literal makes.
fn literals(graph: &Graph) -> BTreeMap<LiteralId, Vec<Removal>> {
    let mut literals: BTreeMap<LiteralId, Vec<Removal>> = BTreeMap::new();
    for target in graph.evaluation.packages.iter().flat_map(|package| &package.targets) {
        for dep in &target.deps {
            let Some(literal) = dep.literal else { continue };
            literals.entry(literal).or_default().push(Removal {
                from: target.label.clone(),
                to: dep.to.clone(),
                attr: dep.attr.clone(),
                literal: Some(literal),
            });
        }
    }
    literals
}

/// The tree with the contents, evaluated as a whole, lacks exactly the edges of the literal.
fn check_whole(workspace: &Workspace, before: &Graph, contents: &Contents, removals: &[Removal]) {
    let changed = workspace.with_contents(contents);
    let after = edges(&graph::build(&changed, &Silent).unwrap());
    let before_edges = edges(before);
    let others = |removal: &Removal| {
        let target = before.evaluation.packages.iter().flat_map(|p| &p.targets);
        let mut deps = target.filter(|t| t.label == removal.from).flat_map(|t| &t.deps);
        deps.any(|d| d.to == removal.to && d.attr == removal.attr && d.literal != removal.literal)
    };
    let gone = removals.iter().filter(|removal| !others(removal));
    let gone: BTreeSet<Edge> = gone
        .map(|removal| (removal.from.to_string(), removal.to.to_string(), removal.attr.to_string()))
        .collect();
    let expected: BTreeSet<Edge> = before_edges.difference(&gone).cloned().collect();
    let difference: Vec<_> = expected.symmetric_difference(&after).collect();
    assert!(difference.is_empty(), "{removals:?}: {difference:?}");
}

#[test]
fn every_literal_can_be_removed_or_says_why_not() {
    let tree = std::env::var_os("PROOF_TREE").map(PathBuf::from);
    let every = std::env::var("PROOF_CHECK").ok().and_then(|n| n.parse().ok()).unwrap_or(7);
    let root = tree.clone().unwrap_or_else(|| repository().join("sample-repos/ml-monorepo"));
    let workspace = open(&root);
    let cells = graph::configurations(&workspace).unwrap();
    let evaluators: Vec<Evaluator<'_>> =
        cells.iter().map(|cells| Evaluator::new(&workspace, cells, &Silent).unwrap()).collect();
    let graph = graph::build_with(&workspace, &evaluators, &Silent).unwrap();
    let prover = Prover::new(&workspace, &graph, &evaluators);
    let literals = literals(&graph);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let (mut single, mut proven) = (0, 0);
    for (at, (literal, removals)) in literals.iter().enumerate() {
        let changes: Vec<Change> = removals.iter().cloned().map(Change::RemoveDep).collect();
        let place = graph.evaluation.place(*literal);
        let is_single = graph.evaluation.literal(*literal).container.is_some();
        single += usize::from(is_single);
        match prover.propose(&changes) {
            Ok(contents) => {
                proven += usize::from(is_single);
                if at % every == 0 {
                    check_whole(&workspace, &graph, &contents, removals);
                }
            }
            Err(reason) => {
                if is_single && tree.is_some() {
                    let line =
                        graph.evaluation.file(&place.path).unwrap().lines().line(place.span.start);
                    println!("{}:{line} {reason}", place.path);
                }
                *reasons.entry(reason.split('`').next().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    println!(
        "{} literals, {single} in lists, {proven} of these proven; {reasons:#?}",
        literals.len()
    );
    assert!(proven * 100 >= single * 99, "{proven} of {single} proven: {reasons:#?}");
}
