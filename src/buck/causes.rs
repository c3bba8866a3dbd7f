//! Why Buck2 and we differ, as far as that can be known. Pure.

use super::lower::Target;
use super::recorded::{DEPS, Recorded};
use super::{Evaluation, LoadStatement, Package};
use crate::label::Label;
use crate::source::{Problem, ProblemKind, ProjectPath};
use crate::workspace::{Fact, Recording, Side, Workspace};

impl Evaluation {
    /// The likely cause of a difference; `None` if there is no trace of one.
    pub fn cause(
        &self,
        label: &Label,
        fact: &Fact,
        recording: &Recording,
        workspace: &Workspace,
    ) -> Option<String> {
        let Some(package) = self.package(&label.package) else {
            return Some(self.why_no_package(label, recording, workspace));
        };
        if let Fact::Source(Side::Buck2, _, _, path) = fact
            && !path.contains(':')
            && !workspace.tree.is_file(&ProjectPath::new(&**path))
        {
            return Some("the file is not there: the graph is of another state".to_owned());
        }
        let target = package.target(label);
        self.failure(package, target)
            .or_else(|| target.and_then(|target| filled_in(target, fact, workspace)))
            .or_else(|| missing_load(self, package))
    }

    /// Whether a difference is a tool or toolchain that a rule has by itself, so that nobody could have told it.
    pub fn is_own_of_rule(
        &self,
        fact: &Fact,
        recording: &Recording,
        workspace: &Workspace,
    ) -> bool {
        let recorded = Recorded { recording, workspace, rules: &self.rules };
        matches!(fact, Fact::Dep(_, attr, to) if &**attr == DEPS && recorded.is_tool(to))
    }

    fn why_no_package(
        &self,
        label: &Label,
        recording: &Recording,
        workspace: &Workspace,
    ) -> String {
        let dir = workspace.cells.dir_of_package(&label.package);
        let Some(dir) = dir.filter(|dir| workspace.tree.dir(dir).is_some()) else {
            return "the directory is not there or ignored: the graph is of another state"
                .to_owned();
        };
        let recorded = Recorded { recording, workspace, rules: &self.rules };
        if workspace.tree.package_at(&dir).is_none() {
            return format!("no build file is found in `{dir}`");
        }
        match recorded.dir(&label.package) {
            None => "`[project] exclude` leaves it out".to_owned(),
            Some(_) => "the package is not read here".to_owned(),
        }
    }

    /// What failed in the build file, or which macro is not known.
    fn failure(&self, package: &Package, target: Option<&Target>) -> Option<String> {
        let mut problems = self.problems_of(&package.build_file);
        if let Some(problem) = problems.find(|problem| problem.costs_targets()) {
            return Some(format!("{} fails here: {}", place(problem), problem.message));
        }
        let kind = target?.kind.strip_prefix('?')?;
        Some(match self.load_of(kind, package) {
            Some(load) => format!("`{kind}` is not known here: {}: {}", place(load), load.message),
            None => format!("`{kind}` is not known here"),
        })
    }

    /// Why the file that a name is loaded from is not there.
    fn load_of<'e>(&'e self, name: &str, package: &Package) -> Option<&'e Problem> {
        let loads = self.file(&package.build_file)?.loads();
        let loads_it = |load: &&LoadStatement| load.symbols.iter().any(|it| *it.local == *name);
        let module = &loads.iter().find(loads_it)?.module;
        let mut problems = self.problems_of(&package.build_file);
        problems.find(|problem| {
            problem.kind == ProblemKind::Load && problem.message.contains(&**module)
        })
    }

    fn problems_of<'e>(
        &'e self,
        path: &ProjectPath,
    ) -> impl Iterator<Item = &'e Problem> + use<'e> {
        let path = path.clone();
        self.problems.iter().filter(move |problem| problem.path == path)
    }
}

/// Attributes that no call sets, and that the prelude's macros give to a rule.
fn filled_in(target: &Target, fact: &Fact, workspace: &Workspace) -> Option<String> {
    let attr = match fact {
        Fact::Dep(Side::Buck2, attr, _) if &**attr == DEPS => return None,
        Fact::Dep(Side::Buck2, attr, _)
        | Fact::Source(Side::Buck2, attr, ..)
        | Fact::Text(attr) => attr,
        _ => return None,
    };
    let on_disk = workspace.cells.prelude().is_some_and(|(_, on_disk)| on_disk);
    let is_unset = target.known && !on_disk && target.attr(attr).is_none();
    is_unset.then(|| format!("the call sets no `{attr}`; the prelude, which is not on disk, may"))
}

fn missing_load(evaluation: &Evaluation, package: &Package) -> Option<String> {
    let mut problems = evaluation.problems_of(&package.build_file);
    let load = problems.find(|problem| problem.kind == ProblemKind::Load)?;
    Some(format!("a macro that is not known may make it: {}: {}", place(load), load.message))
}

fn place(problem: &Problem) -> String {
    match problem.line {
        0 => problem.path.to_string(),
        line => format!("{}:{line}", problem.path),
    }
}
