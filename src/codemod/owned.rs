//! What belongs to some owners, and not to others. Pure; touches nothing.

use super::owners::Codeowners;
use super::round::owner_of_place;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::label::Label;
use crate::source::ProjectPath;
use crate::suggestion::nearest;
use crate::workspace::Workspace;
use std::collections::BTreeSet;

/// The name for what nobody owns.
const NOBODY: &str = "none";

/// What belongs to some owners.
pub struct Owned<'a> {
    names: &'a [String],
    workspace: &'a Workspace,
    graph: &'a Graph,
    codeowners: &'a Codeowners,
}

impl<'a> Owned<'a> {
    /// What belongs to one of these: oncalls, code owners, and `none` for what belongs to nobody. Without a name, everything.
    pub fn new(
        names: &'a [String],
        workspace: &'a Workspace,
        graph: &'a Graph,
        codeowners: &'a Codeowners,
    ) -> Self {
        Self { names, workspace, graph, codeowners }
    }

    /// Fails if no build file and no rule has one of the names: nothing would ever be found.
    pub fn check_names(&self) -> Result<()> {
        let packages = self.graph.evaluation.packages.iter();
        let oncalls = packages.filter_map(|package| package.oncall.as_deref());
        let oncalls: BTreeSet<&str> = oncalls.collect();
        for name in self.names.iter().filter(|name| *name != NOBODY) {
            if !oncalls.contains(name.as_str()) && !self.codeowners.knows(name) {
                return Err(unknown(name, oncalls.into_iter().chain(self.codeowners.names())));
            }
        }
        Ok(())
    }

    /// Whether a target or file is among it.
    pub fn has(&self, target: Option<&Label>, path: &ProjectPath) -> bool {
        if self.names.is_empty() {
            return true;
        }
        let owner = owner_of_place(self.workspace, self.graph, self.codeowners, target, path);
        let is_called = |name: &String| owner.as_ref().is_some_and(|owner| owner.is_called(name));
        self.names.iter().any(|name| is_called(name) || name == NOBODY && owner.is_none())
    }
}

fn unknown<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Error {
    let error = Error::new(format!("no oncall() and no rule of CODEOWNERS names `{name}`"));
    match nearest(name, known) {
        Some(known) => error.hint(format!("did you mean `{known}`?")),
        None => error.hint(format!("`{NOBODY}` stands for what nobody owns")),
    }
}
