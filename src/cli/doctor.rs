//! `secateur doctor`: how the project is read, and what Buck2 says about it.

use super::args::{Doctor, DoctorFormat};
use super::context::Context;
use super::exit::Exit;
use super::graph_from::{self, BUCK2};
use crate::buck::{self, Evaluation};
use crate::error::Result;
use crate::report::{self, Comparison, DoctorCell, DoctorDifference, Setup};
use crate::source::{Problem, ProjectPath};
use crate::workspace::{CellOrigin, Fact, Recording, Workspace};
use std::collections::BTreeSet;
use std::path::Path;

pub(super) fn run(args: &Doctor, context: &mut Context<'_>) -> Result<Exit> {
    let workspace = context.opener().open()?;
    let from = context.graph_from();
    let from = from.or_else(|| context.program(BUCK2).map(|_| Path::new(BUCK2)));
    let recording =
        from.map(|from| graph_from::recording(from, &workspace, context)).transpose()?;
    let evaluation =
        context.work(|progress| buck::evaluate(&workspace, &workspace.cells, progress))?;
    let comparison = from.zip(recording.as_ref()).map(|(from, recording)| {
        compare(from, &context.dir().join(from), recording, &evaluation, &workspace)
    });
    let setup = setup(&evaluation, &workspace);
    let exit = exit(&setup, comparison.as_ref());
    let doctor = report::Doctor::new(setup, comparison);
    let look = context.look();
    context.write(|out| match args.format {
        DoctorFormat::Text => report::doctor(&doctor, look, out),
        DoctorFormat::Json => report::doctor_json(&doctor, out),
    })?;
    Ok(exit)
}

fn exit(setup: &Setup, comparison: Option<&Comparison>) -> Exit {
    let differs = comparison.is_some_and(|comparison| !comparison.differences.is_empty());
    let fails = comparison.is_some_and(|comparison| !comparison.failed.is_empty());
    if differs {
        Exit::Findings
    } else if fails || setup.problems.iter().any(Problem::costs_targets) {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

fn setup(evaluation: &Evaluation, workspace: &Workspace) -> Setup {
    let cells = &workspace.cells;
    let is_own = |path: &ProjectPath| !cells.is_tool(&cells.cell_of(path).name);
    let problems = workspace.problems.iter().chain(&evaluation.problems);
    let problems: BTreeSet<Problem> =
        problems.filter(|problem| is_own(&problem.path)).cloned().collect();
    let failing: BTreeSet<&ProjectPath> = problems
        .iter()
        .filter(|problem| problem.costs_targets())
        .map(|problem| &problem.path)
        .collect();
    let failed = evaluation
        .packages
        .iter()
        .filter(|package| package.failed || failing.contains(&package.build_file))
        .count();
    let targets = || evaluation.packages.iter().flat_map(|package| &package.targets);
    let unknown = targets().filter(|target| target.kind.starts_with('?')).count();
    let cell = |cell: &crate::workspace::Cell| DoctorCell {
        name: cell.name.to_string(),
        origin: match cell.origin {
            CellOrigin::Disk => "disk",
            CellOrigin::Bundled => "bundled",
            CellOrigin::Git => "git",
        },
        root: cell.root.to_string(),
    };
    Setup {
        project: workspace.root.display().to_string(),
        cells: cells.iter().map(cell).collect(),
        prelude_on_disk: cells.prelude().is_some_and(|(_, on_disk)| on_disk),
        build_files: (evaluation.packages.len(), failed),
        targets: (targets().count(), unknown),
        problems: problems.into_iter().collect(),
    }
}

fn compare(
    from: &Path,
    file: &Path,
    recording: &Recording,
    evaluation: &Evaluation,
    workspace: &Workspace,
) -> Comparison {
    let facts = evaluation.compare(recording, workspace);
    let all = facts.iter().flat_map(|(label, facts)| facts.iter().map(move |fact| (label, fact)));
    let is_implicit = |fact: &Fact| evaluation.is_own_of_rule(fact, recording, workspace);
    let (implicit, differences): (Vec<_>, Vec<_>) = all.partition(|(_, fact)| is_implicit(fact));
    let newer = |package: &crate::label::PackageId| {
        let build_file = &evaluation.package(package)?.build_file;
        let newer = is_newer(&workspace.root.join(build_file.as_str()), file)?;
        newer.then(|| format!("`{build_file}` is newer than {}", from.display()))
    };
    let differences = differences.into_iter().map(|(label, fact)| {
        let cause = evaluation.cause(label, fact, recording, workspace);
        DoctorDifference::new(label, fact, cause.or_else(|| newer(&label.package)))
    });
    let printed = recording.packages();
    let not_printed = evaluation.packages.iter().filter(|package| {
        let id = &package.id;
        !package.targets.is_empty() && !printed.contains(id) && !recording.failed.contains_key(id)
    });
    let here = |label: &&crate::label::Label| evaluation.package(&label.package).is_some();
    let failed = recording.failed.iter();
    Comparison {
        graph: from.display().to_string(),
        targets: recording.targets.keys().filter(here).count(),
        failed: failed.map(|(id, reason)| (id.to_string(), reason.clone())).collect(),
        not_printed: not_printed.map(|package| package.id.to_string()).collect(),
        implicit: implicit.len(),
        differences: differences.collect(),
    }
}

/// Whether a file was written after another; `None` if one of them is not there.
#[expect(clippy::disallowed_methods, reason = "the files' own times, for a hint alone")]
fn is_newer(file: &Path, than: &Path) -> Option<bool> {
    let written = |path: &Path| std::fs::metadata(path).ok()?.modified().ok();
    Some(written(file)? > written(than)?)
}
