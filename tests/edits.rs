//! Random build files, random removals and additions: what comes out is what was meant, and what nobody touched is as it was.

use crate::proofs::open;
use crate::support::Project;
use proptest::prelude::*;
use proptest::sample::Index;
use secateur::edits::Prover;
use secateur::finding::{Addition, Change, Removal};
use secateur::graph::{self, Graph};
use secateur::progress::Silent;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Targets of the package, each of which may depend on those after it.
const TARGETS: usize = 6;

/// How a list of dependencies is written.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// `[":a", ":b"]`
    OneLine,
    /// One element a line.
    Lines,
    /// The first element behind the bracket.
    Hanging,
    /// Half of it behind a `+`.
    Sum,
    /// Half of it in a branch.
    Select,
    /// A constant above the call.
    Constant,
}

#[derive(Clone, Debug)]
struct Call {
    style: Style,
    deps: BTreeSet<usize>,
    comma: bool,
    comments: bool,
}

fn call(at: usize) -> impl Strategy<Value = Call> {
    let styles =
        [Style::OneLine, Style::Lines, Style::Hanging, Style::Sum, Style::Select, Style::Constant];
    let deps = prop::collection::btree_set(at + 1..=TARGETS, 0..=TARGETS - at);
    (prop::sample::select(styles.to_vec()), deps, any::<bool>(), any::<bool>())
        .prop_map(|(style, deps, comma, comments)| Call { style, deps, comma, comments })
}

fn list(deps: &[usize], call: &Call, lines: bool) -> String {
    let mut text = String::from("[");
    for (position, dep) in deps.iter().enumerate() {
        let last = position + 1 == deps.len();
        let comma = if last && !call.comma { "" } else { "," };
        let comment = if call.comments { format!("  # of t{dep}") } else { String::new() };
        if lines {
            write!(text, "\n        \":t{dep}\"{comma}{comment}").unwrap();
        } else {
            write!(text, "\":t{dep}\"{}", if last { "" } else { ", " }).unwrap();
        }
    }
    text + if lines && !deps.is_empty() { "\n    ]" } else { "]" }
}

fn render(calls: &[Call]) -> String {
    let mut text = String::from("# The package.\n");
    for (at, call) in calls.iter().enumerate() {
        let deps: Vec<usize> = call.deps.iter().copied().collect();
        let (left, right) = deps.split_at(deps.len() / 2);
        let value = match call.style {
            Style::OneLine => list(&deps, call, false),
            Style::Lines => list(&deps, call, true),
            Style::Hanging => list(&deps, call, false).replace(", ", ",\n            "),
            Style::Sum => format!("{} + {}", list(left, call, false), list(right, call, true)),
            Style::Select => {
                let right = list(right, call, false);
                format!("{} + select({{\"DEFAULT\": {right}}})", list(left, call, true))
            }
            Style::Constant => {
                writeln!(text, "D{at} = {}\n", list(&deps, call, true)).unwrap();
                format!("D{at}")
            }
        };
        writeln!(
            text,
            "\npython_library(\n    name = 't{at}',  # t{at}\n    deps = {value},\n    srcs = [],\n)"
        )
        .unwrap();
    }
    for at in calls.len()..=TARGETS {
        writeln!(text, "\npython_library(name = \"t{at}\")").unwrap();
    }
    text
}

/// Every dependency with a literal.
fn removals(graph: &Graph) -> Vec<Removal> {
    let targets = graph.evaluation.packages.iter().flat_map(|package| &package.targets);
    let deps = targets.flat_map(|target| target.deps.iter().map(move |dep| (target, dep)));
    deps.map(|(target, dep)| Removal {
        from: target.label.clone(),
        to: dep.to.clone(),
        attr: dep.attr.clone(),
        literal: dep.literal,
    })
    .collect()
}

/// The comments of a text, without their lines.
fn comments(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| Some(line.split_once('#')?.1)).collect()
}

fn check(calls: &[Call], picks: &[Index], additions: &[(usize, usize)]) {
    let text = render(calls);
    let project = Project::new("");
    project.add("a/BUCK", &text);
    let workspace = open(&project.path(""));
    let cells = graph::configurations(&workspace).unwrap();
    let (evaluators, graph) = graph::build_and_keep(&workspace, &cells, &Silent).unwrap();
    let prover = Prover::new(&workspace, &graph, &evaluators);
    let all = removals(&graph);
    let written: usize = calls.iter().map(|call| call.deps.len()).sum();
    assert_eq!(all.iter().filter(|removal| removal.literal.is_some()).count(), written, "{text}");
    let gone: BTreeSet<Removal> = if all.is_empty() {
        BTreeSet::new()
    } else {
        picks.iter().map(|pick| pick.get(&all).clone()).collect()
    };
    let label = |at: usize| {
        let targets = graph.evaluation.packages.iter().flat_map(|package| &package.targets);
        let mut labels = targets.map(|target| target.label.clone());
        labels.find(|label| *label.name == format!("t{at}")).unwrap()
    };
    let new: BTreeSet<(usize, usize)> =
        additions.iter().filter(|(to, dep)| !calls[*to].deps.contains(dep)).copied().collect();
    let added = new.iter().map(|(to, dep)| Addition { to: label(*to), dep: label(*dep) });
    let changes: Vec<Change> =
        gone.iter().cloned().map(Change::RemoveDep).chain(added.map(Change::AddDep)).collect();
    // The proof itself says that exactly these edges go and come.
    let contents = prover.propose(&changes).unwrap_or_else(|reason| panic!("{reason}\n{text}"));
    let path = secateur::source::ProjectPath::new("a/BUCK");
    let Some(Some(after)) = contents.get(&path) else {
        assert!(changes.is_empty());
        return;
    };
    let after = std::str::from_utf8(after).unwrap();
    let removed: BTreeSet<String> =
        gone.iter().map(|removal| format!(" of {}", removal.to.name)).collect();
    let kept = |comment: &&&str| !removed.contains((**comment).trim_end());
    let (before_comments, after_comments) = (comments(&text), comments(after));
    let stay: Vec<&&str> = before_comments.iter().filter(kept).collect();
    let left: Vec<&&str> = after_comments.iter().filter(kept).collect();
    assert_eq!(stay, left, "{text}\n{after}");
    // Lines that hold nothing of what goes or comes are as they were.
    let calls_touched =
        |line: &str| line.contains("deps") || line.contains("\":t") || line.contains(']');
    let others = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !calls_touched(line) && !line.contains("= ["))
            .map(str::to_owned)
            .collect()
    };
    let (before_lines, after_lines) = (others(&text), others(after));
    assert_eq!(before_lines, after_lines, "{text}\n{after}");
    if gone.is_empty() && new.is_empty() {
        assert_eq!(after, text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_nobody_touched_is_as_it_was(
        calls in (call(0), call(1), call(2), call(3)).prop_map(|(a, b, c, d)| vec![a, b, c, d]),
        picks in prop::collection::vec(any::<Index>(), 0..5),
        additions in prop::collection::vec((0_usize..4, 5_usize..=TARGETS), 0..2),
    ) {
        check(&calls, &picks, &additions);
    }
}
