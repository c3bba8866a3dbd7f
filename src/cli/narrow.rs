//! Which findings of a report are shown: those in a baseline, and in files that nobody touched, are left out. Reads the lists.

use super::args::Lint;
use super::baseline;
use super::context::Context;
use crate::checks::Selection;
use crate::error::{Error, Result};
use crate::finding::{Baseline, Report};
use crate::graph::Graph;
use crate::label::PackageId;
use crate::source::ProjectPath;
use jiff::civil::Date;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

/// Standard input, where a file is asked for.
const STDIN: &str = "-";

/// What leaves findings out.
#[derive(Default)]
pub(super) struct Narrow {
    baseline: Option<(Baseline, Date)>,
    touched: Option<BTreeSet<ProjectPath>>,
}

impl Narrow {
    pub(super) fn read(args: &Lint, root: &Path, context: &Context<'_>) -> Result<Self> {
        let baseline = args.baseline.as_ref().map(|file| baseline::read(file, context));
        let touched = args.changed_files.as_ref().map(|file| touched(file, root, context));
        Ok(Self { baseline: baseline.transpose()?, touched: touched.transpose()? })
    }

    pub(super) fn apply(&self, report: &mut Report, graph: &Graph, selection: &Selection) {
        if let Some(baseline) = &self.baseline {
            baseline::leave_out(report, baseline, selection);
        }
        let Some(touched) = &self.touched else { return };
        let packages = graph.evaluation.packages.iter();
        let build_files: FxHashMap<&PackageId, &ProjectPath> =
            packages.map(|package| (&package.id, &package.build_file)).collect();
        report.leave_out_elsewhere(|finding| {
            let target = finding.target.as_ref();
            let build_file = target.and_then(|target| build_files.get(&target.package).copied());
            let evidence =
                finding.evidence.iter().map(|evidence| ProjectPath::new(&*evidence.path));
            touched.contains(&finding.region.path)
                || build_file.is_some_and(|file| touched.contains(file))
                || evidence.into_iter().any(|path| touched.contains(&path))
        });
    }
}

/// The paths of a list, one a line: absolute, or relative to the project root.
#[expect(clippy::disallowed_methods, reason = "the list lies where the user says")]
fn touched(file: &Path, root: &Path, context: &Context<'_>) -> Result<BTreeSet<ProjectPath>> {
    let mut text = String::new();
    let read = if file == Path::new(STDIN) {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(context.dir().join(file))
            .and_then(|mut it| it.read_to_string(&mut text))
    };
    read.map_err(|error| {
        Error::new("cannot be read")
            .at(file.display().to_string())
            .cause(error)
            .hint("--changed-files takes a file with one path a line, or - for standard input")
    })?;
    let paths = text.lines().map(str::trim).filter(|line| !line.is_empty());
    // What lies outside of the project is none of its files.
    let below = paths.filter_map(|line| {
        let path = Path::new(line.strip_prefix("./").unwrap_or(line));
        let path = if path.is_absolute() { path.strip_prefix(root).ok()? } else { path };
        path.to_str().map(ProjectPath::new)
    });
    Ok(below.collect())
}
