//! Evaluates build and PACKAGE files, with marks and without, and lowers what they define. Reads through the session.

use super::comments::Directives;
use super::lower::{self, Surroundings, Target};
use super::marks::LiteralId;
use super::modules::{ModuleKey, Modules};
use super::parse::ParsedFile;
use super::recorder::{Frame, PackageScope, PackageValues, RawTarget, Recorder};
use super::run::{self, Input};
use super::session::Session;
use crate::label::PackageId;
use crate::source::{Place, Problem, ProjectPath, Span};
use crate::workspace::{self, PackageDir};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use starlark::environment::FrozenModule;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A package and what its build file defines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub id: PackageId,
    /// Its directory.
    pub dir: ProjectPath,
    /// Its build file.
    pub build_file: ProjectPath,
    /// `oncall("…")`.
    pub oncall: Option<Box<str>>,
    /// Its targets, in the order of their calls.
    pub targets: Vec<Target>,
    /// The visibility that PACKAGE files give to targets that set none.
    pub default_visibility: Vec<Box<str>>,
    /// Patterns that its `glob` calls had.
    pub globs: BTreeSet<String>,
    /// Some statement, load or name failed, so targets or dependencies may be missing.
    pub incomplete: bool,
    /// Marks changed what the build file does, so no dependency is traced to a literal.
    pub untraced: bool,
    /// Nothing of the build file could be read.
    pub failed: bool,
}

/// A package, and what came to light when it was evaluated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Evaluated {
    pub(super) package: Package,
    pub(super) problems: Vec<Problem>,
    /// Files that the package does not own and was asked about, and whether each was there.
    pub(super) elsewhere: Vec<(ProjectPath, bool)>,
}

/// What PACKAGE files say, by directory.
#[derive(Clone, Debug, Default)]
pub(super) struct PackageFiles {
    by_dir: BTreeMap<ProjectPath, (Arc<PackageValues>, Vec<Box<str>>)>,
}

impl PackageFiles {
    /// What holds in `dir`: the nearest file at or above it, which has inherited from those above.
    fn at(&self, dir: &ProjectPath) -> (Arc<PackageValues>, Vec<Box<str>>) {
        let mut dir = Some(dir.clone());
        while let Some(at) = dir {
            if let Some(found) = self.by_dir.get(&at) {
                return found.clone();
            }
            dir = at.parent();
        }
        Default::default()
    }

    /// Whether a file is one of them.
    pub(super) fn reads(&self, path: &ProjectPath) -> bool {
        let is_package_file = matches!(path.file_name(), "PACKAGE" | "BUCK_TREE");
        is_package_file && path.parent().is_some_and(|dir| self.by_dir.contains_key(&dir))
    }

    /// Evaluates PACKAGE files from the root down; `files` must be sorted.
    pub(super) fn evaluate<'a>(
        session: &'a Session<'a>,
        modules: &Modules,
        files: &[ProjectPath],
    ) -> (Self, Vec<Problem>) {
        let mut evaluated = Self::default();
        let mut problems = Vec::new();
        let mut ordered: Vec<&ProjectPath> = files.iter().collect();
        ordered.sort_by_key(|path| path.as_str().matches('/').count());
        for path in ordered {
            let Some(dir) = path.parent() else { continue };
            let Some((_, file)) = modules.file(path.as_str()) else { continue };
            let file = Arc::clone(file);
            let (inherited, visibility) = evaluated.at(&dir);
            let id = session.cells.package_of_dir(&dir);
            let scope = PackageScope { id: &id, dir: &dir, inherited: &inherited };
            let (values, own_visibility, found) = one_package_file(session, modules, &file, scope);
            problems.extend(found);
            let mut merged = PackageValues::clone(&inherited);
            merged.extend(values);
            let visibility = if own_visibility.is_empty() { visibility } else { own_visibility };
            evaluated.by_dir.insert(dir, (Arc::new(merged), visibility));
        }
        (evaluated, problems)
    }
}

fn one_package_file<'a>(
    session: &'a Session<'a>,
    modules: &Modules,
    file: &ParsedFile,
    scope: PackageScope<'a>,
) -> (PackageValues, Vec<Box<str>>, Vec<Problem>) {
    let cell = Arc::clone(&scope.id.cell);
    let key = ModuleKey { path: file.path.clone(), cell: Arc::clone(&cell) };
    let (loader, _, mut problems) = modules.loaders(session, &key, file);
    let input =
        Input { file, marked: false, loader: &loader, scope: session.build_scope(), session };
    let recorder = || Recorder::new(session, Arc::clone(&cell), Some(scope));
    let (recorder, found) = run::build_file(input, recorder, |_| {});
    problems.extend(found);
    (recorder.written.into_inner(), recorder.visibility.into_inner(), problems)
}

/// Which runs of a build file are made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    /// With marks and without, so that each dependency names its literal.
    Both,
    /// Without marks: what there is, and not where it was written.
    Plain,
}

/// Evaluates the build file of a package.
pub(super) fn evaluate<'a>(
    session: &'a Session<'a>,
    modules: &'a Modules,
    package: &'a PackageDir,
    package_files: &PackageFiles,
    includes: &[FrozenModule],
    runs: Runs,
) -> Evaluated {
    let (inherited, default_visibility) = package_files.at(&package.dir);
    let mut done = Package {
        id: package.id.clone(),
        dir: package.dir.clone(),
        build_file: package.build_file.clone(),
        oncall: None,
        targets: Vec::new(),
        default_visibility,
        globs: BTreeSet::new(),
        incomplete: false,
        untraced: false,
        failed: false,
    };
    let Some((_, file)) = modules.file(package.build_file.as_str()) else {
        done.failed = true;
        return Evaluated { package: done, problems: Vec::new(), elsewhere: Vec::new() };
    };
    let scope = PackageScope { id: &package.id, dir: &package.dir, inherited: &inherited };
    let found = run(session, modules, file, scope, includes, runs);
    done.oncall = found.oncall;
    done.globs = found.globs;
    if session.cells.is_bazel() {
        done.default_visibility = found.visibility;
    }
    done.untraced = found.untraced;
    let has_nothing = !file.has_statements() || file.text.is_empty();
    done.failed = has_nothing && !file.problems.is_empty();
    done.incomplete = !file.problems.is_empty() || !found.problems.is_empty();
    let tree = session.disk.tree;
    let own = workspace::package_files(tree, package);
    let owns = |path: &ProjectPath| {
        let below = path.below(&package.dir);
        below.is_some_and(|path| own.binary_search_by(|other| (**other).cmp(path)).is_ok())
    };
    let elsewhere = RefCell::new(Vec::new());
    let is_file = |path: &ProjectPath| {
        let is_file = tree.is_file(path);
        if !owns(path) {
            elsewhere.borrow_mut().push((path.clone(), is_file));
        }
        is_file
    };
    let is_written = |literal: LiteralId, text: &str| {
        let file = modules.files.get(literal.file as usize);
        let written = file.and_then(|file| file.collected.literals.get(literal.index as usize));
        written.is_some_and(|written| *written.text == *text)
    };
    let made = made_names(session, &found.targets);
    let is_made = |name: &str| made.contains(name);
    let around = Surroundings {
        is_made: &is_made,
        cells: session.cells,
        package: &package.id,
        dir: &package.dir,
        is_file: &is_file,
        is_written: &is_written,
    };
    let is_tree_manual = is_managed_by_hand(session, modules, &package.dir);
    done.targets = found
        .targets
        .into_iter()
        .map(|raw| {
            let frames = located(&raw, modules, !done.untraced);
            let places = [defining_place(&frames, file), calling_place(&frames, file)];
            let manual = is_tree_manual || managed_by_hand(&frames, session.cells.is_bazel());
            lower::target(raw, places, manual, &around)
        })
        .collect();
    let elsewhere = elsewhere.into_inner();
    Evaluated { package: done, problems: found.problems, elsewhere }
}

/// Bazel: the names of targets and of the files that they make.
fn made_names(session: &Session<'_>, targets: &[RawTarget]) -> FxHashSet<Box<str>> {
    if !session.cells.is_bazel() {
        return FxHashSet::default();
    }
    let names = targets.iter().map(|target| target.name.text.clone());
    names.chain(targets.iter().flat_map(lower::outputs)).collect()
}

struct Found {
    targets: Vec<RawTarget>,
    oncall: Option<Box<str>>,
    /// `package(default_visibility)`.
    visibility: Vec<Box<str>>,
    globs: BTreeSet<String>,
    problems: Vec<Problem>,
    untraced: bool,
}

/// Runs a build file with marks and without. The plain run decides what there is; the marked one says where it came from,
/// if it found the same.
fn run<'a>(
    session: &'a Session<'a>,
    modules: &Modules,
    file: &ParsedFile,
    scope: PackageScope<'a>,
    includes: &[FrozenModule],
    runs: Runs,
) -> Found {
    let cell = &scope.id.cell;
    let key = ModuleKey { path: file.path.clone(), cell: Arc::clone(cell) };
    let (plain_loader, marked_loader, mut problems) = modules.loaders(session, &key, file);
    let names = session.build_scope();
    let run = |marked, loader| {
        let recorder = || Recorder::new(session, Arc::clone(cell), Some(scope));
        let prepare = |module: &starlark::environment::Module<'_>| {
            includes.iter().for_each(|include| module.import_public_symbols(include));
        };
        run::build_file(Input { file, marked, loader, scope: names, session }, recorder, prepare)
    };
    let marked = (runs == Runs::Both).then(|| run(true, &marked_loader).0);
    let (plain, found) = run(false, &plain_loader);
    problems.extend(found);
    let oncall = plain.oncall.into_inner();
    let globs = plain.globs.into_inner();
    let visibility = plain.visibility.into_inner();
    let plain = plain.targets.into_inner();
    let marked = marked.map(|marked| marked.targets.into_inner());
    let (targets, untraced) = match marked {
        Some(marked) if marked == plain => (marked, false),
        _ => (plain, true),
    };
    Found { targets, oncall, visibility, globs, problems, untraced }
}

/// A call frame in a file of the project, with its bytes in the file's own text.
struct Located<'m> {
    file: &'m ParsedFile,
    span: Span,
}

fn located<'m>(raw: &RawTarget, modules: &'m Modules, marked: bool) -> Vec<Located<'m>> {
    let locate = |frame: &Frame| {
        let (_, file) = modules.file(&frame.file)?;
        let offset = |at| if marked { file.unmark_offset(at) } else { at };
        Some(Located { file, span: Span::new(offset(frame.start), offset(frame.end)) })
    };
    raw.frames.iter().filter_map(locate).collect()
}

/// The outermost call with a `name`, else the outermost call in the build file.
fn defining_place(frames: &[Located<'_>], build_file: &ParsedFile) -> Place {
    let named = frames.iter().find(|frame| {
        let text = frame.file.text.get(frame.span.range()).unwrap_or("");
        has_name_argument(text)
    });
    match named {
        Some(frame) => Place { path: frame.file.path.clone(), span: frame.span },
        None => calling_place(frames, build_file),
    }
}

/// The outermost call in the build file.
fn calling_place(frames: &[Located<'_>], build_file: &ParsedFile) -> Place {
    let outermost = frames.iter().find(|frame| frame.file.path == build_file.path);
    let span = outermost.map_or_else(Span::default, |frame| frame.span);
    Place { path: build_file.path.clone(), span }
}

/// Whether a call's text has `name =` among its own arguments.
fn has_name_argument(call: &str) -> bool {
    let mut depth = 0_u32;
    let bytes = call.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'n' if depth == 1 && call[at..].starts_with("name") => {
                let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
                let after = call[at + 4..].trim_start();
                let alone = !before.is_ascii_alphanumeric() && before != b'_';
                if alone && after.starts_with('=') && !after.starts_with("==") {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Bazel: whether gazelle leaves a directory's build file alone: it says so itself, or switches the language off for its tree.
fn is_managed_by_hand(session: &Session<'_>, modules: &Modules, dir: &ProjectPath) -> bool {
    if !session.cells.is_bazel() {
        return false;
    }
    let directives = |dir: &ProjectPath| {
        let package = session.disk.tree.package_at(dir)?;
        let (_, file) = modules.file(package.build_file.as_str())?;
        Some(&file.collected.directives)
    };
    let above = std::iter::successors(Some(dir.clone()), ProjectPath::parent);
    let ignored = directives(dir).is_some_and(|own| own.gazelle("ignore").next().is_some());
    ignored || Directives::leave_python_alone(above.filter_map(|dir| directives(&dir)))
}

/// `@noautodeps` in a file on the way, or `@autodeps-skip` in or right above a call on the way.
///
/// In Bazel also a `# keep` right above the call.
fn managed_by_hand(frames: &[Located<'_>], is_bazel: bool) -> bool {
    frames.iter().any(|frame| {
        let directives = &frame.file.collected.directives;
        let lines = &frame.file.lines;
        let first = lines.line(frame.span.start);
        let skips =
            |&at: &u32| frame.span.range().contains(&(at as usize)) || lines.line(at) + 1 == first;
        let is_kept = is_bazel && directives.speaks_of(first);
        directives.whole_file || directives.skips.iter().any(skips) || is_kept
    })
}
