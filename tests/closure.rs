//! Random repositories: with every fix of a run made at once, each executable still has an owner for every import it had one for.

use crate::situations::lint;
use proptest::prelude::*;
use secateur::finding::{CheckId, FixSet, Report};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

const LIBRARIES: usize = 9;
const PROGRAMS: usize = 3;

/// Library `n` has the module `lib.m<n>`. Dependencies lead to larger numbers only, so that there is no cycle of targets.
#[derive(Clone, Debug)]
struct Repository {
    imports: Vec<BTreeSet<usize>>,
    deps: Vec<BTreeSet<usize>>,
    /// The library whose module each program starts, and what else the program depends on.
    programs: Vec<(usize, BTreeSet<usize>)>,
    /// Libraries that only libraries of smaller number in their own list may depend on.
    hidden: BTreeSet<usize>,
}

fn repository() -> impl Strategy<Value = Repository> {
    let set = || proptest::collection::btree_set(0..LIBRARIES, 0..4);
    let sets = || proptest::collection::vec(set(), LIBRARIES);
    let programs = proptest::collection::vec((0..LIBRARIES, set()), PROGRAMS);
    (sets(), sets(), programs, set()).prop_map(|(imports, mut deps, programs, hidden)| {
        for (n, deps) in deps.iter_mut().enumerate() {
            deps.retain(|dep| *dep > n);
        }
        Repository { imports, deps, programs, hidden }
    })
}

impl Repository {
    fn write(&self, root: &std::path::Path) {
        let mut build_file = String::new();
        let list = |deps: &BTreeSet<usize>| {
            let items: Vec<String> =
                deps.iter().map(|dep| format!("        \"//l{dep}:l{dep}\",\n")).collect();
            items.concat()
        };
        for (n, (start, deps)) in self.programs.iter().enumerate() {
            let mut deps = deps.clone();
            deps.insert(*start);
            writeln!(
                build_file,
                "python_binary(\n    name = \"p{n}\",\n    main_module = \"lib.m{start}\",\n    deps = [\n{}    ],\n)",
                list(&deps)
            )
            .unwrap();
        }
        fs::create_dir_all(root.join("programs")).unwrap();
        fs::write(root.join(".buckconfig"), "").unwrap();
        fs::write(root.join("programs/BUCK"), build_file).unwrap();
        for n in 0..LIBRARIES {
            let dir = root.join(format!("l{n}"));
            fs::create_dir_all(&dir).unwrap();
            let visibility = if self.hidden.contains(&n) {
                let users: Vec<usize> =
                    (0..LIBRARIES).filter(|user| self.deps[*user].contains(&n)).collect();
                let users: String = users
                    .iter()
                    .map(|user| format!("\"//l{user}:l{user}\", "))
                    .collect::<Vec<_>>()
                    .concat();
                format!("[{users}\"//programs:\"]")
            } else {
                "[\"//...\"]".to_owned()
            };
            let build_file = format!(
                "python_library(\n    name = \"l{n}\",\n    srcs = [\"m{n}.py\"],\n    base_module = \"lib\",\n    visibility = {visibility},\n    deps = [\n{}    ],\n)\n",
                list(&self.deps[n])
            );
            fs::write(dir.join("BUCK"), build_file).unwrap();
            let imports: Vec<String> = self.imports[n]
                .iter()
                .filter(|other| **other != n)
                .map(|other| format!("import lib.m{other}\n"))
                .collect();
            fs::write(dir.join(format!("m{n}.py")), imports.concat()).unwrap();
        }
    }

    /// The edges by label, programs first.
    fn edges(&self) -> BTreeMap<String, BTreeSet<String>> {
        let label = |n: &usize| format!("root//l{n}:l{n}");
        let programs = self.programs.iter().enumerate().map(|(n, (start, deps))| {
            (format!("root//programs:p{n}"), deps.iter().chain([start]).map(label).collect())
        });
        let libraries = self
            .deps
            .iter()
            .enumerate()
            .map(|(n, deps)| (label(&n), deps.iter().map(label).collect()));
        programs.chain(libraries).collect()
    }

    /// What each program loads, and whether an owner is in its closure: only what is reached from its main module counts.
    fn satisfied(
        &self,
        edges: &BTreeMap<String, BTreeSet<String>>,
    ) -> BTreeSet<(usize, usize, usize)> {
        let mut found = BTreeSet::new();
        for (program, (start, _)) in self.programs.iter().enumerate() {
            let held = closure(edges, &format!("root//programs:p{program}"));
            let has = |n: usize| held.contains(&format!("root//l{n}:l{n}"));
            let mut seen = BTreeSet::new();
            let mut open = vec![*start];
            while let Some(module) = open.pop() {
                if !has(module) || !seen.insert(module) {
                    continue;
                }
                for other in self.imports[module].iter().filter(|other| has(**other)) {
                    found.insert((program, module, *other));
                    open.push(*other);
                }
            }
        }
        found
    }
}

fn closure(edges: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(at) = open.pop() {
        if seen.insert(at.clone()) {
            open.extend(edges.get(&at).into_iter().flatten().cloned());
        }
    }
    seen
}

fn apply(report: &Report, edges: &mut BTreeMap<String, BTreeSet<String>>) {
    let fixes = || {
        report
            .findings
            .iter()
            .filter(|f| f.check == CheckId::UnusedDep)
            .filter_map(|f| f.fix.as_ref())
    };
    for removal in fixes().flat_map(FixSet::removals) {
        edges.get_mut(&removal.from.to_string()).unwrap().remove(&removal.to.to_string());
    }
    for addition in fixes().flat_map(FixSet::additions) {
        edges.get_mut(&addition.to.to_string()).unwrap().insert(addition.dep.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_fixes_together_leave_every_import_its_owner(repository in repository()) {
        let root = tempfile::tempdir().unwrap();
        repository.write(root.path());
        let report = lint(root.path());
        let before = repository.edges();
        let mut after = before.clone();
        apply(&report, &mut after);
        let lost: Vec<_> = repository.satisfied(&before).difference(&repository.satisfied(&after)).copied().collect();
        prop_assert!(lost.is_empty(), "lost {lost:?}");
        for (user, deps) in &after {
            for dep in deps.difference(&before[user]) {
                prop_assert!(!closure(&after, dep).contains(user), "{user} -> {dep} closes a cycle");
            }
        }
    }
}
