//! Which modules nothing but their tests reaches, and what would go with each of them. Pure.

use super::liveness::{self, Walker};
use crate::graph::{Graph, Kind, TargetId};
use fixedbitset::FixedBitSet;
use std::collections::BTreeSet;

/// Modules that only tests reach, as positions in the graph's provisions.
#[derive(Debug)]
pub(super) struct TestOnly {
    /// Those that are there for their tests alone: these tests have no other subject.
    pub(super) modules: FixedBitSet,
    /// For each module that only tests reach, the living sources that name it.
    users: Vec<Vec<usize>>,
    /// Modules that something else names: entry points of tests, files without a target.
    named_elsewhere: FixedBitSet,
}

impl TestOnly {
    /// Finds them.
    pub(super) fn find(
        walker: &Walker<'_>,
        alive: &FixedBitSet,
        in_production: &FixedBitSet,
    ) -> Self {
        let graph = walker.graph;
        let mut candidates = alive.clone();
        candidates.difference_with(in_production);
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); graph.owners.provisions().len()];
        for at in candidates.ones() {
            let named = liveness::named_by(graph, at);
            named.into_iter().filter(|used| *used != at).for_each(|used| users[used].push(at));
        }
        // Other people's code is no sign of a living subject, nor is a package without code.
        let has_code = |at: &usize| {
            let file = graph.owners.provisions()[*at].file;
            file.is_some_and(|file| !graph.files.get(file).is_empty)
        };
        let above_production = liveness::reached(&users, in_production.ones().filter(has_code));
        let tests = (0..users.len()).filter(|at| is_of_test(graph, *at));
        let of_living_subjects = walker.follow(tests.filter(|at| above_production.contains(*at)));
        let mut modules = candidates.clone();
        modules.difference_with(&of_living_subjects);
        let mut found = Self { modules, users, named_elsewhere: walker.named_elsewhere() };
        // Whatever a test named for a module needs besides, the module is its subject.
        let own: Vec<usize> =
            candidates.ones().filter(|at| found.has_own_test(graph, *at)).collect();
        found.modules.extend(own);
        found
    }

    /// Whether a module is only named by tests with its name, which nobody else needs. Among tests it may be what one of them
    /// needs to test something else.
    fn has_own_test(&self, graph: &Graph, at: usize) -> bool {
        let is_own = |user: &usize| {
            is_of_test(graph, *user)
                && self.users[*user].is_empty()
                && is_named_for(&file_stem(graph, *user), &file_stem(graph, at))
        };
        let users = &self.users[at];
        !users.is_empty()
            && !self.named_elsewhere.contains(at)
            && !is_among_tests(graph, at)
            && users.iter().all(is_own)
    }

    /// The module, and all that names it, and all that names that; `None` if some of it cannot go.
    pub(super) fn goes_with(&self, graph: &Graph, at: usize) -> Option<BTreeSet<usize>> {
        let mut going = BTreeSet::new();
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            let may_go = is_of_test(graph, at) || self.modules.contains(at);
            if !may_go || self.named_elsewhere.contains(at) {
                return None;
            }
            if going.insert(at) {
                open.extend(&self.users[at]);
            }
        }
        Some(going)
    }
}

fn target_of(graph: &Graph, at: usize) -> TargetId {
    graph.owners.provisions()[at].target
}

fn is_of_test(graph: &Graph, at: usize) -> bool {
    graph.targets.node(target_of(graph, at)).kind == Kind::PythonTest
}

fn is_among_tests(graph: &Graph, at: usize) -> bool {
    let path = graph.owners.provisions()[at].path.as_ref();
    let mut parts = path.map_or("", |path| path.as_str()).split('/');
    parts.any(|part| matches!(part, "test" | "tests" | "testing"))
}

fn file_stem(graph: &Graph, at: usize) -> String {
    let path = graph.owners.provisions()[at].path.as_ref();
    let name = path.map_or("", |path| path.file_name());
    name.strip_suffix(".py").unwrap_or(name).to_owned()
}

/// As pytest and unittest find them.
fn is_named_for(test: &str, module: &str) -> bool {
    let name = test.strip_prefix("test_").or_else(|| test.strip_suffix("_test"));
    name == Some(module)
}
