//! The checks: each reads the graph and says what it found, with evidence. Nothing is written.
//!
//! One file a check; its doc comment is what `secateur explain` prints.

mod additions;
mod ambiguous_owner;
mod broken_label;
mod context;
mod dead_module;
mod dead_target;
mod disputed;
mod doubt;
mod duplicate_dep;
mod edges;
mod ground;
mod leaning;
mod liveness;
mod loading;
mod missing_dep;
mod missing_source;
mod module_cycle;
mod outside;
mod packages;
mod selection;
mod stale_keep;
mod test_only;
mod test_only_module;
mod transitive_dep;
mod type_only_dep;
mod umbrella_dep;
mod unowned_source;
mod unresolved_import;
mod unused_dep;
mod unused_load;
mod visibility;

pub use selection::{BuildFiles, Selection, There};

use crate::finding::{CheckId, Finding, Known, Report};
use crate::graph::Graph;
use crate::progress::Progress;
use crate::workspace::Workspace;
use context::Context;
use ground::Ground;
use rayon::prelude::*;

/// Runs every check, and leaves the findings that are wanted.
pub fn run(
    workspace: &Workspace,
    graph: &Graph,
    selection: &Selection,
    progress: &dyn Progress,
) -> Report {
    let mut report = everything(workspace, graph, &Known::Nothing, progress);
    select(&mut report, graph, selection);
    report
}

/// All that there is to find. Comments that keep findings are heeded. Findings that are `known` may lack columns, evidence, hint
/// and fix.
pub fn everything(
    workspace: &Workspace,
    graph: &Graph,
    known: &Known,
    progress: &dyn Progress,
) -> Report {
    progress.start("check", None);
    let ground = Ground::new(workspace, graph, known);
    let checks: Vec<Runner> = CheckId::ALL.iter().filter_map(|check| runner(*check)).collect();
    let plain = |check: &Runner| match check {
        Runner::Plain(run) => run(&ground),
        Runner::Judged(_) => Vec::new(),
    };
    let (context, plain) = rayon::join(
        || Context::new(&ground),
        || checks.par_iter().map(plain).collect::<Vec<Vec<Finding>>>(),
    );
    let judged = |check: &Runner| match check {
        Runner::Judged(run) => run(&context),
        Runner::Plain(_) => Vec::new(),
    };
    let judged: Vec<Vec<Finding>> = checks.par_iter().map(judged).collect();
    let mut findings: Vec<Finding> = plain.into_iter().chain(judged).flatten().collect();
    let suppressed = stale_keep::suppress(&context, &mut findings);
    findings.par_sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    findings.dedup();
    let (coverage, problems) = (graph.coverage, graph.problems.clone());
    Report { findings, coverage, suppressed, problems, ..Report::default() }
}

/// Leaves out findings that are not wanted, and gives the others the severity that is.
pub fn select(report: &mut Report, graph: &Graph, selection: &Selection) {
    let build_files = BuildFiles::of(graph);
    report.findings.retain(|finding| selection.wants(finding, &build_files));
    for finding in &mut report.findings {
        if let Some(severity) = selection.severity_of(finding, &build_files) {
            finding.severity = severity;
        }
    }
}

/// What runs a check.
#[derive(Clone, Copy)]
enum Runner {
    /// On the graph alone.
    Plain(fn(&Ground<'_>) -> Vec<Finding>),
    /// On verdicts on all of it.
    Judged(fn(&Context<'_>) -> Vec<Finding>),
}

/// `stale-keep` looks at the findings of all others instead.
fn runner(check: CheckId) -> Option<Runner> {
    use Runner::{Judged, Plain};
    Some(match check {
        CheckId::AmbiguousOwner => Judged(ambiguous_owner::run),
        CheckId::BrokenLabel => Plain(broken_label::run),
        CheckId::DeadModule => Judged(dead_module::run),
        CheckId::DeadTarget => Judged(dead_target::run),
        CheckId::DuplicateDep => Plain(duplicate_dep::run),
        CheckId::MissingDep => Judged(missing_dep::run),
        CheckId::MissingSource => Plain(missing_source::run),
        CheckId::ModuleCycle => Plain(module_cycle::run),
        CheckId::StaleKeep => return None,
        CheckId::TestOnlyModule => Judged(test_only_module::run),
        CheckId::TransitiveDep => Judged(transitive_dep::run),
        CheckId::TypeOnlyDep => Judged(type_only_dep::run),
        CheckId::UmbrellaDep => Judged(umbrella_dep::run),
        CheckId::UnownedSource => Plain(unowned_source::run),
        CheckId::UnresolvedImport => Judged(unresolved_import::run),
        CheckId::UnusedDep => Judged(unused_dep::run),
        CheckId::UnusedLoad => Plain(unused_load::run),
    })
}

/// The documentation of a check, as Markdown.
pub fn explain(check: CheckId) -> String {
    let source = match check {
        CheckId::AmbiguousOwner => include_str!("ambiguous_owner.rs"),
        CheckId::BrokenLabel => include_str!("broken_label.rs"),
        CheckId::DeadModule => include_str!("dead_module.rs"),
        CheckId::DeadTarget => include_str!("dead_target.rs"),
        CheckId::DuplicateDep => include_str!("duplicate_dep.rs"),
        CheckId::MissingDep => include_str!("missing_dep.rs"),
        CheckId::MissingSource => include_str!("missing_source.rs"),
        CheckId::ModuleCycle => include_str!("module_cycle.rs"),
        CheckId::StaleKeep => include_str!("stale_keep.rs"),
        CheckId::TestOnlyModule => include_str!("test_only_module.rs"),
        CheckId::TransitiveDep => include_str!("transitive_dep.rs"),
        CheckId::TypeOnlyDep => include_str!("type_only_dep.rs"),
        CheckId::UmbrellaDep => include_str!("umbrella_dep.rs"),
        CheckId::UnownedSource => include_str!("unowned_source.rs"),
        CheckId::UnresolvedImport => include_str!("unresolved_import.rs"),
        CheckId::UnusedDep => include_str!("unused_dep.rs"),
        CheckId::UnusedLoad => include_str!("unused_load.rs"),
    };
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_explains_itself_under_the_same_headings() {
        for check in CheckId::ALL {
            let text = explain(*check);
            assert!(text.starts_with(&format!("# {}\n", check.as_str())), "{check:?}");
            for heading in ["## What it finds", "## Why it matters", "## Example", "## Fix"] {
                assert!(text.contains(heading), "{check:?} lacks {heading}");
            }
        }
    }
}
