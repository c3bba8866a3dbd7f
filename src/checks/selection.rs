//! Which findings are wanted, and how bad they are: for all files, and for some. Pure values; touches nothing.

use crate::finding::{CheckId, Confidence, Finding, Severity};
use crate::graph::Graph;
use crate::label::{Label, PackageId};
use crate::source::ProjectPath;
use crate::workspace::{PathGlobs, Pattern};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Which findings are wanted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The checks to report.
    pub checks: Vec<CheckId>,
    /// The least confidence to report.
    pub min_confidence: Confidence,
    /// Targets and files to report; empty for all.
    pub patterns: Vec<Pattern>,
    /// Severities that differ from the checks' own.
    pub severity: BTreeMap<CheckId, Severity>,
    /// What differs for some files; the last that says something about a finding decides.
    pub there: Vec<There>,
}

/// What differs for some files. They are those that findings point to, or the build files of their targets.
#[derive(Clone, Debug, Default)]
pub struct There {
    /// The files.
    pub paths: PathGlobs,
    /// Checks to report there, whatever holds elsewhere.
    pub checks: Vec<CheckId>,
    /// Checks to leave out there.
    pub skip: Vec<CheckId>,
    /// The least confidence to report there, if it is another.
    pub min_confidence: Option<Confidence>,
    /// Severities that differ from those elsewhere.
    pub severity: BTreeMap<CheckId, Severity>,
}

impl There {
    /// Whether it says that a check is reported; `None` if it says nothing.
    fn reports(&self, check: CheckId) -> Option<bool> {
        let (is_skipped, is_named) = (self.skip.contains(&check), self.checks.contains(&check));
        (is_skipped || is_named).then_some(!is_skipped)
    }
}

/// The build file of each package.
pub struct BuildFiles<'a>(FxHashMap<&'a PackageId, &'a ProjectPath>);

impl<'a> BuildFiles<'a> {
    /// Those of a graph.
    pub fn of(graph: &'a Graph) -> Self {
        let packages = graph.evaluation.packages.iter();
        Self(packages.map(|package| (&package.id, &package.build_file)).collect())
    }

    /// The build file of a target; none if there is no such package.
    pub fn find(&self, target: &Label) -> Option<&'a ProjectPath> {
        self.0.get(&target.package).copied()
    }
}

/// Where a finding is.
struct Place<'a> {
    target: Option<&'a Label>,
    path: &'a ProjectPath,
    build_file: Option<&'a ProjectPath>,
}

impl<'a> Place<'a> {
    fn new(target: Option<&'a Label>, path: &'a ProjectPath, build_files: &BuildFiles<'a>) -> Self {
        Self { target, path, build_file: target.and_then(|target| build_files.find(target)) }
    }

    fn of(finding: &'a Finding, build_files: &BuildFiles<'a>) -> Self {
        Self::new(finding.target.as_ref(), &finding.region.path, build_files)
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            checks: CheckId::ALL.to_vec(),
            min_confidence: Confidence::Possible,
            patterns: Vec::new(),
            severity: BTreeMap::new(),
            there: Vec::new(),
        }
    }
}

impl Selection {
    /// Whether a finding is wanted.
    pub fn wants(&self, finding: &Finding, build_files: &BuildFiles<'_>) -> bool {
        let place = Place::of(finding, build_files);
        self.selects(Some(finding.check), finding.confidence, &place)
    }

    /// Whether a finding that is known only by these words would be wanted. A check that there is no more would be.
    pub fn covers(
        &self,
        check: &str,
        confidence: Confidence,
        target: Option<&Label>,
        path: &ProjectPath,
        build_files: &BuildFiles<'_>,
    ) -> bool {
        let place = Place::new(target, path, build_files);
        self.selects(CheckId::parse(check), confidence, &place)
    }

    /// The severity of a finding, if it is not the check's own.
    pub(super) fn severity_of(
        &self,
        finding: &Finding,
        build_files: &BuildFiles<'_>,
    ) -> Option<Severity> {
        let place = Place::of(finding, build_files);
        let mut there = self.at(&place).filter_map(|it| it.severity.get(&finding.check));
        there.next().or_else(|| self.severity.get(&finding.check)).copied()
    }

    /// What differs at a place, the last first.
    fn at<'s>(&'s self, place: &Place<'s>) -> impl Iterator<Item = &'s There> {
        let (path, build_file) = (place.path, place.build_file);
        let is_there = move |it: &&There| {
            it.paths.matches(path) || build_file.is_some_and(|file| it.paths.matches(file))
        };
        self.there.iter().rev().filter(is_there)
    }

    fn selects(&self, check: Option<CheckId>, confidence: Confidence, place: &Place<'_>) -> bool {
        let is_reported = check.is_none_or(|check| {
            let mut there = self.at(place).filter_map(|it| it.reports(check));
            there.next().unwrap_or_else(|| self.checks.contains(&check))
        });
        let mut there = self.at(place).filter_map(|it| it.min_confidence);
        is_reported
            && confidence >= there.next().unwrap_or(self.min_confidence)
            && self.has_place(place)
    }

    fn has_place(&self, place: &Place<'_>) -> bool {
        self.patterns.is_empty()
            || self.patterns.iter().any(|pattern| {
                place.target.is_some_and(|target| pattern.matches_label(target))
                    || pattern.matches_path(place.path)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Region;
    use CheckId::{DeadModule, DeadTarget, UnusedDep};
    use Confidence::{Certain, Likely};

    fn there(path: &str) -> There {
        There { paths: PathGlobs::new(vec![path.to_owned()]).unwrap(), ..There::default() }
    }

    #[test]
    fn the_last_that_says_something_decides() {
        let selection = Selection {
            checks: vec![CheckId::DeadModule, CheckId::DeadTarget],
            severity: BTreeMap::from([(CheckId::DeadModule, Severity::Note)]),
            there: vec![
                There { skip: vec![CheckId::DeadModule], ..there("a/**") },
                There { checks: vec![CheckId::DeadModule], ..there("a/b/**") },
                There {
                    checks: vec![CheckId::UnusedDep, CheckId::DeadTarget],
                    skip: vec![CheckId::DeadTarget],
                    min_confidence: Some(Confidence::Certain),
                    severity: BTreeMap::from([(CheckId::DeadModule, Severity::Error)]),
                    ..there("a/b/c/**")
                },
            ],
            ..Selection::default()
        };
        let none = BuildFiles(FxHashMap::default());
        let look = |check, confidence, path: &str| {
            let region = Region::line(ProjectPath::new(path), 1);
            let finding = Finding::new(check, confidence, region, String::new());
            let severity = selection.severity_of(&finding, &none);
            selection.wants(&finding, &none).then_some(severity)
        };
        for (check, confidence, path, expected) in [
            (DeadModule, Likely, "x.py", Some(Some(Severity::Note))),
            (DeadModule, Certain, "a/x.py", None),
            (DeadModule, Likely, "a/b/x.py", Some(Some(Severity::Note))),
            (DeadModule, Likely, "a/b/c/x.py", None),
            (DeadModule, Certain, "a/b/c/x.py", Some(Some(Severity::Error))),
            (UnusedDep, Certain, "a/b/x.py", None),
            (UnusedDep, Certain, "a/b/c/x.py", Some(None)),
            (DeadTarget, Certain, "a/b/x.py", Some(None)),
            (DeadTarget, Certain, "a/b/c/x.py", None),
        ] {
            assert_eq!(look(check, confidence, path), expected, "{check:?} {path}");
        }
    }

    #[test]
    fn the_build_file_of_the_target_counts_as_well() {
        let selection = Selection {
            there: vec![There { skip: vec![CheckId::UnusedDep], ..there("a/BUCK") }],
            ..Selection::default()
        };
        let target = Label::parse_full("root//a:a").unwrap();
        let (path, build_file) = (ProjectPath::new("defs.bzl"), ProjectPath::new("a/BUCK"));
        let build_files = BuildFiles(FxHashMap::from_iter([(&target.package, &build_file)]));
        let covers = |target| {
            selection.covers("unused-dep", Confidence::Certain, target, &path, &build_files)
        };
        assert!(!covers(Some(&target)));
        assert!(covers(None));
    }
}
