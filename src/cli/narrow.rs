//! Which findings of a report are shown: those of other owners, in a baseline, and in files that nobody touched, are left out.
//! Reads the lists.

use super::args::Lint;
use super::baseline;
use super::context::Context;
use crate::checks::{BuildFiles, Selection};
use crate::codemod::Owned;
use crate::codemod::owners::Codeowners;
use crate::error::{Error, Result};
use crate::finding::{Baseline, Entry, Finding, Report};
use crate::graph::Graph;
use crate::label::Label;
use crate::source::ProjectPath;
use crate::workspace::Workspace;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

/// Standard input, where a file is asked for.
const STDIN: &str = "-";

/// What leaves findings out.
pub(super) struct Narrow<'a> {
    owners: &'a [String],
    baseline: Option<(Baseline, Date)>,
    touched: Option<BTreeSet<ProjectPath>>,
}

impl<'a> Narrow<'a> {
    pub(super) fn read(args: &'a Lint, root: &Path, context: &Context<'_>) -> Result<Self> {
        let baseline = args.baseline.as_ref().map(|file| baseline::read(file, context));
        let touched = args.changed_files.as_ref().map(|file| touched(file, root, context));
        let (baseline, touched) = (baseline.transpose()?, touched.transpose()?);
        Ok(Self { owners: &args.owner, baseline, touched })
    }

    /// Whether the evidence of findings decides.
    pub(super) fn reads_evidence(&self) -> bool {
        self.touched.is_some()
    }

    /// Fails if an owner has a name that nobody has.
    pub(super) fn scope<'s>(
        &'s self,
        workspace: &'s Workspace,
        graph: &'s Graph,
        selection: &'s Selection,
        codeowners: &'s Codeowners,
    ) -> Result<Scope<'s>> {
        let owned = Owned::new(self.owners, workspace, graph, codeowners);
        owned.check_names()?;
        Ok(Scope { narrow: self, selection, build_files: BuildFiles::of(graph), owned })
    }
}

/// What leaves findings out of a report that was made from a graph.
pub(super) struct Scope<'a> {
    narrow: &'a Narrow<'a>,
    selection: &'a Selection,
    build_files: BuildFiles<'a>,
    owned: Owned<'a>,
}

impl Scope<'_> {
    pub(super) fn apply(&self, report: &mut Report) {
        report.leave_out_elsewhere(|finding| self.owns(finding));
        if let Some((baseline, today)) = &self.narrow.baseline {
            report.leave_out(baseline, *today, &|entry| self.covers(entry));
        }
        if let Some(touched) = &self.narrow.touched {
            report.leave_out_elsewhere(|finding| self.touches(finding, touched));
        }
    }

    /// Whether a finding would be in the report if it were there still, baseline and changes aside.
    pub(super) fn wants(&self, finding: &Finding) -> bool {
        self.selection.wants(finding, &self.build_files) && self.owns(finding)
    }

    fn owns(&self, finding: &Finding) -> bool {
        self.owned.has(finding.target.as_ref(), &finding.region.path)
    }

    fn covers(&self, entry: &Entry) -> bool {
        let target = entry.target.as_deref().and_then(Label::parse_full);
        let (target, path) = (target.as_ref(), ProjectPath::new(&*entry.path));
        let Entry { check, confidence, .. } = entry;
        self.selection.covers(check, *confidence, target, &path, &self.build_files)
            && self.owned.has(target, &path)
    }

    fn touches(&self, finding: &Finding, touched: &BTreeSet<ProjectPath>) -> bool {
        let target = finding.target.as_ref();
        let build_file = target.and_then(|target| self.build_files.find(target));
        let evidence = finding.evidence.iter().map(|evidence| ProjectPath::new(&*evidence.path));
        touched.contains(&finding.region.path)
            || build_file.is_some_and(|file| touched.contains(file))
            || evidence.into_iter().any(|path| touched.contains(&path))
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
