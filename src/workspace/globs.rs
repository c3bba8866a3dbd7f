//! `glob()`: patterns against the files that a package owns. Pure; touches nothing.
//!
//! After `buck2_interpreter_for_build::interpreter::globspec`, with its quirks.

use glob::{MatchOptions, Pattern};
use rustc_hash::FxHashSet;

use super::tree::{PackageDir, Tree, child};
use crate::source::ProjectPath;

/// Sorted paths, relative to the package.
pub(super) type Listing = Vec<Box<str>>;

/// From this many files on Buck2 narrows a listing to the patterns' common prefix first, which heeds case.
const PREFIX_SEARCH_FROM: usize = 100;

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: false,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files that `glob(include, exclude)` gives in `package`: sorted, relative to the package. The error is a fragment
/// that says which pattern Buck2 refuses, and why.
pub fn glob(
    tree: &Tree,
    package: &PackageDir,
    include: &[&str],
    exclude: &[&str],
) -> Result<Vec<String>, String> {
    let spec = Spec::new(include, exclude)?;
    let files = package_files(tree, package);
    let mut candidates = files;
    let prefix = common_prefix(include);
    if files.len() >= PREFIX_SEARCH_FROM && !prefix.is_empty() {
        let start = files.partition_point(|file| **file < *prefix);
        let rest = files.get(start..).unwrap_or_default();
        let length = rest.partition_point(|file| file.starts_with(prefix));
        candidates = rest.get(..length).unwrap_or_default();
    }
    let matching = candidates.iter().filter(|file| spec.matches(file));
    Ok(matching.map(ToString::to_string).collect())
}

/// The files that `package` owns, sorted and relative to it: those of its directory and of the directories below up to the
/// next build file. A link to a directory is one entry.
pub fn package_files<'a>(tree: &'a Tree, package: &PackageDir) -> &'a [Box<str>] {
    let Some(listing) = tree.listing(package) else { return &[] };
    listing.get_or_init(|| {
        let mut files = Listing::new();
        collect(tree, &package.dir, "", &mut files);
        files.sort_unstable();
        files
    })
}

fn collect(tree: &Tree, path: &ProjectPath, prefix: &str, files: &mut Listing) {
    let Some(dir) = tree.dir(path) else { return };
    if !prefix.is_empty() && dir.build_file.is_some() {
        return;
    }
    let names = dir.files.iter().chain(&dir.links);
    files.extend(names.map(|name| format!("{prefix}{name}").into()));
    for name in &dir.dirs {
        collect(tree, &child(path, name), &format!("{prefix}{name}/"), files);
    }
}

struct Spec<'a> {
    exact: FxHashSet<&'a str>,
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl<'a> Spec<'a> {
    fn new(include: &[&'a str], exclude: &[&str]) -> Result<Self, String> {
        let mut spec =
            Self { exact: FxHashSet::default(), include: Vec::new(), exclude: Vec::new() };
        for pattern in include {
            // A pattern without `*` is no pattern: `a?` and `a/[bc]` are names.
            if pattern.contains('*') {
                spec.include.push(compile(pattern)?);
            } else {
                check_components(pattern)?;
                spec.exact.insert(pattern);
            }
        }
        for pattern in exclude {
            spec.exclude.push(compile(pattern)?);
        }
        Ok(spec)
    }

    fn matches(&self, path: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches_with(path, OPTIONS));
        (self.exact.contains(path) || any(&self.include)) && !any(&self.exclude)
    }
}

fn compile(pattern: &str) -> Result<Pattern, String> {
    let compiled = Pattern::new(pattern).map_err(|error| format!("glob `{pattern}`: {error}"))?;
    check_components(pattern)?;
    Ok(compiled)
}

fn check_components(pattern: &str) -> Result<(), String> {
    let refuse = |what: &str| Err(format!("glob `{pattern}` {what}, so it cannot match anything"));
    if pattern.contains("//") {
        return refuse("holds `//`");
    }
    if pattern.starts_with('/') {
        return refuse("starts with `/`");
    }
    if pattern.ends_with('/') {
        return refuse("ends with `/`");
    }
    match pattern.split('/').find(|part| matches!(*part, "." | "..")) {
        Some(part) => refuse(&format!("holds `{part}`")),
        None => Ok(()),
    }
}

/// What all patterns begin with, up to the first special character.
fn common_prefix<'a>(patterns: &[&'a str]) -> &'a str {
    let Some((first, rest)) = patterns.split_first() else { return "" };
    let special = first.find(['*', '[', ']', '?']).unwrap_or(first.len());
    let mut prefix = first.get(..special).unwrap_or_default();
    for pattern in rest {
        let same = prefix.char_indices().zip(pattern.chars()).find(|((_, a), b)| a != b);
        let end = same.map_or(prefix.len().min(pattern.len()), |((at, _), _)| at);
        prefix = prefix.get(..end).unwrap_or_default();
    }
    prefix
}

#[cfg(test)]
#[path = "globs_tests.rs"]
mod tests;
