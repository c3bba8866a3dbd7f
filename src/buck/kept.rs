//! An evaluation made of what earlier runs kept, and of packages that are evaluated because nobody has yet. Reads through the
//! session.
//!
//! What a package comes to depends on its build file and all that this loads, on the prelude and other files that everybody
//! sees, on the settings, and on the files that lie in the package. Their digests make its key.

use super::evaluator::{Evaluator, Roots, implicit, prelude_keys};
use super::modules::{ModuleKey, Modules, is_never_called};
use super::package::Evaluated;
use super::schema::RuleTable;
use super::session::Session;
use super::{Evaluation, data_load};
use crate::digest::{Digest, Parts};
use crate::error::Result;
use crate::progress::Progress;
use crate::source::{Problem, ProjectPath};
use crate::workspace::{Cells, PackageDir, Workspace};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Evaluates every build file; `None` if that takes what has no key: files that load each other in a circle, or that cannot be
/// read.
pub(super) fn evaluate(
    workspace: &Workspace,
    cells: &Cells,
    progress: &dyn Progress,
) -> Result<Option<Evaluation>> {
    let session = if cells.is_bazel() {
        Session::with_bazel(workspace, cells)?
    } else {
        Session::with_table(workspace, cells)?
    };
    let mut modules = Modules::default();
    let roots = Roots::new(workspace, cells);
    let loaded = discover(&session, &roots, &mut modules);
    progress.go_on()?;
    let Some(keys) = Keys::new(&session, &roots, &modules, &loaded) else { return Ok(None) };
    progress.go_on()?;
    let cache = &workspace.cache;
    let known: Vec<Option<Evaluated>> =
        roots.packages.par_iter().map(|dir| keys.package(&session, dir)).collect();
    let found: Vec<Option<Vec<Problem>>> =
        loaded.iter().map(|key| cache.get(&keys.module(key)?)).collect();
    let own_rules = || Some(session.core.rules.clone());
    let rules: Option<RuleTable> = keys.rules.as_ref().map_or_else(own_rules, |key| cache.get(key));
    let inherited: Option<Vec<Problem>> = cache.get(&keys.inherited);
    let missing = Roots {
        packages: absent(&roots.packages, &known).copied().collect(),
        modules: absent(&loaded, &found).cloned().collect(),
        package_files: roots.package_files.clone(),
    };
    let is_whole = missing.packages.is_empty() && missing.modules.is_empty();
    let mut problems = std::mem::take(&mut modules.problems);
    problems.extend(found.into_iter().flatten().flatten());
    let (evaluated, rules, modules) = match (rules, inherited) {
        (Some(rules), Some(inherited)) if is_whole => {
            problems.extend(inherited);
            (Vec::new(), rules, modules)
        }
        _ => {
            let (evaluator, evaluated) =
                Evaluator::of(workspace, cells, &missing, modules, progress)?;
            keys.keep(&evaluator, &missing, &evaluated);
            problems.extend(evaluator.problems);
            let mut modules = evaluator.modules;
            problems.append(&mut modules.take_problems());
            (evaluated, evaluator.session.core.rules.clone(), modules)
        }
    };
    let mut evaluated = evaluated.into_iter();
    let mut packages = Vec::with_capacity(known.len());
    for known in known {
        let Some(result) = known.or_else(|| evaluated.next()) else { continue };
        problems.extend(result.problems);
        packages.push(result.package);
    }
    problems.sort();
    problems.dedup();
    Ok(Some(Evaluation::new(packages, problems, &modules, rules)))
}

/// Keeps what was evaluated without a look at what was kept.
pub(super) fn keep(evaluator: &Evaluator<'_>, roots: &Roots<'_>, evaluated: &[Evaluated]) {
    let loaded: Vec<ModuleKey> = evaluator.modules.found.keys().cloned().collect();
    if let Some(keys) = Keys::new(&evaluator.session, roots, &evaluator.modules, &loaded) {
        keys.keep(evaluator, roots, evaluated);
    }
}

/// Finds and parses all that an evaluation would load, in the order in which it would: files get the same numbers.
fn discover(session: &Session<'_>, roots: &Roots<'_>, modules: &mut Modules) -> Vec<ModuleKey> {
    let mut found = BTreeSet::new();
    if let Some((prelude, _)) = prelude_keys(session.cells) {
        found.extend(modules.discover(session, std::slice::from_ref(&prelude)));
        found.insert(prelude);
    }
    roots.parse(session, modules);
    found.extend(modules.discover(session, &roots.entries(session)));
    let implicit = implicit(session);
    found.extend(modules.discover(session, &implicit));
    found.extend(implicit);
    found.into_iter().collect()
}

fn absent<'t, T, K>(all: &'t [T], known: &'t [Option<K>]) -> impl Iterator<Item = &'t T> {
    all.iter().zip(known).filter(|(_, known)| known.is_none()).map(|(one, _)| one)
}

/// Under which keys the parts of an evaluation are kept.
struct Keys<'w> {
    workspace: &'w Workspace,
    /// Of what each file comes to: its contents, and those of all that it loads.
    files: FxHashMap<ModuleKey, Digest>,
    /// Of what every loaded file sees.
    global: Digest,
    /// Of what every build file sees besides.
    shared: Digest,
    /// Of what PACKAGE files say.
    inherited: Digest,
    /// Of the rules of a prelude.
    rules: Option<Digest>,
}

impl<'w> Keys<'w> {
    fn new(
        session: &Session<'w>,
        roots: &Roots<'_>,
        modules: &Modules,
        loaded: &[ModuleKey],
    ) -> Option<Self> {
        let workspace = session.workspace;
        let entries = roots.entries(session);
        let files = digests(session, modules, loaded.iter().chain(&entries))?;
        let mut global = Parts::new("evaluation");
        global.add_digest(&workspace.digest_of_settings(session.cells));
        let prelude = prelude_keys(session.cells);
        if let Some((prelude, _)) = &prelude {
            global.add_digest(files.get(prelude)?);
        }
        if session.cells.is_bazel() {
            // Labels in loaded files are relative to the package around them.
            for package in workspace.tree.packages() {
                global.add(package.build_file.as_str());
            }
        }
        let global = global.finish();
        let of = |purpose| {
            let mut parts = Parts::new(purpose);
            parts.add_digest(&global);
            parts
        };
        let mut inherited = of("PACKAGE files");
        for key in entries.get(roots.packages.len()..)? {
            inherited.add_digest(files.get(key)?);
        }
        let inherited = inherited.finish();
        let mut shared = of("build files");
        shared.add_digest(&inherited);
        for key in implicit(session) {
            shared.add_digest(files.get(&key)?);
        }
        let shared = shared.finish();
        let rules = prelude.map(|_| of("rules").finish());
        Some(Self { workspace, files, global, shared, inherited, rules })
    }

    fn module(&self, key: &ModuleKey) -> Option<Digest> {
        let file = self.files.get(key)?;
        Some(Parts::new("module").add_digest(&self.global).add_digest(file).finish())
    }

    fn package_key(&self, session: &Session<'_>, dir: &PackageDir) -> Option<Digest> {
        let key = |path: &ProjectPath| ModuleKey {
            path: path.clone(),
            cell: session.cells.cell_of(path).name.clone(),
        };
        let mut parts = Parts::new("package");
        parts.add_digest(&self.shared).add_digest(self.files.get(&key(&dir.build_file))?);
        parts.add_digest(&self.workspace.tree.digest_of_package(dir));
        if session.cells.is_bazel() {
            // Those above may say that a tree is managed by hand.
            for above in std::iter::successors(dir.dir.parent(), ProjectPath::parent) {
                if let Some(package) = self.workspace.tree.package_at(&above) {
                    let file = self.files.get(&key(&package.build_file));
                    parts.add(above.as_str()).add(file.map_or(&[][..], |file| file.as_bytes()));
                }
            }
        }
        Some(parts.finish())
    }

    /// A package as it was kept, if what it names in other packages is as it was.
    fn package(&self, session: &Session<'_>, dir: &PackageDir) -> Option<Evaluated> {
        let found: Evaluated = self.workspace.cache.get(&self.package_key(session, dir)?)?;
        let tree = &self.workspace.tree;
        let is_same = |(path, is_file): &(ProjectPath, bool)| tree.is_file(path) == *is_file;
        found.elsewhere.iter().all(is_same).then_some(found)
    }

    fn keep(&self, evaluator: &Evaluator<'_>, missing: &Roots<'_>, evaluated: &[Evaluated]) {
        let cache = &self.workspace.cache;
        let is_new = |key: &Digest| !cache.has(key);
        for (dir, result) in missing.packages.iter().zip(evaluated) {
            if let Some(key) = self.package_key(&evaluator.session, dir).filter(is_new) {
                cache.put(key, result);
            }
        }
        for (key, problems) in &evaluator.modules.found {
            if let Some(key) = self.module(key).filter(is_new) {
                cache.put(key, problems);
            }
        }
        if is_new(&self.inherited) {
            cache.put(self.inherited, &evaluator.problems);
        }
        if let Some(key) = self.rules.filter(is_new) {
            cache.put(key, &evaluator.session.core.rules);
        }
    }
}

/// What each file comes to: a digest of its contents, of its name and number, and of what each of its loads brings. `None` if
/// some file cannot be read, or loads itself.
fn digests<'k>(
    session: &Session<'_>,
    modules: &Modules,
    keys: impl Iterator<Item = &'k ModuleKey>,
) -> Option<FxHashMap<ModuleKey, Digest>> {
    let mut done: FxHashMap<ModuleKey, Digest> = FxHashMap::default();
    let keys: BTreeSet<&ModuleKey> = keys.collect();
    let keys: Vec<&ModuleKey> = keys.into_iter().collect();
    let waiting: Option<Vec<File<'_>>> =
        keys.par_iter().map(|key| File::new(session, modules, key)).collect();
    let mut waiting = waiting?;
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain_mut(|file| {
            let ready = file.digest(&done);
            let is_ready = ready.is_some();
            done.extend(ready.map(|digest| (file.key.clone(), digest)));
            !is_ready
        });
        if waiting.len() == before {
            return None;
        }
    }
    Some(done)
}

/// A file whose loads wait for their digests.
struct File<'k> {
    key: &'k ModuleKey,
    own: Parts,
    needs: Vec<ModuleKey>,
}

impl<'k> File<'k> {
    fn new(session: &Session<'_>, modules: &Modules, key: &'k ModuleKey) -> Option<Self> {
        let mut own = Parts::new("file");
        own.add(key.path.as_str()).add(&*key.cell);
        if data_load::is_data(&key.path) {
            own.add_digest(&session.disk.files.content(&key.path).ok()?.digest);
            return Some(Self { key, own, needs: Vec::new() });
        }
        let (number, file) = modules.file(key.path.as_str())?;
        own.add_number(number.into()).add_digest(&file.digest?);
        let mut needs = Vec::new();
        for load in &file.collected.loads {
            match Modules::target_of(session, key, load) {
                Ok(_) if is_never_called(session, file, load) => {
                    own.add("is never called");
                }
                Ok(target) => needs.push(target),
                Err(reason) => {
                    own.add(reason);
                }
            }
        }
        Some(Self { key, own, needs })
    }

    /// Once those of its loads are there.
    fn digest(&mut self, done: &FxHashMap<ModuleKey, Digest>) -> Option<Digest> {
        let needs: Option<Vec<&Digest>> = self.needs.iter().map(|key| done.get(key)).collect();
        for digest in needs? {
            self.own.add_digest(digest);
        }
        Some(self.own.finish())
    }
}
