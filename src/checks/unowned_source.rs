//! # unowned-source
//!
//! ## What it finds
//!
//! A Python file that no target has as a source. Setup scripts and the like, which run outside of Buck2, are left out.
//!
//! ## Why it matters
//!
//! No build checks it, and no program can import it.
//!
//! ## Example
//!
//! `features/new_store.py` is not in the `srcs` of any target of `//features`.
//!
//! ## Fix
//!
//! Add it to a target, delete it, or leave its directory out with `[project] exclude` or `[python] source-roots`.

use super::ground::Ground;
use crate::buck::Directives;
use crate::finding::{CheckId, Confidence, Finding, Region};
use crate::source::ProjectPath;
use rustc_hash::FxHashSet;

/// Files that tools other than Buck2 load by name.
const LOADED_BY_NAME: &[&str] =
    &["setup.py", "conftest.py", "noxfile.py", "conf.py", "fabfile.py", "tasks.py"];

/// Directories of other people's code.
const VENDORED: &[&str] = &["third-party", "third_party", "vendor"];

/// Runs the check.
pub(super) fn run(ground: &Ground<'_>) -> Vec<Finding> {
    let graph = ground.graph;
    let sources: rustc_hash::FxHashSet<&ProjectPath> = ground
        .defined()
        .flat_map(|(_, target)| &target.sources)
        .filter_map(|source| match &source.origin {
            crate::buck::SourceOrigin::File { path, .. } => Some(path),
            crate::buck::SourceOrigin::Target(_) => None,
        })
        .collect();
    let named = named_files(ground);
    let unowned = graph.unowned().iter().map(|(file, _)| graph.files.get(*file));
    let reported = unowned.filter(|file| {
        let name = file.path.file_name();
        name.ends_with(".py")
            && (name != "__init__.py" || !file.is_empty)
            && !is_excluded(ground, &file.path)
            && !LOADED_BY_NAME.contains(&name)
            && !sources.contains(&file.path)
            && !graph.mentions.paths.contains_key(file.path.as_str())
            && in_source_roots(ground, &file.path)
    });
    reported
        .map(|file| {
            let message = format!("no target has `{}` as a source", file.path);
            let region = Region::line(file.path.clone(), 1);
            let check = CheckId::UnownedSource;
            let confidence = confidence(ground, &file.path, &named);
            let mut finding = Finding::new(check, confidence, region, message);
            finding.hint = Some("add it to the `srcs` of a target, or delete it".to_owned());
            finding
        })
        .collect()
}

/// Of Bazel: whether gazelle leaves a file or its tree alone.
fn is_excluded(ground: &Ground<'_>, path: &ProjectPath) -> bool {
    if !ground.workspace.cells.is_bazel() {
        return false;
    }
    let above = std::iter::successors(path.parent(), ProjectPath::parent);
    let directives = above.filter_map(|dir| {
        let package = ground.workspace.tree.package_at(&dir)?;
        let file = ground.graph.evaluation.file(&package.build_file)?;
        Some((dir, file.directives()))
    });
    let directives: Vec<_> = directives.collect();
    Directives::leave_python_alone(directives.iter().map(|(_, own)| *own))
        || directives.iter().any(|(dir, own)| {
            own.gazelle("exclude").any(|pattern| excludes(pattern, path.below(dir).unwrap_or("")))
        })
}

/// Whether a pattern of gazelle's takes a path out, or a directory above it.
fn excludes(pattern: &str, path: &str) -> bool {
    let Ok(glob) = globset::GlobBuilder::new(pattern).literal_separator(true).build() else {
        return false;
    };
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let matcher = glob.compile_matcher();
    ends.filter_map(|end| path.get(..end)).any(|prefix| matcher.is_match(prefix))
}

/// A file above which no build file stands, and other people's code, is outside of what Buck2 builds; one that a build file names
/// may be a source in another configuration.
fn confidence(
    ground: &Ground<'_>,
    path: &ProjectPath,
    named: &FxHashSet<ProjectPath>,
) -> Confidence {
    match ground.workspace.tree.package_of(path) {
        None => Confidence::Possible,
        Some(_) if path.as_str().split('/').any(|dir| VENDORED.contains(&dir)) => {
            Confidence::Possible
        }
        Some(_) if named.contains(path) => Confidence::Likely,
        Some(_) => Confidence::Certain,
    }
}

/// Files that literals of build files and of what they load name, and those of globs in code that did not run.
fn named_files(ground: &Ground<'_>) -> FxHashSet<ProjectPath> {
    let mut named = FxHashSet::default();
    for file in &ground.graph.evaluation.files {
        let Some(dir) = file.path().parent() else { continue };
        let texts = file.literals().iter().map(|literal| &*literal.text);
        let texts = texts.filter(|text| text.ends_with(".py") || text.ends_with(".pyi"));
        named.extend(texts.filter_map(|text| dir.join(text)));
        named.extend(globbed(ground, &dir, file.text()));
    }
    named
}

/// What the patterns in a text match, if it is one of a package.
fn globbed(ground: &Ground<'_>, dir: &ProjectPath, text: &str) -> Vec<ProjectPath> {
    let tree = &ground.workspace.tree;
    let Some(package) = tree.package_at(dir) else { return Vec::new() };
    let evaluated = ground.graph.evaluation.packages.iter().find(|p| p.dir == *dir);
    let ran = |word: &str| evaluated.is_some_and(|package| package.globs.contains(word));
    let is_pattern = |word: &&str| word.contains('*') && word.ends_with(".py") && !ran(word);
    let patterns: Vec<&str> = text.split(['"', '\'']).filter(is_pattern).collect();
    if patterns.is_empty() {
        return Vec::new();
    }
    let files = crate::workspace::glob(tree, package, &patterns, &[]).unwrap_or_default();
    files.iter().filter_map(|file| dir.join(file)).collect()
}

fn in_source_roots(ground: &Ground<'_>, path: &ProjectPath) -> bool {
    let roots = &ground.workspace.settings.python.source_roots;
    roots.is_empty()
        || roots.iter().any(|root| path.below(&ProjectPath::new(root.as_str())).is_some())
}
