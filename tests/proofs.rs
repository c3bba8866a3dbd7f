//! Every dependency literal of a tree, removed alone: what is proven is right, and what is not says why.
//!
//! `PROOF_TREE` names a tree to take instead of the sample. `PROOF_STEP` takes every n-th literal only; `PROOF_CHECK` compares
//! every n-th of those with a whole evaluation of the changed tree.

use crate::support::{Project, repository};
use rayon::prelude::*;
use secateur::buck::LiteralId;
use secateur::edits::{Contents, Prover};
use secateur::finding::{Change, Removal};
use secateur::graph::{self, Graph};
use secateur::progress::Silent;
use secateur::workspace::{Environment, Overrides, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Build files recurse deeply.
const STACK_BYTES: usize = 64 << 20;

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

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// What came of one literal.
struct Outcome {
    /// Whether it stands in a list or a dictionary.
    is_single: bool,
    /// Why it must be removed by hand.
    refusal: Option<String>,
    /// How long the text and its proof took.
    took: Duration,
}

/// Removes every `step`-th literal of a tree, and compares every `check`-th of those proofs with a whole evaluation.
fn remove_each(root: &Path, step: usize, check: usize) -> (Vec<Outcome>, usize) {
    let workspace = open(root);
    let cells = graph::configurations(&workspace).unwrap();
    let (evaluators, graph) = graph::build_and_keep(&workspace, &cells, &Silent).unwrap();
    let prover = Prover::new(&workspace, &graph, &evaluators);
    let literals: Vec<_> = literals(&graph).into_iter().step_by(step).collect();
    let checked = AtomicUsize::new(0);
    let remove = |(at, (literal, removals)): (usize, &(LiteralId, Vec<Removal>))| {
        let changes: Vec<Change> = removals.iter().cloned().map(Change::RemoveDep).collect();
        let is_single = graph.evaluation.literal(*literal).container.is_some();
        let begin = Instant::now();
        let proposal = prover.propose(&changes);
        let took = begin.elapsed();
        if let Ok(contents) = &proposal
            && at % check == 0
        {
            check_whole(&workspace, &graph, contents, removals);
            checked.fetch_add(1, Ordering::Relaxed);
        }
        let place = graph.evaluation.place(*literal);
        let line = || graph.evaluation.file(&place.path).unwrap().lines().line(place.span.start);
        let refusal = proposal.err().map(|reason| format!("{}:{}: {reason}", place.path, line()));
        Outcome { is_single, refusal, took }
    };
    let outcomes = literals.par_iter().enumerate().map(remove).collect();
    (outcomes, checked.into_inner())
}

/// A refusal without the names in it.
fn class(refusal: &str) -> String {
    let reason = refusal.splitn(3, ':').last().unwrap();
    let reason = reason.split('`').step_by(2).collect::<Vec<_>>().join("…");
    let rest = reason.trim().strip_prefix('"').and_then(|reason| reason.split_once('"'));
    rest.map_or(reason.trim().to_owned(), |(_, rest)| format!("…{rest}"))
}

#[test]
fn every_literal_can_be_removed_or_says_why_not() {
    let tree = std::env::var_os("PROOF_TREE").map(PathBuf::from);
    let root = tree.clone().unwrap_or_else(|| repository().join("sample-repos/ml-monorepo"));
    let (step, check) = (number("PROOF_STEP", 1), number("PROOF_CHECK", 7));
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build().unwrap();
    let (outcomes, checked) = pool.install(|| remove_each(&root, step, check));
    let single = outcomes.iter().filter(|outcome| outcome.is_single);
    let proven = single.clone().filter(|outcome| outcome.refusal.is_none()).count();
    let single = single.count();
    let mut reasons: BTreeMap<(bool, String), usize> = BTreeMap::new();
    for outcome in &outcomes {
        if let Some(refusal) = &outcome.refusal {
            *reasons.entry((outcome.is_single, class(refusal))).or_default() += 1;
            if tree.is_some() {
                println!("{} {refusal}", if outcome.is_single { "in a list" } else { "elsewhere" });
            }
        }
    }
    let mut times: Vec<Duration> = outcomes.iter().map(|outcome| outcome.took).collect();
    times.sort();
    let total: Duration = times.iter().sum();
    println!(
        "{} literals, {single} in lists, {proven} of these proven; {checked} compared with a whole evaluation; \
         a proof takes {:?} at the median, {:?} at most, {:?} on average",
        outcomes.len(),
        times[times.len() / 2],
        times[times.len() - 1],
        total / u32::try_from(times.len()).unwrap(),
    );
    for ((is_single, class), count) in &reasons {
        println!("{count} {}: {class}", if *is_single { "in lists" } else { "elsewhere" });
    }
    assert!(proven * 100 >= single * 99, "{proven} of {single} proven: {reasons:#?}");
}

/// A macro puts its labels into lists, and joins them into the text of a command.
const JOINED: &str = r#"
//- defs.bzl
def library(name, deps = []):
    query = "$(query_outputs 'attrfilter(labels, x, deps(set({})))')"
    native.genrule(
        name = name + "_list",
        cmd = "tool " + query.format(" ".join(["\"{}\"".format(dep) for dep in deps])) + " --output $OUT",
        out = "list",
    )
    args = ["--dep=$(location {})".format(dep) for dep in deps]
    native.genrule(name = name + "_args", cmd = " ".join(args + ["--last"]), out = "args")
    native.python_library(name = name, deps = deps)
//- BUCK
load("//:defs.bzl", "library")
library(name = "two", deps = [":a", ":b"])
library(name = "one", deps = [
    ":a",
])
library(name = "tuple", deps = [d for d in (":a", ":b", "//:c")])
python_library(name = "a")
python_library(name = "b")
python_library(name = "c")
"#;

#[test]
fn labels_that_a_macro_joins_go_with_their_literal() {
    let project = Project::new(JOINED);
    let (outcomes, checked) = remove_each(&project.path(""), 1, 1);
    let refused: Vec<&String> = outcomes.iter().filter_map(|o| o.refusal.as_ref()).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!((outcomes.len(), checked), (6, 6));
}
