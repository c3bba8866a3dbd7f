//! What a change introduced: the findings of a workspace without those that it had at a revision. Reads through the workspace.

mod base;
mod kept;
mod renames;

pub use base::Base;
pub use kept::{Found, Watch, find};

use crate::buck::Evaluator;
use crate::checks;
use crate::error::Result;
use crate::finding::{Known, Report};
use crate::graph::{self, Graph};
use crate::progress::Progress;
use crate::python::{self, Facts, SourceKind};
use crate::source::ProjectPath;
use crate::workspace::Workspace;
use renames::Renames;
use std::collections::{BTreeMap, BTreeSet};

/// A state of the files that was recorded, by what is different now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// As the user named it.
    pub name: String,
    /// Every file that differs.
    pub files: Vec<ChangedFile>,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Where it is or was.
    pub path: ProjectPath,
    /// What it held then; `None` if it was not there.
    pub before: Option<Vec<u8>>,
    /// Where it was then, if it moved.
    pub from: Option<ProjectPath>,
}

/// Files whose contents the analysis reads as they are, besides sources and build files: data that build files load, wheels.
const READ: &[&str] = &["bzl", "json", "toml", "whl"];

impl Revision {
    /// Whether the difference can make or settle any finding. Most changes of bodies of functions cannot.
    pub fn matters(&self, workspace: &Workspace) -> Result<bool> {
        Ok(self.files.iter().any(|file| matters(workspace, file))
            || !workspace.is_configured_alike(&self.contents())?)
    }

    fn contents(&self) -> BTreeMap<ProjectPath, Option<Vec<u8>>> {
        self.files.iter().map(|file| (file.path.clone(), file.before.clone())).collect()
    }

    fn paths(&self) -> BTreeSet<ProjectPath> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    /// The workspace as it was, under the settings of today.
    pub fn workspace(&self, now: &Workspace) -> Result<Workspace> {
        now.as_it_was(&self.contents())
    }

    /// All that there was to find, under the names of today. `then` is its workspace; `evaluators` and `now`
    /// are those of today, and what did not change is taken from them.
    pub fn report(
        &self,
        then: &Workspace,
        evaluators: &[Evaluator<'_>],
        now: &Graph,
        progress: &dyn Progress,
    ) -> Result<Report> {
        let changed = self.paths();
        let cells = graph::configurations(then)?;
        let beside =
            |(evaluator, cells)| Evaluator::beside(evaluator, then, cells, &changed, progress);
        let evaluators: Result<Vec<Evaluator<'_>>> =
            evaluators.iter().zip(&cells).map(beside).collect();
        let graph = graph::build_beside(then, &evaluators?, now, &changed, progress)?;
        let report = checks::everything(then, &graph, &Known::Everything, progress);
        self.under_names_of_today(report, || Ok(graph), now)
    }

    /// The same for later runs to find. Nothing is taken from elsewhere: what it rests on is what it reads, and the cache has
    /// most of that.
    pub fn report_and_keep(
        &self,
        then: &mut Workspace,
        now: &Graph,
        progress: &dyn Progress,
    ) -> Result<Report> {
        let watch = Watch::begin(then);
        let graph = graph::build(then, progress)?;
        let report = checks::everything(then, &graph, &Known::Everything, progress);
        watch.keep(then, &report, None);
        self.under_names_of_today(report, || Ok(graph), now)
    }

    /// Gives the findings of then the names of today; `graph` is that of then, which is only needed where files moved.
    pub fn under_names_of_today(
        &self,
        mut report: Report,
        graph: impl FnOnce() -> Result<Graph>,
        now: &Graph,
    ) -> Result<Report> {
        if self.files.iter().any(|file| file.from.is_some()) {
            Renames::new(self, &graph()?, now).apply(&mut report);
        }
        Ok(report)
    }
}

fn matters(workspace: &Workspace, file: &ChangedFile) -> bool {
    let path = &file.path;
    let Some(before) = file.before.as_ref().filter(|_| workspace.has_file(path)) else {
        // Globs and listings may change.
        return true;
    };
    let name = path.file_name();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let kind = match ending {
        "py" => SourceKind::Module,
        "pyi" => SourceKind::Stub,
        "ipynb" => SourceKind::Notebook,
        _ => {
            let is_build_file = workspace.tree.packages().iter().any(|it| it.build_file == *path);
            return is_build_file
                || READ.contains(&ending)
                || matches!(name, "PACKAGE" | "BUCK_TREE")
                || workspace.settings.file.as_ref() == Some(path)
                || workspace.settings.roots.files.matches(path);
        }
    };
    let Ok(after) = workspace.files.read(path) else { return true };
    let is_empty = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
    let facts = |bytes: &[u8]| -> Facts {
        let mut facts = python::facts(path, bytes, kind);
        if workspace.settings.python.doctests {
            facts.imports.extend(python::doctest_imports(bytes));
        }
        facts
    };
    is_empty(before) != is_empty(&after) || !facts(before).means_the_same(&facts(&after))
}
