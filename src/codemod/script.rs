//! A plan as a script for buildozer. Pure.

use super::buildozer::{self, Change as Step, Rule};
use super::plan::Plan;
use crate::finding::{Change, FixSet};
use crate::graph::Graph;
use crate::label::Label;

/// The script that makes the fixes of a plan, as far as buildozer can.
pub fn script(plan: &Plan) -> String {
    let steps: Vec<(Rule, Step)> =
        plan.batches.iter().flat_map(|batch| batch.steps.iter().cloned()).collect();
    buildozer::script(&steps)
}

/// What buildozer has to do for a fix.
pub(super) fn steps(graph: &Graph, fix: &FixSet) -> Vec<(Rule, Step)> {
    fix.changes.iter().filter_map(|change| step(graph, change)).collect()
}

fn step(graph: &Graph, change: &Change) -> Option<(Rule, Step)> {
    match change {
        Change::RemoveDep(removal) => {
            let rule = rule(graph, &removal.from)?;
            let literal = removal.literal?;
            let (place, text) =
                (graph.evaluation.place(literal), &graph.evaluation.literal(literal).text);
            let attr = removal.attr.to_string();
            if place.path == rule.build_file {
                return Some((rule, Step::Remove { attr, label: text.to_string() }));
            }
            let file = graph.evaluation.file(&place.path)?;
            let line = file.lines().line(place.span.start);
            let what = format!("remove `{text}` from `{attr}`");
            let why = format!("the literal stands in {}:{line}", place.path);
            Some((rule, Step::ByHand { what, why }))
        }
        Change::AddDep(addition) => {
            let rule = rule(graph, &addition.to)?;
            let label = written(&addition.dep, &addition.to);
            Some((rule, Step::Add { attr: "deps".to_owned(), label }))
        }
        Change::DeleteTarget(label) => Some((rule(graph, label)?, Step::Delete)),
        // Loads go with `fix unusedLoads`, files and comments with other tools.
        _ => None,
    }
}

fn rule(graph: &Graph, label: &Label) -> Option<Rule> {
    let id = graph.targets.find(label)?;
    let build_file = graph.package(id)?.build_file.clone();
    Some(Rule { build_file, name: label.name.to_string() })
}

/// A label as a file of another target's package would write it.
fn written(label: &Label, user: &Label) -> String {
    if label.package == user.package {
        format!(":{}", label.name)
    } else if label.package.cell == user.package.cell {
        format!("//{}:{}", label.package.path, label.name)
    } else {
        label.to_string()
    }
}
