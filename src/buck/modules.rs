//! Loaded files: found, ordered by their loads, and evaluated once each for every cell that needs them.

use super::macros::MacroTable;
use super::package::Runs;
use super::parse::{LoadStatement, ParsedFile};
use super::recorder::Recorder;
use super::run::{self, Input, Loader};
use super::session::Session;
use super::unknown::Unknown;
use super::{bazel, data_load, loads, prelude};
use crate::digest::{Digest, Parts};
use crate::source::{Problem, ProblemKind, ProjectPath};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use starlark::environment::{FrozenModule, Module};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// A loaded file, evaluated for the build files of one cell (Buck2's `ImportPath`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ModuleKey {
    pub(super) path: ProjectPath,
    pub(super) cell: Arc<str>,
}

/// One loaded file, evaluated with marks and without.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) marked: FrozenModule,
    pub(super) plain: FrozenModule,
}

/// Every file of the evaluation: parsed build files, and modules that were loaded.
#[derive(Clone, Default)]
pub(super) struct Modules {
    /// Parsed files by the number that their marks carry.
    pub(super) files: Vec<Arc<ParsedFile>>,
    numbers: FxHashMap<ProjectPath, u32>,
    pub(super) loaded: FxHashMap<ModuleKey, Loaded>,
    /// Files that take part in a cycle of loads.
    cyclic: FxHashSet<ModuleKey>,
    /// What is wrong with files as they are written, and with the order in which they load each other.
    pub(super) problems: Vec<Problem>,
    /// What went wrong when a loaded file was evaluated.
    pub(super) found: BTreeMap<ModuleKey, Vec<Problem>>,
}

impl Modules {
    /// The parsed form of a file, if it was needed.
    pub(super) fn file(&self, path: &str) -> Option<(u32, &Arc<ParsedFile>)> {
        let number = *self.numbers.get(path)?;
        Some((number, &self.files[number as usize]))
    }

    /// Parses files that are not parsed yet. Numbers are given in the order of the paths.
    pub(super) fn parse(&mut self, session: &Session<'_>, paths: &BTreeSet<ProjectPath>) {
        let new: Vec<(u32, &ProjectPath)> = paths
            .iter()
            .filter(|path| !self.numbers.contains_key(*path))
            .enumerate()
            .map(|(at, path)| ((self.files.len() + at) as u32, path))
            .collect();
        let parsed: Vec<ParsedFile> = new
            .par_iter()
            .map(|(number, path)| read_and_parse(session, path, Some(*number)))
            .collect();
        for ((number, path), file) in new.into_iter().zip(parsed) {
            self.numbers.insert(path.clone(), number);
            self.problems.extend(file.problems.iter().cloned());
            self.files.push(Arc::new(file));
        }
    }

    /// Makes everything available that `roots` load, directly or not.
    pub(super) fn load_closure<'a>(&mut self, session: &'a Session<'a>, roots: &[ModuleKey]) {
        let keys = self.discover(session, roots);
        for level in self.levels(session, keys) {
            let results: Vec<(Loaded, Vec<Problem>)> =
                level.par_iter().map(|key| self.evaluate(session, key, Runs::Both)).collect();
            for (key, (loaded, problems)) in level.into_iter().zip(results) {
                self.found.insert(key.clone(), problems);
                self.loaded.insert(key, loaded);
            }
        }
    }

    /// Makes `roots` themselves available, and everything that they load.
    pub(super) fn load_roots<'a>(&mut self, session: &'a Session<'a>, roots: &[ModuleKey]) {
        self.load_closure(session, roots);
        for key in roots {
            if !self.loaded.contains_key(key) {
                let (loaded, problems) = self.evaluate(session, key, Runs::Both);
                self.found.insert(key.clone(), problems);
                self.loaded.insert(key.clone(), loaded);
            }
        }
    }

    /// All that went wrong so far; it is not told twice.
    pub(super) fn take_problems(&mut self) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.extend(std::mem::take(&mut self.found).into_values().flatten());
        problems
    }

    /// The keys of all files that `roots` load, the roots left out; every one is parsed.
    pub(super) fn discover(
        &mut self,
        session: &Session<'_>,
        roots: &[ModuleKey],
    ) -> BTreeSet<ModuleKey> {
        let mut found = BTreeSet::new();
        let mut frontier: BTreeSet<ModuleKey> = roots.iter().cloned().collect();
        while !frontier.is_empty() {
            let paths = frontier.iter().map(|key| key.path.clone());
            self.parse(session, &paths.filter(|path| !data_load::is_data(path)).collect());
            let next = frontier.iter().flat_map(|key| self.dependencies(session, key));
            let next: BTreeSet<ModuleKey> = next.collect();
            frontier = next
                .into_iter()
                .filter(|key| !self.loaded.contains_key(key) && found.insert(key.clone()))
                .collect();
        }
        found
    }

    /// What a file loads, as far as it is on disk.
    fn dependencies(&self, session: &Session<'_>, key: &ModuleKey) -> Vec<ModuleKey> {
        let Some((_, file)) = self.file(key.path.as_str()) else { return Vec::new() };
        let loads = file.collected.loads.iter();
        let loads = loads.filter(|load| !is_never_called(session, file, load));
        loads.filter_map(|load| Self::target_of(session, key, load).ok()).collect()
    }

    pub(super) fn target_of(
        session: &Session<'_>,
        from: &ModuleKey,
        load: &LoadStatement,
    ) -> Result<ModuleKey, String> {
        let path = loads::resolve(session.cells, &from.path, &load.module)?;
        if !session.disk.tree.has_file(&path, &**session.disk.files) {
            return Err(format!("no file `{path}`"));
        }
        Ok(session.module_key(path, &from.cell))
    }

    /// Orders keys so that each level only loads from levels before it; what is left is cyclic.
    pub(super) fn levels(
        &mut self,
        session: &Session<'_>,
        keys: BTreeSet<ModuleKey>,
    ) -> Vec<Vec<ModuleKey>> {
        let mut waiting: Vec<(ModuleKey, Vec<ModuleKey>)> = keys
            .into_iter()
            .map(|key| {
                let dependencies = self.dependencies(session, &key);
                (key, dependencies)
            })
            .collect();
        let mut done: FxHashSet<ModuleKey> = FxHashSet::default();
        let mut levels = Vec::new();
        while !waiting.is_empty() {
            let (ready, blocked): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, needs)| {
                needs.iter().all(|need| done.contains(need) || self.loaded.contains_key(need))
            });
            if ready.is_empty() {
                self.report_cycle(&blocked);
                // Whatever a cycle blocks is evaluated with placeholders for what is not there.
                levels.push(blocked.into_iter().map(|(key, _)| key).collect());
                break;
            }
            done.extend(ready.iter().map(|(key, _)| key.clone()));
            levels.push(ready.into_iter().map(|(key, _)| key).collect());
            waiting = blocked;
        }
        levels
    }

    fn report_cycle(&mut self, blocked: &[(ModuleKey, Vec<ModuleKey>)]) {
        let members: FxHashSet<&ModuleKey> = blocked.iter().map(|(key, _)| key).collect();
        for (key, needs) in blocked {
            self.cyclic.insert(key.clone());
            let next = needs.iter().find(|need| members.contains(need));
            let message = match next {
                Some(next) => format!("loads itself through `{}`", next.path),
                None => "is loaded in a cycle".to_owned(),
            };
            self.problems.push(Problem {
                path: key.path.clone(),
                line: 0,
                kind: ProblemKind::Load,
                message,
            });
        }
    }

    pub(super) fn evaluate<'a>(
        &self,
        session: &'a Session<'a>,
        key: &ModuleKey,
        runs: Runs,
    ) -> (Loaded, Vec<Problem>) {
        if data_load::is_data(&key.path) {
            return data_load::load(session, &key.path);
        }
        let Some((_, file)) = self.file(key.path.as_str()) else {
            return (session.nothing(), Vec::new());
        };
        let (plain_loader, marked_loader, mut problems) = self.loaders(session, key, file);
        let recorder = || Recorder::new(session, Arc::clone(&key.cell), None);
        let scope = session.module_scope(&key.path);
        let input = Input { file, marked: false, loader: &plain_loader, scope, session };
        let plain = run::module(input, recorder);
        problems.extend(plain.problems);
        let marked = if runs == Runs::Plain || session.is_prelude(&key.path) {
            plain.module.clone()
        } else {
            run::module(Input { marked: true, loader: &marked_loader, ..input }, recorder).module
        };
        (Loaded { marked, plain: plain.module }, problems)
    }

    /// What the `load` statements of a file find: without marks, with marks, and what was not there.
    pub(super) fn loaders(
        &self,
        session: &Session<'_>,
        key: &ModuleKey,
        file: &ParsedFile,
    ) -> (Loader, Loader, Vec<Problem>) {
        let mut plain = Loader::default();
        let mut marked = Loader::default();
        let mut problems = Vec::new();
        for (module, symbols) in symbols_by_module(file) {
            let load = file.collected.loads.iter().find(|load| load.module == module);
            let Some(load) = load else { continue };
            let target = Self::target_of(session, key, load);
            let loaded = target.as_ref().ok().and_then(|target| self.loaded.get(target));
            let helpers = session.core.helpers.find(&module);
            let found = loaded.or(helpers);
            let is_external =
                session.cells.is_bazel() && bazel::is_external(&module, session.cells);
            let known = session.core.bazel.as_ref().filter(|_| is_external);
            let is_missing = |symbol: &&str| {
                found.is_none_or(|found| !has(&found.plain, symbol))
                    || known.is_some_and(|shared| shared.get(symbol).is_some())
            };
            let overrides = session.core.macros.overrides(&module, &symbols);
            let missing: Vec<&str> = symbols
                .iter()
                .copied()
                .filter(|symbol| !overrides.contains_key(*symbol))
                .filter(is_missing)
                .collect();
            if !missing.is_empty() && !is_external {
                let line = file.lines.line(load.span.start);
                let message = explain_missing(&module, &missing, target.as_ref().err());
                problems.push(Problem {
                    path: file.path.clone(),
                    line,
                    kind: ProblemKind::Load,
                    message,
                });
            }
            let complete = |base: Option<&FrozenModule>| match base {
                Some(base) if missing.is_empty() && overrides.is_empty() => base.clone(),
                _ => extend(session, base, &overrides, &missing, is_external.then_some(&*module)),
            };
            plain.insert(&module, complete(found.map(|found| &found.plain)));
            marked.insert(&module, complete(found.map(|found| &found.marked)));
        }
        (plain, marked, problems)
    }
}

/// Whether a load of the prelude brings nothing but what runs when targets are analysed: implementations of rules, and what
/// only functions use that were left out.
pub(super) fn is_never_called(
    session: &Session<'_>,
    from: &ParsedFile,
    load: &LoadStatement,
) -> bool {
    let mut symbols = load.symbols.iter();
    session.has_half_of(&from.path)
        && !load.symbols.is_empty()
        && symbols.all(|symbol| {
            symbol.remote.ends_with("_impl") || !from.collected.used.contains(&*symbol.local)
        })
}

fn explain_missing(module: &str, missing: &[&str], reason: Option<&String>) -> String {
    match reason {
        Some(reason) => format!("cannot load `{module}`: {reason}"),
        None => format!("`{module}` does not define `{}`", missing.join("`, `")),
    }
}

fn symbols_by_module(file: &ParsedFile) -> Vec<(Box<str>, Vec<&str>)> {
    let mut modules: Vec<(Box<str>, Vec<&str>)> = Vec::new();
    for load in &file.collected.loads {
        let symbols = load.symbols.iter().map(|symbol| &*symbol.remote);
        match modules.iter_mut().find(|(module, _)| *module == load.module) {
            Some((_, known)) => known.extend(symbols),
            None => modules.push((load.module.clone(), symbols.collect())),
        }
    }
    modules
}

fn has(module: &FrozenModule, symbol: &str) -> bool {
    matches!(module.get_option(symbol), Ok(Some(_)))
}

/// A module with the public names of `base`, some of them replaced, and what stands for those it lacks: placeholders, or for
/// a load of another repository, `external`, what everybody knows by these names.
fn extend(
    session: &Session<'_>,
    base: Option<&FrozenModule>,
    overrides: &FxHashMap<&str, super::macros::Macro>,
    missing: &[&str],
    external: Option<&str>,
) -> FrozenModule {
    let frozen = Module::with_temp_heap(|module| {
        if let Some(base) = base {
            for name in base.names() {
                let name = name.as_str();
                if let Ok(Some(value)) = base.get_option(name)
                    && !overrides.contains_key(name)
                {
                    module.set(name, module.heap().access_owned_frozen_value(&value));
                }
            }
        }
        for (name, replacement) in overrides {
            let original = base.and_then(|base| base.get_option(name).ok().flatten());
            let value = MacroTable::value(replacement, original.as_ref(), session, module.heap());
            module.set(name, value);
        }
        for name in missing {
            let heap = module.heap();
            let value = match external {
                Some(load) => bazel::external(session, load, name, heap),
                None => heap.alloc(Unknown::named(name)),
            };
            module.set(name, value);
        }
        module.freeze()
    });
    frozen.unwrap_or_else(|_| session.core.empty.clone())
}

/// Reads and parses a file; `number` is what its marks carry.
pub(super) fn read_and_parse(
    session: &Session<'_>,
    path: &ProjectPath,
    number: Option<u32>,
) -> ParsedFile {
    // An edit that is tried is not tried again.
    let is_kept = session.workspace.cache.is_on() && number.is_some();
    // Nobody edits the prelude, so that its literals need no marks.
    let number = number.filter(|_| !session.is_prelude(path));
    let parse = |bytes: Vec<u8>| {
        if session.has_half_of(path) {
            parse_half(path, bytes)
        } else {
            ParsedFile::parse(path, bytes, number)
        }
    };
    let parsed = if is_kept {
        restore_or_parse(session, path, number, &parse)
    } else {
        session.disk.files.read(path).map(parse)
    };
    parsed.unwrap_or_else(|error| {
        let mut file = ParsedFile::parse(path, Vec::new(), number);
        file.problems.push(Problem {
            path: path.clone(),
            line: 0,
            kind: ProblemKind::Unreadable,
            message: format!("cannot be read: {error}"),
        });
        file
    })
}

/// Takes from the cache what a file says, or puts it there.
fn restore_or_parse(
    session: &Session<'_>,
    path: &ProjectPath,
    number: Option<u32>,
    parse: &dyn Fn(Vec<u8>) -> ParsedFile,
) -> io::Result<ParsedFile> {
    let (files, cache) = (session.disk.files, &session.workspace.cache);
    let key = |digest: &Digest| {
        let mut key = Parts::new("syntax");
        key.add(path.as_str()).add_number(session.has_half_of(path).into());
        key.add_digest(digest).finish()
    };
    let content = files.content(path)?;
    if let Some(syntax) = cache.get(&key(&content.digest)) {
        return Ok(ParsedFile::restore(path, syntax, number, content.digest));
    }
    let (digest, bytes) = content.read(&**files, path)?;
    let mut file = parse(bytes);
    cache.put(key(&digest), &file.syntax());
    file.digest = Some(digest);
    Ok(file)
}

/// A file of the prelude without what needs an analysis, unless that is all that makes it a whole.
fn parse_half(path: &ProjectPath, bytes: Vec<u8>) -> ParsedFile {
    let half = std::str::from_utf8(&bytes).ok().and_then(prelude::without_analysis);
    let parsed = half.map(|text| ParsedFile::parse(path, text.into_bytes(), None));
    match parsed.filter(|file| file.problems.is_empty()) {
        Some(file) => file,
        None => ParsedFile::parse(path, bytes, None),
    }
}
